# SPDX-License-Identifier: MIT
"""One daemon: started as a child or found again by its pid file, asked whether it is ready, stopped or killed."""
import os
import pathlib
import signal
import subprocess
import time
import urllib.error
import urllib.request


class DaemonFailed(RuntimeError):
    """It ended, or was not ready in time; the text has the end of its log."""


def wait_until(condition, timeout_seconds, what, step_seconds=0.05):
    """Waits for a condition and returns its value; TimeoutError names what was waited for."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what}: not within {timeout_seconds:g} s")
        time.sleep(step_seconds)


class Daemon:
    def __init__(self, name, command, folder, account, observe_port=None, environment=None, ready=None):
        """`ready` is a function that says whether it is; by default /readyz on `observe_port` is asked."""
        self.name = name
        self.command = [str(part) for part in command]
        self.folder = pathlib.Path(folder)
        self.account = account
        self.observe_port = observe_port
        self.environment = environment or {}
        self.log_file = self.folder / "log" / f"{name}.log"
        self.pid_file = self.folder / "run" / f"{name}.pid"
        self._ready = ready
        self._child = None

    def start(self):
        if self.pid():
            return self
        # A new session, so that a Ctrl-C at the terminal does not reach what shall go on running.
        with open(self.log_file, "ab") as log:
            self._child = subprocess.Popen(
                self.account.command("env", *[f"{name}={value}" for name, value in self.environment.items()], *self.command),
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd=self.folder)
        self.pid_file.write_text(str(self._child.pid))
        return self

    def pid(self):
        """Its pid while it runs, else None. A pid file from before a reboot does not count: the command must match."""
        if self._child is not None:
            return self._child.pid if self._child.poll() is None else None
        try:
            pid = int(self.pid_file.read_text())
            running = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
            state = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
        except (OSError, ValueError):
            return None
        same = running and os.path.basename(running[0]) == os.path.basename(self.command[0]).encode()
        ours = any(os.fsencode(self.folder) in argument for argument in running)
        return pid if same and ours and state != "Z" else None

    def observe(self, path):
        """Asks the observatory; returns (status, text), status 0 when nobody answers."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.observe_port}{path}", timeout=2) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refused:
            return refused.code, refused.read().decode()
        except OSError as failure:
            return 0, str(failure)

    def metric(self, name):
        """The sum over all labels of a metric, or None when it is not exported."""
        lines = [line for line in self.observe("/metrics")[1].splitlines() if line.split("{")[0].split(" ")[0] == name]
        return sum(float(line.rsplit(" ", 1)[1]) for line in lines) if lines else None

    def is_ready(self):
        if self._ready is not None:
            return self._ready()
        return self.observe("/readyz")[0] == 200

    def wait_ready(self, timeout_seconds=30):
        def ready_or_ended():
            if not self.pid():
                raise DaemonFailed(f"{self.name} ended while starting; its log ends:\n{self.log_tail()}")
            return self.is_ready()

        try:
            wait_until(ready_or_ended, timeout_seconds, f"{self.name} ready")
        except TimeoutError as late:
            answer = self.observe("/readyz")[1].strip() if self.observe_port else ""
            raise DaemonFailed(f"{late}; it says: {answer}; its log ends:\n{self.log_tail()}") from None
        return self

    def log_tail(self, lines=15):
        try:
            return "\n".join(self.log_file.read_text(errors="replace").splitlines()[-lines:])
        except OSError:
            return "(no log)"

    def send(self, number):
        pid = self.pid()
        if pid:
            os.kill(pid, number)
        return pid

    def stop(self, timeout_seconds=20):
        """SIGTERM, and SIGKILL when that is not enough. Returns the exit code if it was our child, else None."""
        if not self.send(signal.SIGTERM):
            return self._child.returncode if self._child else None
        try:
            wait_until(lambda: not self.pid(), timeout_seconds, f"{self.name} stopped")
        except TimeoutError:
            self.kill()
            raise DaemonFailed(f"{self.name} did not drain within {timeout_seconds} s; its log ends:\n{self.log_tail()}") from None
        finally:
            self.pid_file.unlink(missing_ok=True)
        return self._child.returncode if self._child else None

    def kill(self):
        """SIGKILL; returns when it is gone."""
        if self.send(signal.SIGKILL):
            wait_until(lambda: not self.pid(), 10, f"{self.name} killed", 0.005)

    def restart(self):
        self.stop()
        self._child = None
        return self.start()
