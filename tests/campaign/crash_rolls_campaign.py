# SPDX-License-Identifier: MIT
"""SIGKILL at write-like and sync-like calls of every step of every key roll, of cuts, and of the making of trees, in every process that
takes part.

A flow is a list of stages; each begins with something that sets the signer to work (an order, or time that goes by: past_clock.py) and ends when
only time, or the parent, could move it on. The first stage of each kind (by its phase and what it waits for) is run under strace, to count the
calls of each process and thread; in every other one processes die, each at a call, as kill_plan.py says: one of those that sign, one of those on the
way to the edge, and the one that takes orders. Each is started again, as an init system would, and nobody does anything else: the stage must
end, and so must the flow. A cycle is such a kill.

Every version of zones that roll and are cut passes the gate, of wide trees a sample; after each transaction parents and children fit
(namespace_journal.py); after each roll, the namespace, or the zone that has keys of its own, has the keys that it should, each with its sealed file,
and no more than four DNSKEY records ever. A process that takes part in a step and has never died in it is a failure, but of a small run (kill_plan.py says what takes part).
"""
import collections
import dataclasses
import pathlib
import random
import tempfile
import time

import grpc
import past_clock
from devstack.devices import make_devices
from devstack.process import wait_until
from history_keys import CACHES, PARENT, SIGNING, choices
from history_life import OPEN
from idzone_client import detail_of
from idzone_stack import TestStack
from kill_plan import SIDES
from killed_stages import CONVERGE_SECONDS, KilledStages
from namespace_journal import NamespaceJournal, transactions_after
from version_judges import VersionJudges

HOUR = 3600
BEGINS_HOURS_AGO = 700  # of the 720 that signatures live
JUMP_SECONDS = 21 * 60  # more than caches hold, and than a sweep takes, by the policy below
POLICY = ("--ttl", "60", "--life", "720h", "--resign", "10m")
STEADY = ("--ttl", "60", "--life", "720h", "--resign", "200h")  # of namespaces whose keys do not roll: time goes by there without work
MADE_SECONDS = {1: 90, 2: 120, 3: 900}  # of a tree, on a busy machine
DEVICES = 4
SETTINGS = {"SIGNING_CLOCK_SKEW_SECONDS_MAX": "0", "SIGNING_JOURNAL_KEEP_HOURS": "8760", "ROLLOVER_PROPAGATION_SECONDS": "0",
            "PARENT_DS_TTL_SECONDS": "60", "PARENT_PROPAGATION_SECONDS": "0"}
PHASES = {1: "making", 2: "signing", 3: "publishing", 4: "switching", 5: "withdrawing", 6: "delegating", 7: "swapping", 8: "undelegating"}
WAITS = {SIGNING: "signing", PARENT: "parent", CACHES: "caches"}
ROLLED = "_device.rolled.example."
CUT = "_device.cut.example."
OWN = "_device.own.example."  # with one cut, below which a zone rolls its own keys
OWN_CUT = "1"
# Each roll begins with the keys that the one before it of the same zones left.
ROLLS = ("csk", "own csk", "csk with emergency", "csk to split", "zsk", "ksk", "own csk to split", "ksk double ds", "ksk and zsk", "split to csk",
         "own split to csk", "csk algorithm", "csk algorithm to split", "split algorithm", "split algorithm to csk")
WIDTHS = (1, 2, 1, 3, 1, 2)  # of trees; the first two are in a small run
TREES_MAX = {1: 1000, 2: 12, 3: 6}  # of a run: what has been made stays
JUDGED_SHARE = {1: 1, 2: 0.25, 3: 0.01}  # of a tree's zones but its own
STAGES_MAX = 40  # of a roll


@dataclasses.dataclass(frozen=True)
class Rolled:
    """Whose keys roll: a namespace's, or a zone's own."""
    namespace: str
    zone: str = ""

    def fields(self):
        return {"namespace_name": self.namespace, "zone_name": self.zone}


