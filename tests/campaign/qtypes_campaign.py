# SPDX-License-Identifier: MIT
"""All 65,536 types of twenty names, in the classes IN and CH, of a zone into which records of forbidden types were planted: in
the signer's state, in the journal and in the replica. None of them may leave the server, nor in ANY, nor in a transfer.

A cycle is a sweep: one name, one class, all types. A failure is a type outside the allow-list in an answer.
"""
import random

import gate
from devstack.devices import make_devices
from devstack.process import wait_until
from dns.rdataclass import CH, IN
from idzone_stack import TestStack
from look_up import record_types, sweep_all_types, wire_query
from planted_rows import drop_the_constraint, plant_in_node, plant_in_replica, plant_version, wire_name, with_planted

ZONE = "_device.qtypes.example."
DEVICES = 200
ALLOWED = {2, 6, 43, 44, 46, 47, 48, 50, 51, 52, 53, 59, 60, 61}
ANSWERED_MIN = 65_500  # the server may drop meta types: OPT, TSIG and the like make a malformed question
FORBIDDEN = {  # the RDATA of each type
    1: bytes([192, 0, 2, 1]),  # A
    5: b"\0",  # CNAME
    12: b"\0",  # PTR
    15: b"\0\x0a\0",  # MX
    16: b"\4leak",  # TXT
    28: bytes.fromhex("20010db8") + bytes(11) + b"\1",  # AAAA
    33: bytes(7),  # SRV
    39: b"\0",  # DNAME
    64: b"\0\1\0",  # SVCB
    65: b"\0\1\0",  # HTTPS
    257: b"\0\5issueca.example",  # CAA
    65280: b"anything",  # private use
}


class Planted:
    """A stack with a live zone, and what was planted in it."""

    def __init__(self):
        self.stack = TestStack("campaign-qtypes").open()

    def prepare(self):
        stack = self.stack
        stack.create_namespace(ZONE, "--layout", "tree", "--width", "1")
        with stack.client() as client:
            answers = client.enroll_many(ZONE, make_devices(DEVICES, kinds=lambda number: "p256"))
            assert client.wait(ZONE, live=True).done
        owners = [answer.enrolled.identity.owner_name for answer in answers]
        empty = owners[0].split(".", 1)[1]
        in_replica = dict(zip(owners[1:], FORBIDDEN))
        in_replica.update({ZONE: 1, empty: 16})
        in_node, in_journal, untouched = owners[-1], owners[-2], owners[-3]
        self.device = owners[1]
        self._plant(in_replica, in_node, in_journal)
        self.names = [*in_replica, in_node, in_journal, untouched, f"absent.{ZONE}", f"*.{empty}", f"below.{untouched}"]
        assert len(self.names) == 20 and len(set(self.names)) == 20, self.names

    def _plant(self, in_replica, in_node, in_journal):
        stack = self.stack
        stack.signerd.stop()  # it would put the node right again
        drop_the_constraint(stack)
        plant_in_node(stack, in_node, 1, FORBIDDEN[1])
        plant_version(stack, ZONE, in_journal, 1, FORBIDDEN[1])
        wait_until(lambda: "RECORD_TYPE_FORBIDDEN" in stack.feedd.log_tail(400) + stack.replicad.log_tail(400), 30, "the planted version is refused")
        stack.replicad.stop()
        for owner, rr_type in in_replica.items():
            plant_in_replica(stack.folder / "replica", wire_name(owner),
                             lambda rrsets, rr_type=rr_type: with_planted(rrsets, rr_type, FORBIDDEN[rr_type]))
        stack.pdns.restart().wait_ready()

    def sweep(self, name, rr_class):
        """Returns (answers, what is wrong)."""
        answers = sweep_all_types(self.stack.ports["dns"], name, rr_class=rr_class)
        allowed = ALLOWED if rr_class == IN else set()
        leaked = {asked: sorted(types - allowed) for asked, types in answers.items() if types - allowed}
        wrong = [f"{name} {rr_class.name}: {leaked}"] if leaked else []
        if len(answers) < ANSWERED_MIN:
            wrong.append(f"{name} {rr_class.name}: only {len(answers)} types were answered")
        return len(answers), wrong

    def other_doors(self):
        """ANY over UDP and TCP, and the transfer; yields what is wrong."""
        for name in self.names:
            types = record_types(wire_query(self.stack.ports["dns"], name, "ANY").to_wire())
            if types - ALLOWED:
                yield f"{name} ANY: {sorted(types - ALLOWED)}"
        path = self.stack.transfer(ZONE, self.stack.folder / "planted.axfr")
        if gate.foreign_types(path):
            yield f"AXFR: {sorted(gate.foreign_types(path))}"
        if sum(rr_type == "TLSA" for _, _, rr_type, _ in gate.records(path)) != DEVICES:
            yield "AXFR does not have every device"
        if 52 not in record_types(wire_query(self.stack.ports["dns"], self.device).to_wire()):
            yield f"{self.device} has lost its true record"


def run(size, seed):
    planted, failures, answered, done = Planted(), [], 0, 0
    try:
        planted.prepare()
        sweeps = [(name, rr_class) for name in planted.names for rr_class in (IN, CH)]
        random.Random(seed).shuffle(sweeps)
        for name, rr_class in sweeps[:size]:
            count, wrong = planted.sweep(name, rr_class)
            answered, done = answered + count, done + 1
            failures += wrong
            print(f"sweep {done}/{min(size, len(sweeps))}: {name} {rr_class.name}; {answered} answers, {len(failures)} failures", flush=True)
        failures += planted.other_doors()
    except BaseException:
        planted.stack.failed = True
        raise
    finally:
        planted.stack.failed = planted.stack.failed or bool(failures)
        planted.stack.close()
    return {"cycles": done, "operations": {"answers": answered}, "failures": failures}
