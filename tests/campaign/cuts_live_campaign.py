# SPDX-License-Identifier: MIT
"""Every 5 ms a validating query on a name above, at or below a cut, absent names too, while cuts are made and keys roll in every style.

The validator is Unbound with a live cache (caching_resolver.py); nothing is ever flushed. Its clock and the signer's are one, which goes
60 times as fast as ours, so that whole rolls, with all that caches hold, go by within minutes. A cycle is an answer. A failure is one that is bogus or
insecure, or none at all; and a roll or a cut that does not end.
"""
import collections
import dataclasses
import random
import socket
import threading
import time

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import past_clock
from caching_resolver import DS_TTL, CachingResolver
from devstack.devices import make_devices
from devstack.process import wait_until
from history_keys import PARENT, choices
from idzone_stack import TestStack

DAY = 86400
RATE, SHORT_RATE = 60, 120
TICK_SECONDS = 0.05
BEGINS_DAYS_AGO = 15
QUERY_SECONDS = 0.005
LATE_SECONDS = 20  # unanswered for that long: given up
LATE_SHARE_MAX = 0.001
PROPAGATION_SECONDS = 10  # of ours: for answers under way and PowerDNS's packet cache (1 s), also on a machine that is busy
WAIT_SECONDS = 120
LONG = 20_000  # queries from which on everything rolls, not only one key of each namespace
CUT_EVERY_SECONDS = 4
TREE, ENUM, SPLIT = (f"_device.{label}.example." for label in ("tree", "enum", "split"))
NAMESPACES = {
    TREE: (("--layout", "tree", "--width", "1"), ("csk", "csk with emergency", "csk algorithm", "csk")),
    ENUM: (("--form", "digits", "--denial", "nsec"), ("csk", "csk algorithm", "csk to split", "zsk", "ksk")),
    SPLIT: (("--form", "digits",), ("csk to split", "zsk", "ksk double ds", "ksk", "ksk and zsk", "split algorithm", "split to csk")),
}
NAMES = 60  # of each namespace, at first


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


class Names:
    """What may be asked: names that exist, and beside each others that do not; below cuts before they are there, too."""

    def __init__(self, seed):
        self.random, self.lock = random.Random(seed), threading.Lock()
        self.existing = []
        self.prefixes = {ENUM: [], SPLIT: []}  # that are cuts, or will be

    def add(self, owners):
        with self.lock:
            self.existing += owners

    def question(self):
        """(name, type)"""
        source = self.random
        with self.lock:
            existing = source.choice(self.existing)
        kind = source.randrange(10)
        if kind < 3:
            return existing, "TLSA"
        if kind == 3:
            return existing, "SSHFP"
        if kind == 4:
            return existing.split(".", 1)[1], source.choice(("DS", "DNSKEY", "TLSA", "SOA"))
        if kind == 5:
            return f"absent{source.randrange(10**6)}.{existing.split('.', 1)[1]}", "TLSA"
        if kind == 6:
            namespace = source.choice(tuple(NAMESPACES))
            return namespace, source.choice(("SOA", "DNSKEY", "NS", "DS"))
        namespace = source.choice((ENUM, SPLIT))
        prefix = source.choice(self.prefixes[namespace])
        below = prefix + f"{source.randrange(10 ** 3):03d}"
        if kind == 7:
            return ".".join(reversed(prefix)) + "." + namespace, source.choice(("DS", "NS", "TLSA", "DNSKEY"))
        return ".".join(reversed(below)) + "." + namespace, source.choice(("TLSA", "TLSA", "DS"))


