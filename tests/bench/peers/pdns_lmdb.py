# SPDX-License-Identifier: MIT
"""PowerDNS over LMDB."""
import shutil

from peers.pdns import NO_CACHES, Pdns


class PdnsLmdb(Pdns):
    name = "pdns_lmdb"
    backend = "launch=lmdb\nlmdb-filename={folder}/data/zones\nlmdb-shards=1\nlmdb-sync-mode=sync\n"

    @classmethod
    def serving(cls, zones):
        self = cls()
        shutil.copytree(zones.kept(cls.name, lambda folder: cls._fill(zones, folder)), self.folder / "data", dirs_exist_ok=True)
        return self.configure()

    @classmethod
    def _fill(cls, zones, folder):
        self = cls()
        try:
            self.transfer(zones)
            shutil.copytree(self.folder / "data", folder, dirs_exist_ok=True)
        finally:
            self.close()

    def without_caches(self):
        return self.configure(NO_CACHES)
