# SPDX-License-Identifier: MIT
"""Foreign secondaries of a transfer host: NSD, Knot and BIND hold zones that all judges accept and that are ours, also while names
change; nobody else gets any."""
import time

import pytest
from churn import CHANGES_A_SECOND, Churn
from devstack.devices import make_devices
from foreign_secondary import ForeignSecondary, secret_of
from idzone_stack import TestStack
from name_server import canonical, run
from transfer_host import TransferHost

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
        stack.create_namespace(FLAT, "--layout", "tree", "--width", "1")
        stack.create_namespace(NSEC, "--layout", "tree", "--width", "1", "--denial", "nsec")
        with stack.client() as client:
            for number, zone in enumerate(ZONES):
                answers = client.enroll_many(zone, make_devices(1000, f"first{number}", kinds=lambda number: "p256"))
                assert all(answer.WhichOneof("outcome") == "enrolled" for answer in answers)
                assert client.wait(zone, live=True, timeout_seconds=60).done
        transfer.start([each.list_line for each in secondaries])
        for zone in ZONES:
            transfer.wait_serves(zone)
        for secondary in secondaries:
            secondary.start(transfer.port, ZONES, refresh=2)
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
