# SPDX-License-Identifier: MIT
"""kill -9, round robin, of every daemon and of PostgreSQL while eight clients enroll and revoke through gRPC.

At the end, and at checkpoints on the way, the clients rest and everything must agree: the ledger, the registry's list,
the signer's export, the transfer from PowerDNS and the validated answers. Every version seen passes the gate.
"""
import hashlib
import random
import threading
import time

import grpc
from devstack.devices import make_device
from devstack.process import wait_until
from devstack.stack import CommandFailed
from idzone_client import detail_of
from idzone_stack import TestStack
from ledger import History, Ledger
from look_up import SecureResolver

import gate

ZONE = "_device.campaign.example."
VICTIMS = ("provisiond", "signerd", "feedd", "replicad", "postgresql")
CLIENTS = 8
FIRST_DEVICES = 1000  # judged zones have at least a thousand names
CHECKPOINT_EVERY = 20  # cycles
CONVERGE_SECONDS = 90
RETRIED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN,
           grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED}


class Worker(threading.Thread):
    """One client: enrolls a new device, or revokes one of its own, or tries to bring a revoked one back. An unknown
    outcome is tried again later, as a factory line would."""

    def __init__(self, campaign, number):
        super().__init__(daemon=True)
        self.campaign, self.number = campaign, number
        self.random = random.Random(campaign.seed * 1000 + number)
        self.mine, self.made, self.again, self.revoked = [], 0, [], set()
        self.failure = None

    def run(self):
        try:
            with self.campaign.stack.client() as client:
                while not self.campaign.ending.is_set():
                    if self.campaign.resting.is_set():
                        self.campaign.at_rest.add(self.number)
                        time.sleep(0.02)
                        continue
                    self.step(client)
        except BaseException as failure:  # noqa: BLE001 # reported as a failure of the campaign
            self.failure = failure
        finally:
            self.campaign.at_rest.add(self.number)

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
        """One call, written down before and after. Returns its outcome."""
        ledger = self.campaign.ledger
        operation = ledger.ask(kind, device.id, fingerprint=device_fingerprint(device))
        try:
            if kind == "enroll":
                answer = client.enroll(ZONE, device.id, device.certificate, timeout=10)
            else:
                answer = client.revoke(ZONE, device.id, timeout=10)
        except grpc.RpcError as error:
            outcome = "unknown" if error.code() in RETRIED else "refused"
            detail = detail_of(error)
            ledger.outcome(operation, outcome, code=error.code().name, reason=detail.reason if detail else None)
            if outcome == "unknown":
                self.again.append((kind, device))
                time.sleep(0.05)
            return outcome
        ledger.outcome(operation, "ok", owner=answer.identity.owner_name)
        if kind == "revoke":
            self.revoked.add(device.id)
        elif device.id in self.revoked:
            self.campaign.failures.append(f"{device.id} was enrolled again after its revocation had been acknowledged")
        return "ok"


def device_fingerprint(device):
    return hashlib.sha256(device.spki).hexdigest()


