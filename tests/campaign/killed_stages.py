# SPDX-License-Identifier: MIT
"""Stages of work, in which processes of a stack die at chosen calls and are started again, as an init system would."""
import collections
import concurrent.futures
import contextlib
import dataclasses
import pathlib
import time

from devstack.process import DaemonFailed, wait_until
from kill_plan import KillPlan
from strace_kill import Strace, all_alive, points_of, thread_groups

SUBJECTS = (("signerd", None), ("postgresql", "idzone-signerd"), ("feedd", None), ("replicad", None))
ORDERED = ("provisiond", None)  # takes part where somebody asks for something
ORDERED_KINDS = ("order", "emergency", "cut", "tree 1", "tree 2", "tree 3", "switching, parent", "delegating, parent", "undelegating, parent")
CONVERGE_SECONDS = 90
AGAIN_SECONDS = 30
SETTLE_SECONDS = 0.3


class KilledStages:
    def __init__(self, stack, random, kills_a_stage):
        """`kills` are counted by process; `unreached` are points at which nobody came by; `begun_again` stages had to be begun twice."""
        self.stack, self.random, self.kills_a_stage = stack, random, kills_a_stage
        self.plan, self.kills, self.unreached, self.begun_again = KillPlan(random), collections.Counter(), [], 0
        self.pool = concurrent.futures.ThreadPoolExecutor(1)

    def run(self, flow, kind, begin, ended, seconds=CONVERGE_SECONDS, takes_time=False):
        """Runs a stage, with kills in it once its points are known. `takes_time`: `begin` lets time go by, and once more may be needed, as for
        a sweep that dies at its first step and so begins after that."""
        if kind == "tree 3" and not self.plan.knows(kind):  # under strace it would take minutes
            self.plan.learn(kind, [dataclasses.replace(point, number=point.number * self.random.randint(1, 8)) for point in self.plan.all("tree 2")])
        if not self.plan.knows(kind):
            self.plan.learn(kind, self.count(flow, kind, begin, ended, seconds))
            self.plan.meet(flow, kind)
            return
        if kind != "tree 3" and self.plan.doubts(flow, kind):
            self.plan.learn_anew(flow, kind, self.count(flow, kind, begin, ended, seconds))
            return
        with contextlib.ExitStack() as straces:
            aimed = []
            for point in self.plan.next(flow, kind, self.kills_a_stage):
                pids = self.pids(point.process, point.connections)
                tids = self.threads(point.process, point.connections).get(point.threads, [])
                if not tids:  # of PostgreSQL, a connection that is made anew for each use
                    self.plan.did_not_die(flow, kind, point)
                    continue
                straces.enter_context(Strace(tids, self.stack.folder / f"strace-{point.process}", (point.call, point.number)))
                aimed.append((point, pids))
            asked = self.pool.submit(begin)  # whoever is asked may die
            left = self.let_die(flow, kind, aimed, lambda: asked.done() and ended(), seconds)
        self.start_dead(flow, kind, left)  # at the last moment
        for point, _ in list(left):
            self.plan.did_not_die(flow, kind, point)
            self.unreached.append(str(point))
        asked.result(CONVERGE_SECONDS)
        what = f"{flow}: {kind} has ended, after kills at {', '.join(str(point) for point, _ in aimed)}"
        try:
            wait_until(ended, AGAIN_SECONDS if takes_time else seconds, what, 0.03)
        except TimeoutError:
            if not takes_time:
                raise
            self.begun_again += 1
            begin()
            wait_until(ended, seconds, what, 0.03)
        for name in ("postgresql", "provisiond", "signerd", "feedd", "replicad"):
            try:
                self.stack.daemons[name].wait_ready(CONVERGE_SECONDS)
            except DaemonFailed:
                # It was dying when strace let go of it, and looked alive.
                if not any(point.process == name for point, _ in left):
                    raise
                self.start_dead(flow, kind, left)
                self.stack.daemons[name].wait_ready(CONVERGE_SECONDS)

    def let_die(self, flow, kind, aimed, ended, seconds):
        """Until all have died at their points, or the stage has ended and no more calls come; returns those that have not."""
        quiet, left = time.monotonic() + seconds, list(aimed)
        while left and time.monotonic() < quiet:
            self.start_dead(flow, kind, left)
            if left and quiet - time.monotonic() > SETTLE_SECONDS and ended():
                quiet = time.monotonic() + SETTLE_SECONDS  # the last calls come after the stage has ended
            time.sleep(0.01)
        return left

    def start_dead(self, flow, kind, left):
        """Starts those again that have died, and takes them off the list."""
        for point, pids in [each for each in left if not all_alive(each[1])]:
            left.remove((point, pids))
            self.start_again(point)
            self.plan.died(flow, kind, point)
            self.kills[point.process] += 1

    def start_again(self, point):
        """PostgreSQL: either the postmaster recovers by itself, or all of it dies, as when a machine does."""
        daemon = self.stack.daemons[point.process]
        if point.process != "postgresql" or point.number % 2 == 1:
            daemon.kill()
            daemon._child = None
        daemon.start()

    def count(self, flow, kind, begin, ended, seconds):
        """Runs a stage whole, with an eye on all its processes; returns their points."""
        subjects = [*SUBJECTS, *([ORDERED] if kind in ORDERED_KINDS else [])]
        groups, strace = self.watch(subjects)
        with strace:
            begin()
            wait_until(ended, seconds, f"{flow}: {kind} has ended")
            time.sleep(SETTLE_SECONDS)
        counted = strace.counted()
        return [point for subject in subjects for point in points_of(flow, *subject, groups[subject], counted)]

    def watch(self, subjects):
        """Returns the threads of the subjects, {subject: {group: thread ids}}, and a Strace that can be attached to them."""
        def found():
            groups = {subject: self.threads(*subject) for subject in subjects}
            tids = [tid for threads in groups.values() for tids in threads.values() for tid in tids]
            alive = all(pathlib.Path(f"/proc/{tid}/status").exists() for tid in tids)
            return (groups, Strace(tids, self.stack.folder / "strace")) if alive else None
        return wait_until(found, CONVERGE_SECONDS, "all processes run", 0.1)

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

    def close(self):
        self.pool.shutdown(wait=False)
