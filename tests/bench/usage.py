# SPDX-License-Identifier: MIT
"""What processes cost, as the kernel counts it: CPU seconds and anonymous memory, children included."""
import os
import pathlib

TICKS = os.sysconf("SC_CLK_TCK")


def _family(pid):
    """The process and all that descend from it; those that end meanwhile are left out."""
    found = [pid]
    for parent in found:
        for task in pathlib.Path(f"/proc/{parent}/task").glob("*/children"):
            try:
                found += [int(child) for child in task.read_text().split()]
            except OSError:
                continue
    return found


def cpu_seconds(pid):
    """User and system time of the process, of its living descendants, and of those that it has reaped."""
    ticks = 0
    for member in _family(pid):
        try:
            fields = pathlib.Path(f"/proc/{member}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue
        ticks += sum(map(int, fields[11:15]))  # utime stime cutime cstime
    return ticks / TICKS


def anonymous_mib(pid):
    """RssAnon of the process and its descendants: what cannot be dropped and read again from a file."""
    kib = 0
    for member in _family(pid):
        try:
            status = pathlib.Path(f"/proc/{member}/status").read_text()
        except OSError:
            continue
        kib += sum(int(line.split()[1]) for line in status.splitlines() if line.startswith("RssAnon:"))
    return kib / 1024


def peak_mib(pid):
    """The most that the process ever had resident, files included."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


class CpuMeter:
    """CPU seconds since it was made, by the name of each process. Takes daemons, which know their pid."""

    def __init__(self, **daemons):
        self._daemons = daemons
        self._begun = self._read()

    def _read(self):
        return {name: cpu_seconds(daemon.pid()) for name, daemon in self._daemons.items() if daemon.pid()}

    def seconds(self):
        return {name: value - self._begun.get(name, 0) for name, value in self._read().items()}
