# SPDX-License-Identifier: MIT
"""The stack as the tests use it: temporary, gone at the end of the test, its logs kept when the test failed."""
import contextlib
import os
import pathlib
import shutil
import signal
import sys
import tempfile
import threading

SOURCE = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(SOURCE / "deploy"))
sys.path.insert(0, str(SOURCE / "tests" / "judge"))

import gate  # noqa: E402
from devstack.resolver import Validator  # noqa: E402
from devstack.stack import Stack, wait_until  # noqa: E402

from idzone_client import Client  # noqa: E402

BUILD = pathlib.Path(os.environ.get("IDZONE_BUILD", SOURCE / "build" / "dev"))
KEPT_LOGS = SOURCE / "build" / "failed"


if threading.current_thread() is threading.main_thread():
    # A test run that is ended from outside still ends what it started: fixtures and `finally` see an exception.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


class TestStack(Stack):
    """A Stack in a folder of its own. `close` stops everything, whatever state it is in."""

    __test__ = False  # not a test class, whatever its name says to pytest

    def __init__(self, name):
        # Short and below /tmp: the socket's path must fit, and an unprivileged account must reach it.
        folder = pathlib.Path(tempfile.mkdtemp(prefix="idz-", dir="/tmp"))
        folder.chmod(0o755)
        self.name = name
        self.failed = False
        super().__init__(folder, BUILD)

    def open(self):
        try:
            self.create()
            self.start()
            self.add_principals()
        except BaseException:
            self.failed = True
            self.close()
            raise
        return self

    def close(self):
        for name in ("pdns", "replicad", "feedd", "signerd", "provisiond"):
            if name in self.daemons:
                self.daemons[name].kill()
        self.cluster.kill()
        if self.failed:
            kept = KEPT_LOGS / self.name
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(self.folder / "log", kept)
            print(f"logs kept in {kept}")
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.cluster.socket_folder, ignore_errors=True)

    @contextlib.contextmanager
    def judged_by(self, failures):
        """Closes the stack at the end; its logs are kept when there are failures by then, or when it comes to no end."""
        self.failed = True
        try:
            yield self
            self.failed = bool(failures)
        finally:
            self.close()

    def client(self, caller="enroller", **arguments):
        tls = self.folder / "tls"
        return Client(f"localhost:{self.ports['provisiond']}", tls / "ca.crt", tls / f"{caller}.crt", tls / f"{caller}.key", **arguments)

    def validator(self, zone):
        return Validator(self.folder / "resolver", zone, self.delegation_signer(zone), self.ports["dns"])

    def create_old_tree(self, name, width=1, denial="nsec3", policy="standard"):
        """A tree as it was made before there were cuts: one zone, whose prefixes are empty non-terminals. It goes on as it is."""
        wire = "".join(f"{len(label):02x}{label.encode().hex()}" for label in name.rstrip(".").split(".")) + "00"
        self.cluster.sql(
            "insert into registry.namespace (name, name_text, operator_id, layout_kind, layout_width, policy, profile, name_servers, denial)"
            f" values (decode('{wire}', 'hex'), '{name}', 'acme', 2, {width}, '{policy}', 1, '{{ns1.example.net.,ns2.example.net.}}',"
            f" {1 if denial == 'nsec3' else 2})")
        wait_until(lambda: self.soa_serial(name), 60, f"zone {name} served")

    def zones(self, namespace):
        """The names of a namespace's zones."""
        return sorted(zone["name"] for zone in self.cli_json("zone", "list") if zone["namespace"] == namespace)

    def zone_files(self, zone):
        """Returns the same zone twice: as the signer published it, and as PowerDNS transfers it."""
        folder = self.folder / "zones"
        folder.mkdir(exist_ok=True)
        return [self.export(zone, folder / f"{zone}export"), self.transfer(zone, folder / f"{zone}axfr")]

    def require_all_valid(self, namespace, valid_for_seconds=24 * 3600, names_min=1000):
        """The gate on every zone of a namespace, as exported and as transferred; the names of all of them together count."""
        exported = 0
        for zone in self.zones(namespace):
            for path in self.zone_files(zone):
                gate.require_valid(path, zone, valid_for_seconds)
            exported += gate.shape(path, zone)[0]
        assert exported >= names_min, f"{namespace}: only {exported} names"

    def require_valid(self, zone, valid_for_seconds=24 * 3600, names_min=1000):
        """The gate on both, with the size that makes a verdict worth something."""
        for path in self.zone_files(zone):
            gate.require_valid(path, zone, valid_for_seconds)
            names, empty = gate.shape(path, zone)
            assert names >= names_min, f"{path}: only {names} names"
            assert empty >= 1 or names_min == 0, f"{path}: no empty non-terminal"
