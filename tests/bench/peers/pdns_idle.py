# SPDX-License-Identifier: MIT
"""PowerDNS with a module that has nothing to do (tests/tools/idle_backend.cc): what no backend can be faster than. Not one of its own backends."""
import shutil

import content
from idzone_stack import BUILD
from peers.pdns import NO_CACHES, Pdns


class PdnsIdle(Pdns):
    name = "pdns_idle"
    backend = "module-dir={folder}/module\nlaunch=idle\nconsistent-backends=no\nidle-zone=" + content.ZONE[:-1] + "\n"

    @classmethod
    def serving(cls, _zones):
        self = cls()
        (self.folder / "module").mkdir()
        shutil.copy2(BUILD / "lib" / "libidlebackend.so", self.folder / "module")
        return self.configure()

    def without_caches(self):
        return self.configure(NO_CACHES)
