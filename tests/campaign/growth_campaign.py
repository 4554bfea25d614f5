# SPDX-License-Identifier: MIT
"""A name server that was asked once and then stands idle for N minutes, while names change: the replica hardly grows.

LMDB uses a page again only when no reader can see it any more. A name server that kept its snapshot until the next question would
hold them all, and the file would grow with each transaction. So nothing asks it here, not even whether it is ready. The churn that
PowerDNS sees is the zone's own; its size stays the same. A cycle is a minute. Growth is measured from when the changes have gone on
for a while: the room that a transaction needs is taken by the first ones. At the end somebody does keep a snapshot, and the replica must
grow: else nothing was measured.
"""
import re
import subprocess
import time

import lmdb
from devstack.process import wait_until
from idzone_stack import TestStack
from steady_changes import SteadyChanges, new_public_key, tree_owner

ZONE = "_device.growth.example."
STABLE = 2000
CHANGES = 40  # a second
GROWTH_MAX = 0.10
WARM_SHARE, WARM_SECONDS_MAX = 0.2, 120
SAMPLE_SECONDS, CONTROL_SECONDS = 5, 120


class Replica:
    def __init__(self, stack):
        self.stack = stack

    def used_octets(self):
        """What its file has ever used, as Prometheus hears it."""
        return self.stack.replicad.metric("idzone_replica_used_octets")

    def readers(self):
        """The pids that have a reader's slot."""
        said = subprocess.run(["mdb_stat", "-r", self.stack.folder / "replica"], capture_output=True, text=True, check=False).stdout  # it exits 1 always
        return {int(pid) for pid in re.findall(r"^\s*(\d+)\s+[0-9a-f]+\s+\S+$", said, re.MULTILINE)}

    def grows_under_a_snapshot(self):
        """Keeps one until the file has grown by more than may be; returns whether it did."""
        before = self.used_octets()
        with lmdb.open(str(self.stack.folder / "replica"), readonly=True, max_dbs=6) as environment, environment.begin():
            try:
                return wait_until(lambda: self.used_octets() > (1 + GROWTH_MAX) * before, CONTROL_SECONDS, "growth", 1)
            except TimeoutError:
                return False

    def versions(self):
        return self.stack.replicad.metric("idzone_replica_versions_total") or 0


def prepare(stack):
    stack.create_namespace(ZONE, "--layout", "tree", "--width", "1")
    with stack.client() as client:
        request, _ = client._types("EnrollmentService", "EnrollStream")
        requests = (request(namespace_name=ZONE, id=f"stable{number:06d}", public_key=new_public_key()) for number in range(STABLE))
        answers = list(client.stub("EnrollmentService", "EnrollStream", "stream_stream")(requests, timeout=600))
        assert all(answer.WhichOneof("outcome") == "enrolled" for answer in answers)
        assert client.wait(ZONE, live=True, timeout_seconds=60).done


def troubles(steady, before, samples, versions):
    if steady.failure is not None or steady.is_alive():
        yield f"the changes stopped: {steady.failure!r}"
    if versions < len(samples):
        yield f"only {versions} versions were applied: nothing was measured"
    if max(samples) > (1 + GROWTH_MAX) * before:
        yield f"the replica has grown from {before:.0f} to {max(samples):.0f} octets"


def run(minutes, seed, changes=CHANGES):
    stack, failures, samples = TestStack("campaign-growth").open(), [], []
    with stack.judged_by(failures):
        prepare(stack)
        replica, steady = Replica(stack), SteadyChanges(stack, ZONE, changes)
        steady.start()
        seconds = 60 * minutes
        time.sleep(min(WARM_SHARE * seconds, WARM_SECONDS_MAX))
        # The one question: it takes a snapshot, and nothing tells the name server that it is answered.
        assert "TLSA" in stack.dig("+noall", "+answer", tree_owner("stable000001", ZONE), "TLSA")
        if stack.pdns.pid() not in replica.readers():
            failures.append(f"the name server, {stack.pdns.pid()}, is none of the replica's readers {replica.readers()}")
        before, versions, begun = replica.used_octets(), replica.versions(), time.monotonic()
        while time.monotonic() - begun < seconds:
            time.sleep(min(SAMPLE_SECONDS, seconds))
            samples.append(replica.used_octets())
        versions = replica.versions() - versions
        if not replica.grows_under_a_snapshot():
            failures.append("the replica does not grow under a snapshot that is kept: nothing was measured")
        steady.stopping.set()
        steady.join(120)
        failures += troubles(steady, before, samples, versions)
    operations = {"minutes": minutes, "changes": steady.changes, "changes_per_s": round(steady.a_second()), "versions": int(versions),
                  "used_octets_before": int(before), "used_octets_most": int(max(samples)), "growth": round(max(samples) / before - 1, 4)}
    return {"cycles": minutes, "operations": operations, "failures": failures}
