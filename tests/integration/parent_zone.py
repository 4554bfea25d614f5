# SPDX-License-Identifier: MIT
"""A parent zone for key rolls: signed by BIND's dnssec-signzone, served by Unbound, its DS records changed at will."""
import pathlib
import re
import subprocess

from devstack.process import wait_until
from devstack.stack import free_ports


class ParentZone:
    """Use as a context manager. Signatures are valid for ten days before and after now, so that a signer may live in the past."""

    def __init__(self, folder, zone, child, ds_lines):
        self.folder, self.zone, self.child = pathlib.Path(folder), zone, child
        self.folder.mkdir(parents=True, exist_ok=True)
        self.port = free_ports(1)[0]
        self.key = self._run("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", zone).strip()
        self.anchors = self.folder / "anchors"
        self.anchors.write_text(self._run("dnssec-dsfromkey", "-2", self.key))
        self.anchors.chmod(0o644)
        (self.folder / "server.conf").write_text(
            f'server:\n  interface: 127.0.0.1\n  port: {self.port}\n  do-daemonize: no\n  chroot: ""\n  username: ""\n  pidfile: ""\n'
            f'  use-syslog: no\n  logfile: "{self.folder}/server.log"\n  module-config: "iterator"\n'
            f'auth-zone:\n  name: "{zone}"\n  zonefile: "{self.folder}/signed.zone"\n  for-upstream: no\n  for-downstream: yes\n')
        self._server = None
        self._sign(ds_lines)

    def _run(self, *command):
        return subprocess.run([str(part) for part in command], cwd=self.folder, capture_output=True, text=True, check=True, timeout=60).stdout

    def _sign(self, ds_lines):
        rdatas = [re.split(r"\sDS\s", line, maxsplit=1)[1] for line in ds_lines]
        text = "@ 60 IN SOA ns.example.net. hostmaster.example.net. 1 3600 900 604800 60\n@ 60 IN NS ns.example.net.\n"
        text += f"{self.child} 60 IN NS ns1.example.net.\n" + "".join(f"{self.child} 60 IN DS {rdata}\n" for rdata in rdatas)
        (self.folder / "plain.zone").write_text(f"$ORIGIN {self.zone}\n" + text)
        self._run("dnssec-signzone", "-q", "-S", "-z", "-s", "now-864000", "-e", "now+864000", "-o", self.zone, "-f", "signed.zone", "plain.zone")

    def publish(self, ds_lines):
        """The parent has these DS records of the child from now on."""
        self.stop()
        self._sign(ds_lines)
        self.start()

    def start(self):
        self._server = subprocess.Popen(["unbound", "-d", "-c", str(self.folder / "server.conf")], stdin=subprocess.DEVNULL)
        wait_until(lambda: "hostmaster" in subprocess.run(
            ["dig", "@127.0.0.1", "-p", str(self.port), "+short", "+tries=1", "+time=1", self.zone, "SOA"],
            capture_output=True, text=True, check=False).stdout, 20, "the parent zone served")

    def stop(self):
        if self._server:
            self._server.kill()
            self._server.wait()
            self._server = None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stop()
