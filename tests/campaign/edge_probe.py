# SPDX-License-Identifier: MIT
"""Asks one edge without a pause, judges each answer by itself and by what may be answered, and notes when none came."""
import collections
import random
import threading
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rdatatype

from wire_judge import Bogus

TRY_SECONDS = 0.5  # a datagram that a dying server had taken already is lost: whoever resolves asks again, and so do we
TRIES = 6  # so that a busy machine has 3 s; a dead server is noticed at once, by its closed port
PAUSE_SECONDS = 0.004
# An edge that cannot answer says so. REFUSED: it has no such zone, which a host that lost its replica may say.
HONEST = ("SERVFAIL", "REFUSED")


class Expectations:
    """Which answers are right for which names of a flat zone. Threads: any."""

    def __init__(self, zone, stable):
        self.zone = zone
        self.stable = {self.owner(device): frozenset([self._tlsa(device)]) for device in stable}
        self._stable_owners = list(self.stable)
        self.moving, self._moving_owners = {}, []

    def owner(self, device):
        return f"{device.id}.{self.zone}"

    @staticmethod
    def _tlsa(device):
        return bytes((3, 1, 1)) + bytes.fromhex(device.fingerprint)

    def allow_moving(self, device):
        """From now on the device may be there, and it may be gone. Called before anybody is asked to enroll it."""
        self.moving[self.owner(device)] = frozenset([self._tlsa(device), None])
        self._moving_owners.append(self.owner(device))

    def choose(self, source):
        """Returns a name and the RDATA that it may have; None is among them where it may be absent."""
        choice = source.random()
        if choice < 0.7 or not self._moving_owners:
            owner = source.choice(self._stable_owners)
            return owner, self.stable[owner]
        if choice < 0.85:
            owner = source.choice(self._moving_owners)
            return owner, self.moving[owner]
        return f"absent-{source.randrange(10**9)}.{self.zone}", frozenset([None])


class Prober(threading.Thread):
    def __init__(self, port, judge, expected, seed, fail):
        super().__init__(daemon=True)
        self.port, self.judge, self.expected, self.fail = port, judge, expected, fail
        self.random, self.ending, self.failure = random.Random(seed), threading.Event(), None
        self.answers = collections.Counter()
        self._going, self._begun = threading.Event(), time.monotonic()
        self._missing, self._late = collections.deque(maxlen=100_000), collections.deque(maxlen=100_000)
        self._going.set()

    def run(self):
        try:
            while not self.ending.wait(PAUSE_SECONDS):
                self._going.wait(1)
                if self._going.is_set():
                    self._ask(*self.expected.choose(self.random))
        except BaseException as failure:  # noqa: BLE001 # reported as a failure of the campaign
            self.failure = failure

    def rest(self):
        """While the edge is down on purpose."""
        self._going.clear()

    def go_on(self):
        self._begun = time.monotonic()
        self._going.set()

    def calm_for(self, seconds):
        """Whether every question of the last seconds was answered."""
        now = time.monotonic()
        return now - max(self._begun, *(moments[-1] if moments else 0 for moments in (self._missing, self._late))) >= seconds

    def missing_since(self, moment):
        """When questions were asked that nobody answered, or that the edge could not answer."""
        return [missing for missing in list(self._missing) if missing >= moment]

    def silent_since(self, moment):
        """As missing_since, and when a try was not answered although a later one of the same question was."""
        return [silent for silent in list(self._missing) + list(self._late) if silent >= moment]

    def _query(self, name):
        query = dns.message.make_query(name, "TLSA", want_dnssec=True)
        query.flags &= ~dns.flags.RD
        for _ in range(TRIES):
            begun = time.monotonic()
            try:
                return dns.query.udp_with_fallback(query, "127.0.0.1", port=self.port, timeout=TRY_SECONDS)[0]
            except dns.exception.Timeout:
                self._late += [begun, time.monotonic()]
            except (OSError, EOFError):
                return None
        return None

    def verdict(self, name):
        """What the edge says of a name now: secure, absent, nodata, a response code, or none."""
        answer = self._query(name)
        return self.judge.judge(answer, name)[0] if answer else "none"

    def _ask(self, name, allowed):
        begun = time.monotonic()
        answer = self._query(name)
        if answer is None:
            self._note_missing("none", begun)
            return
        try:
            verdict, rdatas = self.judge.judge(answer, name)
        except Bogus as bogus:
            self.answers["wrong"] += 1
            self.fail(f"{name}: {bogus}; {answer.to_text()[:1500]!r}")
            return
        self.answers[verdict] += 1
        if verdict in HONEST:
            self._note_missing(None, begun)
        elif not (verdict == "secure" and len(rdatas) == 1 and rdatas[0] in allowed) and not (verdict == "absent" and None in allowed):
            self.answers["wrong"] += 1
            self.fail(f"{name}: {verdict} {[rdata.hex() for rdata in rdatas]}, which was never published")

    def _note_missing(self, what, begun):
        if what:
            self.answers[what] += 1
        self._missing += [begun, time.monotonic()]
