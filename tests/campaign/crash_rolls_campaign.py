# SPDX-License-Identifier: MIT
"""SIGKILL at every write-like and sync-like call of every step of every key roll, of cuts, and of the making of trees.

A flow is a list of stages; each begins with something that sets the signer to work (an order, or time that goes by: past_clock.py) and ends when
only time, or the parent, could move it on. The first stage of each kind (by its phase and what it waits for) is run under strace, to count the
calls of each process and thread; in every other one a process dies at a call, the next point of that kind. It is started again, as an init system would,
and nobody does anything else: the stage must end, and so must the flow. A cycle is such a kill.

Every version of every zone passes the gate; after each transaction parents and children fit (namespace_journal.py); after each roll, the
namespace has the keys that it should, each with its sealed file, and no more than four DNSKEY records ever.
"""
import collections
import dataclasses
import math
import pathlib
import random
import tempfile
import time

import grpc
import past_clock
from crash_points_campaign import Campaign as CrashPoints
from devstack.devices import make_devices
from devstack.process import wait_until
from history_keys import CACHES, PARENT, SIGNING, choices
from idzone_client import detail_of
from idzone_stack import TestStack
from namespace_journal import NamespaceJournal, versions_of
from strace_kill import Strace, thread_groups
from version_judges import VersionJudges

HOUR = 3600
BEGINS_HOURS_AGO = 700  # of the 720 that signatures live
JUMP_SECONDS = 21 * 60  # more than caches hold, and than a sweep takes, by the policy below
POLICY = ("--ttl", "60", "--life", "720h", "--resign", "10m")
STEADY = ("--ttl", "60", "--life", "720h", "--resign", "200h")  # of namespaces whose keys do not roll: time goes by there without work
CONVERGE_SECONDS = 90
SETTLE_SECONDS = 0.3
DEVICES = 4
SETTINGS = {"SIGNING_CLOCK_SKEW_SECONDS_MAX": "0", "SIGNING_JOURNAL_KEEP_HOURS": "8760", "ROLLOVER_PROPAGATION_SECONDS": "0",
            "PARENT_DS_TTL_SECONDS": "60", "PARENT_PROPAGATION_SECONDS": "0"}
SUBJECTS = (("signerd", None), ("signerd", None), ("postgresql", "idzone-signerd"), ("signerd", None), ("replicad", None))
ROLLED = "_device.rolled.example."
CUT = "_device.cut.example."
# Each roll begins with the keys that the one before it left.
ROLLS = ("csk", "csk with emergency", "csk to split", "zsk", "ksk", "ksk double ds", "ksk and zsk", "split to csk", "csk algorithm", "csk algorithm to split",
         "split algorithm to csk")
WIDTHS = (1, 2, 1, 3)  # of trees; the first two are in a small run
WIDTH_MAX_SMALL = 2
STAGES_MAX = 40  # of a roll


@dataclasses.dataclass(frozen=True)
class Point:
    flow: str
    stage: int
    process: str
    connections: str
    threads: str
    call: str
    number: int

    def __str__(self):
        return f"{self.flow} stage {self.stage}: {self.process} {self.threads} {self.call} {self.number}"


class SteppedStack(TestStack):
    def declare(self):
        super().declare()
        self.clock = past_clock.SharedClock(self.folder, BEGINS_HOURS_AGO * HOUR)
        self.daemons["signerd"].environment = {**self.clock.environment(), **{f"IDZONE_SIGNERD_{name}": value for name, value in SETTINGS.items()}}
        return self


