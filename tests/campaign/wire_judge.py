# SPDX-License-Identifier: MIT
"""A small validator for single answers: signatures by dnspython, denials by RFC 5155 §8 written out here. It asks nobody and
keeps nothing, so that each answer is judged by what it holds."""
import base64
import hashlib

import dns.dnssec
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

BASE32_TO_HEX = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHIJKLMNOPQRSTUV")


class Bogus(Exception):
    """The answer proves nothing, or something else than it says."""


def nsec3_label(name):
    """RFC 5155 §5 with no salt and no further iterations."""
    digest = hashlib.sha1(name.canonicalize().to_wire()).digest()
    return base64.b32encode(digest).translate(BASE32_TO_HEX).decode().lower()


class WireJudge:
    """Judges answers from one NSEC3 zone, with that zone's keys."""

    def __init__(self, zone, dnskeys, now=None):
        """`dnskeys` is the zone's DNSKEY RRset, checked against its DS by the caller."""
        self.zone, self.keys, self.now = dns.name.from_text(zone), {dns.name.from_text(zone): dnskeys}, now

    def judge(self, answer, name, rr_type=dns.rdatatype.TLSA):
        """Returns ("secure", [RDATA…]), ("absent", []), ("nodata", []) or (rcode, []); raises Bogus."""
        name = dns.name.from_text(name)
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            return dns.rcode.to_text(answer.rcode()), []
        if not answer.flags & dns.flags.AA:
            raise Bogus("not authoritative")
        found = [rrset for rrset in answer.answer if rrset.rdtype != dns.rdatatype.RRSIG]
        if found:
            if answer.rcode() != dns.rcode.NOERROR or len(found) != 1 or (found[0].name, found[0].rdtype) != (name, rr_type):
                raise Bogus(f"answers something else: {found}")
            self._verify(answer.answer, found[0])
            return "secure", sorted(rdata.to_wire() for rdata in found[0])
        denials = self._denials(answer.authority)
        if answer.rcode() == dns.rcode.NXDOMAIN:
            self._require_absent(denials, name)
            return "absent", []
        matching = denials.get(nsec3_label(name))
        if matching is None or self._has_type(matching, rr_type):
            raise Bogus(f"no NSEC3 record says that {name} has no such type")
        return "nodata", []

    def _verify(self, section, rrset):
        signatures = [other for other in section if other.rdtype == dns.rdatatype.RRSIG and other.name == rrset.name
                      and other.covers == rrset.rdtype]
        if len(signatures) != 1:
            raise Bogus(f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}: {len(signatures)} sets of signatures")
        try:
            dns.dnssec.validate(rrset, signatures[0], self.keys, now=self.now)
        except (dns.exception.DNSException, ValueError) as refused:
            raise Bogus(f"{rrset.name} {dns.rdatatype.to_text(rrset.rdtype)}: {refused}") from None

    def _denials(self, section):
        """Verifies an authority section; returns its NSEC3 records by their hash."""
        denials, has_soa = {}, False
        for rrset in section:
            if rrset.rdtype == dns.rdatatype.RRSIG:
                continue
            self._verify(section, rrset)
            has_soa = has_soa or (rrset.rdtype == dns.rdatatype.SOA and rrset.name == self.zone)
            if rrset.rdtype == dns.rdatatype.NSEC3:
                denials[rrset.name.labels[0].decode().lower()] = rrset[0]
        if not has_soa:
            raise Bogus("no SOA record in a negative answer")
        return denials

    @staticmethod
    def _has_type(record, rr_type):
        window, bit = divmod(rr_type, 256)
        return any(number == window and bit // 8 < len(bits) and bits[bit // 8] & (0x80 >> bit % 8) for number, bits in record.windows)

    def _require_absent(self, denials, name):
        """RFC 5155 §8.4: a closest encloser that matches, the next closer name and the wildcard covered."""
        encloser, closer = name, None
        while nsec3_label(encloser) not in denials:
            if encloser == self.zone:
                raise Bogus(f"no closest encloser of {name} is proven")
            encloser, closer = encloser.parent(), encloser
        if closer is None:
            raise Bogus(f"NXDOMAIN, and an NSEC3 record matches {name}")
        for absent in (closer, dns.name.from_text("*", encloser)):
            if not any(self._covers(label, record, nsec3_label(absent)) for label, record in denials.items()):
                raise Bogus(f"{absent} is not covered")

    @staticmethod
    def _covers(label, record, wanted):
        following = base64.b32encode(record.next).translate(BASE32_TO_HEX).decode().lower()
        return label < wanted < following if label < following else wanted > label or wanted < following
