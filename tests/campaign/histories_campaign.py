# SPDX-License-Identifier: MIT
"""Random lives of zones: enroll, rotate, revoke, enroll again after the quarantine, cut, roll keys in every style, sign again as days go by,
restart. A cycle is a history: one namespace of 200 names and more through 20 versions and more. Every version of every zone of it must pass
the gate, and after each transaction parents and children must fit (namespace_journal.py); both are read from the journal, so that none is missed.

Histories go on side by side in cohorts, each on a new stack (history_cohort.py). When a cohort has ended it is judged by other processes
(history_judge.py), while the next one lives. A tree of 4,097 zones is a cohort of its own: all would wait for it.

2,000 take hours. SIGTERM breaks a run off: what was judged by then is told, with its seeds, and the result says that it is a part. Parts whose
"programs" are the same add up.
"""
import collections
import itertools
import pathlib
import signal
import sys
import tempfile

from devstack.devices import make_devices
from history_cohort import Cohort
from history_judge import HistoryJudges
from history_kinds import LAYOUTS, kind_of

COHORT = 96  # histories on one stack; restarts and days that go by are everybody's
KEYS = 800  # one set for all namespaces: a key is one device's only within a namespace
ALONE_WIDTH = 3  # of trees that are a cohort of their own


def seeds_of(size, seed):
    """One after the other; a small run, as the daily one, leaves out trees of 257 zones and more, which have thousands of versions."""
    small = 1 < size < len(LAYOUTS)
    return list(itertools.islice((each for each in itertools.count(seed) if not small or not kind_of(each).is_wide), size))


def cohorts_of(seeds):
    alone = [seed for seed in seeds if kind_of(seed).width == ALONE_WIDTH]
    others = [seed for seed in seeds if seed not in alone]
    return [others[first:first + COHORT] for first in range(0, len(others), COHORT)] + [[seed] for seed in alone]


def ranges(seeds):
    """As text: "3-5,9"."""
    found = []
    for seed in sorted(seeds):
        if found and found[-1][1] == seed - 1:
            found[-1][1] = seed
        else:
            found.append([seed, seed])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in found)


class Totals:
    """What the histories were, added up."""

    def __init__(self):
        self.judgements, self.failures = [], []
        self.operations, self.restarts, self.jumps, self.layouts, self.widths = (collections.Counter() for _ in range(5))
        self.kinds = set()
        self.broken_off = False

    def add_cohort(self, cohort):
        self.failures += [(seed, text) for seed, text in cohort.failures]
        self.restarts.update(cohort.restarts)
        self.jumps.update(cohort.jumps)
        for life in cohort.lives:
            self.operations.update(life.operations)
            self.layouts[life.kind.layout] += 1
            self.kinds.add(str(life.kind))
            if life.kind.width is not None:
                self.widths[str(life.kind.width)] += 1

    def add_judgements(self, judgements):
        self.judgements += judgements
        self.failures += [(each.seed, text) for each in judgements for text in each.failures]

    def sum(self, what):
        return sum(getattr(each, what) for each in self.judgements)

    def least_and_mean(self, what):
        found = [getattr(each, what) for each in self.judgements]
        return {"least": min(found), "mean": round(sum(found) / len(found), 1), "most": max(found)} if found else {}

    def result(self, size):
        first = min(self.failures)[0] if self.failures else None
        rolls = {name.removeprefix("rolled "): count for name, count in self.operations.items() if name.startswith("rolled ")}
        return {"cycles": len(self.judgements), "asked": size, "broken_off": self.broken_off,
                "seeds": ranges(each.seed for each in self.judgements), "operations": dict(self.operations), "rolls": rolls,
                "versions": self.sum("versions"), "versions_judged": self.sum("judged"), "signatures": self.sum("signatures"),
                "versions_of_a_history": self.least_and_mean("versions"), "transactions_of_a_history": self.least_and_mean("transactions"),
                "names_of_a_history": self.least_and_mean("names"), "zones_of_a_history": self.least_and_mean("zones"),
                "cuts": self.sum("zones") - len(self.judgements), "tree_widths": dict(self.widths), "layouts": dict(self.layouts), "kinds": len(self.kinds),
                "restarts": dict(self.restarts), "clock_jumps": dict(self.jumps), "dnskeys_most": max((each.keys_most for each in self.judgements), default=0),
                "failures": [f"history {seed}: {text}" for seed, text in self.failures],
                "again": f"tests/campaign/run histories --size 1 --seed {first}" if self.failures else None}


def live(seeds, devices, judges):
    """Returns the cohort when it has ended; whatever broke it off is its failure, and the others go on."""
    cohort = Cohort(seeds, devices, judges)
    try:
        cohort.run()
    except Exception as failure:  # noqa: BLE001
        cohort.failures.append((seeds[0], f"cohort of {len(seeds)} broken off: {failure!r}"))
    finally:
        cohort.close()
    return cohort


def break_off(signal_number, _):
    signal.signal(signal_number, signal.SIG_IGN)  # once is enough: what has been judged is still to be told
    raise KeyboardInterrupt


def run(size, seed):
    devices, totals, lived = make_devices(KEYS, kinds=lambda number: "p256"), Totals(), 0
    signal.signal(signal.SIGTERM, break_off)
    with tempfile.TemporaryDirectory(prefix="idz-histories-", dir="/tmp") as folder:
        judges = HistoryJudges(pathlib.Path(folder))
        try:
            for seeds in cohorts_of(seeds_of(size, seed)):
                cohort = live(seeds, devices, judges)
                lived += len(seeds)
                totals.add_cohort(cohort)
                totals.add_judgements(judges.done(still_waiting_max=len(seeds)))
                print(f"histories {lived}/{size} lived, {len(totals.judgements)} judged: {totals.sum('judged')} versions, "
                      f"{len(totals.failures)} failures", flush=True)
            totals.add_judgements(judges.done(still_waiting_max=0))
        except KeyboardInterrupt:
            totals.broken_off = True
            totals.add_judgements(judges.done(still_waiting_max=sys.maxsize))
        finally:
            judges.close()
    if len(totals.judgements) != size and not totals.failures and not totals.broken_off:
        totals.failures.append((seed, f"only {len(totals.judgements)} histories of {size} were judged"))
    return totals.result(size)
