# SPDX-License-Identifier: MIT
"""What PowerDNS's own backends have in common. A signed zone comes by transfer, which is how PowerDNS takes one as it is."""
import content
import wire
from devstack.process import wait_until
from peers.knot import Knot
from peers.server import FASTER_ALLOCATOR, Server

CONFIG = """
local-address=127.0.0.1
local-port={port}
socket-dir={folder}/run
daemon=no
guardian=no
write-pid=no
disable-syslog=yes
loglevel=3
log-dns-queries=no
webserver=no
api=no
security-poll-suffix=
version-string=anonymous
receiver-threads=1
udp-truncation-threshold=1232
no-shuffle=yes
allow-axfr-ips=127.0.0.0/8
xfr-max-received-mbytes=0
axfr-fetch-timeout=600
"""
NO_CACHES = "cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\n"


class Pdns(Server):
    """`caches` are the settings of its caches: as they are by default, or NO_CACHES; `serve` measures both and takes the better."""

    backend = ""
    environment = FASTER_ALLOCATOR

    def configure(self, more="", pinned=True):
        """One distributor thread: the receiver answers itself, without a queue in between."""
        self.write("pdns.conf", CONFIG.format(port=self.port, folder=self.folder) + self.backend.format(folder=self.folder) +
                   f"distributor-threads={1 if pinned else 2}\n" + more)
        return self._declare(["pdns_server", f"--config-dir={self.folder}"], pinned)

    def util(self, *arguments):
        return content.run(*self.account.command("pdnsutil", f"--config-dir={self.folder}", *arguments))

    def transfer(self, zones):
        """Fills the backend from a primary that holds the signed zone."""
        primary = Knot.serving(zones).start()
        try:
            self.configure("secondary=yes\nslave-cycle-interval=1\n", pinned=False)
            self.util("create-secondary-zone", content.ZONE, f"127.0.0.1:{primary.port}")
            self.daemon.start()
            asker = wire.Asker(self.port)
            wait_until(lambda: wire.is_signed_answer(asker.ask(wire.query(content.ZONE, wire.SOA))), 3600, f"{self.name} transferred", 0.5)
            asker.close()
            self.daemon.stop(120)
        finally:
            primary.close()
