# SPDX-License-Identifier: MIT
"""The name server alone: a real pdns_server with our module, on a replica made from a zone that ldns signed.

Neither keys nor denial chain nor signatures are ours here, so what validates owes nothing to our signer.
"""
import hashlib
import pathlib
import re
import shutil
import subprocess
import tempfile
import threading
import time

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest
from devstack.account import Account
from devstack.process import Daemon, wait_until
from devstack.resolver import Validator
from devstack.stack import free_ports
from idzone_stack import BUILD, SOURCE

ZONE = "_device.acme.example."
TTL = 3600  # what ldns-signzone gives NSEC3PARAM; PowerDNS transfers that record with the SOA's MINIMUM


def digest(number):
    return hashlib.sha256(b"%d" % number).hexdigest()


def owner(number):
    """Names lie in trees of one hex digit, so that there are empty non-terminals."""
    return f"d{number}.{digest(number)[0]}.{ZONE}"


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

    def sign(self, zone, lines, name):
        """Writes a signed zone of NSEC3 with ldns; the same key for all zones. Returns its file."""
        plain = self.folder / f"{name}.plain"
        plain.write_text("\n".join(lines) + "\n")
        base = run("ldns-keygen", "-a", "ECDSAP256SHA256", "-k", "-r", "/dev/urandom", zone, cwd=self.folder).strip()
        signed = self.folder / f"{name}.signed"
        run("ldns-signzone", "-n", "-t", "0", "-A", "-o", zone, "-f", signed, plain, base, cwd=self.folder)
        self.anchors = [run("ldns-key2ds", "-n", "-2", f"{base}.key", cwd=self.folder).strip()]
        return signed

    def load(self, zone, signed, serial=1):
        run(BUILD / "bin" / "replica_load", self.replica, zone, signed, serial)
        self.account.own(self.replica)

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
    return lines + [f"{owner(number)} {TTL} IN TLSA 3 1 1 {digest(number)}" for number in range(count)]


@pytest.fixture(scope="module")
def server():
    """A server with 1,000 names, and `signed`, the file that they came from."""
    one = NameServer().configure()
    try:
        one.signed = one.sign(ZONE, zone_lines(ZONE, 1000), "zone")
        one.load(ZONE, one.signed)
        one.validator = Validator(one.folder / "resolver", ZONE, one.anchors, one.port)
        one.start()
        yield one
    finally:
        one.close()


@pytest.fixture
def empty_server():
    one = NameServer()
    yield one
    one.close()


@pytest.mark.parametrize("name, rr_type, verdict", [
    (owner(5), "TLSA", "secure"),
    (owner(5).upper().replace("ACME", "aCmE"), "TLSA", "secure"),
    (ZONE, "SOA", "secure"),
    (ZONE, "NS", "secure"),
    (ZONE, "DNSKEY", "secure"),
    (ZONE, "NSEC3PARAM", "secure"),
    (owner(5), "ANY", "secure"),
    (owner(5), "SSHFP", "secure NODATA"),
    (ZONE, "TLSA", "secure NODATA"),
    (digest(5)[0] + "." + ZONE, "TLSA", "secure NODATA"),  # an empty non-terminal
    ("absent." + ZONE, "TLSA", "secure NXDOMAIN"),
    ("absent." + digest(5)[0] + "." + ZONE, "TLSA", "secure NXDOMAIN"),
    ("below." + owner(5), "TLSA", "secure NXDOMAIN"),
    ("x.y.z." + ZONE, "TLSA", "secure NXDOMAIN"),
    ("*." + digest(5)[0] + "." + ZONE, "TLSA", "secure NXDOMAIN"),  # asked for by its own name
])
def test_answers_validate(server, name, rr_type, verdict):
    assert server.validator.delv_says(name, rr_type) == verdict


def test_every_name_is_answered_with_its_own_record(server):
    for number in range(0, 1000, 50):
        assert digest(number) in server.dig("+short", owner(number), "TLSA").replace(" ", "").lower()


def test_a_client_cannot_ask_for_what_lies_at_an_nsec3_owner(server):
    nsec3_owner = next(line.split()[0] for line in server.signed.read_text().splitlines() if "\tNSEC3\t" in line)

    statuses = {rr_type: server.status("+dnssec", nsec3_owner, rr_type) for rr_type in ("NSEC3", "RRSIG", "ANY")}

    assert statuses == {"NSEC3": "NXDOMAIN", "RRSIG": "REFUSED", "ANY": "NXDOMAIN"}


def test_foreign_names_and_versions_are_refused(server):
    assert server.status("www.example", "A") == "REFUSED"
    assert "PowerDNS" not in server.dig("CH", "TXT", "version.bind")


def canonical(text):
    """Records as (owner, TTL, type, rdata), whatever their order, case or comments."""
    lines = (line.split(";")[0].split() for line in text.splitlines())
    return sorted((line[0].lower(), line[1], line[3], "".join(line[4:]).lower()) for line in lines if len(line) > 4)


def test_a_transfer_is_the_signed_zone(server):
    transferred = server.folder / "axfr"
    transferred.write_text(server.dig(ZONE, "AXFR", "+noall", "+answer", "+onesoa"))

    run("dnssec-verify", "-z", "-o", ZONE, transferred)
    judged = [canonical(run("ldns-read-zone", "-z", path)) for path in (server.signed, transferred)]
    assert judged[0] == judged[1]
    assert len(judged[0]) > 4000


