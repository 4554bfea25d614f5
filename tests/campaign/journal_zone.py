# SPDX-License-Identifier: MIT
"""Every version of a zone, from the journal: another reader of its encodings (services/core/zone/node.h, version.h,
services/core/dns/denial.h) than our own, writing each version as a master file.

The denial records are not in the journal: they follow from the nodes, as a name server makes them.
"""
import base64
import hashlib
import struct
import time

NSEC3, NSEC = 1, 2
TYPES = {2: "NS", 6: "SOA", 43: "DS", 44: "SSHFP", 46: "RRSIG", 47: "NSEC", 48: "DNSKEY", 50: "NSEC3", 51: "NSEC3PARAM", 52: "TLSA", 53: "SMIMEA",
         59: "CDS", 60: "CDNSKEY", 61: "OPENPGPKEY"}
PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_*")
HASH_LETTERS = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", b"0123456789ABCDEFGHIJKLMNOPQRSTUV")


class JournalWrong(AssertionError):
    """The journal is not what its description says."""


def require(condition, text):
    if not condition:
        raise JournalWrong(text)


def name_text(wire):
    """Presentation form of a name whose labels need no escapes: those of identity zones."""
    labels, at = [], 0
    while wire[at]:
        label = wire[at + 1:at + 1 + wire[at]]
        require(PLAIN.issuperset(label), f"a label {label!r}")
        labels.append(label.decode())
        at += 1 + wire[at]
    return ".".join(labels) + "."


def name_end(octets, at):
    while octets[at]:
        at += 1 + octets[at]
    return at + 1


def moment(seconds):
    return time.strftime("%Y%m%d%H%M%S", time.gmtime(seconds))


def encoded(octets):
    return base64.b64encode(octets).decode()


def denial_rrsigs(field):
    """services/core/zone/denial_signatures.h: one, or several behind a zero."""
    if field[:2] != b"\0\0":
        return [field]
    rrsigs, at = [], 2
    while at < len(field):
        size = struct.unpack_from("!H", field, at)[0]
        rrsigs.append(field[at + 2:at + 2 + size])
        at += 2 + size
    return rrsigs


def rrsig_text(rdata):
    covered, algorithm, labels, ttl, end, begin, tag = struct.unpack_from("!HBBIIIH", rdata)
    signer_end = name_end(rdata, 18)
    return f"{TYPES[covered]} {algorithm} {labels} {ttl} {moment(end)} {moment(begin)} {tag} {name_text(rdata[18:signer_end])} {encoded(rdata[signer_end:])}"


def soa_text(rdata):
    second = name_end(rdata, 0)
    third = name_end(rdata, second)
    return " ".join([name_text(rdata), name_text(rdata[second:]), *map(str, struct.unpack("!5I", rdata[third:]))])


def rdata_text(rr_type, rdata):
    if rr_type == 6:
        return soa_text(rdata)
    if rr_type == 2:
        return name_text(rdata)
    if rr_type in (48, 60):
        return "%d %d %d %s" % (*struct.unpack_from("!HBB", rdata), encoded(rdata[4:]))
    if rr_type in (43, 59):
        return "%d %d %d %s" % (*struct.unpack_from("!HBB", rdata), rdata[4:].hex().upper())
    if rr_type in (52, 53):
        return f"{rdata[0]} {rdata[1]} {rdata[2]} {rdata[3:].hex().upper()}"
    if rr_type == 44:
        return f"{rdata[0]} {rdata[1]} {rdata[2:].hex().upper()}"
    if rr_type == 61:
        return encoded(rdata)
    require(rr_type == 51 and rdata == b"\1\0\0\0\0", f"RDATA of type {rr_type}")
    return "1 0 0 -"


class Reader:
    def __init__(self, octets):
        self.octets, self.at = octets, 0

    def take(self, count):
        require(self.at + count <= len(self.octets), "the encoding ends early")
        self.at += count
        return self.octets[self.at - count:self.at]

    def sized(self, width):
        return self.take(int.from_bytes(self.take(width), "big"))

    def number(self, width):
        return int.from_bytes(self.take(width), "big")


def decode_rrsets(octets):
    """Yields (type, ttl, [RDATA], [RRSIG RDATA])."""
    reader = Reader(octets)
    for _ in range(reader.number(1)):
        rr_type, ttl = reader.number(2), reader.number(4)
        yield rr_type, ttl, [reader.sized(2) for _ in range(reader.number(1))], [reader.sized(2) for _ in range(reader.number(1))]
    require(reader.at == len(octets), "octets behind the RRsets")


class Node:
    """One owner name: its lines of data, and of denial, kept as text because most nodes do not change from version to version."""

    __slots__ = ("owner", "rrsets", "next", "rrsig", "data_lines", "denial_lines")

    def __init__(self):
        self.owner = self.rrsets = self.next = self.rrsig = self.data_lines = self.denial_lines = None


