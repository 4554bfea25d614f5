# SPDX-License-Identifier: MIT
"""Real DNS messages, and what malice or a bad cable makes of them."""
import dns.edns
import dns.message
import dns.opcode
import dns.rdatatype

POINTER_LOOP = b"\xc0\x0c"


def real_messages(zone, owners):
    """Queries of many kinds, and other messages that a server may be sent; wire form."""
    names = [*owners[:8], zone, f"absent.{zone}", f"*.{zone}", "else.example.", ".", f"{'a' * 63}.{zone}"]
    made = []
    for name in names:
        for rr_type in ("TLSA", "ANY", "SOA", "DNSKEY", "NSEC3", "AXFR", "IXFR", "TYPE0", "TYPE65535"):
            for edns in (False, True):
                message = dns.message.make_query(name, rr_type, want_dnssec=edns)
                if edns:
                    message.use_edns(0, payload=512 if rr_type == "ANY" else 1232, ednsflags=0x8000,
                                     options=[dns.edns.GenericOption(10, bytes(range(8))), dns.edns.GenericOption(8, b"\0\1\x18\0\x0a\0\0")])
                made.append(message)
    for opcode in (dns.opcode.NOTIFY, dns.opcode.UPDATE, dns.opcode.STATUS, dns.opcode.IQUERY):
        message = dns.message.make_query(zone, "SOA")
        message.set_opcode(opcode)
        made.append(message)
    wires = [message.to_wire() for message in made]
    response = dns.message.make_response(made[0])
    return [*wires, response.to_wire()]


def mutate(wire, source):
    """Returns the message with one to four changes."""
    octets = bytearray(wire)
    for _ in range(source.randint(1, 4)):
        source.choice((_flip, _flip, _counts, _truncate, _append, _repeat, _label, _pointer, _number))(octets, source)
    return bytes(octets[:65535])


def _place(octets, source):
    return source.randrange(len(octets)) if octets else 0


def _flip(octets, source):
    if octets:
        octets[_place(octets, source)] ^= 1 << source.randrange(8)


def _counts(octets, source):
    """The header's counts no longer fit what follows."""
    at = source.choice((4, 6, 8, 10))
    octets[at:at + 2] = source.choice((0, 1, 2, 255, 65535)).to_bytes(2, "big")


def _truncate(octets, source):
    del octets[_place(octets, source):]


def _append(octets, source):
    octets += source.randbytes(source.choice((1, 2, 11, 40, 600)))


def _repeat(octets, source):
    begin = _place(octets, source)
    octets[begin:begin] = octets[begin:begin + source.randrange(64)] * source.randint(1, 8)


def _label(octets, source):
    """A length octet says too much, too little, or nothing that exists."""
    if len(octets) > 12:
        octets[source.randrange(12, len(octets))] = source.choice((0, 1, 63, 64, 127, 128, 191, 192, 255))


def _pointer(octets, source):
    at = source.randrange(12, len(octets)) if len(octets) > 12 else len(octets)
    octets[at:at + 2] = source.choice((POINTER_LOOP, b"\xc0" + bytes([at & 0xff]), b"\xff\xff", b"\xc0\x00"))


def _number(octets, source):
    at = _place(octets, source)
    octets[at:at + 2] = source.choice((0, 1, 0x7fff, 0x8000, 0xffff)).to_bytes(2, "big")
