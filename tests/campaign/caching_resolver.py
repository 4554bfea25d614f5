# SPDX-License-Identifier: MIT
"""Unbound as the world runs it: it keeps what it has heard for as long as TTLs allow, and validates by the DS records of a parent zone.

The parent, `example.`, is a zone file of its own, signed by BIND, that changes as registries' zones do. Names below a namespace are asked
of PowerDNS. The resolver's clock is the shared one of past_clock.py, so that hours of caching go by in minutes. By that clock an answer of a
millisecond took a tenth of a second, so Unbound would soon wait minutes before it asked again: it is told how long answers take (infra-cache-*).
"""
import pathlib
import re
import subprocess

from devstack.account import Account
from devstack.process import Daemon
from devstack.stack import Stack, free_ports

DS_TTL = 300
PARENT = "example."

CONFIG = """
server:
  directory: "{folder}"
  chroot: ""
  username: ""
  pidfile: "{folder}/run/unbound-own.pid"
  use-syslog: no
  logfile: ""
  verbosity: 1
  val-log-level: 2
  ede: yes
  interface: 127.0.0.1@{port}
  do-ip6: no
  do-not-query-localhost: no
  module-config: "validator iterator"
  root-hints: ""
  trust-anchor-file: "{folder}/parent.anchors"
  aggressive-nsec: yes
  edns-buffer-size: 1232
  outgoing-range: 512
  num-queries-per-thread: 1024
  infra-cache-min-rtt: 2000
  infra-cache-max-rtt: 10000000
  infra-keep-probing: yes
  infra-host-ttl: 1
  discard-timeout: 0
  wait-limit: 0
remote-control:
  control-enable: yes
  control-interface: "{folder}/run/control"
  control-use-cert: no
auth-zone:
  name: "{parent}"
  zonefile: "{folder}/parent.signed"
  for-downstream: no
  for-upstream: yes
  fallback-enabled: no
"""
FORWARD = """
forward-zone:
  name: "{namespace}"
  forward-addr: 127.0.0.1@{dns}
"""


class CachingResolver:
    def __init__(self, folder, clock, dns_port, namespaces):
        """`namespaces` are names below the parent; nothing is delegated before `delegate`."""
        self.folder = pathlib.Path(folder)
        for part in ("", "run", "log"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        self.port, = free_ports(1)
        self.delegations, self.serial = {name: [] for name in namespaces}, 0
        self._run("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", PARENT)
        key = next(self.folder.glob("K*.key")).read_text()
        (self.folder / "parent.anchors").write_text("\n".join(line for line in key.splitlines() if " DNSKEY " in line) + "\n")
        self._sign()
        forwards = "".join(FORWARD.format(namespace=name, dns=dns_port) for name in namespaces)
        (self.folder / "unbound.conf").write_text(CONFIG.format(folder=self.folder, port=self.port, parent=PARENT) + forwards)
        account = Account()
        account.own(self.folder, *(self.folder.iterdir()))
        self.daemon = Daemon("unbound", ["/usr/sbin/unbound", "-d", "-c", self.folder / "unbound.conf"], self.folder, account,
                             environment=clock.environment(), ready=lambda: Stack.answers_dns(self.port))

    def start(self):
        self.daemon.start().wait_ready()
        return self

    def close(self):
        self.daemon.kill()

    def delegate(self, namespace, ds_lines):
        """The registry does as it is told: DS records, master file lines. Returns whether that changed anything."""
        ds = sorted(" ".join(line.split()).split(" DS ", 1)[1] for line in ds_lines)
        if self.delegations[namespace] == ds:
            return False
        self.delegations[namespace] = ds
        self._sign()
        if self.daemon.pid():
            self._run("unbound-control", "-c", str(self.folder / "unbound.conf"), "auth_zone_reload", PARENT)
        return True

    def complaints(self):
        """What its validator did not accept, by its own log."""
        return re.findall(r"info: (validation failure.*)", self.daemon.log_file.read_text(errors="replace"))

    def _sign(self):
        self.serial += 1
        lines = [f"{PARENT} 3600 IN SOA ns.invalid. hostmaster.invalid. {self.serial} 3600 600 864000 300", f"{PARENT} 3600 IN NS ns.invalid."]
        for name, ds in self.delegations.items():
            lines += [f"{name} {DS_TTL} IN NS ns.invalid.", *(f"{name} {DS_TTL} IN DS {rdata}" for rdata in ds)]
        (self.folder / "parent.zone").write_text("\n".join(lines) + "\n")
        # Its signatures are as old as the oldest clock.
        self._run("dnssec-signzone", "-q", "-S", "-z", "-s", "now-2592000", "-e", "now+2592000", "-o", PARENT, "-f", "parent.signed", "parent.zone")
        (self.folder / "parent.signed").chmod(0o644)

    def _run(self, *command):
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, timeout=60, check=False)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
