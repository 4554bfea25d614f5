# SPDX-License-Identifier: MIT
"""Zones that an edge does not take although they are signed: one that has lost most of its names, and one with another history. The
edge serves what it holds, says so, is not ready, and takes them on an operator's word in the file `accept` beside the replica."""
import subprocess
import time

import pytest
from devstack.devices import make_devices
from devstack.process import wait_until
from idzone_stack import TestStack

SHRUNK = "_device.shrunk.example."
DEVICES, LEFT = 300, 100


@pytest.fixture(scope="module")
def held_stack():
    stack = TestStack("held-back").open()
    yield stack
    stack.close()


def enroll(stack, zone, devices):
    with stack.client() as client:
        answers = client.enroll_many(zone, devices)
        assert all(answer.WhichOneof("outcome") == "enrolled" for answer in answers)
        assert client.wait(zone, timeout_seconds=60).done
    return [answer.enrolled.identity.owner_name for answer in answers]


def start(stack, *names):
    for name in names:
        stack.daemons[name]._child = None
        stack.daemons[name].start()


def stop(stack, *names):
    for name in names:
        stack.daemons[name].stop()


def is_there(stack, owner):
    return " TLSA " in stack.dig("+noall", "+answer", owner, "TLSA").replace("\t", " ")


def require_held_back(stack, zone, why):
    """It is told in three places, and for as long as nobody says a word."""
    wait_until(lambda: stack.replicad.metric("idzone_replica_held_back_zones") == 1, 120, "a zone is held back")
    wait_until(lambda: stack.replicad.observe("/readyz")[0] == 503, 30, "not ready")
    assert f"zone {zone} is held back" in stack.replicad.observe("/readyz")[1]
    assert any(zone in line and why in line for line in stack.replicad.log_tail(200).splitlines())


def accept(stack, zone):
    """The operator's word, as he would give it: from the edge's account."""
    path = stack.folder / "replica" / "accept"
    path.write_text(f"{zone}\n")
    stack.account.own(path)
    wait_until(lambda: stack.replicad.metric("idzone_replica_held_back_zones") == 0, 60, "the zone is taken")
    stack.replicad.wait_ready()
    assert not path.exists(), "a word counts once"


def test_a_zone_that_lost_most_of_its_names_waits_for_an_operator(held_stack):
    stack = held_stack
    stack.create_namespace(SHRUNK, "--layout", "flat")
    devices = make_devices(DEVICES, "dev", kinds=lambda number: "p256")
    owners = enroll(stack, SHRUNK, devices)
    stack.wait_live(SHRUNK)
    stop(stack, "replicad", "feedd")
    with stack.client() as client:
        for device in devices[LEFT:]:
            client.revoke(SHRUNK, device.id)
        assert client.wait(SHRUNK, timeout_seconds=60).done
    stack.cluster.sql("delete from published.version")  # the edge was away for longer than the journal reaches
    start(stack, "feedd", "replicad")

    require_held_back(stack, SHRUNK, "LIMIT_EXCEEDED")
    assert is_there(stack, owners[0]) and is_there(stack, owners[-1]), "what is held is served"

    accept(stack, SHRUNK)
    wait_until(lambda: not is_there(stack, owners[-1]), 30, "the revoked ones are gone")
    assert is_there(stack, owners[0])
    assert stack.validator(SHRUNK).delv_says(owners[-1]) == "secure NXDOMAIN"


@pytest.mark.parametrize(("case", "away", "versions"), [("same", True, 1), ("overtaken", True, 3), ("watched", False, 3)])
def test_a_database_that_went_back_in_time_is_noticed(held_stack, case, away, versions):
    """A backup is restored: the same serials come again, with other content, and others on top of them; the edge is away until then, or not."""
    stack = held_stack
    restored = f"_device.{case}.example."
    stack.create_namespace(restored, "--layout", "flat")
    enroll(stack, restored, make_devices(3, "old", kinds=lambda number: "p256"))
    stack.wait_live(restored)
    backup = stack.folder / "backup"
    stop(stack, "provisiond", "signerd", "feedd")
    stack.cluster.stop()
    subprocess.run(["cp", "-a", stack.folder / "postgresql", backup], check=True)
    resume(stack)
    lost = enroll(stack, restored, make_devices(1, "lost", kinds=lambda number: "p256"))[0]
    stack.wait_live(restored)
    assert is_there(stack, lost)

    stop(stack, "provisiond", "signerd", "feedd", *(["replicad"] if away else []))
    stack.cluster.stop()
    subprocess.run(["rm", "-rf", stack.folder / "postgresql"], check=True)
    subprocess.run(["mv", backup, stack.folder / "postgresql"], check=True)
    resume(stack)
    if not away:
        require_held_back(stack, restored, "VERSION_GAP")
    for number in range(versions):
        other = enroll(stack, restored, make_devices(1, f"other{number}", kinds=lambda number: "p256"))[0]
    if away:
        start(stack, "replicad")

    wait_until(lambda: any(restored in line and "DIGEST_MISMATCH" in line for line in stack.replicad.log_tail(200).splitlines()), 60, "the fork is seen")
    require_held_back(stack, restored, "DIGEST_MISMATCH")
    time.sleep(12)  # the feed offers it again
    require_held_back(stack, restored, "DIGEST_MISMATCH")
    assert is_there(stack, lost) and not is_there(stack, other), "one history, not a mixture"

    accept(stack, restored)
    wait_until(lambda: is_there(stack, other), 30, "the other history is served")
    assert not is_there(stack, lost)


def resume(stack):
    stack.cluster._child = None
    stack.cluster.start().wait_ready()
    start(stack, "provisiond", "signerd", "feedd")
    for name in ("provisiond", "signerd", "feedd"):
        stack.daemons[name].wait_ready()
