# SPDX-License-Identifier: MIT
"""PowerDNS rebuilds denial records itself and takes only their signatures from us: they must be the signer's own, on both sides of
zone cuts."""
import dataclasses
import random

import dns.rdatatype
import pytest
from devstack.devices import make_devices
from look_up import wire_query

import gate

LAYOUTS = {
    "tree": ["--layout", "tree", "--width", "1"],
    "flat": ["--layout", "flat"],
    "enum": ["--layout", "enum", "--form", "digits"],
    "private": ["--layout", "tree", "--width", "1", "--labels", "private"],
}
# Every layout with both kinds of denial; the algorithms take turns.
KINDS = [("tree", "nsec3", "ecdsa"), ("tree", "nsec", "ed25519"), ("flat", "nsec3", "ed25519"), ("flat", "nsec", "ecdsa"),
         ("enum", "nsec3", "ed25519"), ("enum", "nsec", "ecdsa"), ("private", "nsec3", "ecdsa"), ("private", "nsec", "ed25519")]


@dataclasses.dataclass(frozen=True)
class Published:
    """What the export of a namespace's zones says of denial."""
    zone: str
    kind: str  # NSEC3 or NSEC
    records: dict  # owner of a denial record: {(ttl, rdata)}; an NSEC zone and its parent both have one at a cut
    at_cuts: set  # owners of the parent's denial records at cuts: only an insecure delegation would show them at the name itself
    signatures: set  # (owner, signature)
    names: list  # with data, and the empty non-terminals above them
    with_data: set  # names of identities


@pytest.fixture(scope="module", params=KINDS, ids="-".join)
def published(request, stack, sizes):
    layout, denial, algorithm = request.param
    zone, kind = f"_device.{layout}-{denial}.example.", denial.upper()
    stack.create_namespace(zone, *LAYOUTS[layout], "--denial", denial, "--algorithm", algorithm)
    devices = make_devices(sizes["devices"] if layout == "tree" else 250, kinds=lambda number: "p256")
    if layout == "enum":
        devices = [dataclasses.replace(device, id=f"{number * 7919 % 100003:05d}") for number, device in enumerate(devices)]
    with stack.client() as client:
        answers = client.enroll_many(zone, devices)
        assert all(answer.HasField("enrolled") for answer in answers), answers[0]
        assert client.wait(zone, live=True, timeout_seconds=60).done
    published = Published(zone, kind, {}, set(), set(), [], set())
    names = set()
    for part in stack.zones(zone):
        for owner, ttl, rr_type, rdata in gate.records(stack.export(part, stack.folder / "denial.zone")):
            if rr_type == kind:
                published.records.setdefault(owner, set()).add((ttl, canonical(kind, rdata)))
                if " DS " in f"{rdata} " and kind == "NSEC3":
                    published.at_cuts.add(owner)
            elif rr_type == "RRSIG" and rdata.startswith(f"{kind} "):
                published.signatures.add((owner, canonical("RRSIG", rdata)))
            elif rr_type != "RRSIG":
                if rr_type == "TLSA":
                    published.with_data.add(owner)
                while owner != part:
                    names.add(owner)
                    owner = owner.split(".", 1)[1]
                names.add(part)
    published.names.extend(sorted(names))
    return published


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
            assert (ttl, *rdatas) in published.records[owner], owner
            met.add(owner)
        else:
            assert {(owner, rrsig) for rrsig in rrsigs} <= published.signatures, owner
    assert len(met) >= wanted, answer
    return met


def test_denial_of_each_name_is_the_signers(stack, published):
    met = set()

    for name in published.names:
        met |= require_equal(wire_query(stack.ports["dns"], name, "SSHFP"), published, 1)

    assert met == set(published.records) - published.at_cuts, "every denial record of the zones was seen, and no other"


def test_denial_of_random_absent_names_is_the_signers(stack, published, sizes):
    source = random.Random(20261123)

    for _ in range(sizes["absent_names"]):
        label = "".join(source.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(source.randint(1, 20)))
        parent = source.choice(published.names) if source.random() < 0.5 else published.zone
        require_equal(wire_query(stack.ports["dns"], f"{label}-absent.{parent}"), published, 1)


def test_delv_validates_what_there_is_and_what_there_is_not(stack, published):
    validator = stack.validator(published.zone)
    source = random.Random(20261124)
    with_data = published.with_data
    empty = [name for name in published.names if name not in with_data and name != published.zone]

    expected = {name: "secure" for name in source.sample(sorted(with_data), 8)}
    expected |= {name: "secure NODATA" for name in source.sample(empty, min(8, len(empty)))}
    expected |= {f"absent{number}.{source.choice(published.names)}": "secure NXDOMAIN" for number in range(8)}

    assert {name: validator.delv_says(name) for name in expected} == expected
    assert validator.delv_says(sorted(with_data)[0], "SSHFP") == "secure NODATA"
