# SPDX-License-Identifier: MIT
"""Foreign secondaries of a transfer host: NSD, Knot and BIND hold zones that all judges accept and that are ours, also while names
change; nobody else gets any. Their refresh interval is an hour, so that what they learn they learn by NOTIFY and the catalog."""
import hashlib
import json
import signal
import time

import pytest
from churn import CHANGES_A_SECOND, Churn
from devstack.devices import make_device, make_devices
from devstack.process import wait_until
from foreign_secondary import ForeignSecondary, secret_of
from idzone_client import refusal
from idzone_stack import TestStack
from name_server import canonical, run
from transfer_host import CATALOG, NOTIFY_PERIOD_SECONDS, TransferHost

import gate

FLAT = "_device.flat.example."
NSEC = "_device.nsec.example."
ZONES = [FLAT, NSEC]


@pytest.fixture(scope="module")
def host():
    """A stack with two zones of 1,000 names, one of each kind of denial, a transfer host and its three secondaries."""
    stack = TestStack("secondaries").open()
    transfer, secondaries = TransferHost(stack), [ForeignSecondary(kind) for kind in ("nsd", "knot", "bind")]
    try:
        stack.create_old_tree(FLAT)
        stack.create_old_tree(NSEC, denial="nsec")
        with stack.client() as client:
            for number, zone in enumerate(ZONES):
                answers = client.enroll_many(zone, make_devices(1000, f"first{number}", kinds=lambda number: "p256"))
                assert all(answer.WhichOneof("outcome") == "enrolled" for answer in answers)
                assert client.wait(zone, live=True, timeout_seconds=60).done
        transfer.start([each.list_line for each in secondaries])
        for zone in ZONES:
            transfer.wait_serves(zone)
        for secondary in secondaries:
            # Knot and BIND find the second zone in the catalog; NSD 4.6 cannot.
            secondary.start(transfer.port, *((ZONES,) if secondary.kind == "nsd" else ([FLAT], CATALOG)))
        transfer.secondaries = secondaries
        yield transfer
    except BaseException:
        stack.failed = True
        raise
    finally:
        for each in secondaries:
            if stack.failed and each.daemon:
                print(f"{each.kind}: {each.daemon.log_tail(30)}")
            each.close()
        transfer.close()
        stack.close()


def tree_digit(device_id):
    return hashlib.sha256(device_id.encode()).hexdigest()[0]


def require_ours(host, secondary, zone):
    """The zone passes the gate and is, record for record, what the signer published."""
    published = host.stack.export(zone, host.folder / f"{zone}export")
    transferred = secondary.transfer(zone)
    gate.require_valid(transferred, zone)
    ours, theirs = (canonical(run("ldns-read-zone", "-z", path)) for path in (published, transferred))
    assert theirs == ours, f"{secondary.kind} {zone}: {len(ours)} and {len(theirs)} records"
    assert len(ours) > 3000


def test_secondaries_hold_our_zones(host):
    for zone in ZONES:
        serial = host.stack.soa_serial(zone)
        for secondary in host.secondaries:
            secondary.wait_serial(zone, serial)
            require_ours(host, secondary, zone)


def test_zones_that_change_are_valid_at_every_secondary(host):
    """Each version that a secondary serves passes the gate; when the changes end, all hold the last one."""
    stack = host.stack
    churn = Churn(stack, FLAT, make_devices(CHANGES_A_SECOND * 8, "moving", kinds=lambda number: "p256"))
    seen = {secondary.kind: set() for secondary in host.secondaries}
    churn.start()
    while churn.is_alive():
        for secondary in host.secondaries:
            path = secondary.transfer(FLAT)
            gate.require_valid(path, FLAT)
            seen[secondary.kind].add(next(rdata.split()[2] for _, _, rr_type, rdata in gate.records(path) if rr_type == "SOA"))
    churn.join()

    assert churn.failure is None, churn.failure
    with stack.client() as client:
        assert client.wait(FLAT, live=True, timeout_seconds=60).done
    for secondary in host.secondaries:
        secondary.wait_serial(FLAT, stack.soa_serial(FLAT))
        require_ours(host, secondary, FLAT)
        seen[secondary.kind].add(str(stack.soa_serial(FLAT)))
    print(f"{churn.changes} changes; versions judged: { {kind: len(serials) for kind, serials in seen.items()} }")
    assert all(len(serials) >= 2 for serials in seen.values()), seen


