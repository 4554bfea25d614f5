# SPDX-License-Identifier: MIT
"""SIGKILL at every write-like and sync-like system call of enroll, revoke, sign and follow, one after the other.

Each flow is a short script of calls, run once under strace to count, per process and thread, the system calls that it takes;
then once for each of them, and the process dies on entering it. `create` is a new zone: a sealed key, a first version, a
snapshot; `sign` and `follow` are an enrollment and a revocation, each waited for. Afterwards the process is started again, as an init system
would, and everything must converge by itself and agree: the ledger, the registry, the export, the transfer and the answers.
A cycle is such a point.
"""
import collections
import concurrent.futures
import itertools
import random
import time

import gate
import grpc
from agreement import Agreement
from devstack.devices import make_device, make_devices
from devstack.process import wait_until
from devstack.stack import CommandFailed
from idzone_stack import TestStack
from ledger import History, Ledger
from line_worker import UNKNOWN, attempt
from strace_kill import Strace, all_alive, points_of, thread_groups

ZONE = "_device.crash.example."
FIRST_DEVICES = 150
CONVERGE_SECONDS = 60
SETTLE_SECONDS = 0.2
TRIES = 4
# (flow, the process that is killed, whose connections are traced when it is PostgreSQL).
SUBJECTS = (
    ("enroll", "provisiond", None), ("enroll", "postgresql", "idzone-provisiond"),
    ("revoke", "provisiond", None), ("revoke", "postgresql", "idzone-provisiond"),
    ("sign", "signerd", None), ("sign", "postgresql", "idzone-signerd"),
    ("create", "signerd", None), ("create", "postgresql", "idzone-signerd"),
    ("follow", "replicad", None), ("create", "replicad", None),
)


class PointNotFound(Exception):
    """There is no such point on this machine now."""


