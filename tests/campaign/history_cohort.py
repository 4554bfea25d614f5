# SPDX-License-Identifier: MIT
"""Histories that go on side by side on one stack, and the days that go by for its signer: its clock begins in the past (libfaketime) and
comes nearer with every restart that moves it, so that signatures are renewed, rolls go on, and all signatures are valid now."""
import collections
import concurrent.futures
import contextlib
import random
import time

import grpc
import past_clock
import psycopg2
from devstack.process import wait_until
from history_judge import VERSIONS_MIN, History
from history_keys import CACHES, SIGNING
from history_kinds import kind_of
from history_life import CALL_SECONDS, POLICY, Life
from idzone_stack import TestStack
from namespace_journal import versions_of

STEPS = 12  # of a history, each with a version or more; days that go by and rolls make others
STEPS_MORE = 20  # of a history that would be too short
ROLLS_TWICE_SHARE = 1 / 3  # of cohorts, whose histories roll their keys twice: only keys that one roll has split can roll apart
HOUR = 3600
LIFE_HOURS, RESIGN_HOURS = 14 * 24, 16  # of the policy
SIGNER_BEGINS_HOURS_AGO = 300
JUMP_SHARE, SWEEP_SHARE = 0.5, 0.15  # of steps that the clock moves after; of jumps that go far though nobody waits for a sweep alone
# How far it moves: over what caches hold (apex TTLs of an hour); over what a sweep takes.
CACHES_JUMP, SWEEP_JUMP = (1.1 * HOUR, 2 * HOUR), (16.2 * HOUR, 19 * HOUR)
LAST_JUMPS_MAX = 24  # until all rolls are over
HOURS_KEPT = 120  # while steps go on: for the rolls that are to be ended
WAIT_SECONDS = 60  # the most that a server waits
REST_SECONDS = 600  # until nothing is due: a tree of 4,097 zones is signed anew after a jump
TRANSFERRED_ZONES = 8  # of a namespace with many: its own and that many of the others
CALLERS = 8  # at once
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
        """`judges` get each history when it has ended; `failures` are of this cohort itself."""
        self.seeds, self.judges = seeds, judges
        self.random = random.Random(seeds[0])
        self.wide = max(kind_of(seed).width or 0 for seed in seeds) > 2  # thousands of zones: each jump is tens of thousands of signatures
        rolls = 1 if self.wide else 2 if self.random.random() < ROLLS_TWICE_SHARE else 1
        self.lives = [Life(seed, devices, rolls) for seed in seeds]
        self.failures, self.restarts, self.jumps = [], collections.Counter(), collections.Counter()
        self.stack = SignerInThePast(f"campaign-histories-{seeds[0]}").open()

    def run(self):
        callers = {caller: self.stack.client(caller) for caller in ("enroller", "admin", "re-enroller")}
        self.stack.cli("policy", "create", POLICY, "--ttl", "300", "--life", f"{LIFE_HOURS}h", "--resign", f"{RESIGN_HOURS}h")
        with concurrent.futures.ThreadPoolExecutor(CALLERS) as pool:
            self.each(pool, lambda life: life.create(callers["admin"]))
            for number in range(STEPS):
                self.each(pool, lambda life: life.step(callers, number))
                self.between_steps(number)
                self.each(pool, lambda life: self.published(callers["enroller"], life))
                if self.random.random() < 0.3:
                    self.end_quarantines()
            self.finish_rolls(pool, callers["admin"])
            self.lengthen(pool, callers)
            self.each(pool, lambda life: self.published(callers["enroller"], life, live=True))
            # What the last jump made due is renewed without being asked for.
            wait_until(lambda: not self.restless(), REST_SECONDS, "all zones at their last versions", 0.3)
            for history in pool.map(lambda life: self.history(life, callers["admin"]), self.lives):
                self.judges.submit(history)
        for client in callers.values():
            client.channel.close()

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

    def end_quarantines(self):
        """For everybody whose revocation is published: all, here."""
        self.stack.cluster.sql("update published.quarantine set ends_at = now()")
        for life in self.lives:
            life.end_quarantine()

    # What time and chance do.

    def between_steps(self, number):
        if number > 0 and self.random.random() < (JUMP_SHARE / 2 if self.wide else JUMP_SHARE) and self.stack.seconds_ago > (HOURS_KEPT + RESIGN_HOURS) * HOUR:
            self.jump()
        if self.random.random() < 0.2:
            self.restart(self.random.choice(("provisiond", "signerd", "feedd", "replicad", "postgresql", "pdns")))

    def jump(self):
        """A little, as long as that moves rolls on; else far, which signs everything anew, and is judged the longer."""
        waits = {life.keys.waits for life in self.lives}
        far = (SIGNING in waits and CACHES not in waits) or (not self.wide and self.random.random() < SWEEP_SHARE)
        self.stack.set_signer_clock(self.stack.seconds_ago - self.random.uniform(*(SWEEP_JUMP if far else CACHES_JUMP)))
        self.restart("signerd")
        self.jumps["sweep" if far else "caches"] += 1

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

    def finish_rolls(self, pool, admin):
        """Days go by, and parents do as they are told, until no roll is under way."""
        for _ in range(LAST_JUMPS_MAX):
            wait_until(lambda: not self.restless(), REST_SECONDS, "all zones at rest", 0.3)
            self.each(pool, lambda life: wait_until(lambda: life.keys.settled(admin), REST_SECONDS, f"the roll of {life.zone} waits for time alone", 0.3))
            if all(life.keys.are_done() for life in self.lives):
                return
            for life in self.lives:
                life.keys.begin_next(admin)
            self.jump()
        late = {life.zone: life.keys.under_way for life in self.lives if not life.keys.are_done()}
        raise AssertionError(f"rolls without end: {late}")

    def lengthen(self, pool, callers):
        """Those that have too few versions go on for a while."""
        for number in range(STEPS, STEPS + STEPS_MORE):
            enough = self.long_enough()
            short = [life for life in self.lives if life.zone not in enough]
            list(pool.map(lambda life: (life.step(callers, number), self.published(callers["enroller"], life)), short))
            if not short:
                return

    # The end.

    def long_enough(self):
        return self.stack.cluster.sql(
            "select n.name_text from published.version v join published.zone z using (zone_id) join registry.namespace n using (namespace_id)"
            f" group by 1 having count(distinct v.xmin::text) >= {VERSIONS_MIN}").split()

    def restless(self):
        """The namespaces in which something is due in a zone, or whose edge has not the last version of one."""
        with contextlib.closing(psycopg2.connect(self.stack.cluster.url())) as connection, connection.cursor() as cursor:
            cursor.execute("select distinct n.name_text from published.zone z join registry.namespace n using (namespace_id)"
                           " left join published.edge_position p using (zone_id) where z.renew_at <= now() - interval '1 second' * %s"
                           " or (p.epoch, p.serial) is distinct from (z.epoch, z.serial)", (self.stack.seconds_ago,))
            return [name for name, in cursor]

    def history(self, life, admin):
        transactions = list(versions_of(self.stack.cluster.url(), life.zone))
        zones = sorted({row[0] for rows in transactions for row in rows})
        chosen = {life.zone, *life.random.sample(zones, min(TRANSFERRED_ZONES, len(zones)))}
        transfers = {zone: self.stack.transfer(zone, self.judges.folder / f"{zone}axfr") for zone in sorted(chosen)}
        return History(
            seed=life.seed, kind=str(life.kind), denial=life.kind.denial, namespace=life.zone, transactions=transactions, transfers=transfers,
            expected=life.expected(), names=len(life.active), keys={key.dnskey_record.split()[-1] for key in life.keys.shown(admin)},
            signed_until=time.time() - self.stack.seconds_ago + LIFE_HOURS * HOUR - RESIGN_HOURS * HOUR * 3 // 2 - RESIGN_HOURS * HOUR // 16 - HOUR)

    def close(self):
        self.stack.failed = bool(self.failures)
        self.stack.close()
