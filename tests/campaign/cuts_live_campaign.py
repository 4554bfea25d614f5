# SPDX-License-Identifier: MIT
"""Every 5 ms a validating query on a name above, at or below a cut, absent names too, while cuts are made and keys roll in every style.

Who asks is a process of its own (steady_questions.py). The validator is Unbound with a live cache (caching_resolver.py); nothing is ever
flushed. Its clock and the signer's are one, which goes 60 times as fast as ours, so that whole rolls, with all that caches hold, go by within
minutes. A cycle is an answer. A failure is one that is bogus or insecure, or none at all; a roll or a cut that does not end; and, in a long run,
fewer questions than one every 5 ms.
"""
import collections
import dataclasses
import random
import threading
import time

import past_clock
from caching_resolver import DS_TTL, CachingResolver
from devstack.devices import make_devices
from devstack.process import wait_until
from history_keys import PARENT, choices
from idzone_stack import TestStack
from steady_questions import LATE_SECONDS, Asker

DAY = 86400
RATE, SHORT_RATE = 60, 120
TICK_SECONDS = 0.05
BEGINS_DAYS_AGO = 15
QUERY_SECONDS = 0.005
PACE_MIN = 0.99  # of 1 / QUERY_SECONDS, in a long run
LATE_SHARE_MAX = 0.001
PROPAGATION_SECONDS = 10  # of ours: for answers under way and PowerDNS's packet cache (1 s), also on a machine that is busy
WAIT_SECONDS = 120
LONG = 20_000  # queries from which on everything rolls, not only one key of each namespace
CUT_EVERY_SECONDS = 4
CUTS, CUTS_SHORT, CUTS_MAX = 20, 5, 40  # of a namespace that is cut
QUERIES_A_CUT = 2500  # of a long run that has more than CUTS
TREE, ENUM, SPLIT, TWO, OTHER = (f"_device.{label}.example." for label in ("tree", "enum", "split", "two", "other"))
# {namespace: how it is made, its rolls}; a short run has the first roll of the first three, one of many queries goes on with any.
NAMESPACES = {
    TREE: (("--layout", "tree", "--width", "1"), ("csk", "csk with emergency", "csk algorithm")),
    ENUM: (("--form", "digits", "--denial", "nsec"), ("csk", "csk to split", "zsk")),
    SPLIT: (("--form", "digits"), ("csk to split", "ksk", "ksk double ds")),
    TWO: (("--layout", "flat"), ("csk to split", "ksk and zsk", "split to csk")),
    OTHER: (("--layout", "flat", "--denial", "nsec"), ("csk algorithm to split", "split algorithm", "split algorithm to csk")),
}
CUT = (ENUM, SPLIT)
SHORT = (TREE, ENUM, SPLIT)
NAMES = 40  # of each namespace, at first


class FastStack(TestStack):
    def __init__(self, name, rate):
        self.rate = rate
        super().__init__(name)

    def declare(self):
        super().declare()
        self.clock = past_clock.SharedClock(self.folder, BEGINS_DAYS_AGO * DAY)
        settings = {"SIGNING_CLOCK_SKEW_SECONDS_MAX": "0", "ROLLOVER_PROPAGATION_SECONDS": str(PROPAGATION_SECONDS * self.rate),
                    "PARENT_DS_TTL_SECONDS": str(DS_TTL), "PARENT_PROPAGATION_SECONDS": str(PROPAGATION_SECONDS * self.rate)}
        self.daemons["signerd"].environment = {**self.clock.environment(), **{f"IDZONE_SIGNERD_{name}": value for name, value in settings.items()}}
        return self


class Task(threading.Thread):
    """Something that goes on beside the questions; `failure` is why it ended, if that was not meant."""

    def __init__(self, work, ending):
        super().__init__(daemon=True)
        self.work, self.ending, self.failure = work, ending, None
        self.start()

    def run(self):
        try:
            self.work()
        except Exception as failure:  # noqa: BLE001 # the campaign looks at it
            self.failure = failure
            self.ending.set()


