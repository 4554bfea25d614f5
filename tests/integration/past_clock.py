# SPDX-License-Identifier: MIT
"""A daemon whose clock is another: libfaketime, and what it leaves behind."""
import pathlib
import re

LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
SHARED = pathlib.Path("/dev/shm")


def environment(seconds_ago):
    """For a process that lives that long ago. What processes that were killed have left is removed: the library cannot start in one that
    has got the same pid under another account."""
    for path in SHARED.glob("*faketime_*"):
        pid = re.fullmatch(r"(?:sem\.)?faketime_(?:sem|shm)_(\d+)", path.name)
        if pid and not pathlib.Path(f"/proc/{pid.group(1)}").exists():
            path.unlink(missing_ok=True)
    return {"LD_PRELOAD": LIBRARY, "FAKETIME": f"-{seconds_ago:.0f}s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class SharedClock:
    """One clock of several processes, which `set` moves while they run. Their timers go on as ever: only what they take for the time is
    another. A process finds it in a file."""

    def __init__(self, folder, seconds_ago):
        self.path = pathlib.Path(folder) / "clock"
        self.seconds_ago = None
        self.set(seconds_ago)

    def set(self, seconds_ago):
        assert seconds_ago >= 0, "the processes would live in the future"
        self.seconds_ago = seconds_ago
        new = self.path.with_suffix(".new")
        new.write_text(f"-{seconds_ago:.1f}s\n")
        new.chmod(0o644)
        new.rename(self.path)

    def environment(self):
        """Of each of the processes."""
        inherited = environment(0)
        del inherited["FAKETIME"]
        return {**inherited, "FAKETIME_TIMESTAMP_FILE": str(self.path), "FAKETIME_NO_CACHE": "1"}
