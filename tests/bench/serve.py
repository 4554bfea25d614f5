# SPDX-License-Identifier: MIT
"""What it costs to answer: the same signed zone in every server, one thread pinned to one core, dnsperf on the other.

Rounds go from server to server, so that whatever else the machine does hits all of them; the best round of each counts.
PowerDNS's own backends are measured with its caches as they are by default and without, and the better figure counts. So is
ours: `cached_…` as it is deployed, `uncached_…` without the packet cache, two servers on one replica. With few names the cache
answers many questions a second time.

With layout `tree` ours has 256 zones below the namespace's, and is set beside ours with one flat zone of the same names.
"""
import pathlib
import shutil
import tempfile

import content
import factory
import load
import signed_zones
import wire
from peers import peer
from peers.idzone import Idzone
from usage import CpuMeter

ROUNDS = 2
SECONDS = 3
WARM_SECONDS = 4  # before anything counts: a file that was just written is not yet where it will be read
MISSES = ("existing", "absent", "nodata")


class Subject:
    """One server under measurement and its figures so far."""

    def __init__(self, server, zones, questions, sample, prefix=""):
        """`sample`: a name that is there. `prefix` goes before each figure's name."""
        self.server, self.zones, self._questions, self._sample, self._prefix = server, zones, questions, sample, prefix
        self.figures = {}

    def of(self, server, prefix=""):
        """Returns another server with the same zones."""
        return Subject(server, self.zones, self._questions, self._sample, prefix)

    def warm(self):
        load.ask(self.server.port, "existing", self._questions["existing", ROUNDS], WARM_SECONDS)

    def measure(self, kinds, number):
        for kind in kinds:
            meter = CpuMeter(**self.server.daemons())
            answers = load.ask(self.server.port, kind, self._questions[kind, number], SECONDS)
            used = meter.seconds()
            for name, seconds in used.items():
                self.figures[f"cpu_s.{name}"] = self.figures.get(f"cpu_s.{name}", 0) + seconds
            self._keep(max, f"{self._prefix}{kind}_qps", answers / SECONDS)
            # What the rest of the machine does meanwhile hardly touches this one.
            self._keep(min, f"{self._prefix}{kind}_cpu_us", sum(used.values()) * 1e6 / answers)

    def _keep(self, better, figure, value):
        self.figures[figure] = better(value, self.figures.get(figure, value))

    def start(self):
        self.server.start()
        check_answers(self.server.port, self._sample)

    def restart(self):
        self.figures[f"{self._prefix}restart_s"] = self.server.restart_seconds(self._sample)

    def weigh(self):
        self.figures[f"{self._prefix}anon_mib"] = self.server.anonymous_mib()

    def reconfigured(self, configure):
        self.server.daemon.stop(60)
        configure()
        self.start()


def check_answers(port, owner):
    """An answer, a denial and an absent type, each with signatures, before speed means anything."""
    asker = wire.Asker(port)
    assert wire.is_signed_answer(asker.ask(wire.query(owner))), f"{owner}: no signed answer"
    assert asker.ask(wire.query("absent." + owner)) == (wire.NXDOMAIN, 0), "no denial of a name"
    assert asker.ask(wire.query(owner, 44)) == (wire.NOERROR, 0), "no denial of a type"
    asker.close()


def run(options):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="idz-bench-", dir="/tmp"))
    subjects = []
    try:
        labels = [factory.device_id(number) for number in range(options.names)]
        subjects += ours(folder, options.layout, labels)
        beside = ours(folder, "flat", labels, "flat_") if options.layout == "tree" else []
        subjects += beside
        for name in options.peers:
            print(f"serve: loading {name}", flush=True)
            subjects.append(subjects[0].of(peer(name).serving(subjects[0].zones)))
        measure_all(subjects)
        figures = best_of(subjects[0].figures | subjects[1].figures)
        if beside:
            figures |= set_beside(figures, beside[0].figures | beside[1].figures)
        theirs = {f"peer.{subject.server.name}.{key}": value for subject in subjects[2 + len(beside):] for key, value in subject.figures.items()}
        return figures | theirs
    finally:
        for subject in subjects:
            subject.server.close()
        shutil.rmtree(folder, ignore_errors=True)


def ours(folder, layout, labels, prefix=""):
    """Two servers on one replica: with the packet cache and without."""
    print(f"serve: {len(labels)} signed names, {layout}", flush=True)
    zones = signed_zones.signed(layout, labels)
    questions = load.question_files(folder, layout, labels, ROUNDS + 1)
    print("serve: loading idzone", flush=True)
    cached = Subject(Idzone.serving(zones), zones, questions, content.owner(layout, labels[len(labels) // 3]), f"{prefix}cached_")
    return [cached, cached.of(cached.server.beside(), f"{prefix}uncached_")]


def set_beside(figures, flat):
    """How fast the zones of a tree are answered from, as a part of what one flat zone of the same names is."""
    best = {kind: max(flat[f"flat_cached_{kind}_qps"], flat[f"flat_uncached_{kind}_qps"]) for kind in (*MISSES, "hot")}
    return flat | {f"of_flat_{kind}": figures[f"{kind}_qps"] / best[kind] for kind in best}


def measure_all(subjects):
    for subject in subjects:
        subject.start()
        subject.warm()
        subject.restart()
    rounds(subjects, MISSES)
    for subject in subjects:
        subject.weigh()
    rounds(subjects, ["hot"])
    # Once more without caches, where there are caches that may be off: ours without is a subject of its own.
    cached = [subject for subject in subjects if hasattr(subject.server, "without_caches")]
    for subject in cached:
        subject.reconfigured(subject.server.without_caches)
        subject.warm()
    rounds(cached, MISSES)


def rounds(subjects, kinds):
    for number in range(ROUNDS):
        for subject in subjects:
            subject.measure(kinds, number)


def best_of(figures):
    """Adds what counts beside others: answers at the better settings, all else as it is deployed."""
    best = {}
    for kind in (*MISSES, "hot"):
        best[f"{kind}_qps"] = max(figures[f"cached_{kind}_qps"], figures[f"uncached_{kind}_qps"])
        best[f"{kind}_cpu_us"] = min(figures[f"cached_{kind}_cpu_us"], figures[f"uncached_{kind}_cpu_us"])
    return best | {key: figures[f"cached_{key}"] for key in ("restart_s", "anon_mib")} | figures
