# SPDX-License-Identifier: MIT
"""One name server under measurement: a folder below /tmp, a port, and one daemon (or two, with a database)."""
import pathlib
import shutil
import tempfile
import time

from devstack.account import Account
from devstack.ports import free_ports
from devstack.process import Daemon, wait_until

import content
import usage
import wire

SERVER_CORE = 0
# What every PowerDNS is measured with, ours and the peers, because it is faster with it (deploy/systemd). BIND brings jemalloc itself.
FASTER_ALLOCATOR = {"LD_PRELOAD": "libtcmalloc_minimal.so.4"}


class Server:
    name = ""
    preloaded = ""  # how the names that are there before the first update came in
    start_seconds_max = 600  # a million names, from a text file, on a busy machine

    def __init__(self):
        self.account = Account()
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="idz-bench-", dir="/tmp"))
        self.folder.chmod(0o755)
        for part in ("log", "run", "data"):
            (self.folder / part).mkdir()
        self.port = free_ports(1)[0]
        self.daemon = None

    environment = {}

    def _declare(self, command, pinned):
        """The daemon, ready when it gives a signed answer for the zone's SOA."""
        if pinned:
            command = ["taskset", "-c", SERVER_CORE, *command]
        self.daemon = Daemon(self.name, command, self.folder, self.account, environment=self.environment, ready=self._answers_signed)
        self.account.own(*(self.folder / part for part in ("log", "run", "data")), self.folder)
        return self

    def _answers_signed(self):
        asker = wire.Asker(self.port)
        try:
            return wire.is_signed_answer(asker.ask(wire.query(content.ZONE, wire.SOA)))
        finally:
            asker.close()

    def write(self, name, text):
        (self.folder / name).write_text(text)
        return self.folder / name

    def start(self):
        self.daemon.start().wait_ready(self.start_seconds_max)
        return self

    def restart_seconds(self, owner):
        """From the start of the process to its first signed answer for the name. Its files are warm."""
        self.daemon.stop(60)
        self.daemon._child = None  # noqa: SLF001 # as Daemon.restart does
        question = wire.query(owner)
        begun = time.monotonic()
        self.daemon.start()
        asker = wire.Asker(self.port)
        wait_until(lambda: wire.is_signed_answer(asker.ask(question)), self.start_seconds_max, f"{self.name} answers again", 0.002)
        taken = time.monotonic() - begun
        asker.close()
        return taken

    def daemons(self):
        """The daemons by name, whose CPU is counted."""
        return {self.name: self.daemon}

    def anonymous_mib(self):
        return sum(usage.anonymous_mib(daemon.pid()) for daemon in self.daemons().values())

    def close(self):
        if self.daemon:
            self.daemon.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
