# SPDX-License-Identifier: MIT
"""An Unbound that validates all it is asked with the zone's DS records as anchor, and counts what it found."""
import subprocess

from devstack.ports import free_ports
from devstack.process import Daemon

# Keys stay a moment, so that a chain is not asked for anew with every answer; no question of a run comes twice that soon.
CACHE_SECONDS = 1


class CountingUnbound:
    def __init__(self, stack, zone):
        self.port = free_ports(1)[0]
        folder = stack.folder / "unbound"
        for name in ("", "log", "run"):
            (folder / name).mkdir(exist_ok=True)
        self._config = folder / "unbound.conf"
        anchors = "".join(f'  trust-anchor: "{" ".join(line.split())}"\n' for line in stack.delegation_signer(zone))
        self._config.write_text(
            f"server:\n  interface: 127.0.0.1\n  port: {self.port}\n  num-threads: 2\n  so-reuseport: yes\n  do-daemonize: no\n"
            f'  chroot: ""\n  username: ""\n  directory: "{folder}"\n  pidfile: ""\n  use-syslog: no\n  val-log-level: 2\n  root-hints: ""\n'
            '  do-not-query-localhost: no\n  module-config: "validator iterator"\n  extended-statistics: yes\n  aggressive-nsec: no\n'
            "  discard-timeout: 0\n  wait-limit: 0\n"  # on a busy machine an answer may take its time: it is still looked at
            f"  cache-max-ttl: {CACHE_SECONDS}\n  cache-max-negative-ttl: {CACHE_SECONDS}\n" + anchors +
            f'forward-zone:\n  name: "{zone}"\n  forward-addr: 127.0.0.1@{stack.ports["dns"]}\n'
            f'remote-control:\n  control-enable: yes\n  control-interface: "{folder}/control"\n  control-use-cert: no\n')
        stack.account.own(folder, self._config, folder / "log", folder / "run")
        self.daemon = Daemon("unbound", ["/usr/sbin/unbound", "-d", "-c", self._config], folder, stack.account, ready=lambda: self._control("status").returncode == 0)
        self.daemon.start().wait_ready()

    def _control(self, command):
        return subprocess.run(["unbound-control", "-c", self._config, command], capture_output=True, text=True, check=False)

    def counted(self):
        """Returns (secure, bogus, answers from its cache) since the start."""
        figures = dict(line.split("=") for line in self._control("stats_noreset").stdout.splitlines())
        return tuple(int(figures[name]) for name in ("num.answer.secure", "num.answer.bogus", "total.num.cachehits"))

    def bogus_lines(self):
        """Why, for what was bogus."""
        return [line for line in self.daemon.log_file.read_text(errors="replace").splitlines() if "validation failure" in line]

    def close(self):
        self.daemon.kill()