def transfer_says(host, *arguments, port=None):
    return host.stack._run(["dig", "@127.0.0.1", "-p", port or host.port, "+tries=1", "+time=3", *arguments, FLAT, "AXFR"], check=False).stdout


def key(name, secret=None, algorithm="hmac-sha256"):
    return f"{algorithm}:{name}.transfer:{secret or secret_of(name)}"


def test_a_listed_key_transfers(host):
    for name in ("nsd", "knot", "bind"):
        assert transfer_says(host, "-y", key(name)).count("TLSA") > 1000


@pytest.mark.parametrize("arguments", [
    (),
    ("-y", key("nsd", secret_of("knot"))),
    ("-y", key("stranger")),
    ("-y", key("nsd", algorithm="hmac-sha512")),
    ("-y", key("nsd", algorithm="hmac-md5")),
], ids=["no key", "a wrong secret", "an unknown key", "another algorithm", "an old algorithm"])
def test_without_a_listed_key_there_is_no_transfer(host, arguments):
    said = transfer_says(host, *arguments)

    assert "Transfer failed" in said or "TSIG" in said, said
    assert " TLSA " not in said and " SOA " not in said.replace("\t", " ")
    assert transfer_says(host, "-y", key("knot")).count("TLSA") > 1000, "a listed key still does"


def test_a_public_edge_knows_no_key_and_refuses(host):
    """Even the owner of a listed key, and even from the edge's own host."""
    edge = host.stack.ports["dns"]
    for name in ("nsd", "knot", "bind"):
        said = transfer_says(host, "-y", key(name), port=edge)
        assert "TLSA" not in said and ("Transfer failed" in said or "TSIG" in said), said
    config = (host.stack.folder / "config" / "pdns.conf").read_text()
    assert "identity-secondaries" not in config


def test_keys_are_in_no_replica(host):
    for name in ("nsd", "knot", "bind"):
        for file in (host.folder / "replica").iterdir():
            octets = file.read_bytes()
            assert secret_of(name).encode() not in octets and f"{name}.transfer".encode() not in octets


def test_a_list_that_others_may_read_is_refused(host):
    host.pdns.stop()
    host.list_file.chmod(0o640)
    try:
        host.pdns._child = None
        host.pdns.start()
        deadline = time.monotonic() + 10
        while host.pdns.pid() and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not host.pdns.pid(), "it runs with a list that others can read"
        assert "identity-secondaries" in host.pdns.log_tail(40) and "mode 0640" in host.pdns.log_tail(40)
        assert secret_of("nsd") not in host.pdns.log_file.read_text()
    finally:
        host.list_file.chmod(0o600)
        host.pdns._child = None
        host.pdns.start().wait_ready()


def test_a_change_is_told_and_taken(host):
    stack = host.stack
    with stack.client() as client:
        client.enroll_many(FLAT, make_devices(1, "told", kinds=lambda number: "p256"))
        assert client.wait(FLAT, live=True, timeout_seconds=60).done
    started = time.monotonic()
    for secondary in host.secondaries:
        secondary.wait_serial(FLAT, stack.soa_serial(FLAT), 30)
    print(f"all had it {time.monotonic() - started:.2f} s after the edges")
    wait_until(lambda: host.replicad.metric("idzone_transfer_zones_behind") == 0, 30, "the transfer host knows")


def standings(host, zone):
    """The serials of the secondaries that the zone's status names."""
    status = host.stack.cli_json("zone", "status", zone)
    return {each["secondary"]: each["version"]["serial"] for each in status["secondaries"]}, status


