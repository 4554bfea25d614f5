# SPDX-License-Identifier: MIT
"""kill -9, round robin, of every daemon and of PostgreSQL while eight clients enroll and revoke through gRPC.

The run is cut into rounds, each on a namespace of its own, so that zones stay of a size at which every version seen can pass
the gate. At a round's end the clients rest and everything must agree: the ledger, the registry's list, the signer's export,
the transfer from PowerDNS and the validated answers.
"""
import collections
import random
import threading
import time

import gate
from agreement import Agreement
from devstack.devices import make_device
from devstack.process import wait_until
from devstack.stack import CommandFailed
from idzone_stack import TestStack
from ledger import History, Ledger
from line_worker import attempt

VICTIMS = ("provisiond", "signerd", "feedd", "replicad", "postgresql")
CLIENTS = 8
FIRST_DEVICES = 1000  # judged zones have at least a thousand names
ROUND_CYCLES = 10
CYCLE_OPERATIONS = 240  # at most, so that a slow judge does not let the zone grow without end
PAUSE_SECONDS_MAX = 0.06  # of a client between two calls
CONVERGE_SECONDS = 60


class Worker(threading.Thread):
    """One client: enrolls a new device, or revokes one of its own, or tries to bring a revoked one back. An unknown
    outcome is tried again later, as a factory line would."""

    def __init__(self, round_, number):
        super().__init__(daemon=True)
        self.round, self.number = round_, number
        self.random = random.Random(f"{round_.campaign.seed}/{round_.number}/{number}")
        self.mine, self.made, self.again, self.revoked = [], 0, [], set()
        self.failure = None

    def run(self):
        try:
            with self.round.campaign.stack.client() as client:
                while not self.round.ending.is_set():
                    if self.round.permits.acquire(timeout=0.02):
                        self.step(client)
                        time.sleep(self.random.uniform(0, PAUSE_SECONDS_MAX))
        except BaseException as failure:  # noqa: BLE001 # reported as a failure of the campaign
            self.failure = failure

    def step(self, client):
        choice = self.random.random()
        if self.again and choice < 0.3:
            kind, device = self.again.pop(0)
            self.attempt(client, kind, device)
        elif self.mine and choice < 0.45:
            device = self.mine.pop(self.random.randrange(len(self.mine)))
            if self.attempt(client, "revoke", device) == "ok" and self.random.random() < 0.3:
                self.attempt(client, "enroll", device)  # must be refused: it was revoked
        else:
            self.made += 1
            device = make_device(f"c{self.number}-{self.made:06d}")
            if self.attempt(client, "enroll", device) == "ok":
                self.mine.append(device)

    def attempt(self, client, kind, device):
        outcome = attempt(client, self.round.ledger, self.round.zone, kind, device)
        if outcome == "unknown":
            self.again.append((kind, device))
            time.sleep(0.05)
        elif outcome == "ok" and kind == "revoke":
            self.revoked.add(device.id)
        elif outcome == "ok" and device.id in self.revoked:
            self.round.fail(f"{device.id} was enrolled again after its revocation had been acknowledged")
        return outcome


