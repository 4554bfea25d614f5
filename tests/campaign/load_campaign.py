# SPDX-License-Identifier: MIT
"""A thousand changes a second through the real pipeline, the name server at half of what it can, and N answers validated meanwhile.

The most that the name server can is measured where half of it will be asked: beside the changes, and beside a validator that is asked as
much. What it can with the machine to itself is measured before, and told. Then dnsperf asks it, with the same questions, half as many a
second: it never asks twice, and none may be lost. Beside it, Unbound is asked N questions, half of them for what is absent, none
twice while it remembers: each answer must be validated, none bogus. A cycle is an answer that Unbound validated.

A run fails, too, when the machine does not give that many changes and questions a second. With --changes it is a smaller load, for
busy machines: then half of so many changes will do, and as many questions as there was time for.
"""
import random
import time

from counting_unbound import CACHE_SECONDS, CountingUnbound
from dnsperf_run import DnsPerf
from idzone_stack import TestStack
from steady_changes import SteadyChanges, device_id, new_public_key, tree_owner

ZONE = "_device.load.example."
STABLE_MIN, STABLE_MAX = 4000, 20_000  # asked in turn: none twice within a second
VALIDATED_A_SECOND = 2000
MEASURE_SECONDS, MEASURE_SECONDS_BUSY = 10, 3
DIRECT_SHARE = 0.5  # of the most that was measured
REACHED_SHARE, REACHED_SHARE_BUSY = 0.95, 0.5  # of the changes and questions a second that are demanded
CHANGES = 1000  # a second
CACHED_SHARE_MAX = 0.01  # keys stay a second in the validator's cache, and so would names
CONVERGE_SECONDS = 60
SETTLE_SECONDS = 2  # from when the rest has begun
LONGEST_SECONDS = 6 * 3600


