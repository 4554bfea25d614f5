# SPDX-License-Identifier: MIT
"""NSEC3 and NSEC, ECDSA P-256 and Ed25519: every version that is published passes the gate, and delv validates what is answered."""
import itertools
import pathlib
import sys

import psycopg2
import pytest
from devstack.devices import make_devices
from devstack.process import wait_until
from idzone_client import refusal

import gate

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "campaign"))
from journal_zone import NSEC, NSEC3, JournalZone, normal  # noqa: E402

P256, ED25519 = 13, 15
KINDS = list(itertools.product((NSEC3, NSEC), (P256, ED25519)))
TREE = 2
BATCHES, BATCH = 6, 50
VALID_FOR_SECONDS = 24 * 3600


def create(stack, zone, **fields):
    resource = {"name": zone, "operator_id": "acme", "name_servers": ["ns1.example.net.", "ns2.example.net."], "layout": {"kind": TREE, "width": 0}, **fields}
    with stack.client("admin") as client:
        return client.call("NamespaceService", "CreateNamespace", namespace_resource=resource)


class KindOfZone:
    """A namespace of one kind that lived for a while: 300 devices in six batches, after each of which some were revoked."""

    def __init__(self, stack, denial, algorithm):
        self.stack, self.denial, self.algorithm = stack, denial, algorithm
        self.zone = f"_device.kind-{denial}-{algorithm}.example."
        self.names, self.revoked = [], []

    def live(self, devices):
        with self.stack.client() as client:
            made = create(self.stack, self.zone, denial=self.denial, algorithm=self.algorithm).namespace_resource
            assert (made.denial, made.algorithm) == (self.denial, self.algorithm)
            again = client.call("NamespaceService", "GetNamespace", name=self.zone).namespace_resource
            assert (again.denial, again.algorithm) == (self.denial, self.algorithm)
            for begin in range(0, BATCHES * BATCH, BATCH):
                batch = devices[begin:begin + BATCH]
                for device, answer in zip(batch, client.enroll_many(self.zone, batch)):
                    self.names.append((device, answer.enrolled.identity.owner_name))
                assert client.wait(self.zone, timeout_seconds=60).done
                for device, owner in self.names[begin:begin + BATCH:7] + self.names[:1]:
                    if owner in self.revoked:
                        continue
                    client.revoke(self.zone, device.id)
                    self.revoked.append(owner)
                assert client.wait(self.zone, timeout_seconds=60).done
            assert client.wait(self.zone, live=True, timeout_seconds=60).done
        return self

    def journal(self):
        with psycopg2.connect(self.stack.cluster.url()) as connection, connection.cursor() as cursor:
            cursor.execute("select v.epoch, v.serial, v.previous_serial, v.previous_digest, v.digest, v.delta from published.version v "
                           "join published.zone z using (zone_id) where z.name_text = %s order by v.epoch, v.serial", (self.zone,))
            return [(*row[:3], *map(bytes, row[3:])) for row in cursor.fetchall()]

    def published_names(self):
        return [owner for _, owner in self.names if owner not in self.revoked]


def data(path):
    """Digests and hashes in one case: writers of master files differ there."""
    return {normal(owner, ttl, rr_type, rdata.lower() if rr_type in ("TLSA", "NSEC3") else rdata) for owner, ttl, rr_type, rdata in gate.records(path)}


@pytest.fixture(scope="module", params=KINDS, ids=lambda kind: f"{'NSEC3' if kind[0] == NSEC3 else 'NSEC'}-{kind[1]}")
def lived(request, stack):
    devices = make_devices(BATCHES * BATCH, "kind", kinds=lambda number: "p256")
    return KindOfZone(stack, *request.param).live(devices)


