# SPDX-License-Identifier: MIT
"""Knot DNS: served from memory; published with automatic signing, each change in a journal that LMDB syncs, and never the
zone file (zonefile-sync: -1), whose writing would be most of an update."""
import content
from peers.server import Server

SERVER = """
server:
    rundir: {folder}/data
    pidfile: {folder}/data/knotd-own.pid
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: {tcp_workers}
    background-workers: {background_workers}
log:
  - target: stderr
    any: warning
database:
    storage: {folder}/data
    journal-db-mode: robust
    journal-db-max-size: 4G
"""
SIGNED = """
acl:
  - id: leave
    address: 127.0.0.1
    action: transfer
zone:
  - domain: {zone}
    file: {folder}/data/zone
    zonefile-sync: -1
    journal-content: none
    acl: leave
"""
SIGNING = """
acl:
  - id: bench
    address: 127.0.0.1
    action: [update, transfer]
policy:
  - id: bench
    single-type-signing: on
    algorithm: ecdsap256sha256
    nsec3: on
    nsec3-iterations: 0
    nsec3-salt-length: 0
    signing-threads: 2
zone:
  - domain: {zone}
    file: {folder}/data/zone
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: changes
    journal-max-usage: 2G
    journal-max-depth: 1000000
    semantic-checks: off
    dnssec-signing: on
    dnssec-policy: bench
    acl: bench
"""


class Knot(Server):
    name = "knot"
    preloaded = "in a zone file, which the server signed itself before the first update"

    def _with(self, part, workers, pinned):
        values = {"folder": self.folder, "port": self.port, "zone": content.ZONE, "tcp_workers": workers, "background_workers": workers}
        config = self.write("knot.conf", (SERVER + part).format(**values))
        return self._declare(["knotd", "-c", config], pinned)

    @classmethod
    def serving(cls, zones):
        self = cls()
        content.copy_for(self.account, zones.file, self.folder / "data" / "zone")
        return self._with(SIGNED, 1, pinned=True)

    @classmethod
    def publishing(cls, owners):
        self = cls()
        content.write(self.folder / "data" / "zone", owners)
        return self._with(SIGNING, 2, pinned=False)
