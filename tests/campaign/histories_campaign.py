# SPDX-License-Identifier: MIT
"""Random lives of zones: enroll, rotate, revoke, enroll again after the quarantine, cut, roll keys in every style, sign again as days go by,
restart. A cycle is a history: one namespace of 200 names and more through 20 versions and more. Every version of every zone of it must pass
the gate, and after each transaction parents and children must fit (namespace_journal.py); both are read from the journal, so that none is missed.

Histories run side by side in cohorts, each on a new stack. Days go by for the signer alone: its clock begins in the past
(libfaketime) and comes nearer with every restart that moves it, so that signatures are renewed, rolls go on, and all signatures are valid now.
"""
import collections
import concurrent.futures
import itertools
import pathlib
import random
import tempfile
import time

import gate
import grpc
import past_clock
from devstack.devices import make_devices
from devstack.process import wait_until
from history_kinds import DENIAL_TYPES, LAYOUTS, kind_of
from history_life import CALL_SECONDS, POLICY, Life
from idzone_stack import TestStack
from journal_zone import normal
from namespace_journal import NamespaceJournal, data_of, versions_of
from version_judges import VersionJudges

COHORT = 24  # histories on one stack
STEPS = 22  # of a history; each makes a version or more
KEYS = 800  # one set for all namespaces: a key is one device's only within a namespace
HOUR = 3600
LIFE_HOURS, RESIGN_HOURS = 14 * 24, 8  # of the policy
SIGNER_BEGINS_HOURS_AGO = 300
JUMPS = 10  # of the signer's clock while histories go on
# How far: over what caches hold (apex TTLs of an hour); over what a sweep takes.
JUMP_SECONDS = ((1.1 * HOUR, 2 * HOUR), (8.2 * HOUR, 10 * HOUR))
LAST_JUMPS_MAX = 18  # until all rolls are over
WAIT_SECONDS = 60  # the most that a server waits
REST_SECONDS = 600  # until nothing is due: a tree of 4,097 zones is signed anew after each jump
TRANSFERRED_ZONES = 8  # of a namespace with many: its own and that many of the others
JUDGED_WIDE = 32  # of a namespace with thousands: its own and that many of the others in all versions, all in their last one
SETTINGS = {
    # Nobody else's clock goes along, so it must not be compared with PostgreSQL's; nor may days that go by empty the journal.
    "SIGNING_CLOCK_SKEW_SECONDS_MAX": "0", "SIGNING_JOURNAL_KEEP_HOURS": "8760",
    "ROLLOVER_PROPAGATION_SECONDS": "0", "PARENT_DS_TTL_SECONDS": "60", "PARENT_PROPAGATION_SECONDS": "0",
}


class SignerInThePast(TestStack):
    """A stack whose signer lives `seconds_ago`; moving it is a restart of the signer."""

    def declare(self):
        super().declare()
        self.set_signer_clock(SIGNER_BEGINS_HOURS_AGO * HOUR)
        return self

    def set_signer_clock(self, seconds_ago):
        assert seconds_ago >= 0, "the signer would live in the future"
        self.seconds_ago = seconds_ago
        settings = {f"IDZONE_SIGNERD_{name}": value for name, value in SETTINGS.items()}
        self.daemons["signerd"].environment = {**past_clock.environment(seconds_ago), **settings}


