# SPDX-License-Identifier: MIT
"""Faults behind, beside and below an edge while two probers ask it and clients enroll and revoke.

A cycle is one fault: the feed cut, slow or silent; PostgreSQL killed or stopped; the signer stopped; the edge's disk full;
replicad killed; or damage to the replica's files, while its users are stopped or while they run. Each answer is validated by
itself, and held against what was ever published: it may be old, never wrong. Faults that are not the edge's own must not
cost one answer, so what a live damage spoilt is found before the next fault. After each fault everything converges without an operator:
what is enrolled and revoked then is live soon.
"""
import collections
import os
import random
import signal
import threading
import time

from agreement import Agreement
from devstack.devices import make_device, make_devices
from devstack.process import wait_until
from edge_probe import Expectations, Prober
from fault_stack import FaultStack, checked_keys
from ledger import History, Ledger
from line_worker import attempt
from replica_damage import DAMAGES
from supervisor import Supervisor
from wire_judge import WireJudge

ZONE = "_device.faults.example."
STABLE = 1000
HOLD_SECONDS = 2.5  # of faults that last
BACK_SECONDS = 2.0  # issue 5: after damage the host is back within that, on a machine that has time
CALM_SECONDS = 0.7  # without a failure: the fault's effects are over
CONVERGE_SECONDS = 60
CHANGES_PAUSE_SECONDS = 0.05

# What does not touch the edge's own files and processes: not one answer may be missing.
REMOTE = ("feed_cut", "feed_slow", "feed_silent", "database_killed", "database_stopped", "signer_stopped", "disk_full", "replicad_killed")
SHARES = {"replicad_killed": 200, **{kind: 14 for kind in REMOTE[:-1]}, **{kind: share for kind, (share, _) in DAMAGES.items()}}


def plan(size, source):
    """Which faults, in which order: each kind once as far as that goes, then by their shares."""
    kinds = list(SHARES)
    source.shuffle(kinds)
    rest = source.choices(list(SHARES), weights=SHARES.values(), k=max(0, size - len(kinds)))
    return (kinds + rest)[:size]


class Changes(threading.Thread):
    """One client: enrolls devices and revokes them again, and says beforehand what may be answered."""

    def __init__(self, campaign):
        super().__init__(daemon=True)
        self.campaign, self.ending, self.failure = campaign, threading.Event(), None

    def run(self):
        try:
            with self.campaign.stack.client() as client:
                number = 0
                while not self.ending.wait(CHANGES_PAUSE_SECONDS):
                    number += 1
                    device = make_device(f"moving-{number:06d}")
                    self.campaign.expected.allow_moving(device)
                    if attempt(client, self.campaign.ledger, ZONE, "enroll", device) == "ok" and number % 2:
                        attempt(client, self.campaign.ledger, ZONE, "revoke", device)
        except BaseException as failure:  # noqa: BLE001 # reported as a failure of the campaign
            self.failure = failure


