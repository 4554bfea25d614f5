# SPDX-License-Identifier: MIT
"""A zone that idzone did not make: signed by BIND's dnssec-signzone, served by Unbound. For what idzone never publishes: forged
signatures, a child zone without DS, foreign digests."""
import pathlib
import re
import subprocess

from devstack.ports import free_ports
from devstack.process import wait_until


class LabZone:
    """Use as a context manager. `zone` is signed; `open.` below it is a delegated, unsigned zone. Both have `records`, master file
    lines with relative owners. Signatures at the owner `forged` are broken."""

    def __init__(self, folder, zone, records, nsec3=True):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.zone, self._denial = zone, ("-3", "-", "-H", "0") if nsec3 else ()
        self.port = free_ports(1)[0]
        apex = "@ 300 IN SOA ns.example.net. hostmaster.example.net. 1 3600 900 604800 300\n@ 300 IN NS ns.example.net.\n"
        text = "".join(f"{line}\n" for line in records)
        self._write("signed.in", apex + text + "open 300 IN NS ns.example.net.\n")
        self._write("open.zone", f"$ORIGIN open.{zone}\n" + apex + text)
        self._sign()

    def _write(self, name, text):
        (self.folder / name).write_text(text)

    def _run(self, *command):
        return subprocess.run([str(part) for part in command], cwd=self.folder, capture_output=True, text=True, check=True, timeout=60).stdout

    def _sign(self):
        key = self._run("dnssec-keygen", "-q", "-a", "ECDSAP256SHA256", "-f", "KSK", self.zone).strip()
        self._run("dnssec-signzone", "-q", "-S", "-z", *self._denial, "-O", "full", "-o", self.zone, "-f", "signed.zone", "signed.in")
        self.ds_lines = self._run("dnssec-dsfromkey", "-2", key).splitlines()
        signed = self.folder / "signed.zone"
        signed.write_text("\n".join(map(self._forge, signed.read_text().splitlines())) + "\n")

    def _forge(self, line):
        """Changes one octet of each signature at `forged`."""
        if not re.match(rf"forged\.{re.escape(self.zone)}\s.*\sRRSIG\s", line):
            return line
        head, signature = line.rsplit(maxsplit=1)
        return f"{head} {'B' if signature[0] != 'B' else 'C'}{signature[1:]}"

    def __enter__(self):
        zones = "".join(f'auth-zone:\n  name: "{name}"\n  zonefile: "{self.folder}/{file}"\n  for-upstream: no\n  for-downstream: yes\n'
                        for name, file in ((self.zone, "signed.zone"), (f"open.{self.zone}", "open.zone")))
        self._write("server.conf", f'server:\n  interface: 127.0.0.1\n  port: {self.port}\n  do-daemonize: no\n  chroot: ""\n  username: ""\n'
                    f'  pidfile: ""\n  use-syslog: no\n  logfile: "{self.folder}/server.log"\n  module-config: "iterator"\n' + zones)
        self._server = subprocess.Popen(["unbound", "-d", "-c", str(self.folder / "server.conf")], stdin=subprocess.DEVNULL)
        try:
            wait_until(self._answers, 20, "the laboratory's zone served")
        except BaseException:
            self.__exit__()
            raise
        return self

    def _answers(self):
        done = subprocess.run(["dig", "@127.0.0.1", "-p", str(self.port), "+short", "+tries=1", "+time=1", self.zone, "SOA"],
                              capture_output=True, text=True, check=False)
        return "hostmaster" in done.stdout

    def __exit__(self, *_):
        self._server.kill()
        self._server.wait()
