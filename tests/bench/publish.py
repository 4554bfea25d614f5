# SPDX-License-Identifier: MIT
"""What it costs to publish: a factory's import from gRPC to signed and visible, at the beginning and at full size, single changes,
revocations beside an import, signing again, and peers by dynamic update.

Everything is durable, everything shares the machine: the client too, whose CPU is counted beside the daemons'.
"""
import time

import content
import dynamic_update
import factory
import imports
import postgresql
import resigning
import single_changes
import usage
from idzone_stack import TestStack
from peers import peer

FIRST_STRETCH = 20_000  # names of the import at the beginning
# Names of the import at full size, whose cost is compared with that. An autovacuum of a large table takes a second, every few hundred thousand
# names: in a stretch of three seconds it would be there or not.
LAST_STRETCH = 100_000
VERIFIED = 40_000  # names imported while the edge verifies every signature
SINGLES = 200  # devices enrolled one by one, then revoked one by one
MEANWHILE = 100_000  # names of the import beside which others are revoked
PEER_SECONDS = 5
PEER_NAMES_MAX = 80_000  # a shape
DAEMONS = ("provisiond", "signerd", "feedd", "replicad", "postgresql")
MAP_MIB = 4096  # for the replica of a million names
ALLOCATOR = {"LD_PRELOAD": "libjemalloc.so.2"}  # as deploy/systemd has it


class BenchStack(TestStack):
    """The stack with PostgreSQL as it is set for the benchmarks, and an edge that verifies as it is told."""

    def __init__(self, name, verify):
        super().__init__(name)
        self.cluster = postgresql.cluster(self.folder, self.account)
        self.verify = verify

    def declare(self):
        super().declare()
        for name in ("provisiond", "signerd", "feedd"):
            self.daemons[name].environment = dict(ALLOCATOR)
        self.replicad.environment = {**ALLOCATOR, "IDZONE_REPLICAD_REPLICA_VERIFY": self.verify, "IDZONE_REPLICAD_REPLICA_MAP_SIZE_MIB": str(MAP_MIB)}
        return self

    def set_verify(self, verify):
        """Starts the edge again; PowerDNS goes on."""
        self.verify = verify
        self.replicad.environment["IDZONE_REPLICAD_REPLICA_VERIFY"] = verify
        self.replicad.restart().wait_ready()

    def meter(self):
        return usage.CpuMeter(**{name: self.daemons[name] for name in DAEMONS})

    def wal_octets(self):
        return int(self.cluster.sql("select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::bigint"))

    def signerd_peak_mib(self):
        return usage.peak_mib(self.signerd.pid())


class Stages:
    """Runs the parts of the benchmark one after another, each with devices of its own, and says how long each took."""

    def __init__(self, stack, options):
        self.stack, self.options, self.figures, self._next = stack, options, {}, 0

    def run(self, name, names, part):
        """`part` takes the first device and the one behind the last; returns its figures."""
        first, self._next = self._next, self._next + names
        begun = time.monotonic()
        figures = part(first, self._next)
        self.figures[f"seconds.{name}"] = time.monotonic() - begun
        print(f"publish: {name}, {time.monotonic() - begun:.0f} s", flush=True)
        return figures

    def run_import(self, name, names):
        return self.run(name, names, lambda first, end: imports.measure(self.stack, self.options.material, first, end))

    def take_imports(self):
        """A stretch at the beginning, the bulk, and a stretch at full size."""
        first, last = (min(stretch, self.options.names // 5) for stretch in (FIRST_STRETCH, LAST_STRETCH))
        small = self.run_import("import of the first names", first)
        bulk = self.run_import("import", self.options.names - first - last)
        large = self.run_import("import at full size", last)
        self.figures |= {"import_names_per_s": bulk["names_per_s"], "import_last_tenth_names_per_s": bulk["last_tenth_names_per_s"],
                         "import_full_size_names_per_s": large["names_per_s"], "import_cpu_us_per_name": bulk["cpu_us_per_name"],
                         "cost_ratio_large_to_10k": large["cpu_us_per_name"] / small["cpu_us_per_name"],
                         "wal_bytes_per_name": bulk["wal_bytes_per_name"]}
        for part, figures in (("first", small), ("import", bulk), ("full_size", large)):
            self.figures |= {f"cpu_us.{part}.{name}": used for name, used in figures["cpu_us"].items()}

    def take_verified_import(self):
        if self.options.verify == "all":
            return
        self.stack.set_verify("all")
        figures = self.run_import("import, all verified", min(VERIFIED, self.options.names // 2))
        self.stack.set_verify(self.options.verify)
        self.figures |= {"import_all_verified_names_per_s": figures["names_per_s"], "import_all_verified_cpu_us_per_name": figures["cpu_us_per_name"],
                         **{f"cpu_us.all_verified.{name}": used for name, used in figures["cpu_us"].items()}}

    def take_single_changes(self):
        stack, layout, material = self.stack, self.options.layout, self.options.material
        self.figures |= self.run("single changes", SINGLES, lambda *numbers: single_changes.one_by_one(stack, layout, material, *numbers))
        self.figures |= self.run("revocations during an import", min(MEANWHILE, self.options.names), lambda *numbers: (
            single_changes.revoked_during_import(stack, layout, material, range(self.options.names // 2), *numbers)))

    def devices_needed(self):
        return self.options.names + min(VERIFIED, self.options.names // 2) + SINGLES + min(MEANWHILE, self.options.names)


def ours(options):
    stack = BenchStack("bench-publish", options.verify)
    stages = Stages(stack, options)
    begun = time.monotonic()
    factory.make(options.material, stages.devices_needed())
    print(f"publish: devices made, {time.monotonic() - begun:.0f} s", flush=True)
    stack.open()
    try:
        stack.create_namespace(content.ZONE, *content.namespace_options(options.layout))
        stages.take_imports()
        stages.take_verified_import()
        stages.take_single_changes()
        peak = stack.signerd_peak_mib()
        resigned = stages.run("signing again", 0, lambda *_: resigning.measure(stack, options.verify))
        return stages.figures | resigned | {"signerd_rss_mib": max(peak, resigned["signerd_rss_mib"])}
    except BaseException:
        stack.failed = True
        raise
    finally:
        stack.close()


def theirs(name, options):
    begun = time.monotonic()
    server = peer(name).publishing(content.owner(options.layout, factory.device_id(number)) for number in range(options.names))
    try:
        server.start()
        ready = time.monotonic()
        figures = dynamic_update.measure(server, options.layout, PEER_SECONDS, PEER_NAMES_MAX)
        figures |= {"seconds.start": ready - begun, "seconds.updates": time.monotonic() - ready}
        print(f"publish: {name}: {ready - begun:.0f} s until it served the zone, {time.monotonic() - ready:.0f} s of updates", flush=True)
        return {f"peer.{name}.{key}": value for key, value in figures.items()}
    finally:
        server.close()


def notes(options):
    """How the figures came about that stand side by side."""
    yield f"idzone: all {options.names:,} names by `idzone device import` over gRPC; full size is the last {min(LAST_STRETCH, options.names // 5):,} of them"
    for name in options.peers:
        yield (f"{name}: {options.names:,} names {peer(name).preloaded}; then dynamic updates of new names on top, {PEER_SECONDS} s or "
               f"{PEER_NAMES_MAX:,} names of each shape, at full size therefore")


def run(options):
    print(f"publish: idzone, {options.names} names, {options.layout}, the edge verifies {options.verify}", flush=True)
    figures = ours(options)
    for name in options.peers:
        print(f"publish: {name}", flush=True)
        figures |= theirs(name, options)
    return figures
