# SPDX-License-Identifier: MIT
"""What it costs to publish: a factory's import from gRPC to signed and visible, single changes, and peers by dynamic update.

Everything is durable, everything shares the machine: the client too, whose CPU is counted beside the daemons'.
"""
import base64
import json
import os
import subprocess
import threading
import time

import content
import dynamic_update
import factory
import postgresql
import wire
from idzone_stack import TestStack
from peers import peer
from usage import CpuMeter

SINGLES = 200  # devices enrolled one by one, then revoked one by one
IMPORTED_MEANWHILE = 20_000  # the import beside which revocations are timed
REVOKE_PAUSE_SECONDS = 0.05
PEER_SECONDS = 5
PEER_NAMES_MAX = 40_000  # a shape
DAEMONS = ("provisiond", "signerd", "feedd", "replicad", "postgresql")


class BenchStack(TestStack):
    """The stack with PostgreSQL as it is set for the benchmarks."""

    def __init__(self, name):
        super().__init__(name)
        self.cluster = postgresql.cluster(self.folder, self.account)

    def meter(self):
        return CpuMeter(**{name: self.daemons[name] for name in DAEMONS})

    def wal_octets(self):
        return int(self.cluster.sql("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"))


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


class Import:
    """`idzone device import` as a process. `finish` returns what it says and its CPU seconds."""

    def __init__(self, stack, header, lines, label):
        self._stack = stack
        file = stack.folder / f"{label}.csv"
        file.write_text(header + "".join(lines))
        self._command = [stack.binary("idzone"), "--output", "json", "device", "import", content.ZONE, file, "--window", "8192"]
        self._environment = {**os.environ, **stack.cli_environment("enroller")}

    def start(self):
        self._child = subprocess.Popen([str(part) for part in self._command], env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return self

    def running(self):
        return os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def finish(self):
        said, complained = self._child.stdout.read(), self._child.stderr.read()
        _, status, used = os.wait4(self._child.pid, 0)
        self._child.returncode = os.waitstatus_to_exitcode(status)
        if self._child.returncode != 0:
            raise RuntimeError(f"the import ended with {self._child.returncode}: {said}{complained}")
        return json.loads(said), used.ru_utime + used.ru_stime


class Sampler(threading.Thread):
    """Notes again and again how many names are published and what the daemons have used."""

    def __init__(self, stack, meter):
        super().__init__(daemon=True)
        self._stack, self._meter, self._end = stack, meter, threading.Event()
        self._published_before = self._published()
        self.samples = []  # (names, CPU seconds)

    def _published(self):
        return self._stack.signerd.metric("idzone_signer_identities_total") or 0

    def run(self):
        while not self._end.wait(0.2):
            self.samples.append((self._published() - self._published_before, sum(self._meter.seconds().values())))

    def stop(self):
        self._end.set()
        self.join()
        self.samples.append((self._published() - self._published_before, sum(self._meter.seconds().values())))

    def cpu_at(self, names):
        """CPU seconds when so many were published, between the samples beside it."""
        before = (0, 0)
        for sample in self.samples:
            if sample[0] >= names:
                share = (names - before[0]) / max(1, sample[0] - before[0])
                return before[1] + share * (sample[1] - before[1])
            before = sample
        return before[1]


def cost_ratio(sampler, names):
    """CPU for a name in the last stretch against a name in a zone of some ten thousand (of fewer, when there are few)."""
    stretch = min(10_000, names // 4)
    small = sampler.cpu_at(stretch * 3 // 2) - sampler.cpu_at(stretch // 2)
    large = sampler.cpu_at(names) - sampler.cpu_at(names - stretch)
    return large / small


def import_all(stack, layout, header, lines):
    """The main figure: from the start of the client to all names live at the edge; a sample of them is asked for."""
    importing = Import(stack, header, lines, "factory")
    meter, wal = stack.meter(), stack.wal_octets()
    sampler = Sampler(stack, meter)
    sampler.start()
    begun = time.monotonic()
    said, client = importing.start().finish()
    stack.wait_live(content.ZONE)
    taken = time.monotonic() - begun
    sampler.stop()
    wal = stack.wal_octets() - wal
    assert said["enrolled"] == len(lines), said
    asker = wire.Asker(stack.ports["dns"])
    for line in lines[::max(1, len(lines) // 500)]:
        owner = content.owner(layout, line.split(",")[0])
        assert wire.is_signed_answer(asker.ask(wire.query(owner))), f"{owner} is not answered"
    asker.close()
    figures = {"import_names_per_s": len(lines) / taken, "cost_ratio_large_to_10k": cost_ratio(sampler, len(lines)),
               "wal_bytes_per_name": wal / len(lines), "cpu_s.import.client": client}
    used = meter.seconds()
    figures["import_cpu_us_per_name"] = (client + sum(used.values())) * 1e6 / len(lines)
    return figures | {f"cpu_s.import.{name}": seconds for name, seconds in used.items()}


def until(asker, question, holds):
    while not holds(asker.ask(question)):
        time.sleep(0.0001)
    return time.monotonic()


def is_denied(answer):
    return answer[0] == wire.NXDOMAIN


def singles(stack, layout, lines, material):
    """One device after another: enrolled until it is answered; then revoked until it is denied."""
    client, asker = stack.client("enroller"), wire.Asker(stack.ports["dns"])
    shown, gone = [], []
    begun = time.monotonic()
    for line in lines:
        device, encoded = line.strip().split(",")
        client.enroll(content.ZONE, device, **{"certificate" if material == "certificate" else "public_key": base64.b64decode(encoded)})
        acknowledged = time.monotonic()
        shown.append(until(asker, wire.query(content.owner(layout, device)), wire.is_signed_answer) - acknowledged)
    rate = len(lines) / (time.monotonic() - begun)
    for line in lines:
        gone.append(revoke(stack, client, asker, layout, line))
    client.channel.close()
    asker.close()
    return {"single_names_per_s": rate, "visible_p50_ms": percentile(shown, 0.5) * 1000, "visible_p99_ms": percentile(shown, 0.99) * 1000,
            "revoked_p50_ms": percentile(gone, 0.5) * 1000, "revoked_p99_ms": percentile(gone, 0.99) * 1000}


def revoke(stack, client, asker, layout, line):
    device = line.split(",")[0]
    client.revoke(content.ZONE, device)
    acknowledged = time.monotonic()
    return until(asker, wire.query(content.owner(layout, device)), is_denied) - acknowledged


def revoked_during_import(stack, layout, victims, header, lines):
    client, asker = stack.client("enroller"), wire.Asker(stack.ports["dns"])
    importing = Import(stack, header, lines, "meanwhile").start()
    gone = []
    for line in victims:
        if not importing.running():
            break
        gone.append(revoke(stack, client, asker, layout, line))
        time.sleep(REVOKE_PAUSE_SECONDS)
    importing.finish()
    stack.wait_live(content.ZONE)
    client.channel.close()
    asker.close()
    assert gone, "the import was over before the first revocation"
    return {"revoked_during_import_p99_ms": percentile(gone, 0.99) * 1000, "revoked_during_import_p50_ms": percentile(gone, 0.5) * 1000,
            "revoked_during_import_samples": len(gone)}


def ours(options):
    meanwhile = min(IMPORTED_MEANWHILE, options.names)
    header, lines = factory.devices(options.material, options.names + SINGLES + meanwhile)
    first, one_by_one, later = lines[:options.names], lines[options.names:options.names + SINGLES], lines[options.names + SINGLES:]
    stack = BenchStack("bench-publish").open()
    try:
        stack.create_namespace(content.ZONE, *content.namespace_options(options.layout))
        figures = import_all(stack, options.layout, header, first)
        figures |= singles(stack, options.layout, one_by_one, options.material)
        return figures | revoked_during_import(stack, options.layout, first[:2000], header, later)
    except BaseException:
        stack.failed = True
        raise
    finally:
        stack.close()


def theirs(name, options):
    server = peer(name).publishing([content.owner(options.layout, factory.device_id(number)) for number in range(options.names)])
    try:
        server.start()
        figures = dynamic_update.measure(server, options.layout, PEER_SECONDS, PEER_NAMES_MAX)
        return {f"peer.{name}.{key}": value for key, value in figures.items()}
    finally:
        server.close()


def run(options):
    print(f"publish: idzone, {options.names} names, {options.layout}", flush=True)
    figures = ours(options)
    for name in options.peers:
        print(f"publish: {name}", flush=True)
        figures |= theirs(name, options)
    return figures
