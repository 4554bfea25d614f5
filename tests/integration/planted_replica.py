# SPDX-License-Identifier: MIT
"""Writes into a replica behind everybody's back, with a right checksum: what somebody could do who owns the edge's disk.
The format is that of services/replica/FORMAT.md."""
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
