# SPDX-License-Identifier: MIT
"""A process that dies at its k-th call: strace attached to threads that run already, counting their calls or killing at one.

strace counts for each thread by itself. So the threads of a process are told apart: those that the program made (their name is
the program's) one by one, in the order of their making, and those of gRPC, of which any may take a call, as one group.
"""
import collections
import dataclasses
import pathlib
import re
import subprocess

from devstack.process import wait_until

CALLS = ("write", "writev", "pwrite64", "pwritev", "pwritev2", "sendto", "sendmsg", "sendmmsg", "fsync", "fdatasync", "msync", "sync_file_range",
         "ftruncate", "fallocate", "rename", "renameat", "renameat2", "unlink", "link")
LIBRARY = "grpc"  # the group of threads that the program did not make itself


@dataclasses.dataclass(frozen=True)
class Point:
    """Where a process dies: in a flow, when a thread of the group enters the call for that time."""
    flow: str
    process: str
    connections: str  # whose, when the process is PostgreSQL
    threads: str
    call: str
    number: int

    def __str__(self):
        return f"{self.flow} {self.process} {self.threads} {self.call} {self.number}"


def points_of(flow, process, connections, groups, counted):
    """The points of a process: `groups` of its threads, and what Strace.counted says."""
    found = []
    for threads, tids in groups.items():
        for call in sorted({call for tid, call in counted if tid in tids}):
            most = max(counted[tid, call] for tid in tids)
            found += [Point(flow, process, connections, threads, call, number + 1) for number in range(most)]
    return found


def all_alive(pids):
    def runs(pid):
        try:
            with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
                return stat.read().rsplit(")", 1)[1].split()[0] not in "ZX"
        except OSError:
            return False
    return all(runs(pid) for pid in pids)


def thread_groups(pids):
    """Returns {group: thread ids} of processes: "PROGRAM/0", "PROGRAM/1"… in the order of their making, and "grpc"."""
    groups = collections.defaultdict(list)
    for pid in pids:
        program = _name(pid, pid)
        made = 0
        for tid in sorted((int(path.name) for path in pathlib.Path(f"/proc/{pid}/task").iterdir()), key=lambda tid: _age(pid, tid)):
            if _name(pid, tid) != program:
                groups[LIBRARY].append(tid)
                continue
            # Of several processes (PostgreSQL's backends) each has one thread, and any of them may get the work.
            groups[program if len(pids) > 1 else f"{program}/{made}"].append(tid)
            made += 1
    return groups


def _age(pid, tid):
    """Thread ids begin anew when they have reached their end (pid_max)."""
    started = pathlib.Path(f"/proc/{pid}/task/{tid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[19]
    return int(started), tid != pid, tid


def _name(pid, tid):
    return pathlib.Path(f"/proc/{pid}/task/{tid}/comm").read_text(encoding="ascii").strip()


class Strace:
    """Attached to threads from `with` on until its end. `kill_at` is (call, k); without it calls are counted."""

    def __init__(self, tids, output, kill_at=None):
        self.tids, self.output, self.kills = tids, pathlib.Path(output), kill_at is not None
        self.command = ["strace", "-o", str(output), "-e", "signal=none"]
        if kill_at:
            self.command += ["-e", f"trace={kill_at[0]}", "-e", f"inject={kill_at[0]}:signal=KILL:when={kill_at[1]}"]
        else:
            self.command += ["-f", "-e", f"trace={','.join(CALLS)}"]  # -f here only to have thread ids in the output
        self.command += [part for tid in tids for part in ("-p", str(tid))]

    def __enter__(self):
        self.output.unlink(missing_ok=True)
        self._process = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            wait_until(self._attached, 10, "strace attached", 0.005)
        except BaseException:
            self.__exit__()
            raise
        return self

    def _attached(self):
        if self._process.poll() is not None:
            raise RuntimeError(f"strace: {self._process.stderr.read()}")
        mine = f"TracerPid:\t{self._process.pid}\n"

        def is_mine(tid):
            try:
                return mine in pathlib.Path(f"/proc/{tid}/status").read_text(encoding="ascii")
            except (FileNotFoundError, ProcessLookupError):
                return True  # it has ended meanwhile: a connection of PostgreSQL, a thread of gRPC
        return all(is_mine(tid) for tid in self.tids)

    def __exit__(self, *_):
        """After a kill strace ends by itself when nothing is left to trace. It is never told to stop while threads die: it would
        wait for them for ever. The kernel lets go of the threads of a tracer that is killed."""
        try:
            if not self.kills:
                self._process.terminate()
            self._process.communicate(timeout=10 if not self.kills else 0.3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.communicate()

    def counted(self):
        """Returns {(thread id, call): how many}."""
        lines = re.findall(r"^(\d+) +(\w+)\(", self.output.read_text(errors="replace"), re.M)
        return collections.Counter((int(tid), call) for tid, call in lines)
