# SPDX-License-Identifier: MIT
"""A KSK rolls in both of its styles, with a live parent zone that the signer asks: validators that know what the parent publishes find
everything secure all the while, every version passes the gate, and the ZSK stays."""
import re

import pytest
from parent_zone import ParentZone
from rolling_stack import HOUR, RollingStack
from test_key_rolls import NSEC3, Asking, start

PARENT, ZONE = "example.", "_device.ksk.example."


@pytest.fixture
def world(request):
    """A stack with a split zone whose parent it asks, that parent, and somebody who asks the zone."""
    stack = RollingStack(re.sub(r"\W+", "_", request.node.name)).open()
    try:
        stack.cli("policy", "create", "split", "--ttl", "60", "--life", "72h", "--resign", "24h", "--scheme", "split")
        names = start(stack, {ZONE: ("--policy", "split")})
        with ParentZone(stack.folder / "parent", PARENT, ZONE, stack.delegation_signer(ZONE)) as parent:
            stack.settings.update(PARENT_RESOLVER=f"127.0.0.1@{parent.port}", PARENT_RESOLVER_IS_AUTHORITATIVE="true",
                                  PARENT_ANCHORS_FILE=str(parent.anchors), PARENT_POLL_SECONDS="1")
            stack.jump(60)
            with Asking(stack, names) as asking:
                yield stack, parent, asking
    finally:
        stack.close()


def tags(stack, role):
    return {key["key_tag"] for key in stack.keys(ZONE) if key["role"] == role}


def require_rolled(stack, old, zsk):
    stack.wait_status(ZONE, phase="none")
    stack.wait_served(ZONE)
    judged = set()
    stack.require_valid_versions(ZONE, NSEC3, judged)
    assert len(judged) > 4
    assert len(tags(stack, "ksk")) == 1 and not tags(stack, "ksk") & old, "another KSK"
    assert tags(stack, "zsk") == zsk, "the same ZSK"
    assert stack.dig("+short", ZONE, "CDS") == ""


def test_a_ksk_rolls_by_double_signature(world):
    stack, parent, asking = world
    old, zsk = tags(stack, "ksk"), tags(stack, "zsk")
    stack.cli("key", "roll", ZONE, "--style", "ksk")
    stack.wait_status(ZONE, phase="publishing", wait="caches", style="ksk-double-signature")
    assert len(stack.dig("+short", ZONE, "DNSKEY").splitlines()) == 3
    stack.jump(HOUR + 60)
    stack.wait_status(ZONE, phase="switching")
    parent.publish(stack.delegation_signer(ZONE))
    stack.jump(24 * HOUR + 300)  # the DS records at cuts of our own are signed again, if there are any
    stack.wait_status(ZONE, phase="switching", wait="caches")
    # So far the validator believed the old DS record, as a cache may.
    asking.delegate()
    stack.jump(HOUR + 60)
    require_rolled(stack, old, zsk)


def test_a_ksk_rolls_by_double_ds(world):
    stack, parent, asking = world
    old, zsk = tags(stack, "ksk"), tags(stack, "zsk")
    stack.cli("key", "roll", ZONE, "--style", "ksk-double-ds")
    stack.wait_status(ZONE, phase="delegating", style="ksk-double-ds")
    both = stack.delegation_signer(ZONE)
    assert len(both) == 2 and len(stack.dig("+short", ZONE, "DNSKEY").splitlines()) == 2, "the new key is announced, not shown"
    parent.publish(both)
    stack.jump(24 * HOUR + 300)
    stack.wait_status(ZONE, phase="delegating", wait="caches")
    asking.delegate()
    stack.jump(HOUR + 60)
    stack.wait_status(ZONE, phase="swapping", wait="caches")
    assert tags(stack, "ksk") > old
    stack.jump(HOUR + 60)
    stack.wait_status(ZONE, phase="undelegating", wait="parent")
    parent.publish(stack.delegation_signer(ZONE))
    asking.delegate()
    require_rolled(stack, old, zsk)