class Cohort:
    def __init__(self, seeds, devices, judges):
        self.seeds, self.judges = seeds, judges
        self.random = random.Random(seeds[0])
        self.lives = [Life(seed, devices) for seed in seeds]
        self.failures, self.versions, self.signatures, self.keys_most, self.restarts = [], 0, 0, 0, collections.Counter()
        self.stack = SignerInThePast(f"campaign-histories-{seeds[0]}").open()

    def run(self):
        jumps = set(self.random.sample(range(2, STEPS - 1), JUMPS))
        callers = {caller: self.stack.client(caller) for caller in ("enroller", "admin", "re-enroller")}
        self.stack.cli("policy", "create", POLICY, "--ttl", "300", "--life", f"{LIFE_HOURS}h", "--resign", f"{RESIGN_HOURS}h")
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            self.each(pool, lambda life: life.create(callers["admin"]))
            for number in range(STEPS):
                self.each(pool, lambda life: life.step(callers, number))
                if number in jumps:
                    self.move_clock(self.random.choice(JUMP_SECONDS))
                elif self.random.random() < 0.25:
                    self.restart(self.random.choice(("provisiond", "signerd", "feedd", "replicad", "postgresql", "pdns")))
                self.each(pool, lambda life: self.published(callers["enroller"], life))
                if self.random.random() < 0.3:
                    self.end_quarantines()
            self.finish_rolls(pool, callers["admin"])
            self.each(pool, lambda life: self.published(callers["enroller"], life, live=True))
        # What the last jump made due is renewed without being asked for.
        for life in self.lives:
            keys = {key.dnskey_record.split()[-1] for key in life.keys.shown(callers["admin"])}
            wait_until(lambda life=life: self.rests(life), REST_SECONDS, f"all zones of {life.zone} at their last versions", 0.3)
            self.judge(life, keys)
        for client in callers.values():
            client.channel.close()

    def finish_rolls(self, pool, admin):
        """Days go by, and parents do as they are told, until no roll is under way."""
        for _ in range(LAST_JUMPS_MAX):
            self.each(pool, lambda life: wait_until(lambda: life.keys.settled(admin) and self.rests(life), REST_SECONDS,
                                                      f"the roll of {life.zone} waits for time alone", 0.5))
            if all(life.keys.under_way is None for life in self.lives):
                return
            self.move_clock(JUMP_SECONDS[1])
        late = {life.zone: life.keys.under_way for life in self.lives if life.keys.under_way}
        raise AssertionError(f"rolls without end: {late}")

    def end_quarantines(self):
        """For everybody whose revocation is published: all, here."""
        self.stack.cluster.sql("update published.quarantine set ends_at = now()")
        for life in self.lives:
            life.end_quarantine()

    def each(self, pool, work):
        """Does something for every history, several at once; the first exception is everybody's."""
        list(pool.map(work, self.lives))

    def published(self, client, life, live=False):
        def done():
            try:
                return client.wait(life.zone, live=live, timeout_seconds=WAIT_SECONDS).done
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.UNAVAILABLE:
                    raise
                return False
        wait_until(done, CALL_SECONDS, f"{life.zone} published")

    def move_clock(self, seconds):
        self.stack.set_signer_clock(self.stack.seconds_ago - self.random.uniform(*seconds))
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

    def rests(self, life):
        """Says whether nothing is due in any zone of the namespace, and the edge has the last version of each."""
        return self.stack.cluster.sql(
            "select count(*) from published.zone z join registry.namespace n using (namespace_id) left join published.edge_position p using (zone_id)"
            f" where n.name_text = '{life.zone}' and (z.renew_at <= now() - interval '{self.stack.seconds_ago:.0f} seconds'"
            " or (p.epoch, p.serial) is distinct from (z.epoch, z.serial))") == "0"

    def judge(self, life, keys):
        """Every version, in the order of the world; then the last ones."""
        fail = lambda text: self.failures.append((life.seed, f"{life.kind}: {text}"))  # noqa: E731
        try:
            journal, versions, few = NamespaceJournal(life.zone, life.kind.denial), 0, None
            for rows in versions_of(self.stack.cluster.url(), life.zone):
                changed = journal.apply(rows)
                versions += len(changed)
                if len(journal.zones) > 1000:  # made in a few transactions, the first of which has the first of them
                    few = few or {life.zone, *life.random.sample(sorted(journal.zones), JUDGED_WIDE)}
                for zone, serial in changed:
                    if few is None or zone in few:
                        self.judges.submit(life, zone, serial, journal.zones[zone].lines(), HOUR)
                for trouble in journal.troubles(changed)[:3]:
                    fail(f"after {changed[:4]}: {trouble}")
            for name, zone in journal.zones.items():
                if few is not None and name not in few:
                    self.judges.submit(life, name, zone.serial, zone.lines(), HOUR)
            self.versions += versions
            self.keys_most = max(self.keys_most, journal.keys_most)
            self.compare_all(life, journal, versions, fail)
            transferred = {life.zone, *life.random.sample(sorted(journal.zones), min(TRANSFERRED_ZONES, len(journal.zones)))}
            for name, zone in journal.zones.items():
                self.compare_last(zone, keys, life.kind, name in transferred, fail)
        except Exception as failure:  # noqa: BLE001
            fail(repr(failure))

    def compare_all(self, life, journal, versions, fail):
        """All zones together are what was asked for."""
        data = set().union(*(data_of(zone) for zone in journal.zones.values()))
        if data != life.expected():
            fail(f"the last versions differ from what was acknowledged: {sorted(data ^ life.expected())[:6]}")
        if versions < 20 or len(life.active) < 200:
            fail(f"only {versions} versions and {len(life.active)} names")

    def compare_last(self, zone, keys, kind, transferred, fail):
        """The last version of a zone is what PowerDNS transfers, freshly signed by the keys that the namespace is said to have."""
        lines = zone.lines()
        records = {normal(owner, int(ttl), rr_type, rdata) for owner, ttl, _, rr_type, rdata in (line.split(" ", 4) for line in lines)}
        if transferred:
            served = {normal(*record) for record in gate.records(self.stack.transfer(zone.zone, self.stack.folder / "last.axfr"))}
            if records != served:
                fail(f"the transfer of {zone.zone} differs: {sorted(records ^ served)[:6]}")
        denials = {rr_type for _, _, rr_type, _ in records} & {"NSEC", "NSEC3"}
        shown = {line.split(" ")[7] for line in lines if " IN DNSKEY " in line}
        if denials != {DENIAL_TYPES[kind.denial]} or shown != keys:
            fail(f"{zone.zone} has {denials} and keys {shown}, not {keys}")
        if any(" IN CDS " in line or " IN CDNSKEY " in line for line in lines):
            fail(f"{zone.zone} tells its parent something while no key rolls")
        least = LIFE_HOURS * HOUR - RESIGN_HOURS * HOUR * 3 // 2 - RESIGN_HOURS * HOUR // 16 - HOUR
        rest = zone.signatures_end() - (time.time() - self.stack.seconds_ago)
        if rest < least:
            fail(f"a signature of the last version has {rest / HOUR:.1f} h to live, its signer leaves {least / HOUR:.1f} h or more")
        self.signatures += zone.signed

    def close(self):
        self.stack.failed = bool(self.failures)
        self.stack.close()


