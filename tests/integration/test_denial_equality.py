# SPDX-License-Identifier: MIT
"""PowerDNS rebuilds denial records itself and takes only their signatures from us: they must be the signer's own."""
import random

import dns.rdatatype
import pytest
from devstack.devices import make_devices
from look_up import wire_query

import gate

ZONE = "_device.denial.example."


@pytest.fixture(scope="module")
def published(stack, sizes):
    """The export: ({NSEC3 owner: (ttl, rdata)}, {(owner, signature)}, names)."""
    stack.create_namespace(ZONE, "--layout", "tree", "--width", "2")
    with stack.client() as client:
        client.enroll_many(ZONE, make_devices(sizes["devices"], kinds=lambda number: "p256"))
        assert client.wait(ZONE, live=True, timeout_seconds=60).done
    path = stack.export(ZONE, stack.folder / "denial.zone")
    records, signatures, names = {}, set(), set()
    for owner, ttl, rr_type, rdata in gate.records(path):
        if rr_type == "NSEC3":
            records[owner] = (ttl, canonical("NSEC3", rdata))
        elif rr_type == "RRSIG" and rdata.startswith("NSEC3 "):
            signatures.add((owner, canonical("RRSIG", rdata)))
        elif rr_type != "RRSIG":
            names.add(owner)
            names.add(owner.split(".", 1)[1] if rr_type == "TLSA" else owner)
    return records, signatures, sorted(names)


def canonical(rr_type, text):
    return dns.rdata.from_text("IN", rr_type, text).to_text().lower()


def denials(answer):
    """Compares each denial record of an answer with the export; returns how many there were."""
    for rrset in answer.authority:
        if rrset.rdtype == dns.rdatatype.NSEC3:
            yield rrset.name.to_text().lower(), rrset.ttl, [rdata.to_text().lower() for rdata in rrset], None
        if rrset.rdtype == dns.rdatatype.RRSIG and rrset.covers == dns.rdatatype.NSEC3:
            yield rrset.name.to_text().lower(), rrset.ttl, None, [rdata.to_text().lower() for rdata in rrset]


def require_equal(answer, published, wanted):
    records, signatures, _ = published
    met = set()
    for owner, ttl, rdatas, rrsigs in denials(answer):
        if rdatas is not None:
            assert (ttl, *rdatas) == records[owner], owner
            met.add(owner)
        else:
            assert {(owner, rrsig) for rrsig in rrsigs} <= signatures, owner
    assert len(met) >= wanted, answer
    return met


def test_denial_of_each_name_is_the_signers(stack, published):
    met = set()

    for name in published[2]:
        met |= require_equal(wire_query(stack.ports["dns"], name, "SSHFP"), published, 1)

    assert met == set(published[0]), "every denial record of the zone was seen, and no other"


def test_denial_of_random_absent_names_is_the_signers(stack, published, sizes):
    source = random.Random(20261123)

    for _ in range(sizes["absent_names"]):
        label = "".join(source.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(source.randint(1, 20)))
        parent = source.choice(published[2]) if source.random() < 0.5 else ZONE
        require_equal(wire_query(stack.ports["dns"], f"{label}-absent.{parent}"), published, 1)
