# SPDX-License-Identifier: MIT
"""A policy's life of keys ends, and a roll begins, goes through and sets the clock back without anybody's order."""
import json
import re

import pytest
from rolling_stack import HOUR, RollingStack
from test_key_rolls import NSEC3, Asking, start

LIFE_HOURS, OLD_LIFE_HOURS = 8, 220
POLICY = ("--ttl", "60", "--life", "72h", "--resign", "10m", "--scheme", "split", "--zsk-life", f"{LIFE_HOURS}h")


@pytest.fixture
def rolling(request):
    stack = RollingStack(re.sub(r"\W+", "_", request.node.name)).open()
    yield stack
    stack.close()


def test_zsks_roll_by_schedule_each_at_its_own_time(rolling):
    rolling.cli("policy", "create", "zsk-8h", *POLICY)
    zones = ["_device.one.example.", "_device.two.example."]
    names = start(rolling, {zone: ("--policy", "zsk-8h") for zone in zones})

    due = {zone: rolling.seconds_until(rolling.status(zone)["zsk_due_time"]) for zone in zones}
    assert all(LIFE_HOURS * HOUR * 3 / 4 - 120 < seconds <= LIFE_HOURS * HOUR for seconds in due.values()), due
    assert "keys_due_time" not in rolling.status(zones[0]), "a KSK needs its parent: never, unless the policy says otherwise"
    # It finds much wrong with a signer that lives in the past.
    event = json.loads(rolling.cli("--output", "json", "zone", "status", zones[0], check=False).stdout)
    assert "ZSK" in event["next_key_event"] and event["next_key_event_time"] == rolling.status(zones[0])["zsk_due_time"]
    early, late = sorted(zones, key=due.get)
    apart = due[late] - due[early] > 300  # in all runs but one of a dozen: the times are random
    keys = {zone: {key["role"]: key["key_tag"] for key in rolling.keys(zone)} for zone in zones}
    judged = set()
    with Asking(rolling, names):
        rolling.jump(int(due[early]) + 30)
        status = rolling.wait_status(early, style="zsk-pre-publish", phase="publishing", wait="caches")
        assert not status["emergency"]
        assert not apart or rolling.status(late)["phase"] == "none"
        again = rolling.cli("key", "roll", early, check=False)
        assert again.returncode == 3 and "NAMESPACE_NOT_READY" in again.stderr, again.stderr
        rolling.jump(660)
        rolling.wait_status(early, phase="switching")
        rolling.jump(660)
        rolling.wait_status(early, phase="switching", wait="caches")
        rolling.jump(660)
        rolling.wait_status(early, phase="none")
        rolling.wait_served(early)
        rolling.require_valid_versions(early, NSEC3, judged)
    assert len(judged) > 3
    after = {key["role"]: key["key_tag"] for key in rolling.keys(early)}
    assert after["ksk"] == keys[early]["ksk"] and after["zsk"] != keys[early]["zsk"]
    again = rolling.seconds_until(rolling.status(early)["zsk_due_time"])
    assert LIFE_HOURS * HOUR * 3 / 4 - 300 < again <= LIFE_HOURS * HOUR, "the new key lives as long as the old one did"


class OldStack(RollingStack):
    """Keys that need their parent live for days: four times what a roll takes, and a parent is given two days."""
    begins_hours_ago = 700


@pytest.fixture(params=["csk", "split"])
def old(request):
    stack = OldStack(re.sub(r"\W+", "_", request.node.name)).open()
    yield stack, request.param
    stack.close()


def test_keys_that_need_their_parent_roll_by_schedule(old):
    rolling, scheme = old
    zone = "_device.old.example."
    rolling.cli("policy", "create", "keys-9d", "--ttl", "60", "--life", "720h", "--resign", "10m", "--scheme", scheme, "--key-life", f"{OLD_LIFE_HOURS}h")
    names = start(rolling, {zone: ("--policy", "keys-9d")})
    first = {key["role"]: key["key_tag"] for key in rolling.keys(zone)}
    due = rolling.seconds_until(rolling.status(zone)["keys_due_time"])
    assert OLD_LIFE_HOURS * HOUR * 3 / 4 - 120 < due <= OLD_LIFE_HOURS * HOUR
    judged = set()
    rolling.jump(int(due) - 300)
    assert rolling.status(zone)["phase"] == "none"
    with Asking(rolling, names) as asking:
        rolling.jump(330)
        rolling.wait_status(zone, style="all-keys" if scheme == "csk" else "ksk-double-signature", phase="publishing", wait="caches", emergency=False)
        rolling.jump(660)
        rolling.wait_status(zone, phase="switching")
        rolling.jump(660)
        rolling.wait_status(zone, phase="switching", wait="parent")
        asking.delegate()
        rolling.cli("key", "roll", zone, "--parent-has-ds")
        rolling.wait_status(zone, phase="switching", wait="caches")
        rolling.jump(26 * HOUR)
        rolling.wait_status(zone, phase="none")
        rolling.wait_served(zone)
        rolling.require_valid_versions(zone, NSEC3, judged)
    assert len(judged) > 3
    after = {key["role"]: key["key_tag"] for key in rolling.keys(zone)}
    rolled = "csk" if scheme == "csk" else "ksk"
    assert after.keys() == first.keys() and {role for role in first if after[role] != first[role]} == {rolled}
    again = rolling.seconds_until(rolling.status(zone)["keys_due_time"])
    assert OLD_LIFE_HOURS * HOUR * 3 / 4 - 300 < again <= OLD_LIFE_HOURS * HOUR, "the new key lives as long as the old one did"


@pytest.mark.parametrize("options, field", [
    (("--key-life", "1d"), "keys.key_life"),
    (("--zsk-life", "30d"), "keys.zsk_life"),
    (("--scheme", "split", "--zsk-life", "1h"), "keys.zsk_life"),
])
def test_impossible_life_of_keys_is_refused_by_field(stack, options, field):
    done = stack.cli("policy", "create", "impossible-keys", "--ttl", "60", "--life", "24h", "--resign", "8h", *options, check=False)

    assert done.returncode == 3 and field in done.stderr, done.stderr
