# SPDX-License-Identifier: MIT
"""deploy/dnsdist/dnsdist.conf before PowerDNS with our module: what it lets through validates, floods bring little, nothing but
queries passes."""
import re
import socket
import subprocess
import time
import typing

import dns.flags
import dns.message
import dns.opcode
import dns.query
import dns.rcode
import dns.update
import pytest
from devstack.process import Daemon, wait_until
from devstack.resolver import Validator
from devstack.ports import free_ports
from devstack.stack import Stack
from idzone_stack import SOURCE
from name_server import ZONE, NameServer, digest, owner, zone_lines

FACTOR_MAX = 5
FLOOD_SECONDS = 3
LIMIT_SECOND, LIMIT_BURST = 50, 100  # what dnsdist.conf says of one address


@pytest.fixture(scope="module")
def front():
    """A server of 1,000 names behind dnsdist; `front_port` is dnsdist's."""
    one = NameServer()
    try:
        one.load(ZONE, one.sign(ZONE, zone_lines(ZONE, 1000), "zone"))
        own = [line.split("=", 1) for line in (SOURCE / "deploy/pdns/behind-dnsdist.conf").read_text().splitlines() if line and line[0] != "#"]
        one.configure(**{name: value.strip() for name, value in own}).start()
        one.front_port = free_ports(1)[0]
        values = {"ADDRESS": "127.0.0.1", "PORT": one.front_port, "PDNS_PORT": one.port}
        config = one.folder / "dnsdist.conf"
        config.write_text(re.sub(r"@([A-Z_]+)@", lambda marker: str(values[marker.group(1)]), (SOURCE / "deploy/dnsdist/dnsdist.conf").read_text()))
        one.dnsdist = Daemon("dnsdist", ["/usr/bin/dnsdist", "--supervised", "--disable-syslog", "-C", config], one.folder, one.account,
                             ready=lambda: Stack.answers_dns(one.front_port))
        one.dnsdist.start().wait_ready()
        yield one
    finally:
        if hasattr(one, "dnsdist"):
            one.dnsdist.kill()
        one.close()


@pytest.fixture
def rested(front):
    """A client whose allowance is full again."""
    time.sleep(LIMIT_BURST / LIMIT_SECOND)
    return front


def ask(front, name, rr_type, tcp=False, do=True):
    query = dns.message.make_query(name, rr_type, want_dnssec=do, payload=4096)
    return (dns.query.tcp if tcp else dns.query.udp)(query, "127.0.0.1", port=front.front_port, timeout=5)


@pytest.mark.parametrize("name, rr_type, verdict", [
    (owner(5), "TLSA", "secure"),
    (ZONE, "DNSKEY", "secure"),
    (ZONE, "SOA", "secure"),
    (owner(5), "SSHFP", "secure NODATA"),
    (digest(5)[0] + "." + ZONE, "TLSA", "secure NODATA"),
    ("absent." + ZONE, "TLSA", "secure NXDOMAIN"),
    ("a.b.c." + ZONE, "TLSA", "secure NXDOMAIN"),
])
def test_answers_validate_through_it(rested, name, rr_type, verdict):
    assert Validator(rested.folder / "resolver", ZONE, rested.anchors, rested.front_port).delv_says(name, rr_type) == verdict


class Flood(typing.NamedTuple):
    """What came of one: octets of UDP payload; `whole` answers are those without TC."""
    sent: int
    received: int
    answered: int
    whole: int
    largest: int


def flood(front, name, rr_type, source="127.0.0.1", seconds=FLOOD_SECONDS, rate=2000, sources=1):
    """Asks at a steady rate."""
    query = dns.message.make_query(name, rr_type, want_dnssec=True, payload=4096).to_wire()
    clients = []
    for number in range(sources):
        client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        host = source.rsplit(".", 1)
        client.bind((f"{host[0]}.{int(host[1]) + number}", 0))
        client.connect(("127.0.0.1", front.front_port))
        client.setblocking(False)
        clients.append(client)
    sent = received = answered = whole = largest = asked = 0

    def drain():
        nonlocal received, answered, whole, largest
        for client in clients:
            while True:
                try:
                    answer = client.recv(65535)
                except BlockingIOError:
                    break
                received += len(answer)
                answered += 1
                largest = max(largest, len(answer))
                whole += not answer[2] & 2  # TC

    started = time.monotonic()
    while (elapsed := time.monotonic() - started) < seconds:
        while asked < elapsed * rate:
            try:
                clients[asked % sources].send(query)
                sent += len(query)
            except BlockingIOError:
                pass
            asked += 1
        drain()
        time.sleep(0.002)
    time.sleep(0.3)
    drain()
    for client in clients:
        client.close()
    return Flood(sent, received, answered, whole, largest)


@pytest.mark.parametrize("name, rr_type", [(owner(5), "TLSA"), ("absent." + ZONE, "TLSA"), ("x.y.z." + ZONE, "SSHFP"), (ZONE, "DNSKEY"), (ZONE, "NS"), (ZONE, "ANY")],
                         ids=["existing", "absent", "deep absent", "keys", "name servers", "any"])
def test_a_flood_brings_its_victim_at_most_five_times_what_it_costs(rested, name, rr_type):
    sent, received, _, whole, largest = flood(rested, name, rr_type)

    print(f"{rr_type} {name}: {sent} octets sent, {received} received, factor {received / sent:.2f}; {whole} whole answers; largest {largest}")
    assert received <= FACTOR_MAX * sent
    assert largest <= 1232
    assert whole <= 1.2 * (LIMIT_SECOND * FLOOD_SECONDS + LIMIT_BURST)
    assert whole > 0 or rr_type == "ANY"


