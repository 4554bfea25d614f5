# SPDX-License-Identifier: MIT
"""PowerDNS over PostgreSQL, on a cluster with the settings that idzone's own has in the same benchmark."""
import pathlib

import content
import postgresql
import wire
from peers.pdns import NO_CACHES, Pdns
from peers.server import SERVER_CORE

SCHEMA = pathlib.Path("/usr/share/pdns-backend-pgsql/schema/schema.pgsql.sql")
DATABASE = "pdns"


class PdnsGpgsql(Pdns):
    name = "pdns_gpgsql"

    def __init__(self):
        super().__init__()
        self.cluster = postgresql.cluster(self.folder, self.account)
        self.account.own(*(self.folder / part for part in ("log", "run", "data")), self.folder)
        self.cluster.create()
        self.cluster.start().wait_ready()
        self.cluster.create_database(DATABASE)
        self.cluster.sql(SCHEMA.read_text(), DATABASE)
        self.backend = (f"launch=gpgsql\ngpgsql-host={self.cluster.socket_folder}\ngpgsql-dbname={DATABASE}\ngpgsql-user=postgres\n"
                        "gpgsql-dnssec=yes\n")

    @classmethod
    def serving(cls, zone_file):
        """The database shares the server's core: together they are the server."""
        self = cls()
        self.transfer(zone_file)
        self.cluster.sql("vacuum analyze", DATABASE)
        self.cluster.stop()
        self.cluster.command = ["taskset", "-c", str(SERVER_CORE), *self.cluster.command]
        self.cluster._child = None  # noqa: SLF001
        self.cluster.start().wait_ready()
        return self.configure()

    def without_caches(self):
        return self.configure(NO_CACHES)

    @classmethod
    def publishing(cls, owners):
        """Live signing, as PowerDNS does it: a change writes rows, answers are signed when they are asked for."""
        self = cls()
        self.cluster.sql(f"insert into domains (name, type) values ('{content.ZONE[:-1]}', 'NATIVE')", DATABASE)
        rows = self.folder / "data" / "rows"
        with open(rows, "w") as out:
            for owner, kind, data in content.records(owners):
                out.write(f"1\t{owner[:-1]}\t{kind}\t{data}\t{wire.TTL}\tt\n")
        self.account.own(rows)
        self.cluster.sql(f"copy records (domain_id, name, type, content, ttl, auth) from '{rows}'", DATABASE)
        self.configure("dnsupdate=yes\nallow-dnsupdate-from=127.0.0.0/8\ndefault-ksk-algorithm=ecdsa256\ndefault-zsk-algorithm=\n", pinned=False)
        self.util("add-zone-key", content.ZONE, "ksk", "active", "ecdsa256")
        self.util("set-nsec3", content.ZONE, "1 0 0 -")
        self.util("rectify-zone", content.ZONE)
        self.util("set-meta", content.ZONE, "ALLOW-DNSUPDATE-FROM", "127.0.0.0/8")
        self.cluster.sql("vacuum analyze", DATABASE)
        return self

    def daemons(self):
        return {**super().daemons(), "postgresql": self.cluster}

    def close(self):
        if self.daemon:
            self.daemon.kill()
        self.cluster.kill()
        super().close()