class Round:
    """A namespace, its ledger and its clients."""

    def __init__(self, campaign, number):
        self.campaign, self.number = campaign, number
        self.zone = f"_device.kill{number}.example."
        self.ledger_path = campaign.stack.folder / "log" / f"ledger-{number}.jsonl"
        self.ledger = Ledger(self.ledger_path)
        self.permits, self.ending = threading.Semaphore(0), threading.Event()
        self.workers = [Worker(self, client) for client in range(CLIENTS)]

    def fail(self, text):
        self.campaign.failures.append(f"round {self.number}: {text}")

    def prepare(self):
        """A thousand devices that nobody touches again, so that every judged version is large enough."""
        stack = self.campaign.stack
        stack.create_old_tree(self.zone)
        devices = [make_device(f"first-{number:06d}") for number in range(FIRST_DEVICES)]
        with stack.client() as client:
            operations = [self.ledger.ask("enroll", device.id, fingerprint=device.fingerprint) for device in devices]
            for operation, answer in zip(operations, client.enroll_many(self.zone, devices)):
                assert answer.WhichOneof("outcome") == "enrolled", answer
                self.ledger.outcome(operation, "ok", owner=answer.enrolled.identity.owner_name)
            assert client.wait(self.zone, live=True, timeout_seconds=CONVERGE_SECONDS).done
        for worker in self.workers:
            worker.start()

    def judge_published(self, when):
        """The gate on the version of this moment, while the clients go on."""
        path = self.campaign.stack.folder / "published.zone"
        try:
            self.campaign.stack.export(self.zone, path)
            gate.require_valid(path, self.zone, 24 * 3600)
            self.campaign.versions_judged += 1
        except (CommandFailed, gate.ZoneRefused) as refused:
            self.fail(f"{when}: {refused}")

    def end(self):
        """All faults cease, all clients rest: everything must converge by itself, and agree."""
        self.ending.set()
        for worker in self.workers:
            worker.join(60)
            if worker.failure or worker.is_alive():
                self.fail(f"client {worker.number} broke: {worker.failure!r}")
        for daemon in self.campaign.stack.daemons.values():
            daemon.wait_ready(CONVERGE_SECONDS)
        with self.campaign.stack.client() as client:
            waited = client.wait(self.zone, live=True, timeout_seconds=CONVERGE_SECONDS)
            if not waited.done:
                self.fail(f"not live within {CONVERGE_SECONDS} s: {waited}")
            agreement = Agreement(self.campaign.stack, self.zone, self.campaign.random)
            for trouble in agreement.troubles(client, self.ledger_path, FIRST_DEVICES):
                self.fail(trouble)
            self.campaign.versions_judged += 2
        self.ledger.close()
        self.campaign.operations.update(History(self.ledger_path).counts)


class Campaign:
    def __init__(self, seed):
        self.seed = seed
        self.random = random.Random(seed)
        self.failures, self.operations = [], collections.Counter()
        self.kills = dict.fromkeys(VICTIMS, 0)
        self.versions_judged = 0
        self.stack = TestStack("campaign-kill").open()
        self.round = None

    def run(self, cycles):
        for cycle in range(cycles):
            if cycle % ROUND_CYCLES == 0:
                if self.round:
                    self.round.end()
                self.round = Round(self, cycle // ROUND_CYCLES)
                self.round.prepare()
            self.round.permits.release(CYCLE_OPERATIONS)
            victim = VICTIMS[cycle % len(VICTIMS)]
            time.sleep(self.random.uniform(0.1, 1.0))
            self.kill(victim)
            self.round.judge_published(f"cycle {cycle + 1}")
            wait_until(lambda: not self.round.permits._value, 60, "the clients' operations of this cycle")
            print(f"cycle {cycle + 1}/{cycles}: killed {victim}; {self.versions_judged} versions judged, {len(self.failures)} failures", flush=True)
        self.round.end()

    def kill(self, victim):
        daemon = self.stack.daemons[victim]
        daemon.kill()
        self.kills[victim] += 1
        time.sleep(self.random.uniform(0.0, 0.4))
        daemon._child = None
        daemon.start()
        try:
            daemon.wait_ready(CONVERGE_SECONDS)
        except Exception as failure:  # noqa: BLE001
            self.failures.append(f"{victim} did not come back: {failure}")
            raise

    def close(self):
        if self.round:
            self.round.ending.set()
        self.stack.failed = bool(self.failures)
        self.stack.close()


def run(cycles, seed):
    campaign = Campaign(seed)
    try:
        campaign.run(cycles)
    except Exception as failure:  # noqa: BLE001 # a campaign that breaks off has failed, and says how far it came
        campaign.failures.append(f"broken off: {failure!r}")
    finally:
        campaign.close()
    acknowledged = sum(count for what, count in campaign.operations.items() if what.endswith(" ok"))
    return {"cycles": sum(campaign.kills.values()), "kills": campaign.kills, "operations": dict(campaign.operations),
            "acknowledged": acknowledged, "versions_judged": campaign.versions_judged, "failures": campaign.failures}
