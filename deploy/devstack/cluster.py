# SPDX-License-Identifier: MIT
"""A private PostgreSQL cluster: its own folder, only a Unix socket, durable settings."""
import glob
import hashlib
import os
import pathlib
import shutil
import signal
import subprocess
import time

from .process import Daemon, wait_until

# A Unix socket's path has at most 107 octets; PostgreSQL adds "/.s.PGSQL.5432".
SOCKET_FOLDER_MAX = 90


def program_folder():
    """The newest installed server's programs."""
    folders = glob.glob("/usr/lib/postgresql/*/bin")
    if not folders:
        raise RuntimeError("no PostgreSQL server below /usr/lib/postgresql: install the package postgresql")
    return pathlib.Path(max(folders, key=lambda folder: int(folder.split("/")[4])))


class Cluster(Daemon):
    """`kill` ends the postmaster and every backend with SIGKILL, as a power switch does."""

    def __init__(self, folder, account, settings=None):
        folder = pathlib.Path(folder)
        self.programs = program_folder()
        self.data = folder / "postgresql"
        self.socket_folder = folder / "socket"
        if len(str(self.socket_folder)) > SOCKET_FOLDER_MAX:
            digest = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
            self.socket_folder = pathlib.Path("/tmp") / f"idzone-{digest}"
        # syncfs: recovery after a kill otherwise opens and syncs each of a thousand files, which takes seconds.
        options = {"listen_addresses": "", "unix_socket_directories": str(self.socket_folder), "max_connections": "60",
                   "shared_buffers": "64MB", "timezone": "UTC", "log_min_duration_statement": "5s",
                   "recovery_init_sync_method": "syncfs", **(settings or {})}
        command = [self.programs / "postgres", "-D", self.data]
        for key, value in options.items():
            command += ["-c", f"{key}={value}"]
        super().__init__("postgresql", command, folder, account, ready=self._answers)

    def create(self):
        """Makes the cluster unless it is there. Trust is by the folder of the socket, which only the account enters."""
        self.socket_folder.mkdir(exist_ok=True, mode=0o700)
        self.account.own(self.socket_folder)
        if (self.data / "PG_VERSION").exists():
            return
        if self.data.exists():
            shutil.rmtree(self.data)  # left behind by an initdb that was interrupted
        self.data.mkdir(mode=0o700)
        self.account.own(self.data)
        made = subprocess.run(
            self.account.command(self.programs / "initdb", "-D", self.data, "-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C"),
            capture_output=True, text=True, cwd=self.folder, check=False)
        if made.returncode != 0:
            raise RuntimeError(f"initdb failed: {made.stderr.strip()}")

    def start(self):
        # After a SIGKILL the last backends may still hold the shared memory for a moment.
        for _ in range(100):
            super().start()
            time.sleep(0.05)
            if self.pid():
                break
            if "shared memory" not in self.log_tail(5) and "lock file" not in self.log_tail(5):
                break
            time.sleep(0.1)
        return self

    def _answers(self):
        return subprocess.run([self.programs / "pg_isready", "-q", "-h", self.socket_folder, "-U", "postgres"], check=False).returncode == 0

    def url(self, role="postgres", database="idzone"):
        return f"postgresql://{role}@/{database}?host={self.socket_folder}"

    def sql(self, statement, database="idzone", role="postgres"):
        """Runs statements with psql as a superuser; returns unaligned text."""
        done = subprocess.run([self.programs / "psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", self.url(role, database), "-c", statement],
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"psql: {done.stderr.strip()}")
        return done.stdout.strip()

    def create_database(self, name="idzone"):
        if not self.sql(f"select 1 from pg_database where datname = '{name}'", "postgres"):
            self.sql(f'create database "{name}"', "postgres")

    def stop(self, timeout_seconds=30):
        # SIGINT: fast shutdown. SIGTERM would wait for every client.
        if self.send(signal.SIGINT):
            wait_until(lambda: not self.pid(), timeout_seconds, "postgresql stopped")
        self.pid_file.unlink(missing_ok=True)
        return self._child.returncode if self._child else None

    def kill(self):
        postmaster = self.pid()
        if not postmaster:
            return
        os.kill(postmaster, signal.SIGSTOP)  # so that it starts no successor while its children are being counted
        children = [int(pid) for pid in pathlib.Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text(encoding="ascii").split()]
        for pid in [postmaster, *children]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        wait_until(lambda: not self.pid(), 10, "postgresql killed", 0.005)