class SteppedStack(TestStack):
    def declare(self):
        super().declare()
        self.clock = past_clock.SharedClock(self.folder, BEGINS_HOURS_AGO * HOUR)
        self.daemons["signerd"].environment = {**self.clock.environment(), **{f"IDZONE_SIGNERD_{name}": value for name, value in SETTINGS.items()}}
        return self


class Campaign:
    def __init__(self, seed, judges, kills_a_stage):
        self.random, self.judges = random.Random(seed), judges
        self.failures, self.finished, self.versions, self.keys_most = [], collections.Counter(), 0, 0
        self.trees = collections.Counter()  # {width: made}
        self.stack = SteppedStack("campaign-crash-rolls").open()
        self.stages = KilledStages(self.stack, self.random, kills_a_stage)

    def prepare(self):
        self.stack.cli("policy", "create", "stepped", *POLICY)
        self.stack.cli("policy", "create", "steady", *STEADY)
        self.admin, self.client = self.stack.client("admin"), self.stack.client()
        self.devices = make_devices(DEVICES, kinds=lambda number: "p256")
        self.stack.create_namespace(ROLLED, "--policy", "stepped", "--layout", "tree", "--width", "1")
        self.stack.create_namespace(CUT, "--policy", "steady", "--form", "digits", "--denial", "nsec")
        self.enroll(ROLLED, "device")
        self.stack.cli("policy", "create", "own", *POLICY, "--keys", "zone")
        self.stack.create_namespace(OWN, "--policy", "own", "--form", "digits")
        self.cut_prefix(OWN, OWN_CUT)
        wait_until(lambda: self.cut_state(OWN, OWN_CUT) == OPEN, CONVERGE_SECONDS, f"cut {OWN_CUT} is open", 0.2)
        self.enroll(OWN, OWN_CUT)
        self.journals = {ROLLED: (NamespaceJournal(ROLLED, 1), 0), CUT: (NamespaceJournal(CUT, 2), 0), OWN: (NamespaceJournal(OWN, 1), 0)}
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

    # Flows.

    def status(self, rolled):
        return self.ask(lambda: self.admin.call("KeyService", "GetKeyStatus", **rolled.fields())).status

    def keys(self, rolled):
        """All that there ever were."""
        return self.ask(lambda: self.admin.call("KeyService", "ListKeys", **rolled.fields(), include_removed=True)).keys

    def roll(self, flow):
        style = flow.removesuffix(" with emergency").removeprefix("own ")
        rolled = Rolled(OWN, f"{OWN_CUT}.{OWN}") if flow.startswith("own ") else Rolled(ROLLED)
        before = self.keys(rolled)
        keys = [key for key in before if key.in_dnskey]
        fields = choices({key.role for key in keys}, keys[0].algorithm)[style]
        self.stages.run(flow, "order", lambda: self.order(rolled, fields), lambda: self.rests(rolled, lambda status: status.HasField("roll")))
        emergency_due = flow.endswith(" with emergency")
        for _ in range(STAGES_MAX):
            status = self.status(rolled)
            if not status.HasField("roll"):
                break
            if emergency_due and status.roll.phase == 4:
                emergency_due = False
                self.stages.run(flow, "emergency", lambda: self.order(rolled, {"style": 1, "emergency": True}),
                           lambda: self.rests(rolled, lambda status: status.roll.emergency))
                continue
            mark = (status.roll.phase, status.roll.wait, status.roll.emergency)
            begin = self.parent_does_as_told if status.roll.wait == PARENT else self.time_goes_by
            self.stages.run(flow, f"{PHASES[mark[0]]}, {WAITS[mark[1]]}", begin, lambda mark=mark: self.rests(
                rolled, lambda status: (status.roll.phase, status.roll.wait, status.roll.emergency) != mark if status.HasField("roll") else True),
                takes_time=status.roll.wait == SIGNING)
        else:
            raise AssertionError(f"{flow} does not end: {self.status(rolled)}")
        self.check_keys(flow, rolled, fields, before, emergency=flow.endswith(" with emergency"))
        self.check_journal(rolled.namespace)
        self.finished[flow] += 1

    def order(self, rolled, fields):
        """An order whose answer was lost is not given twice: a roll under way refuses another, and each emergency is one more."""
        asked = []

        def once():
            if asked and self.has_order(rolled, fields):
                return
            asked.append(True)
            self.admin.call("KeyService", "RollKey", **rolled.fields(), **fields)
        self.ask(once)

    def has_order(self, rolled, fields):
        status = self.admin.call("KeyService", "GetKeyStatus", **rolled.fields()).status
        return status.waiting_commands > 0 or status.HasField("roll") and (status.roll.emergency or not fields.get("emergency"))

    def parent_does_as_told(self):
        try:
            self.ask(lambda: self.admin.call("KeyService", "ConfirmParent", namespace_name=ROLLED))
        except grpc.RpcError as error:
            detail = detail_of(error)
            if detail is None or detail.reason != "NAMESPACE_NOT_READY":
                raise

    def time_goes_by(self):
        self.stack.clock.set(self.stack.clock.seconds_ago - JUMP_SECONDS)

    def rests(self, rolled, moved):
        """Says whether the roll has moved, and waits for time or the parent."""
        try:
            status = self.admin.call("KeyService", "GetKeyStatus", **rolled.fields()).status
        except grpc.RpcError:
            return False
        if status.waiting_commands or not moved(status):
            return False
        return not status.HasField("roll") or status.roll.wait in (CACHES, SIGNING, PARENT)

    def check_keys(self, flow, rolled, fields, before, emergency):
        """No key is lost or doubled. A kill may leave the file of a key behind that no row names yet; nothing else does."""
        now = self.keys(rolled)
        wanted = set(fields.get("roles") or {key.role for key in before if key.in_dnskey})
        shown = [key for key in now if key.in_dnskey]
        roles = {key.role for key in shown}
        if roles != wanted or len(shown) != len(wanted):
            self.failures.append(f"{flow}: keys of roles {sorted(roles)}, {len(shown)} of them, not {sorted(wanted)}")
        new = 1 if fields["style"] in (2, 3, 4) else len(wanted)  # ZSK or KSK alone
        if len(now) - len(before) != new * (2 if emergency else 1):
            self.failures.append(f"{flow}: {len(now) - len(before)} keys were made")
        if any(key.in_dnskey or key.signs_keys or key.signs_data or key.in_ds for key in now if key.state == 5):
            self.failures.append(f"{flow}: a removed key is used")
        files = {path.name for path in (self.stack.folder / "keys").iterdir()}
        lost = [key.key_id.hex() for key in now if key.key_id.hex() not in files]
        if lost:
            self.failures.append(f"{flow}: no file of {lost}")
        nobodys = files - {"kek", "labels-kek"} - set(self.stack.cluster.sql("select encode(key_id, 'hex') from published.key").split())
        if len(nobodys) > 2 * (self.stages.kills["signerd"] + self.stages.kills["postgresql"]):  # a KSK and a ZSK
            self.failures.append(f"{flow}: {len(nobodys)} files of nobody's keys")

    def cut(self, flow="cut"):
        prefix = next(self.prefixes)
        self.stages.run(flow, "cut", lambda: self.cut_prefix(CUT, prefix), lambda: self.cut_state(CUT, prefix) == OPEN)
        self.enroll_once(CUT, prefix)
        self.finished[flow] += 1

    def cut_prefix(self, namespace, prefix):
        self.ask(lambda: self.admin.call("NamespaceService", "AddCut", name=namespace, prefix=prefix))

    def cut_state(self, namespace, prefix):
        try:
            return next((cut.state for cut in self.cuts(namespace) if cut.prefix == prefix), None)
        except grpc.RpcError:
            return None

    def cuts(self, namespace):
        """All of them, page by page."""
        token = ""
        while token is not None:
            page = self.admin.call("NamespaceService", "ListCuts", name=namespace, page_size=1000, page_token=token)
            yield from page.cuts
            token = page.next_page_token or None

    def enroll_once(self, namespace, prefix):
        """The way is open: somebody is enrolled there and served."""
        device = make_devices(1, kinds=lambda number: "p256")[0]
        owner = self.ask(lambda: self.client.enroll(namespace, f"{prefix}1", device.certificate)).identity.owner_name
        self.stack.pdns.wait_ready(CONVERGE_SECONDS)
        wait_until(lambda: self.stack.dig("+short", owner, "TLSA").strip(), CONVERGE_SECONDS, f"{owner} is served", 0.2)

    def tree(self, width):
        flow, name = f"tree {width}", f"_device.made{sum(self.trees.values())}.example."
        self.trees[width] += 1
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
        self.stages.run(flow, flow, create, made, MADE_SECONDS[width])
        self.enroll_once(name, "first")
        self.journals[name] = (NamespaceJournal(name, 1), 0)
        self.check_journal(name, JUDGED_SHARE[width])
        del self.journals[name]
        self.finished[flow] += 1

    # Judging.

    def check_journal(self, namespace, share=1):
        """What is new in the journal."""
        journal, seen = self.journals[namespace]
        for number, rows in transactions_after(self.stack.cluster.url(), namespace, seen):
            seen = number
            changed = journal.apply(rows)
            self.versions += len(changed)
            for zone, serial in changed:
                if zone == namespace or self.random.random() < share:
                    self.judges.submit(namespace, zone, serial, journal.zones[zone].lines(), HOUR)
            self.failures += [f"{namespace} after {changed[:4]}: {trouble}" for trouble in journal.troubles(changed)[:3]]
        self.journals[namespace] = (journal, seen)
        self.keys_most = max(self.keys_most, journal.keys_most)

    def flows(self, small):
        """In turns, for ever: rolls one after the other, cuts and trees between them."""
        passes = 0
        while True:
            for number, flow in enumerate(ROLLS):
                yield flow, lambda flow=flow: self.roll(flow)
                yield "cut", lambda: (self.cut(), self.check_journal(CUT))
                width = WIDTHS[(passes * len(ROLLS) + number) % len(WIDTHS)]
                if self.trees[width] < TREES_MAX[width] and (number < 2 or not small):
                    yield f"tree {width}", lambda width=width: self.tree(width)
            passes += 1

    def close(self):
        self.stack.failed = bool(self.failures)
        self.stack.close()
        self.stages.close()


