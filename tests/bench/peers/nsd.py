# SPDX-License-Identifier: MIT
"""NSD: served from memory by one server process; it signs nothing and takes no updates."""
import content
from peers.server import Server

CONFIG = """
server:
    server-count: 1
    ip-address: 127.0.0.1@{port}
    username: ""
    chroot: ""
    zonesdir: "{folder}/data"
    database: ""
    pidfile: "{folder}/run/nsd-own.pid"
    xfrdfile: "{folder}/data/xfrd.state"
    zonelistfile: "{folder}/data/zone.list"
    xfrdir: "{folder}/data"
    minimal-responses: yes
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
    verbosity: 0
remote-control:
    control-enable: no
zone:
    name: "{zone}"
    zonefile: "zone"
    provide-xfr: 127.0.0.1 NOKEY
"""


class Nsd(Server):
    name = "nsd"

    @classmethod
    def serving(cls, zones):
        self = cls()
        content.copy_for(self.account, zones.file, self.folder / "data" / "zone")
        config = self.write("nsd.conf", CONFIG.format(folder=self.folder, port=self.port, zone=content.ZONE))
        return self._declare(["nsd", "-d", "-c", config], pinned=True)
