# SPDX-License-Identifier: MIT
"""What a DNS host tells Prometheus: idzone-replicad exports what the name servers of its host wrote, the replica's size and
residency, and where each zone stands."""
import re
import time

import dns.rcode
from devstack.devices import make_devices
from devstack.process import wait_until
from look_up import wire_query


def metric(daemon, name, **labels):
    """Returns one time series' value, None when it is not there."""
    for line in daemon.observe("/metrics")[1].splitlines():
        found = re.fullmatch(rf"{name}(?:\{{(.*)\}})? (\S+)", line)
        if found and dict(re.findall(r'(\w+)="([^"]*)"', found.group(1) or "")) == labels:
            return float(found.group(2))
    return None


def grown(daemon, name, before, least, **labels):
    wait_until(lambda: (metric(daemon, name, **labels) or 0) >= before + least, 15, f"{name} {labels} grows by {least}", 0.3)


def ask(stack, name, rr_type="TLSA"):
    return dns.rcode.to_text(wire_query(stack.ports["dns"], name, rr_type).rcode())


def test_answers_are_counted_by_code_and_by_the_cache(stack, namespace):
    answers, cache = "idzone_edge_answers_total", "idzone_edge_packet_cache_questions_total"
    before = {code: metric(stack.replicad, answers, code=code) or 0 for code in ("NOERROR", "NXDOMAIN", "REFUSED")}
    hits = metric(stack.replicad, cache, outcome="hit") or 0

    for _ in range(20):
        assert ask(stack, namespace, "SOA") == "NOERROR"
    for number in range(10):
        assert ask(stack, f"absent{number}.{namespace}") == "NXDOMAIN"
    for number in range(5):
        assert ask(stack, f"www{number}.example.org.") == "REFUSED"

    for code, least in (("NOERROR", 20), ("NXDOMAIN", 10), ("REFUSED", 5)):
        grown(stack.replicad, answers, before[code], least, code=code)
    grown(stack.replicad, cache, hits, 10, outcome="hit")
    assert metric(stack.replicad, "idzone_edge_name_servers") == 1
    assert time.time() - metric(stack.replicad, "idzone_edge_written_time_seconds") < 20


def test_signatures_that_are_served_tell_their_end(stack, namespace):
    for _ in range(3):
        ask(stack, namespace, "DNSKEY")

    wait_until(lambda: metric(stack.replicad, "idzone_edge_signature_expiry_time_seconds"), 15, "the end of a signature is told", 0.3)

    left = metric(stack.replicad, "idzone_edge_signature_expiry_time_seconds") - time.time()
    assert 3600 < left < 60 * 86400


def test_zones_tell_their_serial_at_both_ends_of_the_feed(stack, namespace):
    with stack.client() as client:
        client.enroll_many(namespace, make_devices(3, "em", kinds=lambda number: "p256"))
        assert client.wait(namespace, live=True, timeout_seconds=60).done
    serial = stack.soa_serial(namespace)

    wait_until(lambda: metric(stack.replicad, "idzone_replica_zone_serial", zone=namespace) == serial, 15, "the edge tells the serial", 0.3)

    assert metric(stack.feedd, "idzone_feed_zone_serial", zone=namespace) == serial
    assert time.time() - metric(stack.replicad, "idzone_replica_zone_applied_time_seconds", zone=namespace) < 60
    assert metric(stack.replicad, "idzone_replica_zones") >= 1


def test_names_that_are_forgotten_are_counted(stack, namespace):
    before = metric(stack.replicad, "idzone_edge_forgotten_names_total") or 0
    with stack.client() as client:
        client.enroll_many(namespace, make_devices(3, "ef", kinds=lambda number: "p256"))
        assert client.wait(namespace, live=True, timeout_seconds=60).done

    grown(stack.replicad, "idzone_edge_forgotten_names_total", before, 4)


def test_the_replica_lies_in_memory_and_tells_its_size(stack, namespace):
    wait_until(lambda: metric(stack.replicad, "idzone_replica_used_octets"), 15, "the size is told", 0.3)

    used, resident, most = (metric(stack.replicad, f"idzone_replica_{name}_octets") for name in ("used", "resident", "map"))
    assert 0 < used < most
    assert resident >= 0.9 * used


def test_a_name_server_that_is_gone_counts_no_more_and_one_that_comes_back_goes_on(own_stack):
    stack = own_stack
    answers = "idzone_edge_answers_total"
    for _ in range(5):
        assert ask(stack, "www.example.org.") == "REFUSED"
    grown(stack.replicad, answers, 0, 5, code="REFUSED")
    counted = metric(stack.replicad, answers, code="REFUSED")

    stack.pdns.kill()
    wait_until(lambda: metric(stack.replicad, "idzone_edge_name_servers") == 0, 15, "nobody writes", 0.3)
    stack.pdns._child = None  # noqa: SLF001 # as Daemon.restart does
    stack.pdns.start().wait_ready()
    for _ in range(5):
        assert ask(stack, "www.example.org.") == "REFUSED"

    grown(stack.replicad, answers, counted, 5, code="REFUSED")
    assert metric(stack.replicad, "idzone_edge_name_servers") == 1
