# SPDX-License-Identifier: MIT
"""All zones of a namespace, from the journal, moved transaction by transaction: parents and children as the world could see them.

After each transaction: every child has its delegation and every delegation its child; the DS records name keys of the child that sign its
keys, for each of their algorithms; no name is in a parent and below one of its cuts; and there are at most four DNSKEY records. That the
signatures and the denial (of DS, too) are valid is the gate's business, which gets every version.
"""
import collections
import hashlib
import itertools
import struct

import gate
import psycopg2
from journal_zone import JournalZone

NS, DS, RRSIG, DNSKEY = 2, 43, 46, 48
DNSKEYS_MAX = 4


def versions_of(url, namespace):
    """Yields lists of (zone, epoch, serial, …): what each transaction published. Those of a namespace follow one another: it has a lock."""
    for _, rows in transactions_after(url, namespace, 0):
        yield rows


def transactions_after(url, namespace, number):
    """Yields (number, rows as of versions_of) of the transactions after that one."""
    with psycopg2.connect(url) as connection, connection.cursor("versions") as cursor:
        cursor.execute("select v.xmin::text::bigint, z.name_text, v.epoch, v.serial, v.previous_serial, v.previous_digest, v.digest, v.delta "
                       "from published.version v join published.zone z using (zone_id) join registry.namespace n using (namespace_id) "
                       "where n.name_text = %s and v.xmin::text::bigint > %s order by 1, z.zone_id, v.epoch, v.serial", (namespace, number))
        for transaction, rows in itertools.groupby(cursor, lambda row: row[0]):
            yield transaction, [tuple(bytes(value) if isinstance(value, memoryview) else value for value in row[1:]) for row in rows]


def wire_name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.rstrip(".").split(".")) + b"\0"


class NamespaceJournal:
    def __init__(self, namespace, denial):
        self.namespace, self.denial = namespace, denial
        self.zones = {}
        self.cuts = collections.defaultdict(dict)  # {parent: {owner of a cut: its DS RDATAs}}
        self.keys = {}  # {zone: (its DNSKEY RDATAs, the tags that signed them)}
        self.keys_most = 0

    def apply(self, rows):
        """Moves on by a transaction; returns [(zone, serial)] of what it published."""
        for name, *row in rows:
            self.zones.setdefault(name, JournalZone(name, self.denial)).apply(*row)
        for name in {row[0] for row in rows}:
            self._look(name)
        return [(row[0], row[2]) for row in rows]

    def _look(self, name):
        """Reads off a zone what its parent and its children care for."""
        zone, cuts = self.zones[name], {}
        for node in zone.nodes.values():
            for rr_type, _, rdatas, rrsigs in node.rrsets:
                if node.owner == name and rr_type == DNSKEY:
                    self.keys[name] = (rdatas, {struct.unpack_from("!H", rrsig, 16)[0] for rrsig in rrsigs})
                if rr_type == DS:
                    cuts[node.owner] = rdatas
        self.cuts[name] = cuts

    def troubles(self, changed):
        """What is wrong with the zones that changed, or between them and their parents and children."""
        found = []
        for name in sorted({zone for zone, _ in changed}):
            found += self._alone(name)
            found += self._below(name)
            if name != self.namespace:
                parent = self.parent(name)
                if name not in self.cuts[parent]:
                    found.append(f"{name} is a zone, and {parent} does not delegate it")
                else:
                    found += self._delegation(parent, name)
            for cut in self.cuts[name]:
                found += self._delegation(name, cut) if cut in self.zones else [f"{name} delegates {cut}, which is no zone"]
        return found

    def parent(self, name):
        """The most specific zone above a zone."""
        above = name
        while True:
            above = above.split(".", 1)[1]
            if above in self.zones:
                return above
            if above == self.namespace or not above:
                raise AssertionError(f"nothing is above {name}")

    def _alone(self, name):
        keys = self.keys.get(name, ([], ()))[0]
        self.keys_most = max(self.keys_most, len(keys))
        tags = {self._tag(key) for key in keys}
        if not keys or len(keys) > DNSKEYS_MAX or len(tags) != len(keys):
            return [f"{name} has {len(keys)} keys with {len(tags)} tags"]
        return []

    def _below(self, name):
        """RFC 4035 §2.2 and RFC 1034 §4.2.1: at a cut are NS and DS, below it is nothing."""
        cuts, found = self.cuts[name], []
        for node in self.zones[name].nodes.values():
            types = {rr_type for rr_type, *_ in node.rrsets}
            if node.owner in cuts and types != {NS, DS}:
                found.append(f"{name} has types {sorted(types)} at its cut {node.owner}")
            if NS in types and node.owner != name and node.owner not in cuts:
                found.append(f"{name} delegates {node.owner} without DS")
            at = node.owner
            while at != name:
                at = at.split(".", 1)[1]
                if at in cuts:
                    found.append(f"{node.owner} is in {name}, below its cut {at}")
        return found

    def _delegation(self, parent, name):
        """A DS record for each of their algorithms leads to a key that signs the child's keys (RFC 4035 §2.2, RFC 6840 §5.11)."""
        keys, signers = self.keys[name]
        by_digest = {hashlib.sha256(wire_name(name) + key).digest(): key for key in keys}
        algorithms, led = set(), set()
        for rdata in self.cuts[parent][name]:
            tag, algorithm, digest_type = struct.unpack_from("!HBB", rdata)
            key = by_digest.get(rdata[4:])
            algorithms.add(algorithm)
            if digest_type == 2 and key and key[3] == algorithm and self._tag(key) == tag and tag in signers:
                led.add(algorithm)
        if not algorithms or algorithms != led:
            return [f"the DS records of {name} have algorithms {sorted(algorithms)}, and lead to keys that sign of {sorted(led)}"]
        return []

    @staticmethod
    def _tag(rdata):
        total = sum(octet << (0 if index & 1 else 8) for index, octet in enumerate(rdata))
        return (total + (total >> 16)) & 0xffff


def data_of(zone):
    """{(owner, type, RDATA without blanks)} of the identities' records of a JournalZone."""
    found = set()
    for line in zone.lines():
        owner, _, _, rr_type, rdata = line.split(" ", 4)
        if rr_type in ("TLSA", "SSHFP"):
            found.add((owner, rr_type, "".join(rdata.split())))
    return found


def require_valid_zone(zone, path, valid_for_seconds, judges=None):
    """The gate on the version that a JournalZone is at."""
    path.write_text("\n".join(zone.lines()) + "\n")
    gate.require_valid(path, zone.zone, valid_for_seconds, judges)
