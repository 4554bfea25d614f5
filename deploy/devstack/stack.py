# SPDX-License-Identifier: MIT
"""All of idzone in one folder: PostgreSQL, the four daemons, PowerDNS with our module, and the CLI in front.

  FOLDER/bin          copies of the binaries, when the account cannot reach the build
         config/      one file a daemon
         keys/        sealed zone keys and the key that seals them
         log/ run/    logs and pid files
         postgresql/  the cluster
         replica/     the edge's LMDB
         tls/         development CA and certificates
"""
import json
import os
import pathlib
import re
import secrets
import shutil
import socket
import subprocess

from .account import Account
from .certificates import Authority
from .cluster import Cluster
from .ports import free_ports
from .process import Daemon, wait_until

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PORTS = ("provisiond", "feedd", "dns", "observe-provisiond", "observe-signerd", "observe-feedd", "observe-replicad")
FIRST_OPERATOR = "acme"


class CommandFailed(RuntimeError):
    """The CLI refused; `code` is its exit code."""

    def __init__(self, command, done):
        self.code, self.stdout, self.stderr = done.returncode, done.stdout, done.stderr
        super().__init__(f"{' '.join(map(str, command))}: exit {done.returncode}\n{done.stdout[-2000:]}{done.stderr[-2000:]}")


