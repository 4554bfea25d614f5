# SPDX-License-Identifier: MIT
"""NSD, Knot and BIND as secondaries: each in a folder of its own, taking zones from one primary with one key."""
import base64
import hashlib
import pathlib
import shutil
import subprocess
import tempfile

from devstack.account import Account
from devstack.ports import free_ports
from devstack.process import Daemon, wait_until

REFRESH_SECONDS = 3600  # so that what they learn they learn by NOTIFY

NSD = """
server:
    server-count: 1
    ip-address: 127.0.0.1@{port}
    username: ""
    chroot: ""
    zonesdir: "{folder}/data"
    database: ""
    pidfile: "{folder}/run/nsd-own.pid"
    xfrdfile: "{folder}/data/xfrd.state"
    zonelistfile: "{folder}/data/zone.list"
    xfrdir: "{folder}/data"
    xfrd-reload-timeout: 0
    verbosity: 1
remote-control:
    control-enable: no
key:
    name: "{key}"
    algorithm: hmac-sha256
    secret: "{secret}"
"""
NSD_ZONE = """
zone:
    name: "{zone}"
    zonefile: "{zone}zone"
    request-xfr: AXFR 127.0.0.1@{primary} {key}
    allow-notify: 127.0.0.1 {key}
    provide-xfr: 127.0.0.1 NOKEY
    max-refresh-time: {refresh}
    max-retry-time: 2
"""
KNOT = """
server:
    rundir: {folder}/data
    pidfile: {folder}/data/knotd-own.pid
    listen: 127.0.0.1@{port}
    udp-workers: 1
    tcp-workers: 1
    background-workers: 1
log:
  - target: stderr
    any: info
database:
    storage: {folder}/data
key:
  - id: {key}
    algorithm: hmac-sha256
    secret: {secret}
remote:
  - id: primary
    address: 127.0.0.1@{primary}
    key: {key}
acl:
  - id: tell
    address: 127.0.0.1
    key: {key}
    action: notify
  - id: look
    address: 127.0.0.1
    action: transfer
template:
  - id: default
    storage: {folder}/data
    master: primary
    acl: [tell, look]
    semantic-checks: on
    refresh-max-interval: {refresh}
    retry-max-interval: 2
zone:
"""
KNOT_ZONE = "  - domain: {zone}\n"
BIND = """
key "{key}" {{ algorithm hmac-sha256; secret "{secret}"; }};
options {{
  directory "{folder}/data"; pid-file "{folder}/run/named-own.pid"; session-keyfile none; managed-keys-directory "{folder}/data";
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; notify no; dnssec-validation no; querylog no; allow-transfer {{ 127.0.0.1; }}; request-ixfr no;
  masterfile-format text; max-refresh-time {refresh}; min-refresh-time 1; max-retry-time 2; min-retry-time 1;
  serial-query-rate 1000; transfers-in 50; transfers-per-ns 20;
}};
controls {{ }};
"""
BIND_ZONE = """
zone "{zone}" {{ type secondary; file "{zone}zone"; primaries port {primary} {{ 127.0.0.1 key "{key}"; }}; allow-notify {{ key "{key}"; }}; }};
"""
# What makes Knot and BIND consumers of a catalog zone. NSD 4.6 knows none (4.9 does).
KNOT_CATALOG = """
  - domain: {catalog}
    catalog-role: interpret
    catalog-template: default
"""
BIND_CATALOG_OPTION = """  catalog-zones {{ zone "{catalog}" default-primaries port {primary} {{ 127.0.0.1 key "{key}"; }} in-memory no zone-directory "{folder}/data" min-update-interval 1; }};
"""
SERVERS = {
    "nsd": (NSD, NSD_ZONE, ["/usr/sbin/nsd", "-d", "-c"]),
    "knot": (KNOT, KNOT_ZONE, ["/usr/sbin/knotd", "-c"]),
    "bind": (BIND, BIND_ZONE, ["/usr/sbin/named", "-g", "-n", "1", "-c"]),
}


def secret_of(name):
    return base64.b64encode(hashlib.sha256(name.encode()).digest()).decode()


class ForeignSecondary:
    """`kind` is nsd, knot or bind. Its id in the list of secondaries is its kind, its key is named after it."""

    def __init__(self, kind):
        self.kind = kind
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=f"idz-{kind}-", dir="/tmp"))
        self.folder.chmod(0o755)
        self.account = Account()
        self.port = free_ports(1)[0]
        self.key, self.secret = f"{kind}.transfer", secret_of(kind)
        for name in ("data", "log", "run"):
            (self.folder / name).mkdir()
        self.daemon = None

    @property
    def list_line(self):
        return f"{self.kind} 127.0.0.1:{self.port} hmac-sha256:{self.key}:{self.secret}"

    def values(self, primary, refresh):
        return {"folder": self.folder, "port": self.port, "key": self.key, "secret": self.secret, "primary": primary, "refresh": refresh}

    def start(self, primary, zones, catalog=None):
        """`primary` is the port to take zones from; `zones` stand in the configuration, others are found in the catalog."""
        server, zone_part, command = SERVERS[self.kind]
        values = {**self.values(primary, REFRESH_SECONDS), "catalog": catalog}
        if catalog and self.kind == "bind":
            server = server.replace("}};\ncontrols", BIND_CATALOG_OPTION + "}};\ncontrols") + BIND_ZONE.replace("{zone}", "{catalog}")
        text = server.format(**values) + "".join(zone_part.format(zone=zone, **values) for zone in zones)
        if catalog and self.kind == "knot":
            text += KNOT_CATALOG.format(**values)
        path = self.folder / f"{self.kind}.conf"
        path.write_text(text)
        self.account.own(self.folder)
        self.daemon = Daemon(self.kind, [*command, path], self.folder, self.account, ready=lambda: self.dig(".", "SOA") is not None)
        self.daemon.start().wait_ready()
        return self

    def dig(self, *arguments):
        """What dig says, None when nobody answers."""
        done = subprocess.run(["dig", "@127.0.0.1", "-p", str(self.port), "+tries=1", "+time=2", *arguments],
                              capture_output=True, text=True, timeout=120, check=False)
        return done.stdout if done.returncode == 0 else None

    def serial(self, zone):
        """The serial that it serves, None while it has no such zone."""
        answer = (self.dig("+short", "+norecurse", zone, "SOA") or "").split()
        return int(answer[2]) if len(answer) >= 7 else None

    def wait_serial(self, zone, serial, timeout_seconds=60):
        wait_until(lambda: self.serial(zone) == serial, timeout_seconds, f"{self.kind} serves serial {serial} of {zone}", 0.1)

    def transfer(self, zone):
        """Returns the file of the zone as this secondary gives it away."""
        path = self.folder / f"{zone}axfr"
        path.write_text(self.dig(zone, "AXFR", "+noall", "+answer", "+onesoa", "+time=60") or "")
        return path

    def close(self):
        if self.daemon is not None:
            self.daemon.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
