# SPDX-License-Identifier: MIT
"""A name server that was asked once and then stands idle for N minutes, while names change: the replica hardly grows.

LMDB uses a page again only when no reader can see it any more. A name server that kept its snapshot until the next question would
hold them all, and the file would grow with each transaction. So nothing asks it here, not even whether it is ready. The churn that
PowerDNS sees is the zone's own; its size stays the same. A cycle is a minute. Growth is measured from when the changes have gone on
for a while: the room that a transaction needs is taken by the first ones. What it has grown since the names were loaded is told beside
it. At the end somebody does keep a snapshot, and the replica must grow: else nothing was measured.

Sixty samples say where the pages are, and how long the oldest snapshot was held while there were newer ones. Minutes times changes a
second is what wears a replica: 5 minutes at 144 are an hour at 12.
"""
import os
import statistics
import threading
import time

import lmdb
from devstack.process import wait_until
from idzone_stack import TestStack
from replica_pages import read_pages
from steady_changes import SteadyChanges, new_public_key, tree_owner

ZONE = "_device.growth.example."
STABLE = 20_000  # 13 MB: of less, what one transaction takes for a moment would be a tenth
CHANGES = 40  # a second
GROWTH_MAX = 0.10
HELD_SECONDS_MAX = 5.0  # on a busy machine; the module moves idle snapshots on each 20 ms
WARM_SHARE, WARM_SECONDS_MAX = 0.2, 120
LOOK_SECONDS, SAMPLES, CONTROL_SECONDS = 0.25, 60, 120


class Watch(threading.Thread):
    """Looks at the pages again and again, until `stopping` is set."""

    def __init__(self, folder, sample_seconds):
        super().__init__(daemon=True)
        self.folder, self.sample_seconds = folder, sample_seconds
        self.stopping, self.failure = threading.Event(), None
        self.samples, self.most = [], 0
        self.held_seconds_most, self.held_seconds, self.own_seconds = 0.0, [], 0.0
        self._since = {}  # of those who hold an old snapshot: (pid, commit) -> when that was first seen

    def run(self):
        begun = time.monotonic()
        try:
            while not self.stopping.wait(LOOK_SECONDS):
                self._look(time.monotonic() - begun)
        except BaseException as failure:  # noqa: BLE001 # reported as a failure of the campaign
            self.failure = failure

    def _look(self, now):
        pages = read_pages(self.folder)
        self.most = max(self.most, pages.used)
        old = {(pid, pages.last_commit - lag) for pid, lag in pages.reader_lags.items() if lag}
        self._since = {holder: self._since.get(holder, now) for holder in old}
        own = {holder: now - since for holder, since in self._since.items() if holder[0] == os.getpid()}
        self.own_seconds = max(self.own_seconds, *own.values(), 0.0)
        self.held_seconds.append(max((now - since for holder, since in self._since.items() if holder not in own), default=0.0))
        if now >= self.sample_seconds * len(self.samples):
            self.samples.append({"second": round(now), "held_seconds": round(max(self.held_seconds), 2), **pages.told()})
            self.held_seconds_most, self.held_seconds = max(self.held_seconds_most, *self.held_seconds), []


def control(folder, watch):
    """Keeps a snapshot until the file has grown by more than may be, and that was seen."""
    before = read_pages(folder).used
    with lmdb.open(str(folder), readonly=True, max_dbs=6) as environment, environment.begin():
        wait_until(lambda: read_pages(folder).used > (1 + GROWTH_MAX) * before, CONTROL_SECONDS, "growth under a snapshot that is kept", 1)
        wait_until(lambda: watch.own_seconds > HELD_SECONDS_MAX, CONTROL_SECONDS, "a look that sees it held", 1)


def prepare(stack):
    stack.create_namespace(ZONE, "--layout", "tree", "--width", "1")
    with stack.client() as client:
        request, _ = client._types("EnrollmentService", "EnrollStream")
        requests = (request(namespace_name=ZONE, id=f"stable{number:06d}", public_key=new_public_key()) for number in range(STABLE))
        answers = list(client.stub("EnrollmentService", "EnrollStream", "stream_stream")(requests, timeout=600))
        assert all(answer.WhichOneof("outcome") == "enrolled" for answer in answers)
        assert client.wait(ZONE, live=True, timeout_seconds=60).done


def troubles(steady, before, most, watch, samples, versions):
    if steady.failure is not None or steady.is_alive():
        yield f"the changes stopped: {steady.failure!r}"
    if watch.failure is not None:
        yield f"the looks at the replica stopped: {watch.failure!r}"
    if versions < len(samples):
        yield f"only {versions} versions were applied: nothing was measured"
    if most > (1 + GROWTH_MAX) * before:
        yield f"the replica has grown from {before} to {most} pages"
    if watch.held_seconds_most > HELD_SECONDS_MAX:
        yield f"an old snapshot was held for {watch.held_seconds_most:.1f} s, at most {HELD_SECONDS_MAX} s may be"


def versions_of(stack):
    return stack.replicad.metric("idzone_replica_versions_total") or 0


def run(minutes, seed, changes=CHANGES):
    stack, failures = TestStack("campaign-growth").open(), []
    folder, seconds = stack.folder / "replica", 60 * minutes
    with stack.judged_by(failures):
        prepare(stack)
        loaded, steady = read_pages(folder), SteadyChanges(stack, ZONE, changes)
        steady.start()
        time.sleep(min(WARM_SHARE * seconds, WARM_SECONDS_MAX))
        # The one question: it takes a snapshot, and nothing tells the name server that it is answered.
        assert "TLSA" in stack.dig("+noall", "+answer", tree_owner("stable000001", ZONE), "TLSA")
        before, versions = read_pages(folder), versions_of(stack)
        if stack.pdns.pid() not in before.reader_lags:
            failures.append(f"the name server, {stack.pdns.pid()}, is none of the replica's readers {before.reader_lags}")
        watch = Watch(folder, seconds / SAMPLES)
        watch.start()
        time.sleep(seconds)
        most, samples, versions = watch.most, list(watch.samples), versions_of(stack) - versions
        try:
            control(folder, watch)
        except TimeoutError as nothing:
            failures.append(f"nothing was measured: {nothing}")
        for each in (watch, steady):
            each.stopping.set()
            each.join(120)
        failures += troubles(steady, before.used, most, watch, samples, versions)
    operations = {"minutes": minutes, "changes": steady.changes, "changes_per_s": round(steady.a_second()), "versions": int(versions),
                  "pages_loaded": loaded.used, "pages_before": before.used, "pages_most": most,
                  "growth": round(most / before.used - 1, 4), "growth_since_loaded": round(most / loaded.used - 1, 4),
                  "data_growth": round(samples[-1]["data"] / before.data - 1, 4), "held_seconds_most": round(watch.held_seconds_most, 2),
                  "held_seconds_p50": round(statistics.median(sample["held_seconds"] for sample in samples), 2)}
    return {"cycles": minutes, "operations": operations, "samples": samples, "failures": failures}