def test_whoever_waits_until_live_waits_for_secondaries(host):
    stack, asleep = host.stack, next(each for each in host.secondaries if each.kind == "knot")
    wait_until(lambda: set(standings(host, FLAT)[0]) == {"nsd", "knot", "bind"}, 30, "the feed knows the secondaries")
    with stack.client() as client:
        asleep.daemon.send(signal.SIGSTOP)
        try:
            client.enroll(FLAT, "waited", make_device("waited").certificate)
            waited = client.wait(FLAT, live=True, timeout_seconds=20)
            assert not waited.done and list(waited.edges_behind) == ["knot"]
            assert "knot" in stack.cli("device", "wait", FLAT, "--timeout", "1", check=False).stderr
        finally:
            asleep.daemon.send(signal.SIGCONT)
        assert client.wait(FLAT, live=True, timeout_seconds=60).done
    for secondary in host.secondaries:
        assert secondary.dig("+short", f"waited.{tree_digit('waited')}.{FLAT}", "TLSA"), secondary.kind


def test_a_key_roll_waits_for_secondaries(host):
    """What one that is behind serves was signed by keys that the roll would take away."""
    stack, asleep = host.stack, next(each for each in host.secondaries if each.kind == "knot")
    wait_until(lambda: "knot" in standings(host, NSEC)[0], 60, "the feed knows that it serves the zone")

    def status():
        return stack.cli_json("key", "status", NSEC)

    asleep.daemon.send(signal.SIGSTOP)
    try:
        stack.cli("key", "roll", NSEC)
        told = wait_until(lambda: (lambda now: now if "Behind: knot (last report 2" in now["advice"] else None)(status()), 60, "it is named")
        assert (told["phase"], told["wait"]) == ("publishing", "zones")
    finally:
        asleep.daemon.send(signal.SIGCONT)
    wait_until(lambda: status()["wait"] == "caches", 60, "the roll goes on")
    asleep.wait_serial(NSEC, stack.soa_serial(NSEC))


