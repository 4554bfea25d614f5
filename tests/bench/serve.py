# SPDX-License-Identifier: MIT
"""What it costs to answer: the same signed zone in every server, one thread pinned to one core, dnsperf on the other.

Rounds go from server to server, so that whatever else the machine does hits all of them; the best round of each counts.
PowerDNS's own backends are measured with its caches as they are by default and without, and the better figure counts. So is
ours: `cached_…` as it is deployed, `uncached_…` without the packet cache, two servers on one replica. With few names the cache
answers many questions a second time.
"""
import pathlib
import shutil
import tempfile

import content
import factory
import load
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

    def __init__(self, server, questions, sample, prefix=""):
        """`prefix` goes before each figure's name."""
        self.server, self._questions, self._sample, self._prefix = server, questions, sample, prefix
        self.figures = {}

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
        sample = content.owner(options.layout, labels[len(labels) // 3])
        print(f"serve: a signed zone of {options.names} names, {options.layout}", flush=True)
        zone_file = content.signed(folder, [content.owner(options.layout, label) for label in labels])
        questions = load.question_files(folder, options.layout, labels, ROUNDS + 1)
        print("serve: loading idzone", flush=True)
        cached = Idzone.serving(zone_file)
        subjects += [Subject(cached, questions, sample, "cached_"), Subject(cached.beside(), questions, sample, "uncached_")]
        for name in options.peers:
            print(f"serve: loading {name}", flush=True)
            subjects.append(Subject(peer(name).serving(zone_file), questions, sample))
        measure_all(subjects)
        ours = best_of(subjects[0].figures | subjects[1].figures)
        theirs = {f"peer.{subject.server.name}.{key}": value for subject in subjects[2:] for key, value in subject.figures.items()}
        return ours | theirs
    finally:
        for subject in subjects:
            subject.server.close()
        shutil.rmtree(folder, ignore_errors=True)


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
