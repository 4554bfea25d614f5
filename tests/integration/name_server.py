# SPDX-License-Identifier: MIT
"""A pdns_server with our module alone, on a replica made from a zone that ldns signed: neither keys nor denial chain nor
signatures are ours, so what validates owes nothing to our signer."""
import hashlib
import pathlib
import re
import shutil
import subprocess
import tempfile

from devstack.account import Account
from devstack.ports import free_ports
from devstack.process import Daemon
from devstack.resolver import Validator
from idzone_stack import BUILD, SOURCE

ZONE = "_device.acme.example."
TTL = 3600  # what ldns-signzone gives NSEC3PARAM; PowerDNS transfers that record with the SOA's MINIMUM


def digest(number):
    return hashlib.sha256(b"%d" % number).hexdigest()


def owner(number, zone=ZONE):
    """Names lie in trees of one hex digit, so that there are empty non-terminals."""
    return f"d{number}.{digest(number)[0]}.{zone}"


def run(*command, **arguments):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=120, check=False, **arguments)
    assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    return done.stdout


class NameServer:
    """One pdns_server in a folder of its own, and the signed zones that it may be given."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="idz-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.account = Account()
        self.port = free_ports(1)[0]
        self.replica = self.folder / "replica"
        for name in ("log", "run", "module"):
            (self.folder / name).mkdir()
        # Where the account reaches it, wherever the build is.
        shutil.copy2(BUILD / "lib" / "libidentitybackend.so", self.folder / "module")
        self.key = None

    def configure(self, **changes):
        values = {"MODULE_DIR": self.folder / "module", "REPLICA_DIR": self.replica, "ADDRESS": "127.0.0.1", "PORT": self.port,
                  "SOCKET_DIR": self.folder / "run"}
        template = (SOURCE / "deploy" / "pdns" / "pdns.conf").read_text()
        text = re.sub(r"@([A-Z_]+)@", lambda marker: str(values[marker.group(1)]), template)
        for name, value in changes.items():
            text += f"{name.replace('_', '-')}={value}\n"
        (self.folder / "pdns.conf").write_text(text)
        self.daemon = Daemon("pdns", ["/usr/sbin/pdns_server", f"--config-dir={self.folder}", "--disable-syslog"], self.folder,
                             self.account, ready=self._answers)
        return self

    def _answers(self):
        return "status:" in subprocess.run(["dig", "@127.0.0.1", "-p", str(self.port), "+tries=1", "+time=1", ".", "SOA"],
                                           capture_output=True, text=True, check=False).stdout

    def start(self):
        self.account.own(self.folder / "log", self.folder / "run", self.folder)
        self.daemon.start().wait_ready()
        return self

    def sign(self, zone, lines, name, nsec3=True):
        """Writes a signed zone of NSEC3 or NSEC with ldns and a key of its own. Returns its file."""
        plain = self.folder / f"{name}.plain"
        plain.write_text("\n".join(lines) + "\n")
        base = run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "-r", "/dev/urandom", zone, cwd=self.folder).strip()
        signed = self.folder / f"{name}.signed"
        run("ldns-signzone", *(("-n", "-t", "0") if nsec3 else ()), "-A", "-o", zone, "-f", signed, plain, base, cwd=self.folder)
        self.anchors = [run("ldns-key2ds", "-n", "-2", f"{base}.key", cwd=self.folder).strip()]
        return signed

    def load(self, zone, signed, serial=1):
        run(BUILD / "bin" / "replica_load", self.replica, zone, signed, serial)
        self.account.own(self.replica)

    def validator(self, zone):
        """Checks answers against the key of the zone that was signed last."""
        return Validator(self.folder / "resolver", zone, self.anchors, self.port)

    def transfer(self, zone):
        """Returns the file of a transferred zone."""
        path = self.folder / "axfr"
        path.write_text(self.dig(zone, "AXFR", "+noall", "+answer", "+onesoa"))
        return path

    def dig(self, *arguments):
        return run("dig", "@127.0.0.1", "-p", self.port, "+tries=1", "+time=10", *arguments)

    def status(self, *arguments):
        return re.search(r"status: (\w+)", self.dig(*arguments)).group(1)

    def close(self):
        self.daemon.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def zone_lines(zone, count, serial=1):
    lines = [f"{zone} {TTL} IN SOA ns1.example.net. hostmaster.{zone} {serial} 3600 600 604800 {TTL}",
             f"{zone} {TTL} IN NS ns1.example.net.", f"{zone} {TTL} IN NS ns2.example.net."]
    return lines + [f"{owner(number, zone)} {TTL} IN TLSA 3 1 1 {digest(number)}" for number in range(count)]


def canonical(text):
    """Records as (owner, TTL, type, rdata), whatever their order, case or comments."""
    lines = (line.split(";")[0].split() for line in text.splitlines())
    return sorted((line[0].lower(), line[1], line[3], "".join(line[4:]).lower()) for line in lines if len(line) > 4)
