# SPDX-License-Identifier: MIT
"""What a history was, and the verdict on it: every version of every zone of it, in the order of the world, by the gate; and its end.

A history is a file (History, pickled), so that it is judged in a process of its own, while the next ones are lived. Judges are kept open,
one set a process.
"""
import concurrent.futures
import ctypes
import dataclasses
import multiprocessing
import multiprocessing.util
import os
import pathlib
import pickle
import shutil
import signal

import gate
import kept
from history_kinds import DENIAL_TYPES
from idzone_stack import BUILD, KEPT_LOGS
from journal_zone import normal
from namespace_journal import NamespaceJournal, data_of

HOUR = 3600
VERSIONS_MIN, NAMES_MIN = 20, 200  # of a history
REFUSED_KEPT = 10  # zone files that judges refused, beside the logs, of each process
FAILURES_MAX = 10  # of a history: more of the same tell nothing new
PR_SET_PDEATHSIG = 1


@dataclasses.dataclass
class History:
    """All that is left of a namespace when its stack is gone."""
    seed: int
    kind: str
    denial: int
    namespace: str
    transactions: list  # lists of (zone, epoch, serial, …): namespace_journal.versions_of
    transfers: dict  # {zone: path of its last version as PowerDNS transfers it}
    expected: set  # (owner, type, RDATA) of all that was acknowledged
    names: int
    keys: set  # public keys that it is said to show
    signed_until: float  # the least that signatures of the last versions must reach, seconds since 1970

    def write(self, path):
        with open(path, "wb") as file:
            pickle.dump(self, file)
        return path


@dataclasses.dataclass
class Judgement:
    seed: int
    failures: list = dataclasses.field(default_factory=list)
    versions: int = 0
    judged: int = 0
    transactions: int = 0
    names: int = 0
    zones: int = 0
    keys_most: int = 0
    signatures: int = 0

    def fail(self, text):
        if len(self.failures) < FAILURES_MAX:
            self.failures.append(text)


class HistoryJudges:
    """Processes that judge; `folder` is for what waits. Thread: the main one, or processes would end with the other."""

    def __init__(self, folder):
        self.folder, self.waiting = pathlib.Path(folder), []
        self.pool = concurrent.futures.ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn"), _begin, (os.getpid(), str(folder)))

    def submit(self, history):
        path = history.write(self.folder / f"history{history.seed}")
        self.waiting.append(self.pool.submit(_judge_file, path))

    def done(self, still_waiting_max):
        """Returns the judgements that there are, as soon as no more than so many are missing."""
        ready = []
        while True:
            ready += [each for each in self.waiting if each.done()]
            self.waiting = [each for each in self.waiting if each not in ready]
            if len(self.waiting) <= still_waiting_max:
                return [each.result() for each in ready]
            concurrent.futures.wait(self.waiting, return_when=concurrent.futures.FIRST_COMPLETED)

    def close(self):
        """What waits still is not judged any more."""
        for process in multiprocessing.active_children() if self.waiting else ():
            process.kill()
        self.pool.shutdown(wait=not self.waiting, cancel_futures=True)


# In one of the processes.

class _Here:
    judges = folder = None
    refused = 0


def _begin(parent, folder):
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        os._exit(1)
    _Here.judges, _Here.folder = kept.KeptJudges(BUILD / "lib" / "libkept_judge.so"), pathlib.Path(folder)
    multiprocessing.util.Finalize(None, _Here.judges.close, exitpriority=1)


def _judge_file(path):
    with open(path, "rb") as file:
        history = pickle.load(file)
    judgement = Judgement(history.seed)
    try:
        judge(history, judgement)
    except Exception as failure:  # noqa: BLE001 # whatever keeps it from being judged is a failure
        judgement.fail(repr(failure))
    for each in (path, *history.transfers.values()):
        pathlib.Path(each).unlink()
    judgement.failures = [f"{history.kind}: {text}" for text in judgement.failures]
    return judgement


def judge(history, judgement):
    """Every version, then the last ones."""
    journal = NamespaceJournal(history.namespace, history.denial)
    for rows in history.transactions:
        changed = journal.apply(rows)
        judgement.versions += len(changed)
        for zone, serial in changed:
            _ask_gate(journal.zones[zone], serial, judgement)
        for trouble in journal.troubles(changed)[:3]:
            judgement.fail(f"after {changed[:4]}: {trouble}")
    judgement.transactions, judgement.names, judgement.zones = len(history.transactions), history.names, len(journal.zones)
    judgement.keys_most = journal.keys_most
    judgement.signatures = sum(zone.signed for zone in journal.zones.values())
    if min(judgement.versions, judgement.transactions) < VERSIONS_MIN or judgement.names < NAMES_MIN:
        judgement.fail(f"only {judgement.versions} versions by {judgement.transactions} transactions, and {judgement.names} names")
    data = set().union(*(data_of(zone) for zone in journal.zones.values()))
    if data != history.expected:
        judgement.fail(f"the last versions differ from what was acknowledged: {sorted(data ^ history.expected)[:6]}")
    for zone in journal.zones.values():
        _compare_last(zone, history, judgement)


def _ask_gate(zone, serial, judgement):
    path = _Here.folder / f"{zone.zone}{serial}"
    path.write_text("\n".join(zone.lines()) + "\n")
    try:
        gate.require_valid(path, zone.zone, HOUR, _Here.judges)
    except Exception as refused:  # noqa: BLE001 # whatever keeps the judges from accepting is a failure
        judgement.fail(f"{zone.zone} version {serial}: {refused}")
        _Here.refused += 1
        if _Here.refused <= REFUSED_KEPT:
            KEPT_LOGS.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, KEPT_LOGS)
    path.unlink()
    judgement.judged += 1


def _compare_last(zone, history, judgement):
    """The last version of a zone is what PowerDNS transfers, freshly signed by the keys that the namespace is said to have."""
    lines = zone.lines()
    records = {normal(owner, int(ttl), rr_type, rdata) for owner, ttl, _, rr_type, rdata in (line.split(" ", 4) for line in lines)}
    if zone.zone in history.transfers:
        served = {normal(*record) for record in gate.records(history.transfers[zone.zone])}
        if records != served:
            judgement.fail(f"the transfer of {zone.zone} differs: {sorted(records ^ served)[:6]}")
    denials = {rr_type for _, _, rr_type, _ in records} & {"NSEC", "NSEC3"}
    shown = {line.split(" ")[7] for line in lines if " IN DNSKEY " in line}
    if denials != {DENIAL_TYPES[history.denial]} or shown != history.keys:
        judgement.fail(f"{zone.zone} has {denials} and keys {shown}, not {history.keys}")
    if any(" IN CDS " in line or " IN CDNSKEY " in line for line in lines):
        judgement.fail(f"{zone.zone} tells its parent something while no key rolls")
    missing = history.signed_until - zone.signatures_end()
    if missing > 0:
        judgement.fail(f"a signature of the last version of {zone.zone} ends {missing / HOUR:.1f} h before its signer may leave it")
