# SPDX-License-Identifier: MIT
"""With everything behind it gone an edge serves until the signatures expire, and then says that it cannot."""
import time

import dns.rcode
import pytest
from devstack.devices import make_device, make_devices
from devstack.process import wait_until
from look_up import wire_query
from recording_edge import RecordingEdge

ZONE = "_device.outlive.example."
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
LIFE_MINUTES = 180  # of all signatures of policy `fast`


def rcode(stack, name, rr_type="TLSA", do=True):
    return dns.rcode.to_text(wire_query(stack.ports["dns"], name, rr_type, do).rcode())


def restart_later(daemon, minutes):
    """Starts a daemon whose clock is ahead."""
    daemon.environment = {"LD_PRELOAD": FAKETIME, "FAKETIME": f"+{minutes}m", "FAKETIME_DONT_FAKE_MONOTONIC": "1"} if minutes else {}
    daemon.restart().wait_ready()


def test_edge_serves_until_signatures_expire_and_then_says_servfail(own_stack):
    own_stack.create_old_tree(ZONE, policy="fast")
    with own_stack.client() as client:
        owner = client.enroll(ZONE, "dev1", make_device("dev1").certificate).identity.owner_name
        assert client.wait(ZONE, live=True).done
    absent = f"absent.{owner.split('.', 1)[1]}"
    asked = [(owner, "TLSA", True), (owner, "TLSA", False), (owner, "SSHFP", True), (ZONE, "SOA", True), (ZONE, "DNSKEY", False)]

    for name in ("replicad", "feedd", "signerd", "provisiond", "postgresql"):
        own_stack.daemons[name].kill()
    restart_later(own_stack.pdns, LIFE_MINUTES - 10)
    for name, rr_type, do in asked:
        assert rcode(own_stack, name, rr_type, do) == "NOERROR", (name, rr_type, do)
    assert rcode(own_stack, absent) == "NXDOMAIN"

    restart_later(own_stack.pdns, LIFE_MINUTES + 10)
    for name, rr_type, do in [*asked, (absent, "TLSA", True), (absent, "TLSA", False)]:
        assert rcode(own_stack, name, rr_type, do) == "SERVFAIL", (name, rr_type, do)
    assert "have not expired" in own_stack.pdns.log_file.read_text(), "the log says why"

    restart_later(own_stack.pdns, 0)
    assert rcode(own_stack, owner) == "NOERROR", "it was the clock alone"


@pytest.mark.parametrize("lost", ["feedd", "postgresql"])
def test_lag_ends_readiness_and_nothing_else(own_stack, lost):
    """Without the feed; and with one that lives on but cannot see what there is."""
    own_stack.create_namespace(ZONE, "--layout", "flat")
    with own_stack.client() as client:
        owner = client.enroll(ZONE, "dev1", make_device("dev1").certificate).identity.owner_name
        assert client.wait(ZONE, live=True).done
    replicad = own_stack.replicad
    replicad.environment = {"IDZONE_REPLICAD_REPLICA_LAG_MAX_SECONDS": "8"}
    replicad.restart().wait_ready()

    own_stack.daemons[lost].kill()
    time.sleep(2)
    assert replicad.is_ready(), "losing it for a moment is no trouble"
    wait_until(lambda: replicad.observe("/readyz")[0] == 503, 60, "not ready when it lags")
    assert "replica.lag_max_seconds" in replicad.observe("/readyz")[1]
    assert rcode(own_stack, owner) == "NOERROR"

    own_stack.daemons[lost]._child = None
    own_stack.daemons[lost].start().wait_ready()
    replicad.wait_ready(60)


def damage(stack):
    """The replica's record of dev1, in place: the name server has it open."""
    data, name = stack.folder / "replica" / "data.mdb", b"\x04dev1\x07_device\x07outlive"
    octets = data.read_bytes().replace(name, name.replace(b"dev1", b"eev1"))  # also in pages that are not in use any more
    with open(data, "r+b") as file:
        file.write(octets)


def test_damaged_replica_is_made_anew_with_the_keys_that_were_pinned(own_stack):
    own_stack.create_namespace(ZONE, "--layout", "flat")
    with own_stack.client() as client:
        owner = client.enroll(ZONE, "dev1", make_device("dev1").certificate).identity.owner_name
        assert client.wait(ZONE, live=True).done
    replicad = own_stack.replicad
    replicad.kill()
    damage(own_stack)

    wait_until(lambda: rcode(own_stack, owner) == "SERVFAIL", 25, "the damage is met, when the packet cache has forgotten the name")
    assert rcode(own_stack, ZONE, "SOA") == "NOERROR", "what is whole is served"
    replicad._child = None
    replicad.start().wait_ready()

    wait_until(lambda: rcode(own_stack, owner) == "NOERROR", 30, "the new replica")
    log = replicad.log_file.read_text()
    assert "replica.damaged" in log and "replica.moved_in" in log
    assert log.count("replica.key_pinned") == 1, "only the first contact trusts on first use"


def test_a_replica_that_waits_for_its_snapshot_takes_nobodys_place(own_stack):
    """The feed reads as many snapshots at once as it may; an edge whose turn has not come hears from it meanwhile, but nothing new."""
    own_stack.create_namespace(ZONE, "--layout", "flat")
    with own_stack.client() as client:
        owner = client.enroll(ZONE, "dev1", make_device("dev1").certificate).identity.owner_name
        client.enroll_many(ZONE, make_devices(3000, "many", kinds=lambda number: "p256"), timeout=120)
        assert client.wait(ZONE, live=True, timeout_seconds=60).done
    own_stack.feedd.environment = {"IDZONE_FEEDD_FEED_SNAPSHOTS_MAX": "1"}
    own_stack.feedd.restart().wait_ready()
    other, replicad = RecordingEdge(own_stack, "edge-2"), own_stack.replicad
    replicad.kill()
    damage(own_stack)
    wait_until(lambda: rcode(own_stack, owner) == "SERVFAIL", 25, "the damage is met, when the packet cache has forgotten the name")

    with other.hold_snapshot():
        replicad._child = None
        replicad.start()
        wait_until(lambda: "replica.damaged" in replicad.log_file.read_text(), 20, "the damage is found")
        time.sleep(8)  # more than a heartbeat
        assert replicad.log_file.read_text().count("replica.moved_in") == 1, "only the first one's"
        assert not replicad.is_ready()
        assert rcode(own_stack, ZONE, "SOA") == "NOERROR", "what is whole is served"

    replicad.wait_ready(60)
    assert replicad.log_file.read_text().count("replica.moved_in") == 2
    wait_until(lambda: rcode(own_stack, owner) == "NOERROR", 30, "the new replica")
