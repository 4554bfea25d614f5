# SPDX-License-Identifier: MIT
"""What systemd does for a host with deploy/systemd's units: whoever ends is started again, 100 ms later, whatever it ended of."""
import collections
import contextlib
import threading
import time

RESTART_SECONDS = 0.1
LOOK_SECONDS = 0.02


class Supervisor(threading.Thread):
    def __init__(self, daemons):
        super().__init__(daemon=True)
        self._daemons = daemons
        self._paused, self._lock, self._ending = set(), threading.Lock(), threading.Event()
        self.endings = collections.Counter()  # (name, exit code; negative: the signal) -> how often
        self._ended_at = {}

    def run(self):
        while not self._ending.wait(LOOK_SECONDS):
            with self._lock:
                for daemon in self._daemons:
                    if daemon.name not in self._paused and not daemon.pid():
                        self._restart(daemon)

    def _restart(self, daemon):
        since = self._ended_at.setdefault(daemon.name, time.monotonic())
        if time.monotonic() - since < RESTART_SECONDS:
            return
        self.endings[daemon.name, daemon._child.returncode if daemon._child else None] += 1
        del self._ended_at[daemon.name]
        daemon._child = None
        daemon.start()

    @contextlib.contextmanager
    def paused(self, *names):
        """Meanwhile these may be stopped and stay stopped; afterwards they are started without delay."""
        with self._lock:
            self._paused |= set(names)
        try:
            yield
        finally:
            with self._lock:
                self._paused -= set(names)
                for daemon in self._daemons:
                    if daemon.name in names and not daemon.pid():
                        daemon._child = None
                        daemon.start()

    def end(self):
        self._ending.set()
        self.join(10)
