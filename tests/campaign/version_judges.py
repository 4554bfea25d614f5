# SPDX-License-Identifier: MIT
"""The gate on many versions of zones, on all cores, beside whatever makes them."""
import concurrent.futures
import shutil
import threading

import gate
import kept
from idzone_stack import BUILD, KEPT_LOGS

WAITING_MAX = 1000  # versions that wait on the disk
REFUSED_KEPT = 10  # zone files that judges refused, beside the logs


class VersionJudges:
    """`folder` holds the versions that wait."""

    def __init__(self, folder, workers=2):
        self.folder, self.pool = folder, concurrent.futures.ThreadPoolExecutor(workers)
        self.waiting = threading.Semaphore(WAITING_MAX)
        self.lock, self.judged, self.failures = threading.Lock(), 0, []
        self.gates, self.mine = [], threading.local()  # one of each worker

    def submit(self, who, zone, serial, lines, valid_for_seconds):
        """`who` comes back in `failures`: (who, text)."""
        self.waiting.acquire()
        path = self.folder / f"{zone}{serial}"
        path.write_text("\n".join(lines) + "\n")
        self.pool.submit(self._judge, who, zone, serial, path, valid_for_seconds)

    def close(self):
        """Returns when all is judged."""
        self.pool.shutdown(wait=True)
        for judges in self.gates:
            judges.close()

    def _gate(self):
        if not hasattr(self.mine, "judges"):
            self.mine.judges = kept.KeptJudges(BUILD / "lib" / "libkept_judge.so")
            with self.lock:
                self.gates.append(self.mine.judges)
        return self.mine.judges

    def _judge(self, who, zone, serial, path, valid_for_seconds):
        try:
            gate.require_valid(path, zone, valid_for_seconds, self._gate())
        except Exception as refused:  # noqa: BLE001 # whatever keeps the judges from accepting is a failure
            with self.lock:
                self.failures.append((who, f"{zone} version {serial}: {refused}"))
                if len(self.failures) <= REFUSED_KEPT:
                    KEPT_LOGS.mkdir(parents=True, exist_ok=True)
                    shutil.copy(path, KEPT_LOGS)
        finally:
            path.unlink()
            self.waiting.release()
            with self.lock:
                self.judged += 1