class Campaign:
    def __init__(self, seed):
        self.seed = seed
        self.random = random.Random(seed)
        self.failures = []
        self.kills = dict.fromkeys(VICTIMS, 0)
        self.gated_versions = 0
        self.resting, self.ending = threading.Event(), threading.Event()
        self.at_rest = set()
        self.stack = TestStack("campaign-kill").open()
        self.ledger_path = self.stack.folder / "ledger.jsonl"
        self.ledger = Ledger(self.ledger_path)

    def prepare(self):
        """A thousand devices that nobody touches again, so that every judged version is large enough."""
        self.stack.create_namespace(ZONE, "--layout", "tree", "--width", "1")
        devices = [make_device(f"first-{number:06d}") for number in range(FIRST_DEVICES)]
        with self.stack.client() as client:
            operations = [self.ledger.ask("enroll", device.id, fingerprint=device_fingerprint(device)) for device in devices]
            for operation, answer in zip(operations, client.enroll_many(ZONE, devices)):
                assert answer.WhichOneof("outcome") == "enrolled", answer
                self.ledger.outcome(operation, "ok", owner=answer.enrolled.identity.owner_name)
            assert client.wait(ZONE, live=True, timeout_seconds=60).done
        self.resolver = SecureResolver(self.stack.folder / "resolver", ZONE, self.stack.delegation_signer(ZONE), self.stack.ports["dns"])

    def run(self, cycles):
        workers = [Worker(self, number) for number in range(CLIENTS)]
        for worker in workers:
            worker.start()
        for cycle in range(cycles):
            victim = VICTIMS[cycle % len(VICTIMS)]
            time.sleep(self.random.uniform(0.2, 1.2))
            self.kill(victim)
            self.judge_published(f"cycle {cycle + 1}")
            print(f"cycle {cycle + 1}/{cycles}: killed {victim}; {History(self.ledger_path).counts}", flush=True)
            if (cycle + 1) % CHECKPOINT_EVERY == 0 and cycle + 1 < cycles:
                self.checkpoint(workers, f"checkpoint after cycle {cycle + 1}")
        self.checkpoint(workers, "end")
        self.ending.set()
        for worker in workers:
            worker.join(60)
            if worker.failure:
                self.failures.append(f"client {worker.number} broke: {worker.failure!r}")

    def kill(self, victim):
        daemon = self.stack.daemons[victim]
        daemon.kill()
        self.kills[victim] += 1
        time.sleep(self.random.uniform(0.0, 0.4))
        daemon._child = None
        daemon.start()
        try:
            daemon.wait_ready(60)
        except Exception as failure:  # noqa: BLE001
            self.failures.append(f"{victim} did not come back: {failure}")
            raise

    def judge_published(self, when):
        """The gate on the version of this moment, while the clients go on."""
        path = self.stack.folder / "published.zone"
        try:
            self.stack.export(ZONE, path)
            gate.require_valid(path, ZONE, 24 * 3600)
            self.gated_versions += 1
        except (CommandFailed, gate.ZoneRefused) as refused:
            self.failures.append(f"{when}: {refused}")

    def checkpoint(self, workers, when):
        """All faults cease, all clients rest: everything must converge by itself, and agree."""
        self.at_rest.clear()
        self.resting.set()
        wait_until(lambda: len(self.at_rest) == len(workers), 60, "clients at rest")
        for daemon in self.stack.daemons.values():
            daemon.wait_ready(60)
        with self.stack.client() as client:
            waited = client.wait(ZONE, live=True, timeout_seconds=60)
            if not waited.done:
                self.failures.append(f"{when}: not live within 60 s: {waited}")
            self.compare(client, History(self.ledger_path), when)
        self.resting.clear()

    def compare(self, client, history, when):
        fail = lambda text: self.failures.append(f"{when}: {text}")  # noqa: E731
        listed = {}
        for identity in client.list(ZONE):
            if identity.id in listed:
                fail(f"{identity.id} is listed twice")
            listed[identity.id] = identity
        for device_id in set(listed) - set(history.devices):
            fail(f"{device_id} is listed and nobody enrolled it")
        zones = {}
        for path, kind in zip(self.stack.zone_files(ZONE), ("export", "transfer")):
            try:
                gate.require_valid(path, ZONE, 24 * 3600)
                self.gated_versions += 1
            except gate.ZoneRefused as refused:
                fail(f"{kind}: {refused}")
            names, empty = gate.shape(path, ZONE)
            if names < FIRST_DEVICES or empty < 1:
                fail(f"{kind} has {names} names and {empty} empty non-terminals")
            zones[kind] = {owner: rdata.lower().replace(" ", "") for owner, _, rr_type, rdata in gate.records(path) if rr_type == "TLSA"}
        for device_id, device in history.devices.items():
            self.judge(device_id, device, history.expectation(device_id), listed.get(device_id), zones, fail)

    def judge(self, device_id, device, allowed, identity, zones, fail):
        """One device: what the list says must be allowed, and DNS must say the same everywhere."""
        state = {None: "absent", 1: "active", 2: "revoked"}[identity.state if identity else None]
        if state not in allowed:
            fail(f"{device_id} is {state}, the ledger allows {sorted(allowed)}")
        if identity is None:
            owners = {owner for zone in zones.values() for owner in zone if owner.startswith(device_id + ".")}
            if owners:
                fail(f"{device_id} is not in the list and in DNS")
            return
        if identity.fingerprint.hex() != device["fingerprint"]:
            fail(f"{device_id} has another key than was enrolled")
        owner = identity.owner_name
        wanted = identity.record.split(" ", 1)[1].lower().replace(" ", "") if state == "active" else None
        for kind, zone in zones.items():
            if zone.get(owner) != wanted:
                fail(f"{device_id} is {state}, but the {kind} says {zone.get(owner)}")
        # All that was revoked or unclear is asked of DNS, and of the rest a tenth: the transfer was compared already.
        if state == "active" and len(allowed) == 1 and self.random.random() > 0.1:
            return
        verdict, rdatas = self.resolver.ask(owner)
        if verdict != ("secure" if wanted else "secure NXDOMAIN"):
            fail(f"{device_id} is {state}, a validator says {verdict}")
        elif wanted and [rdata.hex() for rdata in rdatas] != [tlsa_wire(wanted)]:
            fail(f"{device_id} has another record in DNS than in the list")


def tlsa_wire(text):
    """ "311abcd" as wire form in hexadecimal: three octets, then the data."""
    return "".join(f"{int(digit):02x}" for digit in text[:3]) + text[3:]


def run(cycles, seed):
    campaign = Campaign(seed)
    try:
        campaign.prepare()
        campaign.run(cycles)
    except Exception as failure:  # noqa: BLE001 # a campaign that breaks off has failed, and says how far it came
        campaign.failures.append(f"broken off: {failure!r}")
    finally:
        campaign.ending.set()
        history = History(campaign.ledger_path)
        campaign.ledger.close()
        campaign.stack.failed = bool(campaign.failures)
        if campaign.failures:
            kept = campaign.stack.folder / "log" / "ledger.jsonl"
            kept.write_bytes(campaign.ledger_path.read_bytes())
        campaign.stack.close()
    return {"cycles": sum(campaign.kills.values()), "kills": campaign.kills, "operations": history.counts,
            "versions_judged": campaign.gated_versions, "failures": campaign.failures}
