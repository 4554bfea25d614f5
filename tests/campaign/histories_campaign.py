# SPDX-License-Identifier: MIT
"""Random lives of zones: enroll, rotate keys, revoke, sign again as days go by, restart. A cycle is a history: one namespace of
200 names and more through 20 versions and more, each of which must pass the gate, read from the journal so that none is missed.

Histories run side by side in cohorts, each on a new stack. Days go by for the signer alone: its clock begins in the past
(libfaketime) and comes nearer with every restart that moves it, so that signatures are renewed and all of them are valid now.
"""
import collections
import concurrent.futures
import dataclasses
import itertools
import pathlib
import random
import shutil
import tempfile
import threading
import time

import gate
import grpc
import kept
import psycopg2
from devstack.devices import make_devices
from devstack.process import wait_until
from idzone_stack import BUILD, KEPT_LOGS, TestStack
from journal_zone import NSEC, NSEC3, JournalZone, normal
from structured_ids import ENUM_FORMS, any_label, any_text

COHORT = 24  # histories on one stack
STEPS = 20  # of a history; each makes a version or more
NAMES = 220
KEYS = 600  # one set for all namespaces: a key is one device's only within a namespace
HOUR = 3600
SIGNER_BEGINS_HOURS_AGO = 64
JUMPS = 4  # of the signer's clock, 13 to 16 hours each: more than half of the time after which a signature is renewed
LIFE_HOURS, RESIGN_HOURS = 72, 24  # of the policy `standard`
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
CALL_SECONDS = 60
REFUSED_KEPT = 10  # zone files that judges refused, beside the logs
JUDGED_ZONES = 8  # of a namespace with many: its own and that many of the others, every version; the data is compared in all
DENIAL_TYPES = {NSEC3: "NSEC3", NSEC: "NSEC"}


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a namespace is like. `ids` makes an id from a source of randomness."""
    layout: str
    fields: dict  # of the message Namespace
    ids: object
    denial: int
    algorithm: int

    def __str__(self):
        return f"{self.layout} {DENIAL_TYPES[self.denial]} {self.algorithm}"


FLAT, TREE, ENUM = 1, 2, 3  # LayoutKind
OPEN = 3  # CutState
ACTIVE = 1  # KeyState
PRIVATE = 2  # LabelPrivacy
UNAVAILABLE = 14  # google.rpc.Code
LAYOUTS = (
    ("flat", {"layout": {"kind": FLAT}}, any_label),
    ("tree-1", {"layout": {"kind": TREE, "width": 1}}, any_label),
    ("tree-2", {"layout": {"kind": TREE, "width": 2}}, any_label),
    ("tree-0", {"layout": {"kind": TREE, "width": 0}}, any_label),
    ("flat private", {"layout": {"kind": FLAT}, "labels": PRIVATE}, any_text),
    ("tree-1 private", {"layout": {"kind": TREE, "width": 1}, "labels": PRIVATE}, any_text),
    *((f"enum {ids.__name__}", {"layout": {"kind": ENUM, "form": form + 1}}, ids) for form, ids in enumerate(ENUM_FORMS)),
)
CHAINS = ((NSEC3, 13), (NSEC, 15), (NSEC3, 15), (NSEC, 13))  # (denial, algorithm)
# Neighbours differ in both; every pair comes once, because their counts have no common divisor.
KINDS = tuple(Kind(*LAYOUTS[number % len(LAYOUTS)], *CHAINS[number % len(CHAINS)]) for number in range(len(LAYOUTS) * len(CHAINS)))
assert len(set(map(str, KINDS))) == len(KINDS)


class SignerInThePast(TestStack):
    """A stack whose signer lives `hours_ago`; moving it is a restart of the signer."""

    def declare(self):
        super().declare()
        self.set_signer_clock(SIGNER_BEGINS_HOURS_AGO * HOUR)
        return self

    def set_signer_clock(self, seconds_ago):
        self.seconds_ago = seconds_ago
        # Nobody else's clock goes along, so it must not be compared with PostgreSQL's.
        self.daemons["signerd"].environment = {"LD_PRELOAD": FAKETIME, "FAKETIME": f"-{seconds_ago}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
                                               "IDZONE_SIGNERD_SIGNING_CLOCK_SKEW_SECONDS_MAX": "0"}


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
    """One history: what its namespace ought to hold, and the random steps that change it."""

    def __init__(self, seed, devices):
        self.seed, self.random = seed, random.Random(seed)
        self.kind = KINDS[seed % len(KINDS)]
        self.zone = f"_device.h{seed}.example."
        self.keys = iter(self.random.sample(devices, len(devices)))
        self.taken, self.active = set(), {}  # ids ever used; {id: what `hold` says}
        self.operations = collections.Counter()

    def create(self, admin):
        admin.call("NamespaceService", "CreateNamespace", namespace_resource={
            "name": self.zone, "operator_id": "acme", "policy": "standard", "name_servers": ["ns1.example.net.", "ns2.example.net."],
            **self.kind.fields, "denial": self.kind.denial, "algorithm": self.kind.algorithm})
        if self.kind.fields["layout"]["kind"] == ENUM:
            self.cut(admin)

    def cut(self, admin):
        """Makes a zone of all ids that begin like one that might come, before there are any."""
        prefix = "".join(character for character in self.kind.ids(self.random).lower() if character in "0123456789abcdef")[:1]
        admin.call("NamespaceService", "AddCut", name=self.zone, prefix=prefix)
        wait_until(lambda: [cut.state for cut in admin.call("NamespaceService", "ListCuts", name=self.zone).cuts] == [OPEN], CALL_SECONDS,
                   f"cut {prefix} of {self.zone} is open", step_seconds=0.2)

    def new_id(self):
        while True:
            device_id = self.kind.ids(self.random)
            if device_id not in self.taken:
                self.taken.add(device_id)
                return device_id

    def step(self, client, number):
        if number == 0:
            self.enroll(client, NAMES)
            return
        for _ in range(self.random.choice((1, 1, 2))):
            choice = self.random.random()
            if choice < 0.25:
                self.rotate(client, self.random.randint(1, 4))
            elif len(self.active) <= NAMES or choice < 0.7:
                self.enroll(client, self.random.randint(1, 6))
            else:
                self.revoke(client, self.random.randint(1, min(6, len(self.active) - NAMES)))

    def enroll(self, client, count):
        asked = [dataclasses.replace(device, id=self.new_id()) for device in itertools.islice(self.keys, count)]
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
                certificate = next(self.keys).certificate
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
        self.operations["revoke"] += count

    def expected(self):
        return {record for records in self.active.values() for record in records.values()}


class Judges:
    """The gate on one version after the other, on all cores, while the next cohort lives."""

    def __init__(self, folder, workers=2):
        self.folder, self.pool = folder, concurrent.futures.ThreadPoolExecutor(workers)
        self.waiting = threading.Semaphore(4000)  # versions that wait on the disk
        self.lock, self.judged, self.failures = threading.Lock(), 0, []
        self.gates, self.mine = [], threading.local()  # one of each worker

    def gate(self):
        """The worker's own."""
        if not hasattr(self.mine, "judges"):
            self.mine.judges = kept.KeptJudges(BUILD / "lib" / "libkept_judge.so")
            with self.lock:
                self.gates.append(self.mine.judges)
        return self.mine.judges

    def close(self):
        """Returns when all is judged."""
        self.pool.shutdown(wait=True)
        for judges in self.gates:
            judges.close()

    def submit(self, life, zone, serial, lines, valid_for_seconds):
        self.waiting.acquire()
        path = self.folder / f"{zone}{serial}"
        path.write_text("\n".join(lines) + "\n")
        self.pool.submit(self._judge, life, zone, serial, path, valid_for_seconds)

    def _judge(self, life, zone, serial, path, valid_for_seconds):
        try:
            gate.require_valid(path, zone, valid_for_seconds, self.gate())
        except Exception as refused:  # noqa: BLE001 # whatever keeps the judges from accepting is a failure
            with self.lock:
                self.failures.append((life.seed, f"{life.kind} {zone} version {serial}: {refused}"))
                if len(self.failures) <= REFUSED_KEPT:
                    KEPT_LOGS.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, KEPT_LOGS)
        finally:
            path.unlink()
            self.waiting.release()
            with self.lock:
                self.judged += 1