def test_without_a_replica_it_refuses_and_then_serves_it(empty_server):
    server = empty_server.configure().start()
    assert server.status(owner(1), "TLSA") == "REFUSED"

    server.load(ZONE, server.sign(ZONE, zone_lines(ZONE, 20), "late"))

    started = time.monotonic()
    wait_until(lambda: server.status(owner(1), "TLSA") == "NOERROR", 5, "the replica is served")
    assert time.monotonic() - started < 3
    assert Validator(server.folder / "resolver", ZONE, server.anchors, server.port).delv_says(owner(1)) == "secure"


def test_a_new_version_is_in_the_next_answer(empty_server):
    server = empty_server.configure()
    server.load(ZONE, server.sign(ZONE, zone_lines(ZONE, 20), "first"))
    server.start()
    assert server.status(owner(19), "TLSA") == "NOERROR"

    server.load(ZONE, server.sign(ZONE, zone_lines(ZONE, 19, serial=2), "second"), serial=2)

    assert server.status(owner(19), "TLSA") == "NXDOMAIN"
    assert server.dig("+short", ZONE, "SOA").split()[2] == "2"


def test_a_replica_that_is_replaced_is_served(empty_server):
    server = empty_server.configure()
    server.load(ZONE, server.sign(ZONE, zone_lines(ZONE, 5), "first"))
    server.start()
    assert server.status(owner(9), "TLSA") == "NXDOMAIN"

    shutil.rmtree(server.replica)
    server.load(ZONE, server.sign(ZONE, zone_lines(ZONE, 10, serial=2), "second"), serial=2)

    wait_until(lambda: server.status(owner(9), "TLSA") == "NOERROR", 5, "the other replica is served")


def test_an_answer_never_mixes_two_versions(empty_server):
    """Two versions by two keys, again and again: an answer's SOA and all its signatures must be of the same one."""
    server = empty_server.configure()
    versions = [server.sign(ZONE, zone_lines(ZONE, 50, serial=n), f"version{n}") for n in (1, 2)]
    server.load(ZONE, versions[0])
    server.start()
    stop, met, failed = threading.Event(), [], []

    def ask(thread):
        number = 0
        while not stop.is_set():
            number += 1
            query = dns.message.make_query(f"absent{thread}-{number}.{digest(number % 50)[0]}.{ZONE}", "TLSA", want_dnssec=True)
            answer = dns.query.udp(query, "127.0.0.1", port=server.port, timeout=5)
            if answer.rcode() != dns.rcode.NXDOMAIN:
                failed.append(dns.rcode.to_text(answer.rcode()))
            soa = answer.find_rrset(answer.authority, dns.name.from_text(ZONE), dns.rdataclass.IN, dns.rdatatype.SOA)
            tags = {record.key_tag for rrset in answer.authority if rrset.rdtype == dns.rdatatype.RRSIG for record in rrset}
            met.append((soa[0].serial, *tags))

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for load in range(2, 42):
        server.load(ZONE, versions[(load + 1) % 2], serial=load)
    stop.set()
    for thread in threads:
        thread.join()

    assert not failed, failed[:10]
    assert len(set(met)) == 2 and all(len(each) == 2 for each in met), set(met)
    assert len(met) > 500


@pytest.mark.parametrize("setting, value", [("query_cache_ttl", "20"), ("negquery_cache_ttl", "60"), ("consistent_backends", "yes")])
def test_unsafe_settings_are_refused_by_name(empty_server, setting, value):
    server = empty_server.configure(**{setting: value})
    server.account.own(server.folder / "log", server.folder / "run", server.folder)

    server.daemon.start()

    name = setting.replace("_", "-")
    wait_until(lambda: f"[identity] needs {name}=" in server.daemon.log_tail(60), 10, "the refusal is told")
    wait_until(lambda: not server.daemon.pid(), 10, "it ends")


def test_a_damaged_replica_is_servfail_and_logged(empty_server):
    server = empty_server.configure()
    server.load(ZONE, server.sign(ZONE, zone_lines(ZONE, 20), "zone"))
    data = server.replica / "data.mdb"
    octets = bytearray(data.read_bytes())
    wanted = bytes.fromhex(digest(7))
    places = [match.start() for match in re.finditer(re.escape(wanted), octets)]
    assert places
    for place in places:
        octets[place] ^= 1
    data.write_bytes(octets)

    server.start()

    assert server.status(owner(7), "TLSA") == "SERVFAIL"
    assert server.status(owner(8), "TLSA") == "NOERROR"
    assert "nameserver.cannot_answer" in server.daemon.log_tail(60)


def test_an_idle_server_holds_no_snapshot(server):
    assert server.status(owner(5), "TLSA") == "NOERROR"
    time.sleep(1.5)

    readers = subprocess.run(["mdb_stat", "-r", server.replica], capture_output=True, text=True, check=False).stdout  # it exits 1 always

    snapshots = [line.split()[2] for line in readers.splitlines() if re.match(r"\s+\d+\s+\w+\s+\S+$", line)]
    assert snapshots and set(snapshots) == {"-"}, readers
