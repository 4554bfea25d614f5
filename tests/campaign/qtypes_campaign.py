# SPDX-License-Identifier: MIT
"""All 65,536 types of 42 names, in the classes IN and CH, of an NSEC3 and an NSEC zone into which records of forbidden types
were planted: in the signer's state and the journal with PostgreSQL's constraint dropped, by a feed that lies, and in the replica.
None of them may leave the server, nor in ANY, nor in a transfer.

A cycle is a sweep: one name, one class, all types. A failure is a type outside the allow-list in an answer.
"""
import random

import gate
from devstack.devices import make_devices
from devstack.process import wait_until
from dns.rdataclass import CH, IN
from idzone_stack import TestStack
from look_up import record_types, sweep_all_types, wire_query
from lying_feed import hear_lies
from planted_rows import drop_the_constraint, plant_in_node, plant_in_replica, plant_version, wire_name, with_planted

NSEC3, NSEC = "_device.qtypes.example.", "_device.nsec.qtypes.example."
ZONES = {NSEC3: 1, NSEC: 2}  # as the feed numbers kinds of denial
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
    """A stack with live zones, and what was planted in them."""

    def __init__(self):
        self.stack = TestStack("campaign-qtypes").open()
        self.names, self.devices, self.heard = [], [], {}

    def prepare(self):
        stack = self.stack
        owners = {}
        for zone in ZONES:
            stack.create_old_tree(zone, denial="nsec" if zone == NSEC else "nsec3")
            with stack.client() as client:
                answers = client.enroll_many(zone, make_devices(DEVICES, f"q{ZONES[zone]}", kinds=lambda number: "p256"))
                assert client.wait(zone, live=True, timeout_seconds=60).done
            owners[zone] = [answer.enrolled.identity.owner_name for answer in answers]
        in_replica = {zone: self._choose(zone, names) for zone, names in owners.items()}
        assert len(self.names) == len(set(self.names)) == 42, self.names
        self._plant_in_postgresql(owners)
        stack.replicad.stop()
        self.heard = hear_lies(stack, {zone: (denial, owners[zone][-4]) for zone, denial in ZONES.items()}, 1, FORBIDDEN[1])
        for planted in in_replica.values():
            for owner, rr_type in planted.items():
                plant_in_replica(stack.folder / "replica", wire_name(owner),
                                 lambda rrsets, rr_type=rr_type: with_planted(rrsets, rr_type, FORBIDDEN[rr_type]))
        stack.pdns.restart().wait_ready()

    def _choose(self, zone, owners):
        """Returns {owner: type to plant in the replica}, and adds the names to ask for."""
        planted = dict(zip(owners[1:], FORBIDDEN))
        planted[zone] = 1
        empty = owners[0].split(".", 1)[1]
        if zone == NSEC3:
            planted[empty] = 16  # an NSEC zone has no node there
        others = [f"absent.{zone}", f"*.{empty}", *owners[-4:], f"below.{owners[-3]}", *([] if zone == NSEC3 else [empty])]
        self.names += [*planted, *others]
        self.devices.append(owners[1])
        return planted

    def _plant_in_postgresql(self, owners):
        stack = self.stack
        stack.signerd.stop()  # it would put the nodes right again
        drop_the_constraint(stack)
        for zone in ZONES:
            plant_in_node(stack, owners[zone][-1], 1, FORBIDDEN[1])
            plant_version(stack, zone, owners[zone][-2], 1, FORBIDDEN[1])

        def refused():
            said = stack.feedd.log_tail(400) + stack.replicad.log_tail(400)
            return all(any("RECORD_TYPE_FORBIDDEN" in line and zone in line for line in said.splitlines()) for zone in ZONES)

        wait_until(refused, 30, "the planted versions are refused")

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
        for zone, device in zip(ZONES, self.devices):
            path = self.stack.transfer(zone, self.stack.folder / "planted.axfr")
            if gate.foreign_types(path):
                yield f"AXFR of {zone}: {sorted(gate.foreign_types(path))}"
            if sum(rr_type == "TLSA" for _, _, rr_type, _ in gate.records(path)) != DEVICES:
                yield f"AXFR of {zone} does not have every device"
            if 52 not in record_types(wire_query(self.stack.ports["dns"], device).to_wire()):
                yield f"{device} has lost its true record"
        answers, counted = self.heard
        said = [(sent, answer.refusal.reason) for sent, answer in answers]
        if said != [("version", "RECORD_TYPE_FORBIDDEN"), ("snapshot_begin", "RECORD_TYPE_FORBIDDEN")] * 2 or counted != 4:
            yield f"a lying feed was answered by {said}, and {counted} refusals were counted"


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