class Cohort:
    def __init__(self, seeds, devices, judges):
        self.seeds, self.judges = seeds, judges
        self.random = random.Random(seeds[0])
        self.lives = [Life(seed, devices) for seed in seeds]
        self.failures, self.versions, self.signatures, self.restarts = [], 0, 0, collections.Counter()
        self.stack = SignerInThePast(f"campaign-histories-{seeds[0]}").open()

    def run(self):
        jumps = set(self.random.sample(range(3, STEPS - 1), JUMPS))
        with concurrent.futures.ThreadPoolExecutor(8) as pool, self.stack.client() as client:
            with self.stack.client("admin") as admin:
                self.each(pool, lambda life: life.create(admin))
            for number in range(STEPS):
                self.each(pool, lambda life: life.step(client, number))
                if number in jumps:
                    self.move_clock()
                elif self.random.random() < 0.25:
                    self.restart(self.random.choice(("provisiond", "signerd", "feedd", "replicad", "postgresql", "pdns")))
                self.each(pool, lambda life: self.published(client, life))
            self.each(pool, lambda life: self.published(client, life, live=True))
        # What the last jump made due is renewed without being asked for.
        time.sleep(1.0)
        for life in self.lives:
            wait_until(lambda life=life: self.served_is_published(life), 60, f"{life.zone} at its last version")
            self.judge(life)

    def each(self, pool, work):
        """Does something for every history, several at once; the first exception is everybody's."""
        list(pool.map(work, self.lives))

    def published(self, client, life, live=False):
        def done():
            try:
                return client.wait(life.zone, live=live, timeout_seconds=CALL_SECONDS).done
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                return False
        wait_until(done, CALL_SECONDS, f"{life.zone} published")

    def move_clock(self):
        self.stack.set_signer_clock(self.stack.seconds_ago - self.random.randint(13 * HOUR, 16 * HOUR))
        self.restart("signerd")

    def restart(self, name):
        daemon = self.stack.daemons[name]
        if self.random.random() < 0.5:
            daemon.kill()
            daemon._child = None
            daemon.start()
        else:
            daemon.restart()
        for each in self.stack.daemons.values():
            each.wait_ready(60)
        self.restarts[name] += 1

    # Judging.

    def serial(self, life):
        return int(self.stack.cluster.sql(f"select serial from published.zone where name_text = '{life.zone}'"))

    def served_is_published(self, life):
        return self.stack.soa_serial(life.zone) == self.serial(life)

    def journals(self, life):
        """The journal of each of the namespace's zones: {name: rows}, its own first."""
        journals = collections.defaultdict(list)
        with psycopg2.connect(self.stack.cluster.url()) as connection, connection.cursor() as cursor:
            cursor.execute("select z.name_text, v.epoch, v.serial, v.previous_serial, v.previous_digest, v.digest, v.delta "
                           "from published.version v join published.zone z using (zone_id) join registry.namespace n using (namespace_id) "
                           "where n.name_text = %s order by z.zone_id, v.epoch, v.serial", (life.zone,))
            for name, *row in cursor:
                journals[name].append(tuple(bytes(value) if isinstance(value, memoryview) else value for value in row))
        return journals

    def judge(self, life):
        try:
            journals = self.journals(life)
            own, *others = journals
            assert own == life.zone, own
            judged = {own, *life.random.sample(others, min(JUDGED_ZONES, len(others)))}
            data, cuts = set(), set()
            for name, rows in journals.items():
                zone = JournalZone(name, life.kind.denial)
                for row in rows:
                    zone.apply(*row)
                    lines = zone.lines()
                    if name in judged:
                        self.judges.submit(life, name, row[1], lines, HOUR)
                records = {normal(owner, int(ttl), rr_type, rdata) for owner, ttl, _, rr_type, rdata in (line.split(" ", 4) for line in lines)}
                data |= {(owner, rr_type, rdata) for owner, _, rr_type, rdata in records if rr_type in ("TLSA", "SSHFP")}
                cuts |= {owner for owner, _, rr_type, _ in records if rr_type == "DS"}
                self.compare_last(life, zone, name if name in judged else None, records, lines)
            versions = sum(map(len, journals.values()))
            self.versions += versions
            self.compare_all(life, data, cuts, set(others), versions)
        except Exception as failure:  # noqa: BLE001
            self.failures.append((life.seed, f"{life.kind}: {failure!r}"))

    def compare_all(self, life, data, cuts, zones, versions):
        """All zones together are what was asked for, and each of them has its delegation."""
        fail = lambda text: self.failures.append((life.seed, f"{life.kind}: {text}"))  # noqa: E731
        if data != life.expected():
            fail(f"the last versions differ from what was acknowledged: {sorted(data ^ life.expected())[:6]}")
        if cuts != zones:
            fail(f"delegations and zones differ: {sorted(cuts ^ zones)[:6]}")
        if versions < 20 or len(life.active) < 200:
            fail(f"only {versions} versions and {len(life.active)} names")

    def compare_last(self, life, zone, transferred, records, lines):
        """The last version of a zone is what PowerDNS transfers, and freshly signed."""
        fail = lambda text: self.failures.append((life.seed, f"{life.kind}: {text}"))  # noqa: E731
        if transferred:
            served = {normal(*record) for record in gate.records(self.stack.transfer(transferred, self.stack.folder / "last.axfr"))}
            if records != served:
                fail(f"the transfer of {transferred} differs: {sorted(records ^ served)[:6]}")
        denials = {rr_type for _, _, rr_type, _ in records} & {"NSEC", "NSEC3"}
        algorithms = {int(line.split(" ")[6]) for line in lines if " IN DNSKEY " in line}
        if denials != {DENIAL_TYPES[life.kind.denial]} or algorithms != {life.kind.algorithm}:
            fail(f"the zone has {denials} and algorithms {algorithms}")
        least = LIFE_HOURS * HOUR - RESIGN_HOURS * HOUR * 3 // 2 - RESIGN_HOURS * HOUR // 16 - HOUR
        rest = zone.signatures_end() - (time.time() - self.stack.seconds_ago)
        if rest < least:
            fail(f"a signature of the last version has {rest / HOUR:.1f} h to live, its signer leaves {least / HOUR:.1f} h or more")
        self.signatures += zone.signed

    def close(self):
        self.stack.failed = bool(self.failures)
        self.stack.close()


