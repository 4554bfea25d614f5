# SPDX-License-Identifier: MIT
"""PowerDNS rebuilds denial records itself and takes only their signatures from us: they must be the signer's own."""
import dataclasses
import random

import dns.rdatatype
import pytest
from devstack.devices import make_devices
from look_up import wire_query

import gate

@dataclasses.dataclass(frozen=True)
class Published:
    """What the export of a zone says of denial."""
    zone: str
    kind: str  # NSEC3 or NSEC
    records: dict  # owner of the denial record: (ttl, rdata)
    signatures: set  # (owner, signature)
    names: list  # with data, and the empty non-terminals above them


@pytest.fixture(scope="module", params=["nsec3", "nsec"])
def published(request, stack, sizes):
    zone, kind = f"_device.denial-{request.param}.example.", request.param.upper()
    stack.create_namespace(zone, "--layout", "tree", "--width", "2", "--denial", request.param)
    with stack.client() as client:
        client.enroll_many(zone, make_devices(sizes["devices"], kinds=lambda number: "p256"))
        assert client.wait(zone, live=True, timeout_seconds=60).done
    records, signatures, names = {}, set(), set()
    for owner, ttl, rr_type, rdata in gate.records(stack.export(zone, stack.folder / "denial.zone")):
        if rr_type == kind:
            records[owner] = (ttl, canonical(kind, rdata))
        elif rr_type == "RRSIG" and rdata.startswith(f"{kind} "):
            signatures.add((owner, canonical("RRSIG", rdata)))
        elif rr_type != "RRSIG":
            names.add(owner)
            names.add(owner.split(".", 1)[1] if rr_type == "TLSA" else owner)
    return Published(zone, kind, records, signatures, sorted(names))


def canonical(rr_type, text):
    return dns.rdata.from_text("IN", rr_type, text).to_text().lower()


def denials(answer, kind):
    """Yields each denial record of an answer, and each signature of one: (owner, ttl, rdata or None, signatures or None)."""
    rr_type = dns.rdatatype.from_text(kind)
    assert {rrset.rdtype for rrset in answer.authority} <= {dns.rdatatype.SOA, dns.rdatatype.RRSIG, rr_type}, answer
    for rrset in answer.authority:
        if rrset.rdtype == rr_type:
            yield rrset.name.to_text().lower(), rrset.ttl, [rdata.to_text().lower() for rdata in rrset], None
        if rrset.rdtype == dns.rdatatype.RRSIG and rrset.covers == rr_type:
            yield rrset.name.to_text().lower(), rrset.ttl, None, [rdata.to_text().lower() for rdata in rrset]


def require_equal(answer, published, wanted):
    met = set()
    for owner, ttl, rdatas, rrsigs in denials(answer, published.kind):
        if rdatas is not None:
            assert (ttl, *rdatas) == published.records[owner], owner
            met.add(owner)
        else:
            assert {(owner, rrsig) for rrsig in rrsigs} <= published.signatures, owner
    assert len(met) >= wanted, answer
    return met


def test_denial_of_each_name_is_the_signers(stack, published):
    met = set()

    for name in published.names:
        met |= require_equal(wire_query(stack.ports["dns"], name, "SSHFP"), published, 1)

    assert met == set(published.records), "every denial record of the zone was seen, and no other"


def test_denial_of_random_absent_names_is_the_signers(stack, published, sizes):
    source = random.Random(20261123)

    for _ in range(sizes["absent_names"]):
        label = "".join(source.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(source.randint(1, 20)))
        parent = source.choice(published.names) if source.random() < 0.5 else published.zone
        require_equal(wire_query(stack.ports["dns"], f"{label}-absent.{parent}"), published, 1)