class Names:
    """Enrolled for good, absent, and moving ones."""

    def __init__(self, stack, stable, seed):
        self.stack, self.random = stack, random.Random(seed)
        self.stable = [tree_owner(f"stable{number:06d}", ZONE) for number in range(stable)]

    def enroll(self):
        with self.stack.client() as client:
            request, _ = client._types("EnrollmentService", "EnrollStream")
            requests = (request(namespace_name=ZONE, id=owner.split(".")[0], public_key=new_public_key()) for owner in self.stable)
            owners = [answer.enrolled.identity.owner_name for answer in client.stub("EnrollmentService", "EnrollStream", "stream_stream")(requests, timeout=600)]
            assert owners == self.stable
            assert client.wait(ZONE, live=True, timeout_seconds=CONVERGE_SECONDS).done

    def absent(self):
        return tree_owner(f"absent{self.random.getrandbits(60):015x}", ZONE)

    def write(self, name, count, moving):
        """A file of `count` questions, half of them for what is there, half for absent names, absent types, and the first `moving`
        names that come and go, of which nearly all are gone or not yet there. Returns its path."""
        lines, turn = [], 0
        goers = iter(self.random.sample(range(max(moving, count // 10 + 2)), count // 10 + 2))  # none twice: the validator would remember
        for number in range(count):
            place = number % 20
            if place < 10 or 15 <= place < 18:
                lines.append(f"{self.stable[turn % len(self.stable)]} {'TLSA' if place < 10 else 'SSHFP'}\n")
                turn += 1
            else:
                lines.append(f"{self.absent() if place < 15 else tree_owner(device_id(next(goers)), ZONE)} TLSA\n")
        path = self.stack.folder / name
        path.write_text("".join(lines))
        return path


def no_type(count):
    """How many of a file's questions are for absent types."""
    return sum(15 <= number % 20 < 18 for number in range(count))


class Load:
    """What runs at the same time, and what it says at its end."""

    def __init__(self, stack, unbound, direct_file, changes):
        self.stack, self.unbound, self.direct_file, self.changes = stack, unbound, direct_file, SteadyChanges(stack, ZONE, changes)
        self.alone = self.beside = None
        self.before = (0, 0, 0)

    def measure(self, path, seconds):
        """The most that the name server can, with the machine to itself and beside all the rest, which goes on from then."""
        self.alone = DnsPerf(self.stack.ports["dns"], self.direct_file, seconds=seconds).report(60 + seconds)
        self.changes.start()
        validated = DnsPerf(self.unbound.port, path, a_second=VALIDATED_A_SECOND, seconds=seconds + SETTLE_SECONDS, timeout_seconds=30)
        time.sleep(SETTLE_SECONDS)
        self.beside = DnsPerf(self.stack.ports["dns"], self.direct_file, seconds=seconds).report(60 + seconds)
        self.validated_beside = validated.report(60 + seconds)
        self.asked = int(DIRECT_SHARE * self.beside.completed / self.beside.seconds)
        time.sleep(1.5 * CACHE_SECONDS)  # what the validator remembers of this is forgotten
        self.before = self.unbound.counted()
        self.changes_beside, self.seconds_beside = self.changes.changes, self.changes.seconds

    def validate(self, path, size):
        self.direct = DnsPerf(self.stack.ports["dns"], self.direct_file, a_second=self.asked, seconds=LONGEST_SECONDS)
        validated = DnsPerf(self.unbound.port, path, a_second=VALIDATED_A_SECOND, timeout_seconds=30)
        self.validated = validated.report(LONGEST_SECONDS)
        self.at_half = self.direct.end()
        self.changes_at_half = (self.changes.changes - self.changes_beside) / max(self.changes.seconds - self.seconds_beside, 0.001)
        self.changes.stopping.set()
        self.changes.join(120)
        secure, self.bogus, cached = self.unbound.counted()
        self.secure, self.cached = secure - self.before[0], cached - self.before[2]
        self.negative = self.validated.codes.get("NXDOMAIN", 0) + no_type(size)
        return self

    def troubles(self, size, changes_min, questions_min):
        """Yields what is not as it must be."""
        if self.changes.failure is not None or self.changes.is_alive():
            yield f"the changes stopped: {self.changes.failure!r}"
        if self.changes_at_half < changes_min:
            yield f"{self.changes_at_half:.0f} changes a second, not {changes_min:.0f} (--changes asks for fewer)"
        if self.at_half.lost or set(self.at_half.codes) - {"NOERROR", "NXDOMAIN"}:
            yield f"the name server, asked {self.asked} questions a second: {self.at_half}"
        if self.at_half.sent / self.at_half.seconds < questions_min:
            yield f"only {self.at_half.sent / self.at_half.seconds:.0f} of {self.asked} questions a second were asked"
        if self.bogus or self.validated.lost or self.validated.completed != size or set(self.validated.codes) - {"NOERROR", "NXDOMAIN"}:
            yield f"{self.bogus} bogus; {self.validated}; {self.unbound.bogus_lines()[:5]}"
        if self.validated_beside.lost or set(self.validated_beside.codes) - {"NOERROR", "NXDOMAIN"}:
            yield f"while the most was measured: {self.validated_beside}"
        if self.secure < size or self.cached > CACHED_SHARE_MAX * size:
            yield f"{self.secure} answers were secure of {size}, {self.cached} of them known already"
        if self.negative < 0.49 * size:
            yield f"{self.negative} of {size} answers were negative"

    def operations(self):
        return {"changes": self.changes.changes, "changes_per_s": round(self.changes_at_half),
                "changes_per_s_at_most": round(self.changes_beside / max(self.seconds_beside, 0.001)),
                "most_questions_per_s_alone": round(self.alone.completed / self.alone.seconds),
                "most_questions_per_s": round(self.beside.completed / self.beside.seconds), "asked_per_s": self.asked,
                "validated_per_s_at_most": round(self.validated_beside.completed / self.validated_beside.seconds),
                "questions": self.at_half.completed, "questions_per_s": round(self.at_half.completed / self.at_half.seconds), "lost": self.at_half.lost,
                "secure": self.secure, "bogus": self.bogus, "negative": self.negative, "from_cache": self.cached,
                "validated_per_s": round(self.validated.completed / self.validated.seconds)}


def run(size, seed, changes=None):
    full = changes is None
    changes = changes or CHANGES
    stack, failures = TestStack("campaign-load").open(), []
    unbound = None
    with stack.judged_by(failures):
        try:
            stack.create_namespace(ZONE, "--layout", "tree", "--width", "1")
            names = Names(stack, max(STABLE_MIN, min(STABLE_MAX, size // 10)), seed)
            names.enroll()
            seconds = MEASURE_SECONDS if full else MEASURE_SECONDS_BUSY
            beside = 2 * VALIDATED_A_SECOND * (seconds + SETTLE_SECONDS)  # more than there is time for: none is asked again
            moving = max(100, int(changes / 2 * (size + beside) / VALIDATED_A_SECOND))
            direct_file, beside_file, validated_file = (names.write(name, count, moving) for name, count in (
                ("direct", 100_000), ("beside", beside), ("validated", size)))
            unbound = CountingUnbound(stack, ZONE)
            load = Load(stack, unbound, direct_file, changes)
            load.measure(beside_file, seconds)
            load.validate(validated_file, size)
            failures += load.troubles(size, (REACHED_SHARE if full else REACHED_SHARE_BUSY) * changes, REACHED_SHARE * load.asked if full else 0)
            with stack.client() as client:
                if not client.wait(ZONE, live=True, timeout_seconds=CONVERGE_SECONDS).done:
                    failures.append(f"not live {CONVERGE_SECONDS} s after the last change")
        finally:
            if unbound is not None:
                unbound.close()
    return {"cycles": load.secure, "operations": load.operations(), "failures": failures}
