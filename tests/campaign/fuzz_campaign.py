# SPDX-License-Identifier: MIT
"""libFuzzer on each target of tests/fuzz, with sanitizers: N executions, shared out by how much there is to find.

It builds the preset `fuzz` (clang), begins with the corpus in the repository and keeps what it finds in build/fuzz/found.
"""
import concurrent.futures
import os
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "fuzz"
SHARES = {"delta": 0.45, "replica": 0.05, "material": 0.2, "name": 0.3}  # the replica's commits each cost a sync
INPUT_OCTETS_MAX = 8192
INPUT_SECONDS_MAX = 10


def build():
    environment = {**os.environ, "CCACHE_BASEDIR": str(ROOT), "CCACHE_NOHASHDIR": "1"}
    for command in (["cmake", "--preset", "fuzz"], ["cmake", "--build", "--preset", "fuzz"]):
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-1000:]}")


def fuzz(target, executions, seed):
    """Returns (executions, what went wrong or None)."""
    found, crashes = BUILD / "found" / target, BUILD / "crashes"
    for folder in (found, crashes):
        folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        [BUILD / "tests" / f"{target}_fuzz", f"-runs={executions}", f"-seed={seed + 1}", f"-max_len={INPUT_OCTETS_MAX}",
         f"-timeout={INPUT_SECONDS_MAX}", "-print_final_stats=1", f"-artifact_prefix={crashes}/{target}-", found, ROOT / "tests" / "fuzz" / "corpus" / target],
        capture_output=True, text=True, errors="replace", check=False, env={**os.environ, "TMPDIR": "/dev/shm", "TEST_TMPDIR": "/dev/shm"})
    ran = re.search(r"stat::number_of_executed_units:\s*(\d+)", done.stderr)
    trouble = None if done.returncode == 0 else f"{target}: exit {done.returncode}: {done.stderr[-3000:]}"
    return int(ran.group(1)) if ran else 0, trouble


def run(executions, seed):
    failures, operations = [], {}
    try:
        build()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = {target: pool.submit(fuzz, target, max(1, int(executions * share)), seed) for target, share in SHARES.items()}
            for target, ended in runs.items():
                operations[target], trouble = ended.result()
                failures += [trouble] if trouble else []
    except RuntimeError as failure:
        failures.append(str(failure))
    return {"cycles": sum(operations.values()), "operations": operations, "failures": failures}