class JournalZone:
    def __init__(self, zone, denial=NSEC3):
        self.zone, self.denial, self.nodes = zone, denial, {}
        self.serial, self.digest, self.epoch = 0, bytes(32), None
        self.signed = 0  # RRSIG records that versions brought

    def apply(self, epoch, serial, previous_serial, previous_digest, digest, delta):
        """Moves to the next version; JournalWrong when it does not follow."""
        require(self.epoch in (None, epoch) and previous_serial == self.serial and previous_digest == self.digest, f"version {serial} does not follow {self.serial}")
        require(serial == self.serial + 1, f"serial {serial} after {self.serial}")
        chained = hashlib.sha256(self.digest + epoch.to_bytes(4, "big") + serial.to_bytes(4, "big") + delta).digest()
        require(chained == digest, f"digest of version {serial}")
        self.epoch, self.serial, self.digest = epoch, serial, digest
        reader, last = Reader(delta), b""
        while reader.at < len(delta):
            flags, key = reader.number(1), reader.sized(1)
            require(flags in (1, 2, 3, 4) and key > last, f"version {serial}: flags {flags}, or its keys do not ascend")
            last = key
            self._change(reader, flags, key)

    def _change(self, reader, flags, key):
        if flags == 4:
            require(self.nodes.pop(key, None) is not None, "a node that is not there is removed")
            return
        node = self.nodes.setdefault(key, Node())
        if flags & 1:
            node.owner, rrsets = name_text(reader.sized(1)), reader.sized(4)
            node.rrsets = list(decode_rrsets(rrsets))
            node.data_lines = node.denial_lines = None
            self.signed += sum(len(rrsigs) for _, _, _, rrsigs in node.rrsets)
        if flags & 2:
            node.next, node.rrsig, node.denial_lines = reader.sized(1), reader.sized(2), None
            self.signed += 1
        require(node.owner and node.rrsig is not None, "a new node is whole")

    def lines(self):
        """Returns the version's records, one a line."""
        negative_ttl = self._negative_ttl()
        found = []
        for key, node in self.nodes.items():
            if node.data_lines is None:
                node.data_lines = list(self._data(node))
            if node.denial_lines is None:
                node.denial_lines = list(self._denial(key, node, negative_ttl))
            found += node.data_lines
            found += node.denial_lines
        return found

    def _negative_ttl(self):
        """RFC 9077."""
        for node in self.nodes.values():
            if node.owner == self.zone:
                ttl, rdata = next((ttl, rdatas[0]) for rr_type, ttl, rdatas, _ in node.rrsets if rr_type == 6)
                return min(ttl, int.from_bytes(rdata[-4:], "big"))
        raise JournalWrong("no apex")

    @staticmethod
    def _data(node):
        for rr_type, ttl, rdatas, rrsigs in node.rrsets:
            for rdata in rdatas:
                yield f"{node.owner} {ttl} IN {TYPES[rr_type]} {rdata_text(rr_type, rdata)}"
            for rrsig in rrsigs:
                yield f"{node.owner} {ttl} IN RRSIG {rrsig_text(rrsig)}"

    def _denial(self, key, node, ttl):
        types = {rr_type for rr_type, _, _, _ in node.rrsets}
        if self.denial == NSEC:
            require(types, f"a node without records in an NSEC zone: {node.owner}")  # RFC 4035 §2.3: no NSEC record there
            owner, record = node.owner, f"NSEC {name_text(node.next)} {self._bitmap(types | {46, 47})}"
        else:
            owner, record = f"{self._hash(key).lower()}.{self.zone}", f"NSEC3 1 0 0 - {self._hash(node.next)} {self._bitmap(types | {46} if types else types)}"
        yield f"{owner} {ttl} IN {record}".rstrip()
        for rrsig in denial_rrsigs(node.rrsig):
            yield f"{owner} {ttl} IN RRSIG {rrsig_text(rrsig)}"

    @staticmethod
    def _bitmap(types):
        return " ".join(TYPES[rr_type] for rr_type in sorted(types))

    @staticmethod
    def _hash(key):
        require(len(key) == 20, f"an NSEC3 key of {len(key)} octets")
        return base64.b32encode(key).translate(HASH_LETTERS).decode()

    def signatures_end(self):
        """Returns when the first signature of this version ends, seconds since 1970."""
        ends = [struct.unpack_from("!I", rrsig, 8)[0] for node in self.nodes.values() for _, _, _, rrsigs in node.rrsets for rrsig in rrsigs]
        return min(ends + [struct.unpack_from("!I", rrsig, 8)[0] for node in self.nodes.values() if node.rrsig for rrsig in denial_rrsigs(node.rrsig)])


def normal(owner, ttl, rr_type, rdata):
    """A record in a form in which two writers of master files agree."""
    return owner.lower(), ttl, rr_type, "".join(rdata.split())
