# SPDX-License-Identifier: MIT
"""The name server on an NSEC zone that ldns signed, beside an NSEC3 zone: each is denied in its own way."""
import re

import pytest
from name_server import TTL, NameServer, canonical, digest, owner, run, zone_lines

import gate

ZONE = "_device.nsec.example."
OTHER = "_device.acme.example."
WILDCARD = f"*.w.{ZONE}"


def named(number):
    return owner(number, ZONE)


@pytest.fixture(scope="module")
def server():
    """A server with an NSEC zone of 300 names and a wildcard, and an NSEC3 zone. Without 8bit-dns PowerDNS itself refuses
    questions with unusual octets, so that the hardest names would not reach the module."""
    one = NameServer().configure(**{"8bit_dns": "yes"})
    try:
        one.load(OTHER, one.sign(OTHER, zone_lines(OTHER, 20), "other"))
        one.other = one.validator(OTHER)
        lines = zone_lines(ZONE, 300) + [f"{WILDCARD} {TTL} IN TLSA 2 0 1 {digest(9)}"]
        one.signed = one.sign(ZONE, lines, "zone", nsec3=False)
        one.load(ZONE, one.signed)
        one.checked = one.validator(ZONE)
        one.start()
        yield one
    finally:
        one.close()


@pytest.mark.parametrize("name, rr_type, verdict", [
    (named(5), "TLSA", "secure"),
    (named(5).upper(), "TLSA", "secure"),
    (ZONE, "SOA", "secure"),
    (ZONE, "NS", "secure"),
    (ZONE, "DNSKEY", "secure"),
    (ZONE, "NSEC", "secure"),
    (named(5), "NSEC", "secure"),
    (named(5), "ANY", "secure"),
    (named(5), "SSHFP", "secure NODATA"),
    (ZONE, "TLSA", "secure NODATA"),
    (ZONE, "NSEC3PARAM", "secure NODATA"),
    (f"{digest(5)[0]}.{ZONE}", "TLSA", "secure NODATA"),  # an empty non-terminal
    (f"{digest(5)[0]}.{ZONE}", "NSEC", "secure NODATA"),
    (f"w.{ZONE}", "TLSA", "secure NODATA"),
    (f"absent.{ZONE}", "TLSA", "secure NXDOMAIN"),
    (f"absent.{digest(5)[0]}.{ZONE}", "TLSA", "secure NXDOMAIN"),
    (f"below.{named(5)}", "TLSA", "secure NXDOMAIN"),
    (f"x.y.z.{ZONE}", "TLSA", "secure NXDOMAIN"),
    (f"0.{ZONE}", "SSHFP", "secure NODATA"),
    (f"!.{ZONE}", "TLSA", "secure NXDOMAIN"),  # before all other names
    (f"zzz.{ZONE}", "TLSA", "secure NXDOMAIN"),  # behind them
    (f"any.w.{ZONE}", "TLSA", "secure"),  # by the wildcard
    (f"two.labels.w.{ZONE}", "TLSA", "secure"),
    (f"any.w.{ZONE}", "SSHFP", "secure NODATA"),
    (WILDCARD, "TLSA", "secure"),
    (f"*.{digest(5)[0]}.{ZONE}", "TLSA", "secure NXDOMAIN"),  # asked for by its own name
])
def test_answers_validate(server, name, rr_type, verdict):
    assert server.checked.delv_says(name, rr_type) == verdict


@pytest.mark.parametrize("name, rr_type, secure", [(named(5), "TLSA", "has"), (named(5), "SSHFP", "has no"), (f"any.w.{ZONE}", "TLSA", "has"),
                                                   (f"{digest(5)[0]}.{ZONE}", "TLSA", "has no"), (f"absent.{ZONE}", "TLSA", "not found")])
def test_unbound_agrees(server, name, rr_type, secure):
    text = server.checked.unbound_host(name, rr_type)
    assert "(secure)" in text and secure in text


def test_labels_with_zero_octets_are_denied(server):
    """`x\\000y` lies behind all that is below x; its octets would make another name's key."""
    for label in (r"w\000any", r"\000", digest(5)[0] + r"\000" + named(5).split(".")[0], r"\000.w", r"a\000\000b.\255"):
        name = f"{label}.{ZONE}"
        assert server.status(name, "TLSA") == ("NOERROR" if label.endswith(".w") else "NXDOMAIN"), name
        assert server.checked.delv_says(name) in ("secure NXDOMAIN", "secure"), name


def test_no_nsec3_is_in_its_answers_and_no_nsec_in_the_other_zones(server):
    nsec = server.dig("+dnssec", f"absent.{ZONE}", "TLSA")
    nsec3 = server.dig("+dnssec", f"absent.{OTHER}", "TLSA")

    assert re.search(r"\sNSEC\s", nsec) and "NSEC3" not in nsec
    assert re.search(r"\sNSEC3\s", nsec3) and not re.search(r"\sNSEC\s", nsec3)
    assert server.other.delv_says(f"absent.{OTHER}") == "secure NXDOMAIN"


def test_a_transfer_is_the_signed_zone(server):
    transferred = server.transfer(ZONE)

    gate.require_valid(transferred, ZONE)
    judged = [canonical(run("ldns-read-zone", "-z", path)) for path in (server.signed, transferred)]
    assert judged[0] == judged[1]
    assert len(judged[0]) > 1200