class Campaign:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.failures, self.cycle = [], "before the first fault"
        self.kinds, self.outages, self.converged = collections.Counter(), collections.defaultdict(list), []
        self.stack = FaultStack("campaign-faults").open()
        self.supervisor = Supervisor([self.stack.pdns, self.stack.replicad])
        self.ledger = Ledger(self.stack.folder / "log" / "ledger.jsonl")
        self.probers, self.changes, self.marked = [], Changes(self), None

    def fail(self, text):
        self.failures.append(f"{self.cycle}: {text}")
        print("FAILURE", self.failures[-1][:500], flush=True)  # also when the run is cut off

    def prepare(self):
        stack = self.stack
        stack.create_namespace(ZONE, "--layout", "flat")
        devices = make_devices(STABLE, "stable", kinds=lambda number: "p256")
        with stack.client() as client:
            operations = [self.ledger.ask("enroll", device.id, fingerprint=device.fingerprint) for device in devices]
            for operation, answer in zip(operations, client.enroll_many(ZONE, devices)):
                self.ledger.outcome(operation, "ok", owner=answer.enrolled.identity.owner_name)
            assert client.wait(ZONE, live=True, timeout_seconds=CONVERGE_SECONDS).done
        self.expected = Expectations(ZONE, devices)
        judge = WireJudge(ZONE, checked_keys(stack, ZONE))
        self.supervisor.start()
        self.probers = [Prober(stack.ports["dns"], judge, self.expected, self.random.random(), self.fail) for _ in range(2)]
        for each in [*self.probers, self.changes]:
            each.start()

    def run(self, size):
        for number, kind in enumerate(plan(size, self.random)):
            if kind == "disk_full" and not self.stack.small_disk:
                kind = "replicad_killed"
            self.cycle = f"fault {number + 1} {kind}"
            self.kinds[kind] += 1
            begun = time.monotonic()
            if kind in DAMAGES:
                self.damage(kind)
            else:
                getattr(self, kind)()
            self.calm(kind, begun)
            if kind.endswith("_live"):
                self.find_the_rest()
                self.calm(kind, begun)
            self.converge()
            print(f"fault {number + 1}/{size} {kind}: {len(self.failures)} failures", flush=True)
        self.end()

    # Faults.

    def hold(self):
        time.sleep(HOLD_SECONDS)

    def feed_cut(self):
        self.stack.link.cut()
        self.hold()
        self.stack.link.heal()

    def feed_slow(self):
        self.stack.link.octets_per_second = 20_000
        self.hold()
        self.stack.link.heal()

    def feed_silent(self):
        self.stack.link.silent = True
        self.hold()
        self.stack.link.heal()

    def database_killed(self):
        self.stack.cluster.kill()
        self.hold()
        self.stack.cluster._child = None
        self.stack.cluster.start().wait_ready()

    def database_stopped(self):
        self._stopped(self.stack.cluster)

    def signer_stopped(self):
        self._stopped(self.stack.signerd)

    def _stopped(self, daemon):
        daemon.send(signal.SIGSTOP)
        self.hold()
        daemon.send(signal.SIGCONT)

    def disk_full(self):
        with self.stack.full_disk():
            self.hold()

    def replicad_killed(self):
        time.sleep(self.random.uniform(0.1, 0.8))
        self.stack.replicad.kill()

    def damage(self, kind):
        """Stopped, the edge's two processes are gone while the files change; live, they see it happen."""
        _, inflict = DAMAGES[kind]
        if kind.endswith("_live"):
            inflict(self.stack.folder / "replica", self.random)
            time.sleep(0.5)
            return
        with self.supervisor.paused("pdns", "replicad"):
            for prober in self.probers:
                prober.rest()
            self.stack.pdns.kill()
            self.stack.replicad.kill()
            inflict(self.stack.folder / "replica", self.random)
        for prober in self.probers:
            prober.go_on()

    def find_the_rest(self):
        """What nobody has read yet of what a live damage spoilt is found, and made good, before the next fault takes the feed away:
        a note beside the replica, as a name server writes it, has it inspected."""
        log = self.stack.replicad.log_file
        begun = log.stat().st_size

        def judged():
            """Told again and again: a daemon that is just starting counts from what it finds."""
            with open(self.stack.folder / "replica" / "damage", "r+b") as notes:
                notes.seek(0, os.SEEK_END)
                notes.write(b"!")
            with open(log, "rb") as file:
                file.seek(begun)
                said = file.read()
            return max(map(said.rfind, (b"replica.whole", b"replica.moved_in"))) > max(map(said.rfind, (b"replica.damaged", b"process.started")))

        try:
            wait_until(judged, CONVERGE_SECONDS, "the replica inspected, and made anew where it was damaged", 0.5)
        except TimeoutError as late:
            self.fail(str(late))

    # What must be true afterwards.

    def calm(self, kind, begun):
        """Waits until answers have come for a while; says how long they had not."""
        try:
            wait_until(lambda: all(prober.calm_for(CALM_SECONDS) for prober in self.probers), CONVERGE_SECONDS, "answers again")
        except TimeoutError as late:
            self.fail(str(late))
            return
        if kind in REMOTE:
            missing = sorted(moment - begun for prober in self.probers for moment in prober.missing_since(begun))
            if missing:
                self.fail(f"{(len(missing) + 1) // 2} questions unanswered, {missing[0]:.1f} to {missing[-1]:.1f} s after it began, and the edge was not touched")
            return
        silent = [moment for prober in self.probers for moment in prober.silent_since(begun)]
        if not silent:
            return
        outage = max(silent) - min(silent)
        self.outages[kind].append(outage)
        allowed = BACK_SECONDS * self.stack.slowness()
        if outage > allowed:
            self.fail(f"questions went unanswered for {outage:.2f} s; at most {allowed:.1f} s on this machine now")

    def converge(self):
        """A device that is enrolled now is live soon, and the last fault's is gone."""
        begun = time.monotonic()
        device = make_device(f"marker-{len(self.converged):06d}")
        self.expected.allow_moving(device)
        with self.stack.client() as client:
            def tell(kind, told):
                return wait_until(lambda: attempt(client, self.ledger, ZONE, kind, told) == "ok", CONVERGE_SECONDS, f"{kind} acknowledged", 0.1)

            tell("enroll", device)
            if self.marked:
                tell("revoke", self.marked)
            if not client.wait(ZONE, live=True, timeout_seconds=CONVERGE_SECONDS).done:
                self.fail(f"not live within {CONVERGE_SECONDS} s of the fault's end")
        for marker, wanted in ((device, "secure"), (self.marked, "absent")):
            if marker:
                try:
                    wait_until(lambda marker=marker, wanted=wanted: self.probers[0].verdict(self.expected.owner(marker)) == wanted, 10, wanted)
                except TimeoutError as late:
                    self.fail(f"{marker.id}: {late}")
        self.marked = device
        self.converged.append(time.monotonic() - begun)

    def end(self):
        self.cycle = "the end"
        self.changes.ending.set()
        for each in [self.changes, *self.probers]:
            if isinstance(each, Prober):
                each.ending.set()
            each.join(60)
            if each.failure or each.is_alive():
                self.fail(f"{type(each).__name__} broke: {each.failure!r}")
        for daemon in self.stack.daemons.values():
            daemon.wait_ready(CONVERGE_SECONDS)
        with self.stack.client() as client:
            if not client.wait(ZONE, live=True, timeout_seconds=CONVERGE_SECONDS).done:
                self.fail("not live")
            for trouble in Agreement(self.stack, ZONE, self.random).troubles(client, self.ledger.path):
                self.fail(trouble)

    def close(self):
        if self.supervisor.is_alive():
            self.supervisor.end()
        self.stack.failed = bool(self.failures)
        self.stack.close()

    def result(self):
        answers = sum((prober.answers for prober in self.probers), collections.Counter())
        outages = sorted(outage for kind, some in self.outages.items() if kind in DAMAGES for outage in some)
        return {"cycles": sum(self.kinds.values()), "faults": dict(self.kinds), "operations": dict(answers),
                "changes": dict(History(self.ledger.path).counts) if self.ledger.path.exists() else {},
                "ended": {f"{name} {code}": count for (name, code), count in sorted(self.supervisor.endings.items(), key=str)},
                "outages": len(outages), "outage_seconds_p50": _at(outages, 0.5), "outage_seconds_p99": _at(outages, 0.99),
                "outage_seconds_max": _at(outages, 1), "converged_seconds_max": round(max(self.converged, default=0), 2)}


def _at(values, share):
    return round(values[min(len(values) - 1, int(share * len(values)))], 3) if values else 0


def run(size, seed):
    campaign = Campaign(seed)
    try:
        campaign.prepare()
        campaign.run(size)
    except Exception as failure:  # noqa: BLE001 # a campaign that breaks off has failed, and says how far it came
        campaign.fail(f"broken off: {failure!r}")
    finally:
        for each in [*campaign.probers, campaign.changes]:
            each.ending.set()
        told = campaign.result()
        campaign.close()
    return {**told, "failures": campaign.failures}