class Asking:
    """One question every 5 ms, whether or not the last ones are answered; asked again after LATE_SECONDS / 4 as stub resolvers do."""

    def __init__(self, port, names):
        self.names, self.told, self.wrong, self.asked = names, collections.Counter(), [], 0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        self.open = {}  # {id: [question, first asked, last asked, wire]}
        self.slowest = 0.0

    def run(self, size, ending):
        due = time.monotonic()
        while not (ending.is_set() and self.asked >= size):
            now = time.monotonic()
            if now >= due:
                self.ask(self.names.question(), now)
                due = max(due + QUERY_SECONDS, now - 1)
            self.hear(max(0.0005, min(due - time.monotonic(), QUERY_SECONDS)))
            self.again(now)
        end = time.monotonic() + LATE_SECONDS
        while self.open and time.monotonic() < end:
            self.hear(0.05)
            self.again(time.monotonic())

    def ask(self, question, now):
        query = dns.message.make_query(*question, want_dnssec=True)
        query.flags |= dns.flags.AD
        while query.id in self.open:
            query.id = (query.id + 1) % 65536
        wire = query.to_wire()
        self.open[query.id] = [question, now, now, wire]
        self.asked += 1
        self.socket.send(wire)

    def again(self, now):
        for number, entry in list(self.open.items())[:20]:
            if now - entry[1] > LATE_SECONDS:
                self.told["late"] += 1
                del self.open[number]
            elif now - entry[2] > LATE_SECONDS / 4:
                entry[2] = now
                self.socket.send(entry[3])

    def hear(self, seconds):
        self.socket.settimeout(seconds)
        try:
            while True:
                octets = self.socket.recv(65535)
                entry = self.open.pop(int.from_bytes(octets[:2], "big"), None)
                if entry:
                    self.judge(entry, octets)
                self.socket.settimeout(0.0001)
        except (TimeoutError, BlockingIOError):
            return

    def judge(self, entry, octets):
        rcode, secure = octets[3] & 15, bool(octets[3] & 0x20)
        self.slowest = max(self.slowest, time.monotonic() - entry[1])
        if rcode in (0, 3) and secure:
            kind = "NXDOMAIN" if rcode == 3 else "data" if octets[6:8] != b"\0\0" else "NODATA"
            self.told[f"secure {kind}"] += 1
            return
        verdict = "insecure" if rcode in (0, 3) else self.why(octets)
        self.told[verdict] += 1
        self.wrong.append(f"{time.strftime('%H:%M:%S')} {' '.join(entry[0])}: {verdict}")

    @staticmethod
    def why(octets):
        """RFC 8914: codes 1 to 12 are the validator's."""
        try:
            message = dns.message.from_wire(octets, ignore_trailing=True)
            codes = [int(option.code) for option in message.options if option.otype == 15]
        except (dns.exception.DNSException, ValueError):
            return "malformed"
        text = dns.rcode.to_text(octets[3] & 15)
        return f"bogus {text} {codes}" if any(1 <= code <= 12 for code in codes) else f"unreached {text} {codes}"


