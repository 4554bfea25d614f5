# SPDX-License-Identifier: MIT
"""One import under measurement: `idzone device import` from its start until all its names are live at the edge."""
import json
import os
import subprocess
import threading
import time

import content
import factory


class Import:
    """The CLI as a process. `finish` returns what it says and its CPU seconds."""

    def __init__(self, stack, material, first, end):
        self._stack = stack
        file = stack.folder / f"devices-{first}.csv"
        with open(file, "w", encoding="ascii") as out:
            out.write(factory.header(material))
            out.writelines(factory.lines(material, first, end))
            out.flush()
            os.fsync(out.fileno())  # else its pages would be written while something is measured
        self._command = [stack.binary("idzone"), "--output", "json", "device", "import", content.ZONE, file, "--window", "8192"]
        self._environment = {**os.environ, **stack.cli_environment("enroller")}
        self._files = [file, file.with_name(file.name + ".results.jsonl")]

    def start(self):
        self._child = subprocess.Popen([str(part) for part in self._command], env=self._environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        return self

    def running(self):
        return os.waitid(os.P_PID, self._child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None

    def finish(self):
        said, complained = self._child.stdout.read(), self._child.stderr.read()
        _, status, used = os.wait4(self._child.pid, 0)
        self._child.returncode = os.waitstatus_to_exitcode(status)
        if self._child.returncode != 0:
            raise RuntimeError(f"the import ended with {self._child.returncode}: {said}{complained}")
        for file in self._files:
            file.unlink(missing_ok=True)
        return json.loads(said), used.ru_utime + used.ru_stime


class Sampler(threading.Thread):
    """Notes again and again how many names are published."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self._stack, self._end = stack, threading.Event()
        self._before, self._begun = self._published(), time.monotonic()
        self._samples = [(0, 0.0)]  # (names, seconds)

    def _published(self):
        return self._stack.signerd.metric("idzone_signer_identities_total") or 0

    def _take(self):
        self._samples.append((self._published() - self._before, time.monotonic() - self._begun))

    def run(self):
        while not self._end.wait(0.25):
            self._take()

    def stop(self):
        self._end.set()
        self.join()
        self._take()

    def rate_between(self, first, last):
        """Names a second while the number of published names went from one to the other."""
        return (last - first) / (self._seconds_at(last) - self._seconds_at(first))

    def _seconds_at(self, names):
        for before, after in zip(self._samples, self._samples[1:]):
            if after[0] >= names:
                return before[1] + (after[1] - before[1]) * (names - before[0]) / max(1, after[0] - before[0])
        return self._samples[-1][1]


def measure(stack, material, first, end):
    """Imports devices first to end - 1. Returns names a second, the last tenth's too, and CPU and WAL of a name."""
    names = end - first
    importing = Import(stack, material, first, end)
    meter, wal, sampler = stack.meter(), stack.wal_octets(), Sampler(stack)
    sampler.start()
    begun = time.monotonic()
    said, client = importing.start().finish()
    stack.wait_live(content.ZONE)
    taken = time.monotonic() - begun
    sampler.stop()
    assert said["enrolled"] == names, said
    used = {"client": client, **meter.seconds()}
    return {"names_per_s": names / taken, "last_tenth_names_per_s": sampler.rate_between(names * 9 // 10, names),
            "cpu_us_per_name": sum(used.values()) * 1e6 / names, "wal_bytes_per_name": (stack.wal_octets() - wal) / names,
            "cpu_us": {name: seconds * 1e6 / names for name, seconds in used.items()}}