SMALL = 100  # kills below which trees of 4,096 zones are left out, and steps without a kill are no failure
MORE_SHARE = 0.5  # of the kills asked for, that many more until nobody is left over


def run(size, seed):
    with tempfile.TemporaryDirectory(prefix="idz-crash-rolls-", dir="/tmp") as folder:
        judges, small = VersionJudges(pathlib.Path(folder)), size < SMALL
        campaign, flow = Campaign(seed, judges, kills_a_stage=1 if small else len(SIDES)), "the preparation"
        stages, plan = campaign.stages, campaign.stages.plan
        try:
            campaign.prepare()
            for flow, work in campaign.flows(small):
                kills, left_over = sum(stages.kills.values()), not small and plan.report()["never_killed"]
                if kills >= size * (1 + MORE_SHARE * bool(left_over)) or campaign.stack.clock.seconds_ago < 20 * JUMP_SECONDS:
                    break
                work()
                print(f"{flow}: {sum(stages.kills.values())} kills, {len(campaign.failures) + len(judges.failures)} failures", flush=True)
        except Exception as failure:  # noqa: BLE001 # a campaign that breaks off has failed, and says how far it came
            campaign.failures.append(f"{flow}, broken off: {failure!r}")
        finally:
            judges.close()
            campaign.failures += [f"{who}: {text}" for who, text in judges.failures]
            if not small:
                campaign.failures += [f"nobody was killed in {pair}" for pair in plan.report()["never_killed"]]
            campaign.close()
    return {"cycles": sum(stages.kills.values()), "operations": dict(campaign.finished), "killed": dict(stages.kills), **plan.report(),
            "unreached": stages.unreached, "begun_again": stages.begun_again, "versions": campaign.versions, "versions_judged": judges.judged,
            "dnskeys_most": campaign.keys_most, "failures": campaign.failures}
