# SPDX-License-Identifier: MIT
"""Questions at a steady pace to a validating resolver, in a process of its own: whatever else a campaign does, it does not wait for it.

One question is due every `every_seconds`; those that a busy machine made late are asked as soon as it can be, none is left out. What is not answered
is asked again, as stub resolvers do, and given up after LATE_SECONDS. Each answer must be secure.

Talk, a JSON object a line: in come {"names": {…}} (what may be asked), {"exist": [owner…]}, and {"end": n}: n questions asked at least, then the end; out
comes, at the end, what was told.
"""
import collections
import json
import os
import random
import select
import socket
import struct
import subprocess
import sys
import threading
import time

import dns.exception
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

LATE_SECONDS = 20  # unanswered for that long: given up
AGAIN_SECONDS = LATE_SECONDS / 4
BURST_MAX = 40
OCTETS_MAX = 65535
FLAGS = 0x0120  # RD, and AD: says that we want to know whether it is secure (RFC 6840 §5.7)
OPT_WITH_DO = struct.pack("!BHHIH", 0, 41, 1232, 0x8000, 0)
TYPES = {name: dns.rdatatype.from_text(name) for name in ("TLSA", "SSHFP", "DS", "DNSKEY", "SOA", "NS")}


class Names:
    """What may be asked: names that exist, and beside each others that do not; below cuts before they are there, too."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.existing, self.namespaces, self.prefixes = [], [], {}  # prefixes that are cuts of a namespace, or will be

    def question(self):
        """(name, type)"""
        source = self.random
        existing = source.choice(self.existing)
        kind = source.randrange(10)
        if kind < 3:
            return existing, "TLSA"
        if kind == 3:
            return existing, "SSHFP"
        if kind == 4:
            return existing.split(".", 1)[1], source.choice(("DS", "DNSKEY", "TLSA", "SOA"))
        if kind == 5:
            return f"absent{source.randrange(10**6)}.{existing.split('.', 1)[1]}", "TLSA"
        if kind == 6:
            return source.choice(self.namespaces), source.choice(("SOA", "DNSKEY", "NS", "DS"))
        namespace = source.choice(sorted(self.prefixes))
        prefix = source.choice(self.prefixes[namespace])
        below = prefix + f"{source.randrange(10 ** 3):03d}"
        if kind == 7:
            return ".".join(reversed(prefix)) + "." + namespace, source.choice(("DS", "NS", "TLSA", "DNSKEY"))
        return ".".join(reversed(below)) + "." + namespace, source.choice(("TLSA", "TLSA", "DS"))


class Asking:
    def __init__(self, port, seed, every_seconds):
        self.names, self.random, self.every = Names(seed), random.Random(seed + 1), every_seconds
        self.told, self.wrong, self.asked, self.least, self.slowest = collections.Counter(), [], 0, None, 0.0
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 21)
        self.socket.setblocking(False)
        self.open = {}  # {id: [question, first asked, last asked, wire]}
        self.heard = b""

    def run(self):
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        poll.register(sys.stdin.fileno(), select.POLLIN)
        while not self.names.existing:
            self.listen()
        begun = due = looked = time.monotonic()
        while self.least is None or self.asked < self.least:
            now = time.monotonic()
            for _ in range(min(BURST_MAX, int((now - due) / self.every) + 1 if now >= due else 0)):
                self.ask(self.names.question(), now)
                due += self.every
            for file, _ in poll.poll(max(0, due - time.monotonic()) * 1000):
                self.hear() if file == self.socket.fileno() else self.listen()
            if now - looked > 0.5:
                looked = now
                self.again(now)
        seconds = time.monotonic() - begun
        poll.unregister(sys.stdin.fileno())
        end = time.monotonic() + LATE_SECONDS
        while self.open and time.monotonic() < end:
            poll.poll(50)
            self.hear()
            self.again(time.monotonic())
        self.told["late"] += len(self.open)
        return {"asked": self.asked, "seconds": seconds, "told": self.told, "wrong": self.wrong, "slowest": self.slowest}

    def listen(self):
        octets = os.read(sys.stdin.fileno(), 1 << 16)
        if not octets:
            sys.exit("whoever wanted to know is gone")
        *lines, self.heard = (self.heard + octets).split(b"\n")
        for said in map(json.loads, lines):
            if "names" in said:
                self.names.namespaces, self.names.prefixes = said["names"]["namespaces"], said["names"]["prefixes"]
            self.names.existing += said.get("exist", ())
            self.least = said.get("end", self.least)

    def ask(self, question, now):
        number = self.random.randrange(65536)
        while number in self.open:
            number = (number + 1) % 65536
        name, rr_type = question
        wire = struct.pack("!HHHHHH", number, FLAGS, 1, 0, 0, 1) + dns.name.from_text(name).to_wire() + struct.pack("!HH", TYPES[rr_type], 1) + OPT_WITH_DO
        self.open[number] = [question, now, now, wire]
        self.asked += 1
        self.send(wire)

    def send(self, wire):
        try:
            self.socket.send(wire)
        except (BlockingIOError, ConnectionRefusedError):
            pass  # it is asked again

    def again(self, now):
        for number, entry in list(self.open.items()):
            if now - entry[1] > LATE_SECONDS:
                self.told["late"] += 1
                del self.open[number]
            elif now - entry[2] > AGAIN_SECONDS:
                entry[2] = now
                self.send(entry[3])

    def hear(self):
        try:
            while True:
                octets = self.socket.recv(OCTETS_MAX)
                entry = self.open.pop(int.from_bytes(octets[:2], "big"), None)
                if entry:
                    self.judge(entry, octets)
        except (BlockingIOError, ConnectionRefusedError):
            return

    def judge(self, entry, octets):
        rcode, secure = octets[3] & 15, bool(octets[3] & 0x20)
        self.slowest = max(self.slowest, time.monotonic() - entry[1])
        if rcode in (0, 3) and secure:
            kind = "NXDOMAIN" if rcode == 3 else "data" if octets[6:8] != b"\0\0" else "NODATA"
            self.told[f"secure {kind}"] += 1
            return
        verdict = "insecure" if rcode in (0, 3) else why(octets)
        self.told[verdict] += 1
        self.wrong.append(f"{time.strftime('%H:%M:%S')} {' '.join(entry[0])}: {verdict}")


def why(octets):
    """RFC 8914: codes 1 to 12 are the validator's."""
    try:
        message = dns.message.from_wire(octets, ignore_trailing=True)
        codes = [int(option.code) for option in message.options if option.otype == 15]
    except (dns.exception.DNSException, ValueError):
        return "malformed"
    text = dns.rcode.to_text(octets[3] & 15)
    return f"bogus {text} {codes}" if any(1 <= code <= 12 for code in codes) else f"unreached {text} {codes}"


class Asker:
    """The other end: a process that asks. Threads: any may `say`."""

    def __init__(self, port, seed, every_seconds):
        self._process = subprocess.Popen([sys.executable, __file__, str(port), str(seed), str(every_seconds)], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._lock = threading.Lock()

    def say(self, **said):
        with self._lock:
            self._process.stdin.write(json.dumps(said).encode() + b"\n")
            self._process.stdin.flush()

    def result(self, timeout_seconds):
        out, _ = self._process.communicate(timeout=timeout_seconds)
        if self._process.returncode != 0:
            raise RuntimeError(f"the questions ended with exit {self._process.returncode}")
        found = json.loads(out)
        return {**found, "told": collections.Counter(found["told"])}

    def close(self):
        self._process.kill()
        self._process.wait()


if __name__ == "__main__":
    print(json.dumps(Asking(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])).run()))
