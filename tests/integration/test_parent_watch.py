# SPDX-License-Identifier: MIT
"""A roll waits for its external parent, which the signer asks: a foreign DS, another digest of the old key, or a parent that does not
answer, moves nothing and is said; the right DS moves it on, whatever foreign one stands beside it, without an operator's word."""
import re

import pytest
from devstack.process import wait_until
from parent_zone import ParentZone
from rolling_stack import HOUR, RollingStack

PARENT, ZONE = "example.", "_device.watched.example."
FOREIGN = f"{ZONE} IN DS 4711 13 2 {'ab' * 32}"


@pytest.fixture
def rolling(request):
    stack = RollingStack(re.sub(r"\W+", "_", request.node.name)).open()
    yield stack
    stack.close()


def wait_answer(stack, *words):
    """Waits until the signer says that of the parent, while the roll stays where it is."""
    def says():
        status = stack.status(ZONE)
        assert status["phase"] == "switching", status
        return all(word in status.get("parent_answer", "") for word in words)
    try:
        wait_until(says, 60, f"the parent's answer is {words}")
    except TimeoutError as late:
        raise AssertionError(f"{late}: {stack.status(ZONE)}") from None


def test_a_roll_waits_for_the_parents_ds_and_for_no_other(rolling):
    rolling.create_namespace(ZONE, "--layout", "flat")
    old = rolling.delegation_signer(ZONE)
    with ParentZone(rolling.folder / "parent", PARENT, ZONE, old) as parent:
        rolling.settings.update(PARENT_RESOLVER=f"127.0.0.1@{parent.port}", PARENT_RESOLVER_IS_AUTHORITATIVE="true",
                                PARENT_ANCHORS_FILE=str(parent.anchors), PARENT_POLL_SECONDS="1")
        rolling.cli("key", "roll", ZONE)
        rolling.wait_status(ZONE, phase="publishing", wait="caches")
        rolling.jump(HOUR + 60)
        rolling.wait_status(ZONE, phase="switching")
        rolling.jump(24 * HOUR + 300)
        rolling.wait_status(ZONE, phase="switching", wait="parent")
        new = rolling.delegation_signer(ZONE)
        tags = [re.split(r"\sDS\s", line)[1].split()[0] for line in old + new]
        assert len(set(tags)) == 2 and rolling.dig("+short", ZONE, "CDS").split()[0] == tags[1]

        wait_answer(rolling, f"DS of {tags[0]}")
        parent.publish(old + [FOREIGN])
        wait_answer(rolling, f"DS of {tags[0]}, and 1 of no key of ours")
        parent.stop()
        wait_answer(rolling, "cannot be believed")
        assert rolling.status(ZONE)["wait"] == "parent"

        # Validators choose one digest type: the old key must go by all of them.
        parent.publish(new + [f"{ZONE} IN DS {tags[0]} 13 4 {'cd' * 48}"])
        wait_answer(rolling, f"DS of {tags[0]} (other digest) {tags[1]}")
        assert rolling.status(ZONE)["wait"] == "parent"

        parent.publish(new + [FOREIGN])
        rolling.wait_status(ZONE, phase="switching", wait="caches")
        wait_answer(rolling, f"DS of {tags[1]}, and 1 of no key of ours")
        rolling.jump(HOUR + 60)
        rolling.wait_status(ZONE, phase="none")
    assert [key["state"] for key in rolling.keys(ZONE)] == ["active"]
