# SPDX-License-Identifier: MIT
"""A key roll waits for every edge, and `key status` names the one that it waits for."""
import signal

from devstack.process import wait_until

ZONE = "_device.hanging.example."


def test_key_status_names_the_edge_that_a_roll_waits_for(own_stack):
    own_stack.create_namespace(ZONE, "--layout", "flat")
    own_stack.wait_live(ZONE)
    own_stack.replicad.send(signal.SIGSTOP)
    own_stack.cli("key", "roll", ZONE)

    def status():
        return own_stack.cli_json("key", "status", ZONE)

    told = wait_until(lambda: (lambda now: now if "Behind: edge-1 (last report 2" in now["advice"] else None)(status()), 30, "the edge is named")
    assert (told["phase"], told["wait"]) == ("publishing", "zones")

    own_stack.replicad.send(signal.SIGCONT)
    wait_until(lambda: status()["wait"] == "caches", 60, "the roll goes on")
    assert "Behind" not in status()["advice"]