def test_zone_status_tells_what_secondaries_cost(host):
    with host.stack.client() as client:
        assert client.wait(FLAT, live=True, timeout_seconds=60).done
    serials, status = standings(host, FLAT)

    assert serials == dict.fromkeys(("nsd", "knot", "bind"), status["version"]["serial"])
    assert {each["transfer_host"] for each in status["secondaries"]} == {host.name}
    assert {each["notify_period_seconds"] for each in status["secondaries"]} == {NOTIFY_PERIOD_SECONDS}
    assert status["names"] > 1000
    assert status["secondary_revocation_bound_seconds"] == NOTIFY_PERIOD_SECONDS - (-status["names"] * 500 // 1024**2)
    assert status["problems"] == []


def test_a_zone_that_changes_all_the_time_is_told_once_a_period(host):
    stack = host.stack
    wait_until(lambda: host.replicad.metric("idzone_transfer_zones_behind") == 0, 60, "all have everything")
    started, serial, before = time.monotonic(), stack.soa_serial(FLAT), host.replicad.metric("idzone_transfer_notifies_total")
    with stack.client() as client:
        for number, device in enumerate(make_devices(60, "steady", kinds=lambda number: "p256")):
            client.enroll_many(FLAT, [device])
            time.sleep(max(0.0, started + number * 0.1 - time.monotonic()))
    told, versions = host.replicad.metric("idzone_transfer_notifies_total") - before, stack.soa_serial(FLAT) - serial
    seconds = time.monotonic() - started

    print(f"{versions} versions in {seconds:.1f} s, {told:.0f} NOTIFY messages to {len(host.secondaries)} secondaries")
    assert versions > 3 * seconds / NOTIFY_PERIOD_SECONDS
    assert len(host.secondaries) <= told <= len(host.secondaries) * (seconds / NOTIFY_PERIOD_SECONDS + 1)


def test_a_new_zone_reaches_consumers_of_the_catalog_by_itself(host):
    stack, zone = host.stack, "_device.new.example."
    stack.create_old_tree(zone)
    with stack.client() as client:
        client.enroll_many(zone, make_devices(1000, "new", kinds=lambda number: "p256"))
        assert client.wait(zone, live=True, timeout_seconds=60).done

    for secondary in host.secondaries:
        if secondary.kind != "nsd":
            secondary.wait_serial(zone, stack.soa_serial(zone), 60)
            require_ours(host, secondary, zone)


def catalog_of(host, port, *arguments):
    return host.stack._run(["dig", "@127.0.0.1", "-p", port, "+tries=1", "+time=3", "+noall", "+answer", *arguments, CATALOG, "AXFR"], check=False).stdout


def test_the_catalog_is_in_transfers_of_the_transfer_host_alone(host):
    listed = catalog_of(host, host.port, "-y", key("knot"))

    assert {line.split()[3] for line in listed.splitlines() if line[0] != ";"} == {"SOA", "NS", "TXT", "PTR"}
    assert {line.split()[4] for line in listed.splitlines() if " PTR " in line.replace("\t", " ")} >= set(ZONES)
    assert "PTR" not in catalog_of(host, host.port)
    assert "PTR" not in catalog_of(host, host.stack.ports["dns"], "-y", key("knot"))
    assert "status: REFUSED" in host.stack.dig(CATALOG, "SOA")
    asked = f"{listed.split('PTR')[0].split()[-4]}"
    for name, rr_type in ((CATALOG, "ANY"), (asked, "PTR"), (asked, "ANY"), (f"version.{CATALOG}", "TXT")):
        said = host.stack._run(["dig", "@127.0.0.1", "-p", host.port, "+tcp", "+noall", "+answer", name, rr_type]).stdout
        assert "PTR" not in said and "TXT" not in said, said


def test_a_transfer_host_that_starts_anew_takes_no_zone_away(host):
    """An empty replica must not empty the catalog: consumers would drop every zone."""
    before = {line.split()[4] for line in catalog_of(host, host.port, "-y", key("knot")).splitlines() if " PTR " in line.replace("\t", " ")}
    host.pdns.stop()
    host.replicad.stop()
    for file in ("data.mdb", "lock.mdb"):
        (host.folder / "replica" / file).unlink()
    host.stack.feedd.stop()  # nothing can be filled
    for name in ("replicad", "pdns"):
        host.daemons[name]._child = None
        host.daemons[name].start()
    wait_until(lambda: host.stack.answers_dns(host.port), 20, "pdns answers")
    try:
        wait_until(lambda: catalog_of(host, host.port, "-y", key("knot")).count("PTR") > 0, 20, "the catalog is served")
        after = {line.split()[4] for line in catalog_of(host, host.port, "-y", key("knot")).splitlines() if " PTR " in line.replace("\t", " ")}
        assert after == before and len(after) >= 2
    finally:
        host.stack.feedd._child = None
        host.stack.feedd.start().wait_ready()
        host.replicad.wait_ready()
    host.wait_serves(FLAT)
    for secondary in host.secondaries:
        secondary.wait_serial(FLAT, host.stack.soa_serial(FLAT))


def standings_of_unwell(host, zone):
    done = host.stack.cli("--output", "json", "zone", "status", zone, check=False)
    return [each["secondary"] for each in json.loads(done.stdout)["secondaries"]] if done.returncode in (0, 8) else []


def test_a_policy_that_secondaries_cannot_keep_is_refused(host):
    """They are told every two seconds, and the policy's TTL is two seconds: with a transfer, that is too late."""
    stack, zone = host.stack, "_device.hasty.example."
    stack.cli("policy", "create", "hasty", "--ttl", "2", "--life", "6h", "--resign", "2h")
    stack.create_namespace(zone, "--layout", "flat", "--policy", "hasty")
    with stack.client() as client:
        client.enroll(zone, "first", make_device("first").certificate)
        wait_until(lambda: set(standings_of_unwell(host, zone)) == {"knot", "bind"}, 60, "they have found the zone in the catalog")
        refused = refusal(client.enroll, zone, "second", make_device("second").certificate)
    assert refused[:2] == ("INVALID_ARGUMENT", "LIMIT_EXCEEDED"), refused
    done = stack.cli("zone", "status", zone, check=False)
    assert done.returncode == 8 and "foreign secondaries" in done.stdout
