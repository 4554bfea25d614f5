# SPDX-License-Identifier: MIT
"""Names that equal the NSEC3 label of another name, on a flat zone that ldns signed. Whoever has the zone knows all NSEC3
owners, so questions for each of them arrive; and a name may be enrolled after the one that its own name is the hash of."""
import base64
import hashlib

import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rdatatype
import pytest
from name_server import TTL, NameServer, canonical, digest, run, zone_lines

import gate

ZONE = "_device.flat.example."
NAMES = 30


def plain(number):
    return f"n{number}.{ZONE}"


def nsec3_owner(name):
    hashed = hashlib.sha1(dns.name.from_text(name).to_wire()).digest()
    return f"{base64.b32hexencode(hashed).decode().lower()}.{ZONE}"


# Enrolled although they are NSEC3 owners of the zone: of two names, of the apex, and of one that is itself such a name.
COLLIDING = [nsec3_owner(plain(0)), nsec3_owner(plain(1)), nsec3_owner(ZONE), nsec3_owner(nsec3_owner(plain(0)))]


@pytest.fixture(scope="module")
def server():
    one = NameServer().configure()
    try:
        lines = zone_lines(ZONE, 0) + [f"{plain(number)} {TTL} IN TLSA 3 1 1 {digest(number)}" for number in range(NAMES)]
        lines += [f"{name} {TTL} IN TLSA 3 1 1 {digest(1000 + number)}" for number, name in enumerate(COLLIDING)]
        one.signed = one.sign(ZONE, lines, "zone")
        one.load(ZONE, one.signed)
        one.checked = one.validator(ZONE)
        one.start()
        yield one
    finally:
        one.close()


def sections(server, name, rr_type):
    """Returns {(owner, covered type)} of the RRSIGs and {owner of NSEC3 records} of an answer."""
    query = dns.message.make_query(name, rr_type, want_dnssec=True)
    answer = dns.query.udp(query, "127.0.0.1", port=server.port, timeout=5)
    assert not answer.flags & dns.flags.TC
    rrsets = answer.answer + answer.authority
    signed = [(rrset.name.to_text().lower(), dns.rdatatype.to_text(rrset.covers)) for rrset in rrsets if rrset.rdtype == dns.rdatatype.RRSIG]
    records = {(rrset.name.to_text().lower(), dns.rdatatype.to_text(rrset.rdtype)) for rrset in rrsets if rrset.rdtype != dns.rdatatype.RRSIG}
    assert len(signed) == len(set(signed))
    return set(signed), records


def test_every_nsec3_owner_is_denied_unless_it_is_enrolled(server):
    owners = {line.split()[0] for line in server.signed.read_text().splitlines() if "\tNSEC3\t" in line}
    assert len(owners) == 1 + NAMES + len(COLLIDING) and set(COLLIDING) < owners

    said = {owner: server.checked.delv_says(owner) for owner in owners}

    assert {owner for owner, verdict in said.items() if verdict == "secure"} == set(COLLIDING)
    assert set(said.values()) == {"secure", "secure NXDOMAIN"}, said


def test_every_answer_has_the_signatures_of_its_own_records_only(server):
    for name in COLLIDING + [plain(number) for number in range(NAMES)] + [f"absent{number}.{ZONE}" for number in range(100)]:
        for rr_type in ("TLSA", "SSHFP", "NSEC3"):
            signed, records = sections(server, name, rr_type)
            assert signed == records, f"{name} {rr_type}"


@pytest.mark.parametrize("name", COLLIDING + [plain(0), plain(1)])
def test_colliding_names_and_those_they_collide_with_are_answered_and_denied(server, name):
    assert server.checked.delv_says(name, "TLSA") == "secure"
    assert server.checked.delv_says(name, "SSHFP") == "secure NODATA"
    assert server.checked.delv_says(name, "NSEC3") == "secure NODATA"
    assert server.checked.delv_says(f"below.{name}", "TLSA") == "secure NXDOMAIN"
    assert "(secure)" in server.checked.unbound_host(name, "TLSA")


def test_denials_by_the_record_at_a_colliding_name_validate(server):
    """Beside the one at the apex's, which denies every name of a flat zone."""
    denying = {(owner, "NSEC3") for owner in COLLIDING} - {(nsec3_owner(ZONE), "NSEC3")}
    names = [f"absent{number}.{ZONE}" for number in range(300)]
    by_record = [name for name in names if sections(server, name, "TLSA")[1] & denying]

    assert len(by_record) > 5
    assert {server.checked.delv_says(name) for name in by_record[:20]} == {"secure NXDOMAIN"}


def test_a_transfer_is_the_signed_zone(server):
    transferred = server.transfer(ZONE)

    gate.require_valid(transferred, ZONE)
    judged = [canonical(run("ldns-read-zone", "-z", path)) for path in (server.signed, transferred)]
    assert judged[0] == judged[1]
