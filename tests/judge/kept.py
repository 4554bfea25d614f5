# SPDX-License-Identifier: MIT
"""The gate's judges, each started once and then forked for one zone after the other: for zones that come by the thousand.

The judges are the same programs, with libkept_judge.so (kept_judge.cc has the how and the why) loaded into them. To start the four and to
verify signatures that the last version of the zone had, too, was nine tenths of what a version cost.
"""
import pathlib
import struct
import subprocess
import tempfile

import gate


class KeptJudges:
    """For one thread: zones are judged one at a time. A judge that hangs or dies refuses the zone, and is started again for the next."""

    def __init__(self, library):
        """`library` is libkept_judge.so."""
        self.library = pathlib.Path(library).resolve(strict=True)
        self.programs = {}
        self.output = tempfile.NamedTemporaryFile(prefix="idz-verdict-", dir="/tmp")

    def run(self, judge, command):
        """As gate.run_judge."""
        kept = self.programs.get(command[0])
        try:
            if kept is None:
                kept = self.programs[command[0]] = _Kept(command[0], self.library)
            code = kept.ask([self.output.name, *command])
        except FileNotFoundError:
            return gate.Verdict(judge, False, "is not installed")
        except (TimeoutError, EOFError, BrokenPipeError) as gone:
            self.programs.pop(command[0]).close()
            return gate.Verdict(judge, False, f"no verdict: {gone!r}")
        return gate.Verdict(judge, code == 0, f"exit {code}\n" if code == 0 else f"exit {code}\n{self.printed()}")

    def printed(self):
        return pathlib.Path(self.output.name).read_text(errors="replace")

    def close(self):
        for kept in self.programs.values():
            kept.close()
        self.programs.clear()
        self.output.close()


class _Kept:
    def __init__(self, program, library):
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", 'exec 3>&1 >/dev/null; LD_BIND_NOW=1 LD_PRELOAD="$0" exec "$1"', str(library), program],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, bufsize=0)

    def ask(self, arguments):
        """Returns the exit code."""
        import select

        request = b"".join(str(argument).encode() + b"\0" for argument in arguments)
        self._process.stdin.write(struct.pack("=I", len(request)) + request)
        if not select.select([self._process.stdout], [], [], gate.TIMEOUT_SECONDS)[0]:
            raise TimeoutError(f"within {gate.TIMEOUT_SECONDS} s")
        answer = self._process.stdout.read(4)
        if len(answer) != 4:
            raise EOFError(f"exit {self._process.wait(10)}")
        return struct.unpack("=i", answer)[0]

    def close(self):
        self._process.kill()
        self._process.wait()
        self._process.stdin.close()
        self._process.stdout.close()
