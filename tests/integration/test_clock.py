# SPDX-License-Identifier: MIT
"""A clock that cannot be right: signing stops with an alarm, what is published stays, and goes on when the clock does, or by an operator's word."""
import json
import os
import pathlib
import time

import gate
import pytest
from devstack.devices import make_device
from devstack.process import wait_until

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
ZONE = "_device.clock.example."


@pytest.fixture
def clocked(own_stack):
    if not pathlib.Path(FAKETIME).exists():
        pytest.fail("libfaketime is not installed: deploy/packages.txt")
    own_stack.create_namespace(ZONE, "--layout", "flat")
    with own_stack.client() as client:
        client.enroll(ZONE, "dev1", make_device("dev1").certificate)
        assert client.wait(ZONE, live=True).done
    return own_stack


def restart_signer(stack, offset=None):
    stack.signerd.stop()
    stack.signerd._child = None
    for name in ("LD_PRELOAD", "FAKETIME", "FAKETIME_DONT_FAKE_MONOTONIC", "FAKETIME_DONT_RESET"):
        stack.signerd.environment.pop(name, None)
    if offset:
        stack.signerd.environment.update(LD_PRELOAD=FAKETIME, FAKETIME=offset, FAKETIME_DONT_FAKE_MONOTONIC="1")
    stack.signerd.start()


def serial(stack):
    return stack.cluster.sql(f"select epoch || ':' || serial from published.zone where name_text = '{ZONE}'")


def status(stack):
    done = stack.cli("--output", "json", "zone", "status", ZONE, check=False)
    return done.returncode, json.loads(done.stdout)


def is_doubted(stack):
    code, text = stack.signerd.observe("/readyz")
    return code == 503 and "CLOCK_DOUBT" in text


@pytest.mark.parametrize("offset", ["+400d", "+2h", "-2h", "-400d"])
def test_clock_that_differs_from_postgresqls_signs_nothing(clocked, offset):
    before = serial(clocked)
    restart_signer(clocked, offset)
    wait_until(lambda: is_doubted(clocked), 30, "the signer doubts its clock")

    with clocked.client() as client:
        change = client.enroll(ZONE, "dev2", make_device("dev2").certificate).identity.change
        assert not client.wait(ZONE, [change], timeout_seconds=3).done
    assert serial(clocked) == before
    code, told = status(clocked)
    assert code == 8 and any("CLOCK_DOUBT" in problem for problem in told["problems"]), told
    assert abs(clocked.signerd.metric("idzone_signer_clock_skew_seconds")) > 3600

    restart_signer(clocked)
    with clocked.client() as client:
        assert client.wait(ZONE, [change], live=True, timeout_seconds=30).done
    clocked.signerd.wait_ready()
    wait_until(lambda: status(clocked)[0] == 0, 30, "the alarm is taken back")


def move_zone(stack, days):
    """What one finds after the clocks of both hosts jumped by so much: all that was signed seems to be of another time."""
    stack.signerd.stop()
    stack.signerd._child = None
    stack.cluster.sql(f"update published.zone set last_signed_at = last_signed_at + interval '{days} days',"
                      f" renew_at = renew_at + interval '{days} days', resign_round = resign_round + interval '{days} days'")
    stack.signerd.start()


@pytest.mark.parametrize("days", [-3, 30])
def test_last_signature_of_another_time_waits_for_an_operators_word(clocked, days):
    move_zone(clocked, days)
    before = serial(clocked)
    with clocked.client() as client:
        change = client.enroll(ZONE, "dev2", make_device("dev2").certificate).identity.change
        wait_until(lambda: is_doubted(clocked), 30, "the signer doubts its clock")
        assert not client.wait(ZONE, [change], timeout_seconds=3).done
    assert serial(clocked) == before
    code, told = status(clocked)
    assert code == 8 and "CLOCK_DOUBT" in json.dumps(told)
    assert clocked.cli("zone", "trust-clock", ZONE, caller="enroller", check=False).returncode == 4

    clocked.cli("zone", "trust-clock", ZONE, "--reason", "checked against three clocks")

    with clocked.client() as client:
        assert client.wait(ZONE, [change], live=True, timeout_seconds=60).done
    clocked.signerd.wait_ready()
    wait_until(lambda: status(clocked)[0] == 0, 60, "the zone is well again")
    clocked.require_valid(ZONE, names_min=0)
    assert clocked.cluster.sql("select detail->>'reason' from registry.event where kind = 'clock.trusted'") == "checked against three clocks"
    assert clocked.cluster.sql("select count(*) from published.zone where last_signed_at > now() + interval '1 minute'") == "0"


def require_no_signature_of_the_future(stack, zone):
    begin = time.strftime("%Y%m%d%H%M%S", time.gmtime())
    for path in stack.zone_files(zone):
        late = [(owner, rdata) for owner, _, rr_type, rdata in gate.records(path) if rr_type == "RRSIG" and rdata.split()[5] > begin]
        assert not late, late[:3]


@pytest.mark.parametrize(("layout", "offset"), [(("flat",), "+30h"), (("tree", "--width", "1"), "+10h")])
def test_what_was_signed_in_the_future_is_signed_again(own_stack, layout, offset):
    """Both hosts' clocks were wrong: all of a zone, its keys too, or of a tree the one zone that a change came to."""
    own_stack.create_namespace(ZONE, "--layout", *layout)
    with own_stack.client() as client:
        client.enroll(ZONE, "dev1", make_device("dev1").certificate)
        assert client.wait(ZONE, live=True).done
    own_stack.signerd.environment["IDZONE_SIGNERD_SIGNING_CLOCK_SKEW_SECONDS_MAX"] = "0"
    restart_signer(own_stack, offset)
    with own_stack.client() as client:
        identity = client.enroll(ZONE, "dev2", make_device("dev2").certificate).identity
        assert client.wait(ZONE, [identity.change]).done
    zone = own_stack.cluster.sql("select name_text from published.zone order by last_signed_at desc, zone_id limit 1")
    assert identity.owner_name.endswith(zone)
    del own_stack.signerd.environment["IDZONE_SIGNERD_SIGNING_CLOCK_SKEW_SECONDS_MAX"]
    restart_signer(own_stack)
    wait_until(lambda: is_doubted(own_stack), 30, "the signer doubts a clock, though nothing is to be done")
    with own_stack.client() as client:
        change = client.revoke(ZONE, "dev1").identity.change
        assert not client.wait(ZONE, [change], timeout_seconds=3).done

    own_stack.cli("zone", "trust-clock", ZONE, "--reason", "checked against three clocks")

    with own_stack.client() as client:
        assert client.wait(ZONE, [change], live=True, timeout_seconds=60).done
    own_stack.signerd.wait_ready()
    wait_until(lambda: status(own_stack)[0] == 0, 60, "the zone is well again")
    for each in {zone, ZONE}:
        own_stack.require_valid(each, names_min=0)
        require_no_signature_of_the_future(own_stack, each)


def test_environment_of_this_process_is_clean():
    assert "FAKETIME" not in os.environ