def run(size, seed):
    devices = make_devices(KEYS, kinds=lambda number: "p256")
    failures, operations, kinds, totals = [], collections.Counter(), collections.Counter(), collections.Counter()
    with tempfile.TemporaryDirectory(prefix="idz-histories-", dir="/tmp") as folder:
        judges = Judges(pathlib.Path(folder))
        for first in range(0, size, COHORT):
            cohort = Cohort(list(range(seed + first, seed + min(first + COHORT, size))), devices, judges)
            try:
                cohort.run()
            except Exception as failure:  # noqa: BLE001 # a cohort that breaks off has failed; the others go on
                cohort.failures.append((cohort.seeds[0], f"cohort of {len(cohort.seeds)} broken off: {failure!r}"))
            finally:
                cohort.close()
            failures += cohort.failures
            totals.update(versions=cohort.versions, signatures=cohort.signatures, restarts=sum(cohort.restarts.values()))
            for life in cohort.lives:
                operations.update(life.operations)
                kinds[str(life.kind)] += 1
            print(f"histories {first + len(cohort.lives)}/{size}: {totals['versions']} versions, {judges.judged} judged, "
                  f"{len(failures) + len(judges.failures)} failures", flush=True)
        judges.close()
        failures += judges.failures
    again = f"tests/campaign/run histories --size 1 --seed {failures[0][0]}" if failures else None
    return {"cycles": size, "operations": dict(operations), "versions": totals["versions"], "versions_judged": judges.judged,
            "signatures": totals["signatures"], "restarts": totals["restarts"], "kinds": dict(kinds), "failures": [f"history {number}: {text}" for number, text in failures], "again": again}
