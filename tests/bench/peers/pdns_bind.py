# SPDX-License-Identifier: MIT
"""PowerDNS over zone files in memory. That a zone is signed already, it reads in a small database of its own."""
import content
from peers.pdns import NO_CACHES, Pdns


class PdnsBind(Pdns):
    name = "pdns_bind"
    backend = "launch=bind\nbind-config={folder}/data/named.conf\nbind-dnssec-db={folder}/data/dnssec.db\n"

    @classmethod
    def serving(cls, zones):
        self = cls()
        data = self.folder / "data"
        content.copy_for(self.account, zones.file, data / "zone")
        (data / "named.conf").write_text(f'options {{ directory "{data}"; }};\nzone "{content.ZONE[:-1]}" {{ type master; file "zone"; }};\n')
        self.configure()
        self.util("create-bind-db", data / "dnssec.db")
        self.util("set-nsec3", content.ZONE, "1 0 0 -")
        self.util("set-presigned", content.ZONE)
        return self

    def without_caches(self):
        return self.configure(NO_CACHES)