def test_without_it_the_same_flood_brings_more(rested):
    """So that the test above is one that can fail: PowerDNS alone, asked for what is absent."""
    answer = dns.query.udp(dns.message.make_query("x.y.z." + ZONE, "SSHFP", want_dnssec=True, payload=4096), "127.0.0.1", port=rested.port, timeout=5)

    query = dns.message.make_query("x.y.z." + ZONE, "SSHFP", want_dnssec=True, payload=4096)
    print(f"factor of one answer: {len(answer.to_wire()) / len(query.to_wire()):.1f}")
    assert len(answer.to_wire()) > FACTOR_MAX * len(query.to_wire())


def test_a_flood_from_many_addresses_of_a_network_is_one_flood(rested):
    sent, received, _, whole, _ = flood(rested, "absent." + ZONE, "TLSA", source="127.0.7.1", rate=4000, sources=100)

    print(f"100 addresses: factor {received / sent:.2f}, {whole} whole answers")
    assert received <= FACTOR_MAX * sent
    assert whole <= 1.2 * (500 * FLOOD_SECONDS + 1000)


def test_far_beyond_that_a_network_is_not_answered_at_all(rested):
    came = flood(rested, "absent." + ZONE, "TLSA", source="127.0.9.1", rate=15000, sources=100)

    print(f"100 addresses, {came.answered} answers, {came.whole} of them whole")
    assert 0 < came.answered <= 1.1 * (5000 * FLOOD_SECONDS + 10000)


def test_who_is_told_to_use_tcp_gets_a_secure_answer_there(rested):
    """Right behind a flood, when UDP brings nothing but TC."""
    flood(rested, "absent." + ZONE, "TLSA", seconds=1)
    told = [answer for answer in (ask(rested, owner(5), "TLSA") for _ in range(100)) if answer.flags & dns.flags.TC]
    validator = Validator(rested.folder / "resolver", ZONE, rested.anchors, rested.front_port)

    assert told and not any(answer.answer for answer in told)
    assert validator.delv_says(owner(5)) == "secure"
    assert validator.delv_says("absent." + ZONE) == "secure NXDOMAIN"


def test_one_client_in_a_flood_takes_nothing_from_others(rested):
    flooding = subprocess.Popen(["/usr/bin/python3", "-c", f"""
import socket, time
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); client.bind(("127.0.1.9", 0)); client.connect(("127.0.0.1", {rested.front_port}))
query = bytes.fromhex({dns.message.make_query("absent." + ZONE, "TLSA", want_dnssec=True).to_wire().hex()!r})
end = time.monotonic() + 8
while time.monotonic() < end:
    for _ in range(20):
        try: client.send(query)
        except OSError: pass
    time.sleep(0.01)
"""])
    try:
        time.sleep(1)
        for number in range(40):
            answer = ask(rested, owner(number), "TLSA")
            assert answer.answer and not answer.flags & dns.flags.TC, number
            time.sleep(0.03)
    finally:
        flooding.kill()
        flooding.wait()


def test_any_comes_by_tcp(rested):
    told = ask(rested, ZONE, "ANY")
    assert told.flags & dns.flags.TC and not told.answer

    answered = ask(rested, ZONE, "ANY", tcp=True)
    assert answered.rcode() == dns.rcode.NOERROR and len(answered.answer) > 3


@pytest.mark.parametrize("rr_type", ["AXFR", "IXFR"])
def test_transfers_are_refused_by_it_and_behind_it(rested, rr_type):
    for port in (rested.front_port, rested.port):
        said = subprocess.run(["dig", "@127.0.0.1", "-p", str(port), "+tries=1", "+time=3", ZONE, rr_type if rr_type == "AXFR" else "IXFR=1"],
                              capture_output=True, text=True, check=False).stdout
        assert "Transfer failed" in said and "TLSA" not in said, said


def test_what_is_no_query_is_refused(rested):
    update = dns.update.Update(ZONE)
    update.add("new", 300, "TXT", "x")
    notify = dns.message.make_query(ZONE, "SOA")
    notify.set_opcode(dns.opcode.NOTIFY)
    chaos = dns.message.make_query("version.bind.", "TXT", "CH")

    for message in (update, notify, chaos):
        assert dns.query.udp(message, "127.0.0.1", port=rested.front_port, timeout=5).rcode() == dns.rcode.REFUSED


def test_many_tcp_clients_are_served_at_once(rested):
    """More than PowerDNS alone would let one address have."""
    clients = []
    try:
        for number in range(18):
            client = socket.create_connection(("127.0.0.1", rested.front_port), timeout=5, source_address=(f"127.0.2.{1 + number}", 0))
            query = dns.message.make_query(owner(number), "TLSA", want_dnssec=True).to_wire()
            client.sendall(len(query).to_bytes(2, "big") + query)
            clients.append(client)
            more = socket.create_connection(("127.0.0.1", rested.front_port), timeout=5, source_address=(f"127.0.3.{1 + number}", 0))
            more.sendall(len(query).to_bytes(2, "big") + query)
            clients.append(more)
        assert all(len(client.recv(65535)) > 100 for client in clients)
    finally:
        for client in clients:
            client.close()


def test_it_comes_back_when_pdns_does(rested):
    rested.daemon.restart().wait_ready()

    wait_until(lambda: ask(rested, owner(5), "TLSA").answer, 30, "answers through dnsdist")
    assert ask(rested, owner(5), "TLSA", tcp=True).answer
