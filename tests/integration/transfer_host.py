# SPDX-License-Identifier: MIT
"""A transfer host beside a stack: its own replicad and replica, and PowerDNS with the list of secondaries."""
import re
import shutil

from devstack.ports import free_ports
from devstack.process import Daemon, wait_until
from idzone_stack import SOURCE


CATALOG = "catalog.example."
NOTIFY_PERIOD_SECONDS = 2


class TransferHost:
    """`port` is where secondaries ask."""

    def __init__(self, stack, name="transfer-1"):
        self.stack, self.name = stack, name
        self.folder = stack.folder / name
        for part in ("config", "log", "run", "replica"):
            (self.folder / part).mkdir(parents=True, mode=0o700)
        self.folder.chmod(0o755)
        self.port, self.observe_port = free_ports(2)
        self.list_file = self.folder / "config" / "secondaries"
        self.daemons = {}

    def _place(self, template, target, values):
        text = "".join((SOURCE / "deploy" / part).read_text() for part in template)
        path = self.folder / "config" / target
        path.write_text(re.sub(r"@([A-Z_]+)@", lambda marker: str(values[marker.group(1)]), text))
        path.chmod(0o600)
        return path

    def start(self, lines):
        """`lines` are those of the list of secondaries."""
        stack, tls = self.stack, self.stack.folder / "tls"
        self.list_file.write_text("\n".join(lines) + "\n")
        self.list_file.chmod(0o600)
        stack.authority.issue_once(self.name)
        stack.account.own(tls)
        stack.cli("edge", "add", self.name, "--certificate", tls / f"{self.name}.crt")
        replicad = self.folder / "config" / "replicad.toml"
        replicad.write_text(
            f'[feed]\naddress = "localhost:{stack.ports["feedd"]}"\n[tls]\ncertificate = "{tls}/{self.name}.crt"\n'
            f'private_key = "{tls}/{self.name}.key"\nserver_ca = "{tls}/ca.crt"\n[replica]\ndirectory = "{self.folder}/replica"\n'
            f'[secondaries]\nlist_file = "{self.list_file}"\nnotify_period_seconds = {NOTIFY_PERIOD_SECONDS}\ncatalog = "{CATALOG}"\n'
            f'[observe]\naddress = "127.0.0.1:{self.observe_port}"\n')
        values = {"MODULE_DIR": stack.modules, "REPLICA_DIR": self.folder / "replica", "ADDRESS": "127.0.0.1", "PORT": self.port,
                  "SOCKET_DIR": self.folder / "run", "SECONDARIES": self.list_file}
        self._place(["pdns/pdns.conf", "pdns/transfer.conf"], "pdns.conf", values)
        stack.account.own(self.folder)
        self._add("replicad", [stack.binary("idzone-replicad"), "--config", replicad], observe_port=self.observe_port)
        self._add("pdns", ["/usr/sbin/pdns_server", f"--config-dir={self.folder}/config", "--disable-syslog"],
                  ready=lambda: stack.answers_dns(self.port))
        for daemon in self.daemons.values():
            daemon.start().wait_ready()
        return self

    def _add(self, name, command, **arguments):
        self.daemons[name] = Daemon(name, command, self.folder, self.stack.account, **arguments)

    def __getattr__(self, name):
        daemons = self.__dict__.get("daemons", {})
        if name in daemons:
            return daemons[name]
        raise AttributeError(name)

    def wait_serves(self, zone, timeout_seconds=60):
        wait_until(lambda: " SOA " in self.stack._run(["dig", "@127.0.0.1", "-p", self.port, "+noall", "+answer", "+tries=1", "+time=1", zone, "SOA"],
                                                      check=False).stdout.replace("\t", " "),
                   timeout_seconds, f"{zone} served by the transfer host", 0.1)

    def close(self):
        for daemon in reversed(self.daemons.values()):
            daemon.kill()
        if self.stack.failed:
            shutil.copytree(self.folder / "log", self.stack.folder / "log" / self.name, dirs_exist_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)
