# SPDX-License-Identifier: MIT
"""The name server alone (name_server.py), on an NSEC3 zone; test_nsec_nameserver.py has what is different in NSEC zones."""
import hashlib
import re
import shutil
import subprocess
import threading
import time

import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import pytest
from devstack.process import wait_until
from name_server import ZONE, NameServer, canonical, digest, owner, run, zone_lines


@pytest.fixture(scope="module")
def server():
    """A server with 1,000 names, and `signed`, the file that they came from."""
    one = NameServer().configure()
    try:
        one.signed = one.sign(ZONE, zone_lines(ZONE, 1000), "zone")
        one.load(ZONE, one.signed)
        one.checked = one.validator(ZONE)
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
    assert server.checked.delv_says(name, rr_type) == verdict


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


def test_a_transfer_is_the_signed_zone(server):
    transferred = server.transfer(ZONE)

    run("dnssec-verify", "-z", "-o", ZONE, transferred)
    judged = [canonical(run("ldns-read-zone", "-z", path)) for path in (server.signed, transferred)]
    assert judged[0] == judged[1]
    assert len(judged[0]) > 4000


def test_without_a_replica_it_refuses_and_then_serves_it(empty_server):
    server = empty_server.configure().start()
    assert server.status(owner(1), "TLSA") == "REFUSED"

    server.load(ZONE, server.sign(ZONE, zone_lines(ZONE, 20), "late"))

    started = time.monotonic()
    wait_until(lambda: server.status(owner(1), "TLSA") == "NOERROR", 30, "the replica is served")
    assert time.monotonic() - started < 3
    assert server.validator(ZONE).delv_says(owner(1)) == "secure"


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

    wait_until(lambda: server.status(owner(9), "TLSA") == "NOERROR", 30, "the other replica is served")


def test_an_answer_never_mixes_two_versions(empty_server):
    """Two versions by two keys, again and again: an answer's SOA and all its signatures must be of the same one."""
    server = empty_server.configure()
    versions = [server.sign(ZONE, zone_lines(ZONE, 50, serial=n), f"version{n}") for n in (1, 2)]
    loads_min, answers_min = 40, 500
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
    serial, end = 1, time.monotonic() + 120
    while (serial <= loads_min or len(met) <= answers_min) and time.monotonic() < end:
        serial += 1
        server.load(ZONE, versions[(serial + 1) % 2], serial=serial)
    stop.set()
    for thread in threads:
        thread.join()

    assert not failed, failed[:10]
    assert len(set(met)) == 2 and all(len(each) == 2 for each in met), set(met)
    assert serial > loads_min and len(met) > answers_min


@pytest.mark.parametrize("setting, value", [("query_cache_ttl", "20"), ("negquery_cache_ttl", "60"), ("consistent_backends", "yes")])
def test_unsafe_settings_are_refused_by_name(empty_server, setting, value):
    server = empty_server.configure(**{setting: value})
    server.account.own(server.folder / "log", server.folder / "run", server.folder)

    server.daemon.start()

    name = setting.replace("_", "-")
    wait_until(lambda: f"[identity] needs {name}=" in server.daemon.log_tail(60), 10, "the refusal is told")
    wait_until(lambda: not server.daemon.pid(), 10, "it ends")


def damage(server, wanted):
    """Flips a bit of these octets wherever they are in the replica."""
    data = server.replica / "data.mdb"
    octets = bytearray(data.read_bytes())
    places = [match.start() for match in re.finditer(re.escape(wanted), octets)]
    assert places
    for place in places:
        octets[place] ^= 1
    data.write_bytes(octets)


def test_a_damaged_node_is_servfail_and_logged(empty_server):
    server = empty_server.configure()
    server.load(ZONE, server.sign(ZONE, zone_lines(ZONE, 20), "zone"))
    damage(server, bytes.fromhex(digest(7)))

    server.start()

    assert server.status(owner(7), "TLSA") == "SERVFAIL"
    assert server.status(owner(8), "TLSA") == "NOERROR"
    assert "nameserver.cannot_answer" in server.daemon.log_tail(60)


def test_a_damaged_zone_is_servfail_and_the_others_are_served(empty_server):
    server, other = empty_server.configure(), "_device.other.example."
    server.load(ZONE, server.sign(ZONE, zone_lines(ZONE, 20), "zone"))
    server.load(other, server.sign(other, zone_lines(other, 20), "other"), serial=2)
    damage(server, hashlib.sha256(b"1").digest())  # in the zone record: what replica_load calls the digest of serial 1

    server.start()

    for name, rr_type in ((ZONE, "SOA"), (owner(7), "TLSA"), (f"absent.{ZONE}", "TLSA")):
        assert server.status(name, rr_type) == "SERVFAIL"
    assert server.validator(other).delv_says(owner(7, other)) == "secure"
    time.sleep(2.5)  # the list is read again every second
    assert server.daemon.log_tail(60).count("nameserver.zone_damaged") == 1
    assert server.status(owner(7, other), "TLSA") == "NOERROR"


def test_an_idle_server_holds_no_old_snapshot(empty_server):
    server = empty_server.configure()
    server.load(ZONE, server.sign(ZONE, zone_lines(ZONE, 20), "zone"))
    server.start()
    assert server.status(owner(5), "TLSA") == "NOERROR"
    server.load(ZONE, server.sign(ZONE, zone_lines(ZONE, 21), "later"), serial=2)

    def holds_the_newest_alone():
        told = subprocess.run(["mdb_stat", "-e", "-r", server.replica], capture_output=True, text=True, check=False).stdout  # it exits 1 always
        newest = re.search(r"Last transaction ID: (\d+)", told).group(1)
        snapshots = [line.split()[2] for line in told.splitlines() if re.match(r"\s+\d+\s+\w+\s+\S+$", line)]
        return newest in snapshots and set(snapshots) <= {"-", newest}

    wait_until(holds_the_newest_alone, 5, "the old snapshot is given back, though nobody asks")


def test_a_transfer_of_a_zone_that_is_not_there_is_refused_and_harmless(server):
    """The name server once read behind the end of the last answer's records, and died."""
    for name in ("no.such.example.", f"not.{ZONE}", "."):
        assert server.status(owner(5), "TLSA") == "NOERROR"
        assert server.status("+tcp", owner(5), "TLSA") == "NOERROR"
        for arguments in ((name, "AXFR"), (name, "IXFR=1"), ("-b", "127.0.0.1", name, "AXFR")):
            assert "Transfer failed" in server.dig(*arguments)
    assert server.daemon.pid() and "signal 11" not in server.daemon.log_tail(60)
    assert server.status(owner(5), "TLSA") == "NOERROR"
