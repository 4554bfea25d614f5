# SPDX-License-Identifier: MIT
"""Ten years of key rolls under a simulated clock, in each style and by schedule, for N seeds: the machine of zone-signer/rollover among zones,
edges, secondaries and a parent that are slow, signer outages of all that a policy tolerates, TTLs that change, emergencies, caches
that hold the oldest data that they legally may, and signatures that grow old (tests/tools/roll_world.h). A cycle is one such world.
"""
import json
import os
import pathlib
import subprocess
from concurrent.futures import ThreadPoolExecutor

YEARS = 10
STYLES = {1: "all keys", 2: "ZSK pre-publish", 3: "KSK double-signature", 4: "KSK double-DS", 5: "algorithm", 6: "by schedule"}
SEEDS_AT_ONCE = 10
NOT_SUMS = {"longest_outage_h": max, "least_rest": min}  # hours; lives of an identity's signature, while the signer is up
ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = pathlib.Path(os.environ.get("IDZONE_BUILD", ROOT / "build" / "dev")) / "bin" / "roll_worlds"


def live(style, first, seeds):
    done = subprocess.run([PROGRAM, str(first), str(seeds), str(YEARS), str(style)], capture_output=True, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    failures = [line["failure"] for line in lines if "failure" in line]
    if done.returncode != 0 and not failures:
        failures.append(f"style {style}, seeds {first} to {first + seeds - 1}: exit {done.returncode}: {done.stderr[-500:]}")
    return failures, lines[-1] if lines and "worlds" in lines[-1] else {}


def run(size, seed):
    pieces = [(style, seed + begin, min(SEEDS_AT_ONCE, size - begin)) for style in STYLES for begin in range(0, size, SEEDS_AT_ONCE)]
    failures, sums, finished = [], {}, dict.fromkeys(STYLES, 0)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for (style, *_), (found, counted) in zip(pieces, pool.map(lambda piece: live(*piece), pieces)):
            failures += found
            finished[style] += counted.get("rolls_finished", 0)
            for name, number in counted.items():
                sums[name] = NOT_SUMS[name](sums.get(name, number), number) if name in NOT_SUMS else sums.get(name, 0) + number
    if sums.get("worlds") != size * len(STYLES):
        failures.append(f"{sums.get('worlds')} worlds were lived, not {size * len(STYLES)}")
    # A world in which nothing rolls proves nothing.
    failures += [f"only {count} rolls were finished, {STYLES[style]}, in {size} worlds of {YEARS} years"
                 for style, count in finished.items() if count < 10 * size]
    failures += [f"no {what}" for what in ("scheduled", "emergencies", "emergencies_that_followed") if not sums.get(what)]
    if sums.get("outages", 0) < 10 * sums.get("worlds", 0):
        failures.append(f"the signer was down only {sums.get('outages')} times")
    return {"cycles": sums.get("worlds", 0), "operations": sums, "rolls_finished": {STYLES[style]: count for style, count in finished.items()},
            "failures": failures}