class Campaign:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.failures, self.failed_points, self.unreached = [], [], []
        self.done = collections.Counter()
        self.numbers = itertools.count()
        self.stack = TestStack("campaign-crash-points").open()
        self.ledger_path = self.stack.folder / "log" / "ledger.jsonl"
        self.ledger = Ledger(self.ledger_path)
        self.pool = concurrent.futures.ThreadPoolExecutor(2)

    def prepare(self):
        self.stack.create_old_tree(ZONE)
        devices = make_devices(FIRST_DEVICES, kinds=lambda number: "p256")
        self.client = self.stack.client()
        operations = [self.ledger.ask("enroll", device.id, fingerprint=device.fingerprint) for device in devices]
        for operation, answer in zip(operations, self.client.enroll_many(ZONE, devices)):
            assert answer.WhichOneof("outcome") == "enrolled", answer
            self.ledger.outcome(operation, "ok", owner=answer.enrolled.identity.owner_name)
        assert self.client.wait(ZONE, live=True, timeout_seconds=CONVERGE_SECONDS).done
        self.active = collections.deque(devices)
        self.agreement = Agreement(self.stack, ZONE, self.random)

    # The flows.

    def enroll(self):
        device = make_device(f"point{next(self.numbers):06d}")
        if attempt(self.client, self.ledger, ZONE, "enroll", device) == "ok":
            self.active.append(device)

    def revoke(self):
        attempt(self.client, self.ledger, ZONE, "revoke", self.active.popleft())

    def change(self):
        self.enroll()
        self.wait_live()
        self.revoke()
        self.wait_live()

    def create(self):
        zone = f"_device.made{next(self.numbers)}.example."

        def created():
            try:
                self.stack.create_namespace(zone, wait=False)
            except CommandFailed as failed:
                return "ALREADY_EXISTS" in failed.stderr
            return True

        wait_until(created, CONVERGE_SECONDS, f"{zone} created")
        wait_until(lambda: self.stack.soa_serial(zone), CONVERGE_SECONDS, f"{zone} served")
        for path in wait_until(lambda: self.files_of(zone), CONVERGE_SECONDS, f"{zone} exported"):
            gate.require_valid(path, zone)

    def files_of(self, zone):
        """Nothing while somebody is away whom the export needs."""
        try:
            return self.stack.zone_files(zone)
        except CommandFailed as failed:
            if "UNAVAILABLE" not in failed.stderr:
                raise
            return None

    def wait_live(self):
        """Waits until everything acknowledged is live; whoever is away meanwhile comes back."""
        def live():
            try:
                return self.client.wait(ZONE, live=True, timeout_seconds=CONVERGE_SECONDS).done
            except grpc.RpcError as error:
                if error.code() not in UNKNOWN:
                    raise
                return False

        wait_until(live, CONVERGE_SECONDS, "everything acknowledged live")

    def script(self, flow):
        return {"enroll": self.enroll, "revoke": self.revoke, "sign": self.change, "follow": self.change, "create": self.create}[flow]

    # One point.

    def pids(self, process, connections):
        if process != "postgresql":
            return [self.stack.daemons[process].pid()]
        return [int(pid) for pid in self.stack.cluster.sql(f"select pid from pg_stat_activity where application_name like '{connections}%'").split()]

    def warm_up(self, process):
        """The same state before each point: the daemon just started, or all connections of PostgreSQL used once."""
        if process == "postgresql":
            self.change()
        else:
            self.start_again(process)
            self.wait_live()

    def start_again(self, process, kill=True):
        daemon = self.stack.daemons[process]
        if kill:
            daemon.kill()
            daemon._child = None
        daemon.start()
        for name in ("postgresql", "provisiond", "signerd", "feedd", "replicad"):
            self.stack.daemons[name].wait_ready(CONVERGE_SECONDS)

    def count(self, flow, process, connections):
        """Returns the points of a flow in a process."""
        self.warm_up(process)
        groups = thread_groups(self.pids(process, connections))
        with Strace([tid for tids in groups.values() for tid in tids], self.stack.folder / "strace") as strace:
            self.script(flow)()
        return points_of(flow, process, connections, groups, strace.counted())

    def run_point(self, point):
        """Several tries: of like threads (two that commit enrollments) either may get the work."""
        for attempt_number in range(TRIES):
            if self.try_point(point, every_thread=attempt_number % 2 == 1):
                self.done[f"{point.flow} {point.process}"] += 1
                return
        self.unreached.append(str(point))

    def try_point(self, point, every_thread):
        """Returns whether the process died at the point."""
        self.warm_up(point.process)
        pids = self.pids(point.process, point.connections)
        groups = thread_groups(pids)
        tids = [tid for tids in groups.values() for tid in tids] if every_thread else groups[point.threads]
        with Strace(tids, self.stack.folder / "strace", (point.call, point.number)):
            script = self.pool.submit(self.script(point.flow))
            wait_until(lambda: script.done() or not all_alive(pids), CONVERGE_SECONDS, "the end of the script or of the process", 0.005)
            # The last calls come after the script has its answers.
            settled = time.monotonic() + SETTLE_SECONDS
            while all_alive(pids) and time.monotonic() < settled:
                time.sleep(0.005)
        reached = not all_alive(pids)
        if reached:
            # PostgreSQL: either the postmaster recovers by itself, or all of it dies, as when a machine does.
            self.start_again(point.process, kill=point.process != "postgresql" or point.number % 2 == 1)
        script.result(CONVERGE_SECONDS)
        self.wait_live()
        for trouble in self.agreement.troubles(self.client, self.ledger_path, asked_share=0.02):
            self.fail(point, trouble)
        return reached

    def fail(self, point, text):
        self.failures.append(f"{point}: {text}")
        self.failed_points.append(str(point))

    def points(self, only):
        """All of them, or the one whose text is `only`. PointNotFound when it does not come up, however often the calls are counted."""
        found = self.counted(only)
        if not only:
            return found
        most = collections.Counter()
        for _ in range(TRIES):
            if wanted := [point for point in found if str(point) == only]:
                return wanted
            for point in found:
                place = str(point).rsplit(" ", 1)[0]
                most[place] = max(most[place], point.number)
            found = self.counted(only)
        last = ", ".join(f"'{place} {number}'" for place, number in sorted(most.items()))
        raise PointNotFound(f"--only '{only}' names a point that {TRIES} counts did not find; the last ones there: {last or 'no such flow and process'}")

    def counted(self, only):
        """The points of all flows and processes, or of those of the point `only`."""
        found = []
        for flow, process, connections in SUBJECTS:
            if only and not only.startswith(f"{flow} {process} "):
                continue
            counted = self.count(flow, process, connections)
            print(f"{flow} in {process}: {len(counted)} points", flush=True)
            found += counted
        return found

    def close(self):
        self.stack.failed = bool(self.failures)
        self.stack.close()
        self.pool.shutdown(wait=False)


def evenly(points, size, seed):
    """Returns `size` of the points, evenly spread; the seed says where the first one is."""
    count = min(size, len(points))
    first = seed % (len(points) // count) if count else 0
    return [points[first + index * len(points) // count] for index in range(count)]


def run(size, seed, only=None):
    campaign, all_points, point = Campaign(seed), [], "the counting"
    try:
        campaign.prepare()
        all_points = campaign.points(only)
        chosen = evenly(all_points, size, seed)
        for index, point in enumerate(chosen):
            print(f"point {index + 1}/{len(chosen)}: {point}; {len(campaign.failures)} failures", flush=True)
            campaign.run_point(point)
        if only and campaign.unreached:
            campaign.fail(point, f"not reached in {TRIES} tries: nothing was tried")
    except PointNotFound as unknown:
        campaign.fail("the counting", str(unknown))
    except Exception as failure:  # noqa: BLE001 # a campaign that breaks off has failed, and says how far it came
        campaign.fail(point, f"broken off: {failure!r}")
    finally:
        operations = History(campaign.ledger_path).counts
        campaign.close()
    wanted = only or next(iter(campaign.failed_points), None) if all_points or only else None
    again = f"tests/campaign/run crash_points --only '{wanted}'" if wanted else None
    return {"cycles": sum(campaign.done.values()), "points": len(all_points), "killed": dict(campaign.done), "unreached": campaign.unreached,
            "operations": operations, "failures": campaign.failures, "again": again}
