# SPDX-License-Identifier: MIT
"""Malformed packets, mutations of real ones, over UDP and TCP, at a live name server; size is the seconds that it lasts.

Beside them a client asks real questions, and each answer must come and be right; the server must be the same process at the
end, hold no more memory than it did after the first tenth, and have let go of its connections.
"""
import collections
import contextlib
import pathlib
import random
import socket
import threading
import time

from devstack.devices import make_devices
from edge_probe import Expectations, Prober
from fault_stack import checked_keys
from idzone_stack import TestStack
from packet_mutations import mutate, real_messages
from wire_judge import WireJudge

ZONE = "_device.packets.example."
NAMES = 200
GROWTH_KIB_MAX = 32 * 1024
UNANSWERED_MAX = 0.02  # of real questions: the senders leave the machine little time


class Sender(threading.Thread):
    def __init__(self, port, messages, seed, counts):
        super().__init__(daemon=True)
        self.port, self.messages, self.random, self.counts = port, messages, random.Random(seed), counts
        self.ending, self.failure = threading.Event(), None

    def run(self):
        try:
            while not self.ending.is_set():
                self.send()
        except BaseException as failure:  # noqa: BLE001 # reported as a failure of the campaign
            self.failure = failure

    def mutated(self):
        self.counts[type(self).__name__] += 1
        return mutate(self.random.choice(self.messages), self.random)


class UdpSender(Sender):
    """A burst from one socket; what comes back is read away."""

    def send(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect(("127.0.0.1", self.port))
            client.setblocking(False)
            for _ in range(200):
                with contextlib.suppress(OSError):
                    client.send(self.mutated())
                with contextlib.suppress(OSError):
                    while client.recv(65535):
                        self.counts["answers"] += 1
                time.sleep(0.0005)


class TcpSender(Sender):
    """A connection with some messages: lengths that are right, wrong or cut off, and ends of all kinds."""

    def send(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 2) as client:
                client.settimeout(0.05)
                for _ in range(self.random.randint(1, 6)):
                    octets = self.mutated()
                    length = len(octets) if self.random.random() < 0.7 else self.random.choice((0, 1, 65535, len(octets) + 1))
                    client.sendall(length.to_bytes(2, "big") + octets)
                    with contextlib.suppress(TimeoutError):
                        self.counts["answers"] += bool(client.recv(65535))
                if self.random.random() < 0.3:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # a reset instead of an end
        except OSError:
            self.counts["connections ended by the server"] += 1


def resident_kib(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("RssAnon:"):
            return int(line.split()[1])
    return 0


def run(seconds, seed):
    stack, failures, counts = TestStack("campaign-packets").open(), [], collections.Counter()
    threads, prober = [], None
    try:
        stack.create_namespace(ZONE, "--layout", "flat")
        devices = make_devices(NAMES, "stable", kinds=lambda number: "p256")
        with stack.client() as client:
            owners = [answer.enrolled.identity.owner_name for answer in client.enroll_many(ZONE, devices)]
            assert client.wait(ZONE, live=True, timeout_seconds=60).done
        judge = WireJudge(ZONE, checked_keys(stack, ZONE))
        prober = Prober(stack.ports["dns"], judge, Expectations(ZONE, devices), seed, failures.append)
        messages = real_messages(ZONE, owners)
        threads = [kind(stack.ports["dns"], messages, f"{seed}/{number}", counts) for number, kind in enumerate((UdpSender, TcpSender))]
        pid = stack.pdns.pid()
        for thread in [*threads, prober]:
            thread.start()
        time.sleep(seconds / 10)
        early = resident_kib(pid)
        time.sleep(seconds * 9 / 10)
        for thread in [*threads, prober]:
            thread.ending.set()
            thread.join(30)
            if thread.failure or thread.is_alive():
                failures.append(f"{type(thread).__name__} broke: {thread.failure!r}")
        if stack.pdns.pid() != pid:
            failures.append(f"the server ended; its log ends: {stack.pdns.log_tail(5)}")
        else:
            counts["anonymous KiB"] = resident_kib(pid)
            if counts["anonymous KiB"] - early > GROWTH_KIB_MAX:
                failures.append(f"memory grew from {early} to {counts['anonymous KiB']} KiB")
        answered = sum(prober.answers.values()) - prober.answers["none"]
        if prober.answers["none"] > max(2, UNANSWERED_MAX * answered) or answered < seconds:
            failures.append(f"real questions: {dict(prober.answers)}")
        for owner in owners[:20]:
            if prober.verdict(owner) != "secure":
                failures.append(f"{owner} is not answered at the end")
    except Exception as failure:  # noqa: BLE001 # a campaign that breaks off has failed
        failures.append(f"broken off: {failure!r}")
    finally:
        for thread in threads:
            thread.ending.set()
        stack.failed = bool(failures)
        stack.close()
    packets = counts["UdpSender"] + counts["TcpSender"]
    return {"cycles": packets, "operations": {**counts, **(prober.answers if prober else {})}, "failures": failures}
