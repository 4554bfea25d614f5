# SPDX-License-Identifier: MIT
"""Writes records of any type behind everybody's back: what somebody could do who owns the database or the edge's disk.
The formats are those of services/core/zone/node.h and services/replica/FORMAT.md."""
import hashlib
import pathlib

import lmdb
import xxhash


def _checksum(key, content):
    return xxhash.xxh3_64_intdigest(content, xxhash.xxh3_64_intdigest(key)).to_bytes(8, "big")


def plant_in_replica(folder, owner, change):
    """Replaces the RRsets of the node of `owner` (wire form) by what `change` makes of them; returns how many it met."""
    folder = pathlib.Path(folder)
    owners = {path.name: path.stat() for path in folder.iterdir()}
    environment = lmdb.open(str(folder), max_dbs=6, map_size=1 << 30)
    nodes = environment.open_db(b"node", create=False)
    met = 0
    with environment.begin(db=nodes, write=True) as transaction:
        for key, value in list(transaction.cursor()):
            content = bytes(value[8:])
            assert bytes(value[:8]) == _checksum(bytes(key), content), "the reader of this test knows the format"
            if content[1:1 + content[0]] != owner:
                continue
            at = 1 + content[0]
            at += 1 + content[at]
            at += 2 + int.from_bytes(content[at:at + 2], "big")
            planted = content[:at] + change(content[at:])
            transaction.put(bytes(key), _checksum(bytes(key), planted) + planted)
            met += 1
    environment.close()
    assert met == 1, f"{met} nodes of {owner!r}"
    assert owners.keys() == {path.name for path in folder.iterdir()}
    return met


def wire_name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.strip(".").split(".")) + b"\0"


def planted_rrset(rr_type, rdata):
    """services/core/zone/node.h: type, TTL, one record, no signature."""
    return rr_type.to_bytes(2, "big") + (300).to_bytes(4, "big") + b"\1" + len(rdata).to_bytes(2, "big") + rdata + b"\0"


def with_planted(rrsets, rr_type, rdata):
    """Adds an RRset to a node's encoding, in its place by type."""
    planted = planted_rrset(rr_type, rdata)
    body = planted + rrsets[1:] if rr_type < 52 else rrsets[1:] + planted
    return bytes([rrsets[0] + 1]) + body


def node_of(stack, owner):
    hexadecimal = stack.cluster.sql(f"select encode(rrsets, 'hex') from published.node where owner = '\\x{wire_name(owner).hex()}'")
    return bytes.fromhex(hexadecimal)


def drop_the_constraint(stack):
    names = stack.cluster.sql("select conname from pg_constraint c join pg_type t on t.oid = c.contypid where t.typname = 'rr_types'").split()
    for name in names:
        stack.cluster.sql(f"alter domain published.rr_types drop constraint {name}")


def plant_in_node(stack, owner, rr_type, rdata):
    rrsets = with_planted(node_of(stack, owner), rr_type, rdata)
    stack.cluster.sql(f"update published.node set rrsets = '\\x{rrsets.hex()}', rr_types = rr_types || {rr_type if rr_type < 32768 else rr_type - 65536}::smallint "
                      f"where owner = '\\x{wire_name(owner).hex()}'")


def key_of(stack, owner):
    return bytes.fromhex(stack.cluster.sql(f"select encode(denial_key, 'hex') from published.node where owner = '\\x{wire_name(owner).hex()}'"))


def forged_delta(key, owner, rrsets):
    """services/core/zone/node.h: a change of one node's records; its place in the chain stays. `owner` in wire form."""
    return b"\1" + bytes([len(key)]) + key + bytes([len(owner)]) + owner + len(rrsets).to_bytes(4, "big") + rrsets


def plant_version(stack, zone, owner, rr_type, rdata):
    """A journal entry with the forbidden record, chained as the signer would: only its content is wrong."""
    zone_id, epoch, serial, digest = stack.cluster.sql(
        f"select zone_id, epoch, serial, encode(digest, 'hex') from published.zone where name_text = '{zone}'").split("|")
    delta = forged_delta(key_of(stack, owner), wire_name(owner), with_planted(node_of(stack, owner), rr_type, rdata))
    following = int(serial) + 1
    new = hashlib.sha256(bytes.fromhex(digest) + int(epoch).to_bytes(4, "big") + following.to_bytes(4, "big") + delta).hexdigest()
    stack.cluster.sql(
        "begin; insert into published.version (zone_id, epoch, serial, previous_serial, previous_digest, digest, rr_types, delta) "
        f"values ({zone_id}, {epoch}, {following}, {serial}, '\\x{digest}', '\\x{new}', '{{{rr_type}}}', '\\x{delta.hex()}'); "
        f"update published.zone set serial = {following}, digest = '\\x{new}' where zone_id = {zone_id}; commit")
