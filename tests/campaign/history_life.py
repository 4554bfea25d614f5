# SPDX-License-Identifier: MIT
"""One history: what its namespace ought to hold, and the random steps that change it. Keys are history_keys.py's."""
import collections
import dataclasses
import itertools
import random
import time

import grpc
from devstack.process import wait_until
from history_keys import Keys
from history_kinds import kind_of, significant
from idzone_client import detail_of

NAMES = 220
POLICY = "lively"
CALL_SECONDS = 120
LATER_CUTS = 3  # prefixes of an enum namespace that become zones on the way
OPEN, ACTIVE = 3, 1  # CutState, KeyState
UNAVAILABLE = 14  # google.rpc.Code


def patiently(call):
    """Asks again while what was restarted is not back, as callers must: everything here is idempotent."""
    end = time.monotonic() + CALL_SECONDS
    while True:
        try:
            return call()
        except grpc.RpcError as error:
            if error.code() != grpc.StatusCode.UNAVAILABLE or time.monotonic() > end:
                raise
        time.sleep(0.1)


class Life:
    def __init__(self, seed, devices, rolls):
        self.seed, self.random = seed, random.Random(seed)
        self.kind = kind_of(seed)
        self.zone = f"_device.h{seed}.example."
        self.devices = iter(self.random.sample(devices, len(devices)))
        self.taken, self.active = set(), {}  # ids ever used; {id: what `hold` says}
        self.revoked, self.free = [], []  # in quarantine; behind it
        self.closed = []  # prefixes below which nobody is enrolled before their cut is open
        self.asked_cuts = set()
        self.operations = collections.Counter()
        self.keys = Keys(self, rolls)

    def create(self, admin):
        admin.call("NamespaceService", "CreateNamespace", CALL_SECONDS, namespace_resource={
            "name": self.zone, "operator_id": "acme", "policy": POLICY, "name_servers": ["ns1.example.net.", "ns2.example.net."],
            **self.kind.fields, "denial": self.kind.denial, "algorithm": self.kind.algorithm})
        if not self.kind.is_enum:
            return
        first = significant(self.kind.ids(self.random))[:1]
        self.add_cut(admin, first)
        wait_until(lambda: self.cuts(admin)[first] == OPEN, CALL_SECONDS, f"cut {first} of {self.zone} is open", step_seconds=0.2)
        self.choose_later_cuts()

    # Cuts of enum namespaces.

    def choose_later_cuts(self):
        """Beginnings of ids that may come, some of which begin others."""
        for _ in range(LATER_CUTS):
            digits = significant(self.kind.ids(self.random))
            # All GTINs have all but their last two digits in common: nobody could be enrolled meanwhile.
            length = len(digits) - (1 if "gs1" in self.kind.layout else self.random.choice((1, 2)))
            if length > 1:
                self.closed.append(digits[:length])
        # The shorter before the longer, or the longer would be in its way; sorting puts them so.
        self.closed = sorted(set(self.closed))

    def add_cut(self, admin, prefix):
        patiently(lambda: admin.call("NamespaceService", "AddCut", CALL_SECONDS, name=self.zone, prefix=prefix))
        self.operations["cut"] += 1
        self.asked_cuts.add(prefix)

    def cuts(self, admin):
        return {cut.prefix: cut.state for cut in patiently(lambda: admin.call("NamespaceService", "ListCuts", CALL_SECONDS, name=self.zone)).cuts}

    def cut(self, admin):
        """Asks for the next cut, while names are enrolled elsewhere; opens the ids below those that are open."""
        asked = [prefix for prefix in self.closed if prefix in self.asked_cuts]
        if asked:
            states = self.cuts(admin)
            self.closed = [prefix for prefix in self.closed if states.get(prefix) != OPEN]
        elif self.closed and self.random.random() < 0.3:
            self.add_cut(admin, self.closed[0])

    def barred(self, device_id):
        """Nobody may be in the way of a cut that comes; and nobody is the owner of a cut."""
        digits = significant(device_id) if self.kind.is_enum else ""
        return any(digits.startswith(prefix) for prefix in self.closed) or digits in self.asked_cuts

    # Identities.

    def new_id(self):
        while True:
            device_id = self.kind.ids(self.random)
            if device_id not in self.taken and not self.barred(device_id):
                self.taken.add(device_id)
                return device_id

    def step(self, callers, number):
        if number == 0:
            self.enroll(callers["enroller"], NAMES)
            return
        self.keys.step(callers["admin"])
        self.cut(callers["admin"])
        for _ in range(self.random.choice((1, 1, 2))):
            choice = self.random.random()
            if choice < 0.25:
                self.rotate(callers["enroller"], self.random.randint(1, 2))
            elif choice < 0.35 and self.free:
                self.re_enroll(callers["re-enroller"], self.random.randint(1, min(4, len(self.free))))
            elif choice < 0.4 and self.revoked:
                self.try_quarantine(callers["re-enroller"])
            elif len(self.active) <= NAMES or choice < 0.7:
                self.enroll(callers["enroller"], self.random.randint(1, 6))
            else:
                self.revoke(callers["enroller"], self.random.randint(1, min(3, len(self.active) - NAMES)))

    def enroll(self, client, count):
        asked = [dataclasses.replace(device, id=self.new_id()) for device in itertools.islice(self.devices, count)]
        self.operations["enroll"] += len(asked)
        while asked:
            answers = patiently(lambda: client.enroll_many(self.zone, asked, timeout=CALL_SECONDS))
            again = []
            for device, answer in zip(asked, answers, strict=True):
                if answer.WhichOneof("outcome") == "enrolled":
                    self.hold(answer.enrolled.identity)
                else:
                    assert answer.error.code == UNAVAILABLE, answer
                    again.append(device)
            asked = again

    def rotate(self, client, count):
        """A new key beside the first one; the next time the old one goes."""
        for device_id in self.random.sample(sorted(self.active), count):
            keys = self.active[device_id]
            if len(keys) == 1:
                certificate = next(self.devices).certificate
                answer = patiently(lambda: client.add_key(self.zone, device_id, CALL_SECONDS, certificate=certificate))
            else:
                answer = patiently(lambda: client.retire_key(self.zone, device_id, next(iter(keys)), timeout=CALL_SECONDS))
            self.hold(answer.identity)
        self.operations["rotate"] += count

    def hold(self, identity):
        """Remembers what the zone ought to say of an identity: {fingerprint: record}, the oldest key first."""
        records = {}
        for key in identity.keys:
            if key.state == ACTIVE:
                rr_type, rdata = key.record.split(" ", 1)
                records[key.fingerprint] = (identity.owner_name, rr_type, "".join(rdata.upper().split()))
        self.active[identity.id] = records

    def revoke(self, client, count):
        for device_id in self.random.sample(sorted(self.active), count):
            patiently(lambda: client.revoke(self.zone, device_id, timeout=CALL_SECONDS))
            del self.active[device_id]
            self.revoked.append(device_id)
        self.operations["revoke"] += count

    def end_quarantine(self):
        """The caller has ended it for everybody whose revocation is published."""
        self.free += self.revoked
        self.revoked.clear()

    def re_enroll(self, client, count):
        for _ in range(count):
            device_id = self.free.pop(self.random.randrange(len(self.free)))
            certificate = next(self.devices).certificate
            self.hold(patiently(lambda: client.re_enroll(self.zone, device_id, certificate, CALL_SECONDS)).identity)
        self.operations["re-enroll"] += count

    def try_quarantine(self, client):
        """A name in quarantine is nobody's, whoever asks with whatever key."""
        device_id, certificate = self.random.choice(self.revoked), next(self.devices).certificate
        try:
            patiently(lambda: client.re_enroll(self.zone, device_id, certificate, CALL_SECONDS))
        except grpc.RpcError as error:
            detail = detail_of(error)
            assert detail is not None and detail.reason == "NAME_IN_QUARANTINE", error
        else:
            raise AssertionError(f"{device_id} was enrolled again in its quarantine")
        self.operations["kept out"] += 1

    def expected(self):
        return {record for records in self.active.values() for record in records.values()}
