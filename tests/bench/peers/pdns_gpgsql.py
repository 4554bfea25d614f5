# SPDX-License-Identifier: MIT
"""PowerDNS over PostgreSQL, on a cluster with the settings that idzone's own has in the same benchmark."""
import base64
import hashlib
import pathlib
import shutil

import content
import postgresql
import wire
from peers.pdns import NO_CACHES, Pdns
from peers.server import SERVER_CORE

SCHEMA = pathlib.Path("/usr/share/pdns-backend-pgsql/schema/schema.pgsql.sql")
DATABASE = "pdns"


def _rows(file):
    """Yields PowerDNS's row of each record of a signed master file but NSEC3 and NSEC3PARAM, which it makes itself."""
    for line in open(file, encoding="ascii"):
        parts = line.split()
        if len(parts) < 5 or parts[0].startswith(";") or parts[3] in ("NSEC3", "NSEC3PARAM"):
            continue
        owner, ttl, kind, data = parts[0][:-1].lower(), parts[1], parts[3], parts[4:]
        if kind == "RRSIG":
            data = [*data[:7], data[7][:-1], "".join(data[8:])]
        elif kind in ("DNSKEY", "TLSA"):
            data = [*data[:3], "".join(data[3:]).lower() if kind == "TLSA" else "".join(data[3:])]
        else:
            data = [part.rstrip(".") for part in data]
        ordername = "\\N" if kind == "RRSIG" else _hash(owner)
        yield f"1\t{owner}\t{kind}\t{' '.join(data)}\t{ttl}\t0\tf\t{ordername}\tt\n"


def _plain_rows(owners):
    """Yields PowerDNS's row of each record of an unsigned zone, hashed and with its empty non-terminals, as `pdnsutil rectify-zone` would
    leave it; that takes some minutes for a million names."""
    apex = content.ZONE[:-1]
    between = set()
    for owner, kind, data in content.records(owners):
        name = owner[:-1]
        yield f"1\t{name}\t{kind}\t{data}\t{wire.TTL}\t{_hash(name)}\tt\n"
        parent = name.partition(".")[2]
        while kind == "TLSA" and parent != apex and parent not in between:
            between.add(parent)
            parent = parent.partition(".")[2]
    for name in between:
        yield f"1\t{name}\t\\N\t\\N\t\\N\t{_hash(name)}\tt\n"


def _hash(owner):
    wire = b"".join(bytes([len(label)]) + label.encode() for label in owner.split(".")) + b"\0"
    return base64.b32hexencode(hashlib.sha1(wire).digest()).decode().lower()


class PdnsGpgsql(Pdns):
    name = "pdns_gpgsql"
    preloaded = "by COPY into its database, with vacuum analyze; signatures are made for each answer"

    def __init__(self):
        super().__init__()
        self.cluster = postgresql.cluster(self.folder, self.account)
        self.account.own(*(self.folder / part for part in ("log", "run", "data")), self.folder)
        self.backend = (f"launch=gpgsql\ngpgsql-host={self.cluster.socket_folder}\ngpgsql-dbname={DATABASE}\ngpgsql-user=postgres\n"
                        "gpgsql-dnssec=yes\n")

    def with_schema(self):
        self.cluster.create()
        self.cluster.start().wait_ready()
        self.cluster.create_database(DATABASE)
        self.cluster.sql(SCHEMA.read_text(), DATABASE)
        return self

    @classmethod
    def serving(cls, zones):
        """The database shares the server's core: together they are the server."""
        kept = zones.kept(cls.name, lambda folder: cls._fill(zones, folder))
        self = cls()
        shutil.copytree(kept, self.cluster.data, dirs_exist_ok=True)
        self.cluster.data.chmod(0o700)
        self.account.own(self.cluster.data)
        self.cluster.create()
        self.cluster.command = ["taskset", "-c", str(SERVER_CORE), *self.cluster.command]
        self.cluster.start().wait_ready()
        return self.configure()

    @classmethod
    def _fill(cls, zones, folder):
        """As a transfer would leave it, row for row; a transfer of a million names takes an hour."""
        self = cls().with_schema()
        try:
            self.cluster.sql(f"insert into domains (name, type) values ('{content.ZONE[:-1]}', 'NATIVE')", DATABASE)
            self.cluster.sql("insert into domainmetadata (domain_id, kind, content) values (1, 'PRESIGNED', '1'), (1, 'NSEC3PARAM', '1 0 0 -')", DATABASE)
            rows = self.folder / "data" / "rows"
            with open(rows, "w", encoding="ascii") as out:
                out.writelines(_rows(zones.file))
            self.account.own(rows)
            self.cluster.sql(f"copy records (domain_id, name, type, content, ttl, prio, disabled, ordername, auth) from '{rows}'", DATABASE)
            self.cluster.sql("vacuum analyze", DATABASE)
            self.cluster.stop(120)
            shutil.copytree(self.cluster.data, folder, dirs_exist_ok=True)
        finally:
            self.close()

    def without_caches(self):
        return self.configure(NO_CACHES)

    @classmethod
    def publishing(cls, owners):
        """Live signing, as PowerDNS does it: a change writes rows, answers are signed when they are asked for."""
        self = cls().with_schema()
        self.cluster.sql(f"insert into domains (name, type) values ('{content.ZONE[:-1]}', 'NATIVE')", DATABASE)
        rows = self.folder / "data" / "rows"
        with open(rows, "w", encoding="ascii") as out:
            out.writelines(_plain_rows(owners))
        self.account.own(rows)
        self.cluster.sql(f"copy records (domain_id, name, type, content, ttl, ordername, auth) from '{rows}'", DATABASE)
        self.configure("dnsupdate=yes\nallow-dnsupdate-from=127.0.0.0/8\ndefault-ksk-algorithm=ecdsa256\ndefault-zsk-algorithm=\n", pinned=False)
        self.util("add-zone-key", content.ZONE, "ksk", "active", "ecdsa256")
        self.util("set-nsec3", content.ZONE, "1 0 0 -")
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