class Campaign:
    def __init__(self, seed, size):
        self.seed, self.random, self.seconds = seed, random.Random(seed), size * QUERY_SECONDS
        self.long = size >= LONG
        self.rate = RATE if self.long else SHORT_RATE
        self.ending, self.stopping = threading.Event(), threading.Event()
        self.stack = FastStack("campaign-cuts-live", self.rate).open()
        self.rolls = {name: NAMESPACES[name][1] if self.long else NAMESPACES[name][1][:1] for name in (NAMESPACES if self.long else SHORT)}
        cuts = min(CUTS_MAX, max(CUTS, size // QUERIES_A_CUT)) if self.long else CUTS_SHORT
        self.prefixes = {name: self.random.sample([f"{number:02d}" for number in range(90)], cuts) for name in CUT}
        self.cut_every_seconds = max(CUT_EVERY_SECONDS, self.seconds / cuts / 2)
        self.done = collections.Counter()
        self.resolver = self.asker = None
        self.devices = iter(make_devices(len(NAMESPACES) * NAMES + 2 * CUTS_MAX, kinds=lambda number: "p256"))
        self.parent_lock = threading.Lock()

    def prepare(self):
        self.stack.cli("policy", "create", "quick", "--ttl", "60", "--life", "30d", "--resign", "10m")
        self.resolver = CachingResolver(self.stack.folder / "unbound", self.stack.clock, self.stack.ports["dns"], list(self.rolls))
        self.asker = Asker(self.resolver.port, self.seed, QUERY_SECONDS)
        for namespace in self.rolls:
            self.stack.create_namespace(namespace, "--policy", "quick", *NAMESPACES[namespace][0])
            self.resolver.delegate(namespace, self.stack.delegation_signer(namespace))
        self.resolver.start()
        self.asker.say(names={"namespaces": list(self.rolls), "prefixes": self.prefixes})
        owners = [owner for namespace in self.rolls for owner in self.enroll(namespace, [f"9{number:05d}" for number in range(NAMES)])]
        self.asker.say(exist=owners)

    def enroll(self, namespace, ids):
        """Returns the owners when they are served."""
        with self.stack.client() as client:
            devices = [dataclasses.replace(next(self.devices), id=each) for each in ids]
            answers = client.enroll_many(namespace, devices, timeout=WAIT_SECONDS)
            assert all(answer.HasField("enrolled") for answer in answers), answers[0]
            assert client.wait(namespace, live=True, timeout_seconds=60).done
        return [answer.enrolled.identity.owner_name for answer in answers]

    # What goes on meanwhile.

    def run_clock(self):
        begun, ago = time.monotonic(), self.stack.clock.seconds_ago
        while not self.stopping.wait(TICK_SECONDS):
            self.stack.clock.set(ago - (time.monotonic() - begun) * (self.rate - 1))

    def make_cuts(self, namespace):
        with self.stack.client("admin") as admin:
            for prefix in self.prefixes[namespace]:
                if self.stopping.wait(self.cut_every_seconds):
                    return
                admin.call("NamespaceService", "AddCut", name=namespace, prefix=prefix)
                wait_until(lambda: {cut.prefix: cut.state for cut in admin.call("NamespaceService", "ListCuts", name=namespace).cuts}[prefix] == 3,
                           WAIT_SECONDS, f"cut {prefix} of {namespace} is open", 0.2)
                self.asker.say(exist=self.enroll(namespace, [f"{prefix}{self.random.randrange(1000):03d}"]))
                self.done["cuts"] += 1

    def roll_keys(self, namespace):
        with self.stack.client("admin") as admin:
            for style in self.rolls[namespace]:
                self.roll(admin, namespace, style)
            while time.monotonic() - self.begun < self.seconds and not self.stopping.is_set():
                self.roll(admin, namespace, self.random.choice(sorted(self.choices(admin, namespace))))

    @staticmethod
    def choices(admin, namespace):
        keys = [key for key in admin.call("KeyService", "ListKeys", namespace_name=namespace).keys if key.in_dnskey]
        return choices({key.role for key in keys}, keys[0].algorithm)

    def roll(self, admin, namespace, style):
        plain = style.removesuffix(" with emergency")
        admin.call("KeyService", "RollKey", namespace_name=namespace, **self.choices(admin, namespace)[plain])
        emergency_due = plain != style

        def ended():
            nonlocal emergency_due
            status = admin.call("KeyService", "GetKeyStatus", namespace_name=namespace).status
            assert not status.refusal, f"{style} of {namespace}: {status.refusal}"
            if status.waiting_commands:
                return False
            if not status.HasField("roll"):
                return True
            if emergency_due and status.roll.phase == 4 and status.roll.wait != PARENT:  # switching: new keys are relied upon
                emergency_due = False
                admin.call("KeyService", "RollKey", namespace_name=namespace, style=1, emergency=True)
            elif status.parent_records and status.roll.wait == PARENT:
                with self.parent_lock:
                    self.resolver.delegate(namespace, status.parent_records)
                admin.call("KeyService", "ConfirmParent", namespace_name=namespace)
            return False

        wait_until(ended, 900, f"{style} of {namespace} has ended", 0.3)
        assert not emergency_due
        self.done[style] += 1
        self.done["rolls"] += 1

    def ask(self, size):
        """Returns what was told, and what went wrong beside it."""
        self.begun = time.monotonic()
        clock = Task(self.run_clock, self.ending)
        tasks = [*(Task(lambda name=name: self.roll_keys(name), self.ending) for name in self.rolls),
                 *(Task(lambda name=name: self.make_cuts(name), self.ending) for name in CUT)]
        waiting = threading.Thread(target=lambda: ([task.join() for task in tasks], self.ending.set()), daemon=True)
        waiting.start()
        try:
            self.ending.wait()
            self.asker.say(end=size)
            told = self.asker.result(size * QUERY_SECONDS * 4 + 3 * LATE_SECONDS)
        finally:
            self.stopping.set()
            clock.join()
        return told, [f"the campaign's own {task.failure!r}" for task in (clock, *tasks) if task.failure]

    def close(self, failed):
        self.stack.failed = failed
        if self.asker:
            self.asker.close()
        if self.resolver:
            self.resolver.close()
            if failed:
                (self.stack.folder / "log" / "unbound.log").write_text(self.resolver.daemon.log_file.read_text(errors="replace"))
        self.stack.close()


def run(size, seed):
    campaign, failures, told, complaints = Campaign(seed, size), [], {"asked": 0, "seconds": 0, "told": {}, "slowest": None}, []
    begun = time.monotonic()
    try:
        campaign.prepare()
        begun = time.monotonic()
        told, failures = campaign.ask(size)
        failures += told["wrong"]
        complaints = campaign.resolver.complaints()
        failures += complaints[:20]
        if told["told"]["late"] > told["asked"] * LATE_SHARE_MAX:
            failures.append(f"{told['told']['late']} of {told['asked']} questions were not answered within {LATE_SECONDS} s")
        if campaign.long and told["asked"] < PACE_MIN * told["seconds"] / QUERY_SECONDS:
            failures.append(f"only {told['asked']} questions in {told['seconds']:.0f} s, not one every {QUERY_SECONDS} s")
    except Exception as failure:  # noqa: BLE001 # a campaign that breaks off has failed
        failures.append(f"broken off: {failure!r}")
    finally:
        campaign.close(bool(failures))
    return {"cycles": told["asked"], "operations": dict(campaign.done), "answers": dict(told["told"]), "complaints": len(complaints),
            "questions_per_s": round(told["asked"] / told["seconds"], 1) if told["seconds"] else None, "slowest_answer_s": told["slowest"],
            "hours_of_the_signer": round((time.monotonic() - begun) * campaign.rate / 3600, 1), "failures": failures}