class Campaign:
    def __init__(self, seed, long):
        self.random, self.long, self.rate = random.Random(seed), long, RATE if long else SHORT_RATE
        self.ending, self.stopping = threading.Event(), threading.Event()
        self.stack = FastStack("campaign-cuts-live", self.rate).open()
        self.names, self.done = Names(seed), collections.Counter()
        self.resolver = None
        self.devices = iter(make_devices(3 * NAMES + 400, kinds=lambda number: "p256"))
        self.parent_lock = threading.Lock()

    def prepare(self):
        self.stack.cli("policy", "create", "quick", "--ttl", "60", "--life", "30d", "--resign", "10m")
        for namespace, (options, _) in NAMESPACES.items():
            self.stack.create_namespace(namespace, "--policy", "quick", *options)
            self.enroll(namespace, [f"9{number:05d}" for number in range(NAMES)])
        for namespace in (ENUM, SPLIT):
            prefixes = [f"{number:02d}" for number in range(90)]
            self.random.shuffle(prefixes)
            self.names.prefixes[namespace] = prefixes[:30 if self.long else 5]
        self.resolver = CachingResolver(self.stack.folder / "unbound", self.stack.clock, self.stack.ports["dns"], NAMESPACES)
        for namespace in NAMESPACES:
            self.resolver.delegate(namespace, self.stack.delegation_signer(namespace))
        self.resolver.start()

    def enroll(self, namespace, ids):
        with self.stack.client() as client:
            devices = [dataclasses.replace(next(self.devices), id=each) for each in ids]
            answers = client.enroll_many(namespace, devices, timeout=WAIT_SECONDS)
            assert all(answer.HasField("enrolled") for answer in answers), answers[0]
            assert client.wait(namespace, live=True, timeout_seconds=60).done
        self.names.add([answer.enrolled.identity.owner_name for answer in answers])

    # What goes on meanwhile.

    def run_clock(self):
        begun, ago = time.monotonic(), self.stack.clock.seconds_ago
        while not self.stopping.wait(TICK_SECONDS):
            self.stack.clock.set(ago - (time.monotonic() - begun) * (self.rate - 1))

    def make_cuts(self, namespace):
        with self.stack.client("admin") as admin:
            for prefix in list(self.names.prefixes[namespace]):
                if self.stopping.wait(CUT_EVERY_SECONDS):
                    return
                admin.call("NamespaceService", "AddCut", name=namespace, prefix=prefix)
                wait_until(lambda: {cut.prefix: cut.state for cut in admin.call("NamespaceService", "ListCuts", name=namespace).cuts}[prefix] == 3,
                           WAIT_SECONDS, f"cut {prefix} of {namespace} is open", 0.2)
                self.enroll(namespace, [f"{prefix}{self.random.randrange(1000):03d}"])
                self.done["cuts"] += 1

    def roll_keys(self, namespace):
        styles = NAMESPACES[namespace][1]
        with self.stack.client("admin") as admin:
            for style in styles if self.long else styles[:1]:
                self.roll(admin, namespace, style)
                self.done["rolls"] += 1

    def roll(self, admin, namespace, style):
        keys = [key for key in admin.call("KeyService", "ListKeys", namespace_name=namespace).keys if key.in_dnskey]
        plain = style.removesuffix(" with emergency")
        admin.call("KeyService", "RollKey", namespace_name=namespace, **choices({key.role for key in keys}, keys[0].algorithm)[plain])
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

    def ask(self, size):
        asking = Asking(self.resolver.port, self.names)
        clock = Task(self.run_clock, self.ending)
        tasks = [*(Task(lambda name=name: self.roll_keys(name), self.ending) for name in NAMESPACES),
                 *(Task(lambda name=name: self.make_cuts(name), self.ending) for name in (ENUM, SPLIT))]
        waiting = threading.Thread(target=lambda: ([task.join() for task in tasks], self.ending.set()), daemon=True)
        waiting.start()
        try:
            asking.run(size, self.ending)
        finally:
            self.stopping.set()
            clock.join()
        failures = [f"the campaign's own {task.failure!r}" for task in (clock, *tasks) if task.failure]
        return asking, failures

    def close(self, failed):
        self.stack.failed = failed
        if self.resolver:
            self.resolver.close()
            if failed:
                (self.stack.folder / "log" / "unbound.log").write_text(self.resolver.daemon.log_file.read_text(errors="replace"))
        self.stack.close()


def run(size, seed):
    campaign, failures, asking, complaints = Campaign(seed, size >= LONG), [], None, []
    begun = time.monotonic()
    try:
        campaign.prepare()
        begun = time.monotonic()
        asking, failures = campaign.ask(size)
        failures += asking.wrong
        complaints = campaign.resolver.complaints()
        failures += complaints[:20]
        if asking.told["late"] > asking.asked * LATE_SHARE_MAX:
            failures.append(f"{asking.told['late']} of {asking.asked} questions were not answered within {LATE_SECONDS} s")
    except Exception as failure:  # noqa: BLE001 # a campaign that breaks off has failed
        failures.append(f"broken off: {failure!r}")
    finally:
        campaign.close(bool(failures))
    told = dict(asking.told) if asking else {}
    seconds = time.monotonic() - begun
    return {"cycles": asking.asked if asking else 0, "operations": dict(campaign.done), "answers": told, "complaints": len(complaints),
            "questions_per_s": round((asking.asked if asking else 0) / seconds, 1), "slowest_answer_s": round(asking.slowest, 2) if asking else None,
            "hours_of_the_signer": round(seconds * campaign.rate / 3600, 1), "failures": failures}