class Stack:
    def __init__(self, folder, build, ports=None):
        """`build` is a build folder (build/dev); `ports` overrides single ones by the names in PORTS."""
        self.folder = pathlib.Path(folder)
        self.build = pathlib.Path(build)
        self.account = Account()
        for name in ("", "config", "keys", "log", "run", "replica", "tls"):
            (self.folder / name).mkdir(exist_ok=True, parents=True, mode=0o755 if name == "" else 0o700)
        self.ports = self._ports(ports or {})
        self.authority = Authority(self.folder / "tls")
        self.cluster = Cluster(self.folder, self.account)
        self.daemons = {}

    def _ports(self, wanted):
        ports_file = self.folder / "config" / "ports.json"
        known = json.loads(ports_file.read_text()) if ports_file.exists() else dict(zip(PORTS, free_ports(len(PORTS))))
        known.update(wanted)
        ports_file.write_text(json.dumps(known))
        return known

    # Making it.

    def create(self):
        """Everything that needs to exist before daemons start; does nothing to what is there."""
        self._place_binaries(copy=True)
        self.authority.issue_once("server", server=True)
        for caller in ("admin", "enroller", "auditor", "re-enroller", "edge-1"):
            self.authority.issue_once(caller)
        for name in ("kek", "labels-kek"):
            kek = self.folder / "keys" / name
            if not kek.exists():
                kek.touch(mode=0o600)
                kek.write_text(secrets.token_hex(32))
        self._write_configuration()
        self.account.own(*(self.folder / name for name in ("config", "keys", "log", "run", "replica", "tls")))
        self.account.own(self.folder)
        if self.account.is_root:
            os.chown(self.folder, self.account.uid, self.account.gid)
        self.cluster.create()
        self.cluster.start().wait_ready()
        self.cluster.create_database()
        self.migrate()
        return self.declare()

    def migrate(self):
        return self._run([self.binary("idzone"), "migrate", "--database", self.cluster.url(), "--directory", SOURCE / "migrations",
                          "--admin-certificate", self.folder / "tls" / "admin.crt", "--operator", FIRST_OPERATOR])

    def _place_binaries(self, copy):
        self.programs, self.modules = self.build / "bin", self.build / "lib"
        if self.account.can_reach(self.programs / "idzone-provisiond"):
            return
        self.programs = self.modules = self.folder / "bin"
        if not copy:
            return
        self.programs.mkdir(exist_ok=True, mode=0o755)
        for source in [*(self.build / "bin").glob("idzone*"), *(self.build / "lib").glob("libidentitybackend.so")]:
            target = self.programs / source.name
            target.unlink(missing_ok=True)  # a running program's file cannot be written, but it can be replaced
            shutil.copy2(source, target)

    def binary(self, name):
        return self.programs / name

    def _write(self, name, text):
        path = self.folder / "config" / name
        path.write_text(text)
        path.chmod(0o600)

    def _write_configuration(self):
        tls, port = self.folder / "tls", self.ports
        server = f'[tls]\ncertificate = "{tls}/server.crt"\nprivate_key = "{tls}/server.key"\nclient_ca = "{tls}/ca.crt"\n'

        def common(name):
            return f'[observe]\naddress = "127.0.0.1:{port["observe-" + name]}"\n[log]\nlevel = "info"\n'

        def database(role):
            return f'[database]\nurl = "{self.cluster.url(role)}"\n'

        self._write("provisiond.toml", f'[listen]\naddress = "127.0.0.1:{port["provisiond"]}"\n' + server + database("idzone_provisiond")
                    + f'[secrets]\nkek_file = "{self.folder}/keys/labels-kek"\n' + common("provisiond"))
        self._write("signerd.toml", database("idzone_signerd") + f'[keys]\ndirectory = "{self.folder}/keys"\nkek_file = "{self.folder}/keys/kek"\n' + common("signerd"))
        self._write("feedd.toml", f'[listen]\naddress = "127.0.0.1:{port["feedd"]}"\n' + server + database("idzone_feedd") + common("feedd"))
        self._write("replicad.toml", f'[feed]\naddress = "localhost:{port["feedd"]}"\n[tls]\ncertificate = "{tls}/edge-1.crt"\nprivate_key = "{tls}/edge-1.key"\n'
                    f'server_ca = "{tls}/ca.crt"\n[replica]\ndirectory = "{self.folder}/replica"\n' + common("replicad"))
        self._write_pdns_configuration()

    def _write_pdns_configuration(self):
        template = (SOURCE / "deploy" / "pdns" / "pdns.conf").read_text()
        values = {"MODULE_DIR": self.modules, "REPLICA_DIR": self.folder / "replica", "ADDRESS": "127.0.0.1", "PORT": self.ports["dns"],
                  "SOCKET_DIR": self.folder / "run"}
        text = re.sub(r"@([A-Z_]+)@", lambda marker: str(values[marker.group(1)]), template)
        self._write("pdns.conf", text)

    def declare(self):
        """Says what runs, without touching anything: enough for looking and stopping."""
        self._place_binaries(copy=False)

        def add(name, command, **arguments):
            self.daemons[name] = Daemon(name, command, self.folder, self.account, **arguments)

        for name in ("provisiond", "signerd", "feedd", "replicad"):
            add(name, [self.binary("idzone-" + name), "--config", self.folder / "config" / f"{name}.toml"],
                observe_port=self.ports["observe-" + name])
        add("pdns", ["/usr/sbin/pdns_server", f"--config-dir={self.folder}/config", "--guardian=no", "--daemon=no", "--disable-syslog", "--write-pid=no"],
            ready=lambda: self.answers_dns(self.ports["dns"]))
        self.daemons["postgresql"] = self.cluster
        return self

    def __getattr__(self, name):
        """stack.signerd and so on."""
        daemons = self.__dict__.get("daemons", {})
        if name in daemons:
            return daemons[name]
        raise AttributeError(name)

    # Running it.

    def start(self):
        """Starts what is not running, in the order in which each becomes useful; the edge is registered in between."""
        self.cluster.start().wait_ready()
        for name in ("provisiond", "signerd", "feedd"):
            self.daemons[name].start()
        for name in ("provisiond", "signerd", "feedd"):
            self.daemons[name].wait_ready()
        self.cli("edge", "add", "edge-1", "--certificate", self.folder / "tls" / "edge-1.crt")
        self.replicad.start().wait_ready()
        self.pdns.start().wait_ready()
        return self

    def stop(self):
        """Stops everything, the last first; goes on when one makes trouble, then raises the first trouble."""
        troubles = []
        for name in ("pdns", "replicad", "feedd", "signerd", "provisiond", "postgresql"):
            daemon = self.daemons.get(name) or (self.cluster if name == "postgresql" else None)
            if daemon is None:
                continue
            try:
                daemon.stop()
            except Exception as trouble:  # noqa: BLE001 # whatever it is, the others must be stopped too
                troubles.append(trouble)
        if troubles:
            raise troubles[0]

    @staticmethod
    def answers_dns(port):
        """Any answer at all, REFUSED included, to a query for the root's SOA over UDP."""
        query = bytes.fromhex("1dea01000001000000000000") + b"\0" + bytes.fromhex("00060001")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(0.3)
            client.connect(("127.0.0.1", port))
            try:
                client.send(query)
                return client.recv(512)[:2] == query[:2]
            except OSError:
                return False

    # Talking to it.

    def _run(self, command, check=True, timeout=600, **arguments):
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=timeout, check=False, **arguments)
        if check and done.returncode != 0:
            raise CommandFailed(command, done)
        return done

    def cli_environment(self, caller="admin"):
        tls = self.folder / "tls"
        return {"IDZONE_SERVER": f"localhost:{self.ports['provisiond']}", "IDZONE_TLS_CERTIFICATE": str(tls / f"{caller}.crt"),
                "IDZONE_TLS_KEY": str(tls / f"{caller}.key"), "IDZONE_TLS_CA": str(tls / "ca.crt")}

    def cli(self, *arguments, caller="admin", check=True, timeout=600, input=None):
        """Runs the CLI as a caller (admin, enroller, auditor…); returns the finished process."""
        environment = {**os.environ, **self.cli_environment(caller)}
        return self._run([self.binary("idzone"), *arguments], check, timeout, env=environment, input=input)

    def cli_json(self, *arguments, **keywords):
        return json.loads(self.cli("--output", "json", *arguments, **keywords).stdout)

    def add_principals(self, operator=FIRST_OPERATOR):
        """Lets the enroller, the auditor and the re-enroller call, for the operator."""
        for role in ("enroller", "auditor", "re-enroller"):
            self.cli("principal", "create", "--operator", operator, "--role", role, "--certificate", self.folder / "tls" / f"{role}.crt", "--name", role)

    def create_namespace(self, name, *options, wait=True):
        self.cli("namespace", "create", name, "--operator", FIRST_OPERATOR, "--ns", "ns1.example.net", "--ns", "ns2.example.net", *options)
        if wait:
            wait_until(lambda: self.soa_serial(name), 60, f"zone {name} served")

    def export(self, zone, path):
        """Writes the zone, whole, as the signer published it."""
        text = self.cli("zone", "export", zone).stdout
        pathlib.Path(path).write_text(text)
        return path

    def transfer(self, zone, path):
        """Writes the zone as AXFR delivers it, without the SOA record that ends the transfer."""
        done = self._run(["dig", "@127.0.0.1", "-p", self.ports["dns"], zone, "AXFR", "+noall", "+answer", "+onesoa", "+tries=1", "+time=60"])
        pathlib.Path(path).write_text(done.stdout)
        return path

    def dig(self, *arguments):
        return self._run(["dig", "@127.0.0.1", "-p", self.ports["dns"], "+tries=2", "+time=5", *arguments]).stdout

    def soa_serial(self, zone):
        """The serial that PowerDNS serves, None while it has no such zone."""
        answer = self.dig("+short", zone, "SOA").split()
        return int(answer[2]) if len(answer) >= 7 else None

    def delegation_signer(self, zone):
        """The zone's DS records, master file lines: the trust anchor."""
        lines = self.cli("zone", "ds", zone).stdout.splitlines()
        return [line for line in lines if " DS " in " ".join(line.split()) and not line.startswith(";")]

    def wait_live(self, namespace, timeout_seconds=120):
        """Waits until everything acknowledged is live at every edge and PowerDNS serves that version."""
        self.cli("device", "wait", namespace, "--timeout", timeout_seconds, timeout=timeout_seconds + 30)
