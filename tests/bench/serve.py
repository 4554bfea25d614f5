# SPDX-License-Identifier: MIT
"""What it costs to answer: the same signed zone in every server, one thread pinned to one core, dnsperf on the other.

Rounds go from server to server, so that whatever else the machine does hits all of them; the best round of each counts.
PowerDNS's own backends are measured with its caches as they are by default and without, and the better figure counts. Ours is
measured as it is deployed, with the packet cache off, and for the hot names with it; what it answers otherwise with the packet cache
on, which is what the others have by default, is `cached_…`: with few names it answers many questions a second time.
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

    def __init__(self, server, questions, sample):
        self.server, self._questions, self._sample = server, questions, sample
        self.figures = {}

    def warm(self):
        load.ask(self.server.port, "existing", self._questions["existing", ROUNDS], WARM_SECONDS)

    def measure(self, kinds, number, prefix=""):
        for kind in kinds:
            meter = CpuMeter(**self.server.daemons())
            answers = load.ask(self.server.port, kind, self._questions[kind, number], SECONDS)
            used = meter.seconds()
            for name, seconds in used.items():
                self.figures[f"cpu_s.{name}"] = self.figures.get(f"cpu_s.{name}", 0) + seconds
            self._keep(max, f"{prefix}{kind}_qps", answers / SECONDS)
            # What the rest of the machine does meanwhile hardly touches this one.
            self._keep(min, f"{prefix}{kind}_cpu_us", sum(used.values()) * 1e6 / answers)

    def _keep(self, better, figure, value):
        self.figures[figure] = better(value, self.figures.get(figure, value))

    def start(self):
        self.server.start()
        check_answers(self.server.port, self._sample)

    def restart(self):
        self.figures["restart_s"] = self.server.restart_seconds(self._sample)

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
    subjects = {}
    try:
        labels = [factory.device_id(number) for number in range(options.names)]
        sample = content.owner(options.layout, labels[len(labels) // 3])
        print(f"serve: a signed zone of {options.names} names, {options.layout}", flush=True)
        zone_file = content.signed(folder, [content.owner(options.layout, label) for label in labels])
        questions = load.question_files(folder, options.layout, labels, ROUNDS + 1)
        for name in ("idzone", *options.peers):
            print(f"serve: loading {name}", flush=True)
            server = (Idzone if name == "idzone" else peer(name)).serving(zone_file)
            subjects[name] = Subject(server, questions, sample)
            subjects[name].start()
        measure_all(subjects)
        figures = {}
        for name, subject in subjects.items():
            prefix = "" if name == "idzone" else f"peer.{name}."
            figures |= {prefix + key: value for key, value in subject.figures.items()}
        return figures
    finally:
        for subject in subjects.values():
            subject.server.close()
        shutil.rmtree(folder, ignore_errors=True)


def measure_all(subjects):
    for subject in subjects.values():
        subject.warm()
        subject.restart()
    rounds(subjects.values(), MISSES)
    for subject in subjects.values():
        subject.figures["anon_mib"] = subject.server.anonymous_mib()
    # Once more without caches, where there are caches that may be off.
    cached = [subject for subject in subjects.values() if hasattr(subject.server, "without_caches")]
    rounds([subject for subject in subjects.values() if not hasattr(subject.server, "with_packet_cache")], ["hot"])
    for subject in subjects.values():
        if hasattr(subject.server, "with_packet_cache"):
            subject.reconfigured(subject.server.with_packet_cache)
            rounds([subject], ["hot"])
            subject.warm()
            rounds([subject], MISSES, "cached_")
    for subject in cached:
        subject.reconfigured(subject.server.without_caches)
        subject.warm()
    rounds(cached, MISSES)


def rounds(subjects, kinds, prefix=""):
    for number in range(ROUNDS):
        for subject in subjects:
            subject.measure(kinds, number, prefix)
