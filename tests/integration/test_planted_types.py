# SPDX-License-Identifier: MIT
"""Records of types outside the allow-list, planted behind our own doors, never leave the server: not for any of the
65,536 question types, not in a transfer."""
import pytest
from devstack.devices import make_devices
from devstack.process import wait_until
from look_up import record_types, sweep_all_types, wire_query
from lying_feed import hear_lies
from planted_rows import drop_the_constraint, plant_in_node, plant_in_replica, plant_version, wire_name, with_planted

import gate

ZONE = "_device.planted.example."
ALLOWED = {2, 6, 43, 44, 46, 47, 48, 50, 51, 52, 53, 59, 60, 61}
ADDRESS, TEXT, UNKNOWN = 1, 16, 65280  # A, TXT, a private-use code


@pytest.fixture
def planted_stack(own_stack):
    """A stack with a live zone; returns (stack, {id: owner name})."""
    own_stack.create_old_tree(ZONE)
    with own_stack.client() as client:
        answers = client.enroll_many(ZONE, make_devices(60, kinds=lambda number: "p256"))
        assert client.wait(ZONE, live=True).done
    return own_stack, {answer.enrolled.identity.id: answer.enrolled.identity.owner_name for answer in answers}


def require_only_allowed(stack, names):
    for name in names:
        answers = sweep_all_types(stack.ports["dns"], name)
        leaked = {asked: sorted(types - ALLOWED) for asked, types in answers.items() if types - ALLOWED}
        assert not leaked, f"{name}: {leaked}"
        assert len(answers) > 65500, f"{name}: only {len(answers)} types were answered"
    path = stack.transfer(ZONE, stack.folder / "planted.axfr")
    assert not gate.foreign_types(path)


def test_constraint_refuses_a_forbidden_type(planted_stack):
    stack, owners = planted_stack

    with pytest.raises(RuntimeError, match="rr_types"):
        plant_in_node(stack, owners["dev000001"], ADDRESS, bytes([192, 0, 2, 1]))


def test_types_planted_in_postgresql_never_leave(planted_stack):
    stack, owners = planted_stack
    before = stack.soa_serial(ZONE)
    stack.signerd.stop()  # it would put the node right again
    drop_the_constraint(stack)

    # First by the journal, the way of every version; the edge must not take it.
    plant_version(stack, ZONE, owners["dev000001"], ADDRESS, bytes([192, 0, 2, 1]))
    wait_until(lambda: "RECORD_TYPE_FORBIDDEN" in stack.feedd.log_tail(400) + stack.replicad.log_tail(400), 30, "the planted version is refused")
    assert stack.soa_serial(ZONE) == before
    require_only_allowed(stack, [owners["dev000001"]])

    # Then by a snapshot, to an edge that has nothing yet.
    plant_in_node(stack, owners["dev000001"], ADDRESS, bytes([192, 0, 2, 1]))
    plant_in_node(stack, owners["dev000002"], TEXT, b"\x04leak")
    stack.pdns.stop()
    stack.replicad.stop()
    for file in (stack.folder / "replica").iterdir():
        file.unlink()
    for name in ("replicad", "pdns"):
        stack.daemons[name]._child = None
    stack.replicad.start()
    wait_until(lambda: (stack.folder / "replica").joinpath("data.mdb").exists() or any((stack.folder / "replica").iterdir()), 20, "a new replica")
    stack.pdns.start().wait_ready()
    wait_until(lambda: stack.feedd.log_tail(400).count("RECORD_TYPE_FORBIDDEN") + stack.replicad.log_tail(400).count("RECORD_TYPE_FORBIDDEN") >= 2,
               30, "the planted snapshot is refused")
    for owner in (owners["dev000001"], owners["dev000002"]):
        for rr_type in ("A", "TXT", "ANY", "TLSA"):
            assert not record_types(wire_query(stack.ports["dns"], owner, rr_type).to_wire()) - ALLOWED


def test_types_from_a_lying_feed_never_enter_the_replica(planted_stack):
    stack, owners = planted_stack
    before = stack.soa_serial(ZONE)
    stack.replicad.stop()

    answers, counted = hear_lies(stack, {ZONE: (1, owners["dev000005"])}, ADDRESS, bytes([192, 0, 2, 1]))

    assert [(sent, answer.refusal.reason) for sent, answer in answers] == [
        ("version", "RECORD_TYPE_FORBIDDEN"), ("snapshot_begin", "RECORD_TYPE_FORBIDDEN")]
    assert counted == 2
    assert stack.soa_serial(ZONE) == before
    for owner in (owners["dev000005"], ZONE):
        for rr_type in ("A", "ANY", "TLSA"):
            assert not record_types(wire_query(stack.ports["dns"], owner, rr_type).to_wire()) - ALLOWED


def test_types_planted_in_the_replica_never_leave(planted_stack):
    stack, owners = planted_stack
    stack.replicad.stop()
    targets = {owners["dev000003"]: (UNKNOWN, b"anything"), owners["dev000004"]: (ADDRESS, bytes([192, 0, 2, 1]))}

    for owner, (rr_type, rdata) in targets.items():
        plant_in_replica(stack.folder / "replica", wire_name(owner), lambda rrsets, t=rr_type, d=rdata: with_planted(rrsets, t, d))
    stack.pdns.restart().wait_ready()

    require_only_allowed(stack, targets)
    assert 52 in record_types(wire_query(stack.ports["dns"], owners["dev000003"]).to_wire()), "its true record is still served"
