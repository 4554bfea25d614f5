# SPDX-License-Identifier: MIT
"""Ours, as a Server: PowerDNS with the identity backend, its configuration that of deploy/pdns, on a replica loaded from the
same signed file that the peers load."""
import re
import shutil

import content
from idzone_stack import BUILD, SOURCE
from peers.server import FASTER_ALLOCATOR, Server


def format_version():
    return int(re.search(r"kFormatVersion = (\d+);", (SOURCE / "services" / "replica" / "format.h").read_text()).group(1))


def _fill(zones, folder):
    for apex, file in zones.files:
        content.run(BUILD / "bin" / "replica_load", folder, apex, file)


class Idzone(Server):
    name = "idzone"
    environment = FASTER_ALLOCATOR

    @classmethod
    def serving(cls, zones):
        self = cls()
        self.replica, self.module = self.folder / "replica", self.folder / "module"
        self.module.mkdir()
        shutil.copy2(BUILD / "lib" / "libidentitybackend.so", self.module)
        shutil.copytree(zones.kept(f"replica-{format_version()}", lambda folder: _fill(zones, folder)), self.replica)
        self.account.own(self.replica)
        return self.configure()

    def beside(self):
        """Returns another server on the same replica, without the packet cache."""
        other = Idzone()
        other.replica, other.module = self.replica, self.module
        return other.configure("cache-ttl=0\n")

    def configure(self, more=""):
        values = {"MODULE_DIR": self.module, "REPLICA_DIR": self.replica, "ADDRESS": "127.0.0.1", "PORT": self.port, "SOCKET_DIR": self.folder / "run"}
        template = (SOURCE / "deploy" / "pdns" / "pdns.conf").read_text()
        text = re.sub(r"@([A-Z_]+)@", lambda marker: str(values[marker.group(1)]), template)
        self.write("pdns.conf", text + "distributor-threads=1\n" + more)
        return self._declare(["pdns_server", f"--config-dir={self.folder}", "--disable-syslog"], pinned=True)