class Campaign:
    def __init__(self, seed, judges):
        self.random, self.judges = random.Random(seed), judges
        self.failures, self.unreached = [], []
        self.kills, self.finished, self.versions, self.keys_most = collections.Counter(), collections.Counter(), 0, 0
        self.counted = collections.defaultdict(list)  # {kind of stage: points}
        self.used = collections.Counter()
        self.made = 0
        self.stack = SteppedStack("campaign-crash-rolls").open()

    def prepare(self):
        self.stack.cli("policy", "create", "stepped", *POLICY)
        self.stack.cli("policy", "create", "steady", *STEADY)
        self.admin, self.client = self.stack.client("admin"), self.stack.client()
        self.devices = make_devices(DEVICES, kinds=lambda number: "p256")
        self.stack.create_namespace(ROLLED, "--policy", "stepped", "--layout", "tree", "--width", "1")
        self.stack.create_namespace(CUT, "--policy", "steady", "--form", "digits", "--denial", "nsec")
        self.enroll(ROLLED, "device")
        self.journals = {ROLLED: (NamespaceJournal(ROLLED, 1), 0), CUT: (NamespaceJournal(CUT, 2), 0)}
        self.prefixes = iter([f"{number:03d}" for number in self.random.sample(range(1000), 1000)])

    def enroll(self, namespace, prefix):
        for number, device in enumerate(self.devices):
            self.ask(lambda number=number, device=device: self.client.enroll(namespace, f"{prefix}{number}", device.certificate))

    def ask(self, call):
        """Somebody who asks again while nobody is there."""
        def answer():
            try:
                return [call()]
            except grpc.RpcError as error:
                if error.code() not in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.UNKNOWN, grpc.StatusCode.INTERNAL):
                    raise
                return None
        return wait_until(answer, CONVERGE_SECONDS, "an answer", 0.1)[0]

    # Killing.

    def pids(self, process, connections):
        if process != "postgresql":
            return [self.stack.daemons[process].pid()]
        return [int(pid) for pid in self.stack.cluster.sql(f"select pid from pg_stat_activity where application_name like '{connections}%'").split()]

    def threads(self, process, connections):
        """By group; connections of PostgreSQL come and go."""
        def found():
            try:
                return thread_groups(self.pids(process, connections)) or None
            except (FileNotFoundError, ProcessLookupError):
                return None
        return wait_until(found, CONVERGE_SECONDS, f"{process} runs", 0.1)

    def watch(self):
        """Returns the threads of all subjects, {subject: {group: thread ids}}, and a Strace that can be attached to them."""
        def found():
            groups = {subject: self.threads(*subject) for subject in dict.fromkeys(SUBJECTS)}
            tids = [tid for threads in groups.values() for tids in threads.values() for tid in tids]
            alive = all(pathlib.Path(f"/proc/{tid}/status").exists() for tid in tids)
            return (groups, Strace(tids, self.stack.folder / "strace")) if alive else None
        return wait_until(found, CONVERGE_SECONDS, "all processes run", 0.1)

    def stage(self, flow, number, kind, begin, ended):
        """Runs a stage, with a kill in it once its points are known."""
        point = self.next_point(flow, number, kind)
        if point is None:
            return self.count(flow, number, kind, begin, ended)
        pids = self.pids(point.process, point.connections)
        tids = self.threads(point.process, point.connections).get(point.threads, [])
        if not tids:  # of PostgreSQL, a connection that is made anew for each use
            begin()
            return wait_until(ended, CONVERGE_SECONDS, f"{point} has ended")
        with Strace(tids, self.stack.folder / "strace", (point.call, point.number)):
            begin()
            quiet = time.monotonic() + CONVERGE_SECONDS
            while CrashPoints.alive(pids) and not ended() and time.monotonic() < quiet:
                time.sleep(0.01)
            settled = time.monotonic() + SETTLE_SECONDS  # the last calls come after the stage has ended
            while CrashPoints.alive(pids) and time.monotonic() < settled:
                time.sleep(0.01)
        if CrashPoints.alive(pids):
            self.unreached.append(str(point))
        else:
            self.kills[f"{point.flow} {point.process}"] += 1
            self.start_again(point)
        return wait_until(ended, CONVERGE_SECONDS, f"{point} has ended", 0.1)

    def start_again(self, point):
        """PostgreSQL: either the postmaster recovers by itself, or all of it dies, as when a machine does."""
        daemon = self.stack.daemons[point.process]
        if point.process != "postgresql" or point.number % 2 == 1:
            daemon.kill()
            daemon._child = None
        daemon.start()
        for name in ("postgresql", "provisiond", "signerd", "feedd", "replicad"):
            self.stack.daemons[name].wait_ready(CONVERGE_SECONDS)

    def next_point(self, flow, number, kind):
        points = self.counted[kind]
        if not points:
            return None
        self.used[kind] += 1
        # Far apart at first: small runs, too, meet the whole of a stage.
        chosen = points[(self.used[kind] - 1) * self.stride(len(points)) % len(points)]
        return dataclasses.replace(chosen, flow=flow, stage=number)

    @staticmethod
    def stride(count):
        """About five eighths of it, without a common divisor: every point comes once."""
        return next(step for step in range(max(1, count * 5 // 8), count + 2) if math.gcd(step, count) == 1)

    def count(self, flow, number, kind, begin, ended):
        """Runs a stage whole, with an eye on all its processes; the points are those of each, in turns."""
        groups, strace = self.watch()
        with strace:
            begin()
            wait_until(ended, CONVERGE_SECONDS, f"{flow} stage {number} has ended")
            time.sleep(SETTLE_SECONDS)
        counted, by_subject = strace.counted(), {}
        for subject, threads in groups.items():
            points = by_subject[subject] = []
            for group, tids in threads.items():
                for call in sorted({call for tid, call in counted if tid in tids}):
                    most = max(counted[tid, call] for tid in tids)
                    points += [Point(flow, number, *subject, group, call, at + 1) for at in range(most)]
            self.random.shuffle(points)
        turn = 0
        while any(by_subject.values()):
            if by_subject[SUBJECTS[turn % len(SUBJECTS)]]:
                self.counted[kind].append(by_subject[SUBJECTS[turn % len(SUBJECTS)]].pop())
            turn += 1

    # Flows.

    def status(self, namespace):
        return self.ask(lambda: self.admin.call("KeyService", "GetKeyStatus", namespace_name=namespace)).status

    def shown(self, namespace):
        return [key for key in self.ask(lambda: self.admin.call("KeyService", "ListKeys", namespace_name=namespace)).keys if key.in_dnskey]

    def roll(self, flow):
        style = flow.removesuffix(" with emergency")
        keys = self.shown(ROLLED)
        before = len(self.ask(lambda: self.admin.call("KeyService", "ListKeys", namespace_name=ROLLED, include_removed=True)).keys)
        fields = choices({key.role for key in keys}, keys[0].algorithm)[style]
        self.stage(flow, 0, "order", lambda: self.order(fields), lambda: self.rests(lambda status: status.HasField("roll")))
        emergency_due = style != flow
        for number in range(1, STAGES_MAX):
            status = self.status(ROLLED)
            if not status.HasField("roll"):
                break
            if emergency_due and status.roll.phase == 4:
                emergency_due = False
                self.stage(flow, number, "emergency", lambda: self.order({"style": 1, "emergency": True}), lambda: self.rests(lambda status: status.roll.emergency))
                continue
            mark = (status.roll.phase, status.roll.wait, status.roll.emergency)
            begin = self.parent_does_as_told if status.roll.wait == PARENT else self.time_goes_by
            self.stage(flow, number, mark[:2], begin, lambda mark=mark: self.rests(
                lambda status: (status.roll.phase, status.roll.wait, status.roll.emergency) != mark if status.HasField("roll") else True))
        else:
            raise AssertionError(f"{flow} does not end: {self.status(ROLLED)}")
        self.check_keys(flow, fields, keys, before, emergency=style != flow)
        self.finished[flow] += 1

    def order(self, fields):
        self.ask(lambda: self.admin.call("KeyService", "RollKey", namespace_name=ROLLED, **fields))

    def parent_does_as_told(self):
        try:
            self.ask(lambda: self.admin.call("KeyService", "ConfirmParent", namespace_name=ROLLED))
        except grpc.RpcError as error:
            detail = detail_of(error)
            if detail is None or detail.reason != "NAMESPACE_NOT_READY":
                raise

    def time_goes_by(self):
        self.stack.clock.set(self.stack.clock.seconds_ago - JUMP_SECONDS)

    def rests(self, moved):
        """Says whether the roll has moved, and waits for time or the parent."""
        try:
            status = self.admin.call("KeyService", "GetKeyStatus", namespace_name=ROLLED).status
        except grpc.RpcError:
            return False
        if status.waiting_commands or not moved(status):
            return False
        return not status.HasField("roll") or status.roll.wait in (CACHES, SIGNING, PARENT)

    def check_keys(self, flow, fields, keys, before, emergency):
        """No key is lost, doubled or left over."""
        now = self.ask(lambda: self.admin.call("KeyService", "ListKeys", namespace_name=ROLLED, include_removed=True)).keys
        wanted = set(fields.get("roles") or {key.role for key in keys})
        shown = [key for key in now if key.in_dnskey]
        roles = {key.role for key in shown}
        if roles != wanted or len(shown) != len(wanted):
            self.failures.append(f"{flow}: keys of roles {sorted(roles)}, {len(shown)} of them, not {sorted(wanted)}")
        new = 1 if fields["style"] in (2, 3, 4) else len(wanted)  # ZSK or KSK alone
        if len(now) - before != new * (2 if emergency else 1):
            self.failures.append(f"{flow}: {len(now) - before} keys were made")
        if any(key.in_dnskey or key.signs_keys or key.signs_data or key.in_ds for key in now if key.state == 5):
            self.failures.append(f"{flow}: a removed key is used")
        files = {path.name for path in (self.stack.folder / "keys").iterdir()}
        lost = [key.key_id.hex() for key in now if key.key_id.hex() not in files]
        if lost:
            self.failures.append(f"{flow}: no file of {lost}")

    def cut(self, flow="cut"):
        prefix = next(self.prefixes)

        def state():
            try:
                return {cut.prefix: cut.state for cut in self.admin.call("NamespaceService", "ListCuts", name=CUT).cuts}.get(prefix)
            except grpc.RpcError:
                return None
        self.stage(flow, 0, flow, lambda: self.ask(lambda: self.admin.call("NamespaceService", "AddCut", name=CUT, prefix=prefix)), lambda: state() == 3)
        self.enroll_once(CUT, prefix)
        self.finished[flow] += 1

    def enroll_once(self, namespace, prefix):
        """The way is open: somebody is enrolled there and served."""
        device = make_devices(1, kinds=lambda number: "p256")[0]
        owner = self.ask(lambda: self.client.enroll(namespace, f"{prefix}1", device.certificate)).identity.owner_name
        self.stack.pdns.wait_ready(CONVERGE_SECONDS)
        wait_until(lambda: self.stack.dig("+short", owner, "TLSA").strip(), CONVERGE_SECONDS, f"{owner} is served", 0.2)

    def tree(self, width):
        flow, name = f"tree {width}", f"_device.made{self.made}.example."
        self.made += 1
        fields = {"name": name, "operator_id": "acme", "policy": "steady", "name_servers": ["ns1.example.net."], "layout": {"kind": 2, "width": width},
                  "denial": 1, "algorithm": 13}

        def create():
            try:
                self.ask(lambda: self.admin.call("NamespaceService", "CreateNamespace", namespace_resource=fields))
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.ALREADY_EXISTS:
                    raise

        def made():
            edges = "select count(*) from published.zone z join registry.namespace n using (namespace_id) left join published.edge_position p using (zone_id)" \
                    f" where n.name_text = '{name}' and p.serial = z.serial and p.epoch = z.epoch"
            try:
                return int(self.stack.cluster.sql(edges)) == 16 ** width + 1
            except Exception:  # noqa: BLE001 # PostgreSQL is the one who died
                return False
        self.stage(flow, 0, flow, create, made)
        self.enroll_once(name, "first")
        self.journals[name] = (NamespaceJournal(name, 1), 0)
        self.check_journal(name, sample=20)
        del self.journals[name]
        self.finished[flow] += 1

    # Judging.

    def check_journal(self, namespace, sample=None):
        """What is new in the journal."""
        journal, seen = self.journals[namespace]
        for number, rows in enumerate(versions_of(self.stack.cluster.url(), namespace)):
            if number < seen:
                continue
            seen = number + 1
            changed = journal.apply(rows)
            self.versions += len(changed)
            for zone, serial in changed:
                if sample is None or zone == namespace or self.random.random() < sample / len(changed):
                    self.judges.submit(namespace, zone, serial, journal.zones[zone].lines(), HOUR)
            self.failures += [f"{namespace} after {changed[:4]}: {trouble}" for trouble in journal.troubles(changed)[:3]]
        self.journals[namespace] = (journal, seen)
        self.keys_most = max(self.keys_most, journal.keys_most)

    def flows(self, small):
        """In turns, for ever: rolls one after the other, cuts and trees between them."""
        passes = 0
        while True:
            for number, flow in enumerate(ROLLS):
                yield flow, lambda flow=flow: (self.roll(flow), self.check_journal(ROLLED))
                yield "cut", lambda: (self.cut(), self.check_journal(CUT))
                width = WIDTHS[(passes * len(ROLLS) + number) % len(WIDTHS)]
                if not small or width <= WIDTH_MAX_SMALL and number < 2:
                    yield f"tree {width}", lambda width=width: self.tree(width)
            passes += 1

    def close(self):
        self.stack.failed = bool(self.failures)
        self.stack.close()


SMALL = 100  # kills below which trees of 4,096 zones are left out


def run(size, seed):
    with tempfile.TemporaryDirectory(prefix="idz-crash-rolls-", dir="/tmp") as folder:
        judges = VersionJudges(pathlib.Path(folder))
        campaign, flow = Campaign(seed, judges), "the preparation"
        try:
            campaign.prepare()
            for flow, work in campaign.flows(size < SMALL):
                if sum(campaign.kills.values()) >= size or campaign.stack.clock.seconds_ago < 20 * JUMP_SECONDS:
                    break
                work()
                print(f"{flow}: {sum(campaign.kills.values())} kills, {len(campaign.failures) + len(judges.failures)} failures", flush=True)
        except Exception as failure:  # noqa: BLE001 # a campaign that breaks off has failed, and says how far it came
            campaign.failures.append(f"{flow}, broken off: {failure!r}")
        finally:
            judges.close()
            campaign.failures += [f"{who}: {text}" for who, text in judges.failures]
            campaign.close()
    points = sum(map(len, campaign.counted.values()))
    return {"cycles": sum(campaign.kills.values()), "operations": dict(campaign.finished), "points": points, "stages": len(campaign.counted),
            "killed": dict(campaign.kills), "unreached": len(campaign.unreached), "versions": campaign.versions, "versions_judged": judges.judged,
            "dnskeys_most": campaign.keys_most, "failures": campaign.failures}