def seeds_of(size, seed):
    """One after the other; a small run, as the daily one, leaves out trees of 257 zones and more, which have thousands of versions."""
    small = 1 < size < len(LAYOUTS)
    return list(itertools.islice((each for each in itertools.count(seed) if not small or kind_of(each).layout not in ("tree-2", "tree-3")), size))


def run(size, seed):
    devices = make_devices(KEYS, kinds=lambda number: "p256")
    failures, operations, kinds, totals = [], collections.Counter(), collections.Counter(), collections.Counter()
    keys_most = 0
    with tempfile.TemporaryDirectory(prefix="idz-histories-", dir="/tmp") as folder:
        judges = VersionJudges(pathlib.Path(folder))
        seeds = seeds_of(size, seed)
        for first in range(0, size, COHORT):
            cohort = Cohort(seeds[first:first + COHORT], devices, judges)
            try:
                cohort.run()
            except Exception as failure:  # noqa: BLE001 # a cohort that breaks off has failed; the others go on
                cohort.failures.append((cohort.seeds[0], f"cohort of {len(cohort.seeds)} broken off: {failure!r}"))
            finally:
                cohort.close()
            failures += cohort.failures
            totals.update(versions=cohort.versions, signatures=cohort.signatures, restarts=sum(cohort.restarts.values()))
            keys_most = max(keys_most, cohort.keys_most)
            for life in cohort.lives:
                operations.update(life.operations)
                kinds[str(life.kind)] += 1
            print(f"histories {first + len(cohort.lives)}/{size}: {totals['versions']} versions, {judges.judged} judged, "
                  f"{len(failures) + len(judges.failures)} failures", flush=True)
        judges.close()
        failures += [(life.seed, f"{life.kind} {text}") for life, text in judges.failures]
    again = f"tests/campaign/run histories --size 1 --seed {failures[0][0]}" if failures else None
    return {"cycles": size, "operations": dict(operations), "versions": totals["versions"], "versions_judged": judges.judged,
            "signatures": totals["signatures"], "restarts": totals["restarts"], "dnskeys_most": keys_most, "kinds": dict(kinds),
            "failures": [f"history {number}: {text}" for number, text in failures], "again": again}
