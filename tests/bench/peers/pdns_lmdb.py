# SPDX-License-Identifier: MIT
"""PowerDNS over LMDB."""
from peers.pdns import NO_CACHES, Pdns


class PdnsLmdb(Pdns):
    name = "pdns_lmdb"
    backend = "launch=lmdb\nlmdb-filename={folder}/data/zones\nlmdb-shards=1\nlmdb-sync-mode=sync\n"

    @classmethod
    def serving(cls, zone_file):
        self = cls()
        self.transfer(zone_file)
        return self.configure()

    def without_caches(self):
        return self.configure(NO_CACHES)