def test_every_version_passes_the_gate_and_the_last_one_is_the_export(stack, lived, tmp_path):
    zone, judged = JournalZone(lived.zone, lived.denial), 0

    for version in lived.journal():
        zone.apply(*version)
        path = tmp_path / f"{zone.serial}.zone"
        path.write_text("\n".join(zone.lines()) + "\n")
        gate.require_valid(path, lived.zone, VALID_FOR_SECONDS)
        judged += 1

    assert judged >= 2 * BATCHES, "enrollments and revocations were published apart"
    export = stack.export(lived.zone, tmp_path / "export.zone")
    gate.require_valid(export, lived.zone, VALID_FOR_SECONDS)
    assert data(export) == data(path)


def test_the_zone_is_of_its_kind_and_of_no_other(stack, lived, tmp_path):
    records = list(gate.records(stack.export(lived.zone, tmp_path / "export.zone")))
    types = {rr_type for _, _, rr_type, _ in records}

    assert ("NSEC" in types) == (lived.denial == NSEC)
    assert ("NSEC3" in types) == ("NSEC3PARAM" in types) == (lived.denial == NSEC3)
    assert {rdata.split()[2] for _, _, rr_type, rdata in records if rr_type == "DNSKEY"} == {str(lived.algorithm)}
    assert {rdata.split()[1] for _, _, rr_type, rdata in records if rr_type == "RRSIG"} == {str(lived.algorithm)}
    assert {line.split()[5] for line in stack.delegation_signer(lived.zone)} == {str(lived.algorithm)}
    if lived.denial == NSEC:
        with_data = {owner for owner, _, rr_type, _ in records if rr_type not in ("NSEC", "RRSIG")}
        assert {owner for owner, _, rr_type, _ in records if rr_type == "NSEC"} == with_data, "NSEC records stand at names with RRsets alone"


def test_a_transfer_passes_the_gate(stack, lived, tmp_path):
    wait_until(lambda: stack.soa_serial(lived.zone) == lived.journal()[-1][1], 30, "the last version is served")

    gate.require_valid(stack.transfer(lived.zone, tmp_path / "axfr.zone"), lived.zone, VALID_FOR_SECONDS)


def test_delv_validates_each_kind_of_answer(stack, lived):
    validator = stack.validator(lived.zone)
    there = lived.published_names()
    parent = there[0].split(".", 1)[1]
    expected = {name: "secure" for name in there[::40]}
    expected |= {name: "secure NXDOMAIN" for name in lived.revoked[::8]}
    expected |= {parent: "secure NODATA", f"absent.{lived.zone}": "secure NXDOMAIN", f"absent.{parent}": "secure NXDOMAIN",
                 f"below.{there[1]}": "secure NXDOMAIN", f"00.{lived.zone}": "secure NXDOMAIN", f"zz.{lived.zone}": "secure NXDOMAIN"}

    assert {name: validator.delv_says(name) for name in expected} == expected
    assert validator.delv_says(there[0], "SSHFP") == "secure NODATA"
    for rr_type in ("SOA", "NS", "DNSKEY"):
        assert validator.delv_says(lived.zone, rr_type) == "secure"
    assert validator.delv_says(lived.zone, "NSEC3PARAM") == ("secure" if lived.denial == NSEC3 else "secure NODATA")


def test_a_namespace_keeps_its_kind(stack, lived):
    other_denial = NSEC if lived.denial == NSEC3 else NSEC3
    other_algorithm = P256 if lived.algorithm == ED25519 else ED25519

    assert create(stack, lived.zone, denial=lived.denial, algorithm=lived.algorithm).namespace_resource.denial == lived.denial
    for denial, algorithm in ((other_denial, lived.algorithm), (lived.denial, other_algorithm)):
        assert refusal(create, stack, lived.zone, denial=denial, algorithm=algorithm)[:2] == ("ALREADY_EXISTS", "ALREADY_EXISTS")


@pytest.mark.parametrize("field, value", [("denial", 3), ("algorithm", 8)])
def test_other_kinds_are_refused(stack, field, value):
    code, reason, metadata = refusal(create, stack, "_device.kind-unknown.example.", **{field: value})

    assert (code, reason, metadata["field"]) == ("INVALID_ARGUMENT", "ENUM_UNKNOWN", field)
