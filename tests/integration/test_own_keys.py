# SPDX-License-Identifier: MIT
"""Zones with keys of their own, by policy: seventeen key sets in one tree, one of them rolled alone, then all together; every zone
passes the gate, and validators that know the topmost key alone ask below the cuts all the while."""
import re

import pytest
from devstack.devices import make_devices
from devstack.process import wait_until
from rolling_stack import HOUR, RollingStack
from test_key_rolls import NSEC3, Asking
from token_stack import TokenStack

DEVICES = 24


def open_tree(stack, zone, *policy):
    """Creates a tree of sixteen zones below their own, and enrolls devices; returns names in zones below cuts."""
    stack.cli("policy", "create", "own-keys", "--ttl", "60", "--life", "72h", "--resign", "24h", "--keys", "zone", *policy)
    stack.create_namespace(zone, "--layout", "tree", "--width", "1", "--policy", "own-keys")
    wait_until(lambda: len(stack.zones(zone)) == 17, 60, "all cuts are made")
    with stack.client() as client:
        answers = client.enroll_many(zone, make_devices(DEVICES, kinds=lambda number: "p256"), timeout=60)
    stack.wait_live(zone)
    return [answer.enrolled.identity.owner_name for answer in answers]


def key_sets(stack, zone):
    """The DNSKEY records of each zone, as they are served."""
    return {each: frozenset(stack.dig("+short", each, "DNSKEY").splitlines()) for each in stack.zones(zone)}


def tags(stack, namespace, zone):
    return {key["key_tag"] for key in stack.keys(namespace, "--zone", zone)}


def tag_at_cut(stack, zone):
    """What the parent says of a zone."""
    return {int(line.split()[0]) for line in stack.dig("+short", zone, "DS").splitlines()}


@pytest.fixture
def rolling(request):
    stack = RollingStack(re.sub(r"\W+", "_", request.node.name)).open()
    yield stack
    stack.close()


def test_one_zone_rolls_alone_then_all_roll_together(rolling):
    top = "_device.own.example."
    names = open_tree(rolling, top)
    zones = rolling.zones(top)
    before = key_sets(rolling, top)
    assert len(before) == 17 and all(len(keys) == 1 for keys in before.values()), before
    assert len(set(before.values())) == 17, "each zone has a key of its own"
    below = names[0]
    child = below.split(".", 1)[1]
    assert child in zones and child != top
    listed = rolling.keys(top)
    assert {key["zone"] for key in listed} == set(zones) and len(listed) == 17
    assert tag_at_cut(rolling, child) == tags(rolling, top, child)
    judged = set()

    def judge(*those):
        for zone in those:
            rolling.wait_served(zone)
            rolling.require_valid_versions(zone, NSEC3, judged)

    def all_zones(but=None, **wanted):
        for zone in zones:
            if zone != but:
                rolling.wait_status(top, zone=zone, **wanted)

    with Asking(rolling, {top: below}) as asking:
        rolling.cli("key", "roll", top, "--zone", child)
        status = rolling.wait_status(top, zone=child, phase="publishing", wait="caches")
        assert (status["zones_with_keys"], status["zones_rolling"]) == (17, 1)
        again = rolling.cli("key", "roll", top, "--zone", child, check=False)
        assert again.returncode == 3 and "NAMESPACE_NOT_READY" in again.stderr, again.stderr
        assert tag_at_cut(rolling, child) < tags(rolling, top, child)
        rolling.jump(HOUR + 60)
        # Its parent is ours: the DS record changes with the zone, and nobody has to be asked or told.
        rolling.wait_status(top, zone=child, phase="switching", wait="signing")
        new = {key["key_tag"] for key in rolling.keys(top, "--zone", child) if key["state"] == "active"}
        wait_until(lambda: tag_at_cut(rolling, child) == new, 60, "the parent says the new key")
        assert rolling.dig("+short", child, "CDS") == ""
        judge(top, child)
        rolling.jump(24 * HOUR + 300)
        rolling.wait_status(top, zone=child, phase="switching", wait="caches")
        rolling.jump(HOUR + 60)
        rolling.wait_status(top, zone=child, phase="none")
        judge(top, child)
        after = key_sets(rolling, top)
        assert {zone for zone in zones if after[zone] != before[zone]} == {child}

        # All that there are; the topmost alone needs its parent. One of them in an emergency meanwhile.
        rolling.cli("key", "roll", top)
        all_zones(phase="publishing", wait="caches")
        assert rolling.status(top)["zones_rolling"] == 17
        other = next(zone for zone in zones if zone not in (top, child))
        rolling.cli("key", "roll", top, "--zone", other, "--emergency")
        rolling.wait_status(top, zone=other, phase="publishing", wait="caches", emergency=True)
        rolling.jump(HOUR + 60)
        all_zones(phase="switching")
        rolling.wait_status(top, zone=other, phase="switching", wait="caches")  # swept at once: only caches hold what was
        asking.delegate()
        rolling.jump(24 * HOUR + 300)
        rolling.wait_status(top, phase="switching", wait="parent")
        rolling.cli("key", "roll", top, "--parent-has-ds")
        all_zones(but=other, phase="switching", wait="caches")
        rolling.wait_status(top, zone=other, phase="none")
        judge(top, child, other)
        rolling.jump(HOUR + 60)
        all_zones(phase="none")
    assert len(judged) > 10
    last = key_sets(rolling, top)
    assert all(len(keys) == 1 and last[zone] != after[zone] for zone, keys in last.items())
    assert len(set(last.values())) == 17
    for zone in zones:
        if zone != top:
            assert tag_at_cut(rolling, zone) == tags(rolling, top, zone)
    rolling.require_all_valid(top, valid_for_seconds=HOUR, names_min=DEVICES)
    validator = rolling.validator(top)
    assert {validator.delv_says(name) for name in names} == {"secure"}


def test_a_policy_says_of_which_kinds_the_first_keys_are(rolling):
    top = "_device.own-split.example."
    names = open_tree(rolling, top, "--scheme", "split")

    shown = rolling.cli_json("policy", "show", "own-keys")["keys"]
    assert (shown["scope"], shown["scheme"]) == ("zone", "split")
    zone = names[0].split(".", 1)[1]
    assert sorted(key["role"] for key in rolling.keys(top, "--zone", zone)) == ["ksk", "zsk"]
    assert len({key["key_id"] for key in rolling.keys(top)}) == 34
    key = rolling.keys(top, "--zone", zone)[0]
    assert rolling.cli_json("key", "show", top, key["key_id"])["zone"] == zone
    assert zone in rolling.cli("zone", "ds", zone).stdout and str(next(iter(tag_at_cut(rolling, zone)))) in rolling.cli("zone", "ds", zone).stdout
    unknown = rolling.cli("key", "status", top, "--zone", "nowhere." + top, check=False)
    assert unknown.returncode == 3 and "NOT_FOUND" in unknown.stderr, unknown.stderr
    rolling.require_all_valid(top, valid_for_seconds=HOUR, names_min=DEVICES)
    validator = rolling.validator(top)
    assert {validator.delv_says(name) for name in names[:8]} == {"secure"}


def test_keys_of_zones_may_lie_in_a_token():
    stack = TokenStack("own_keys_in_a_token").open()
    try:
        top = "_device.own-token.example."
        names = open_tree(stack, top)

        assert len(set(key_sets(stack, top).values())) == 17
        assert {stack.validator(top).delv_says(name) for name in names[:8]} == {"secure"}
    except BaseException:
        stack.failed = True
        raise
    finally:
        stack.close()
