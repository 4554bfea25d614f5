# SPDX-License-Identifier: MIT
"""dnsperf as a child: started, ended early when wanted, its report read."""
import re
import signal
import subprocess
import typing

END_SECONDS = 60


class Report(typing.NamedTuple):
    sent: int
    completed: int
    lost: int
    codes: dict  # answers by response code
    seconds: float


class DnsPerf:
    """Asks the questions of a file, DO set. With `a_second`, so many; with `seconds`, that long; else the file once."""

    def __init__(self, port, questions, a_second=None, seconds=None, timeout_seconds=5, outstanding=100):
        limits = [] if a_second is None else ["-Q", str(a_second)]
        limits += ["-n", "1"] if seconds is None else ["-l", str(seconds)]
        # dnsperf never asks twice; fewer outstanding questions than the server's socket can hold, or the kernel drops some.
        self._child = subprocess.Popen(["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", questions, "-D", "-c", "4", "-T", "1", "-q", str(outstanding),
                                        "-t", str(timeout_seconds), *limits], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)

    def running(self):
        return self._child.poll() is None

    def end(self):
        """Ends it now; it still waits for the answers that it has asked for."""
        self._child.send_signal(signal.SIGINT)
        return self.report(END_SECONDS)

    def report(self, timeout_seconds):
        """Waits for the end. RuntimeError when it has no report."""
        try:
            said, _ = self._child.communicate(timeout=timeout_seconds)
        finally:
            self._child.kill()

        def figure(pattern, kind=int):
            found = re.search(pattern, said)
            if found is None:
                raise RuntimeError(f"dnsperf reported nothing: {said[-2000:]}")
            return kind(found.group(1))

        codes = re.findall(r"(\w+) (\d+) \(", said[said.index("Response codes"):].splitlines()[0]) if "Response codes" in said else []
        return Report(figure(r"Queries sent: +(\d+)"), figure(r"Queries completed: +(\d+)"), figure(r"Queries lost: +(\d+)"),
                      {code: int(count) for code, count in codes}, figure(r"Run time \(s\): +([\d.]+)", float))
