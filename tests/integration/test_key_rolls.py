# SPDX-License-Identifier: MIT
"""Keys roll in a whole stack: the signer is killed at each step, every version passes the gate, validators ask all the while, the
edge follows the new keys."""
import pathlib
import re
import sys
import threading

import pytest
from devstack.devices import make_devices
from devstack.process import wait_until
from devstack.resolver import Validator
from rolling_stack import HOUR, WAIT_SECONDS, RollingStack

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "campaign"))
NSEC3, NSEC = 1, 2
DEVICES = 12


@pytest.fixture
def rolling(request):
    stack = RollingStack(re.sub(r"\W+", "_", request.node.name)).open()
    yield stack
    stack.close()


class Asking:
    """A validator that asks on and on, by trust anchors that change as a parent's DS records would. Use as a context manager.
    Everything is asked at least once before each jump of the signer's clock, before the anchors change and before the end."""

    def __init__(self, stack, zones):
        self.stack, self.zones, self.wrong = stack, zones, []
        self.rounds, self.round_ended = 0, threading.Condition()
        self.validators = {}
        self.end = threading.Event()
        self.thread = threading.Thread(target=self.work)

    def __enter__(self):
        self.believe()
        self.stack.before_jump = self.ask_everything
        self.thread.start()
        return self

    def __exit__(self, failed, *_):
        try:
            if failed is None:
                self.ask_everything()
        finally:
            self.stack.before_jump = lambda: None
            self.end.set()
            self.thread.join()
        assert not self.wrong, self.wrong[:3]

    def believe(self):
        self.validators = {zone: self.stack.validator(zone) for zone in self.zones}

    def delegate(self):
        """The parent does as it is told."""
        self.ask_everything()
        self.believe()

    def ask_everything(self):
        """Waits until a round of questions that began after the call has ended."""
        with self.round_ended:
            wanted = self.rounds + 2
            assert self.round_ended.wait_for(lambda: self.rounds >= wanted, WAIT_SECONDS), "the validator does not come round"

    def work(self):
        while not self.end.is_set():
            for zone, name in self.zones.items():
                for asked, wanted in ((name, "secure"), ("absent." + zone, "secure NXDOMAIN")):
                    with self.stack.asking:
                        said = self.validators[zone].delv_says(asked)
                    if said != wanted:
                        self.wrong.append((asked, said))
            with self.round_ended:
                self.rounds += 1
                self.round_ended.notify_all()


def start(stack, namespaces):
    """Creates namespaces and enrolls devices; returns {zone: a name with a TLSA record}."""
    devices = make_devices(DEVICES, kinds=lambda number: "p256")
    names = {}
    with stack.client() as client:
        for namespace, options in namespaces.items():
            stack.create_namespace(namespace, "--layout", "flat", *options)
            answers = client.enroll_many(namespace, devices, timeout=60)
            names[namespace] = answers[0].enrolled.identity.owner_name
    for namespace in namespaces:
        stack.wait_live(namespace)
    return names


def roles(stack, namespace):
    return sorted((key["role"], key["state"]) for key in stack.keys(namespace))


def test_keys_roll_and_every_version_is_valid(rolling):
    csk, split, nsec = (f"_device.{label}.example." for label in ("csk", "split", "nsec"))
    denials = {csk: NSEC3, split: NSEC3, nsec: NSEC}
    names = start(rolling, {csk: (), split: (), nsec: ("--denial", "nsec", "--algorithm", "ed25519")})
    judged = set()

    def judge():
        for zone, denial in denials.items():
            rolling.wait_served(zone)
            rolling.require_valid_versions(zone, denial, judged)

    with Asking(rolling, names) as asking:
        # A combined key; one that becomes two; an NSEC zone.
        rolling.cli("key", "roll", csk)
        rolling.cli("key", "roll", split, "--scheme", "split")
        rolling.cli("key", "roll", nsec)
        for zone in denials:
            status = rolling.wait_status(zone, phase="publishing", wait="caches")
            assert status["wait_end_time"]
        judge()
        again = rolling.cli("key", "roll", csk, check=False)
        assert again.returncode == 3 and "NAMESPACE_NOT_READY" in again.stderr, again.stderr
        confirmed = rolling.cli("key", "roll", csk, "--parent-has-ds", check=False)
        assert confirmed.returncode == 3, confirmed.stderr

        rolling.jump(HOUR + 60)
        for zone in denials:
            rolling.wait_status(zone, phase="switching")
            rolling.wait_served(zone)
        status = rolling.status(csk)
        new = next(key for key in rolling.keys(csk) if key["state"] == "active")
        assert [line.split()[4] for line in status["parent_records"]] == [str(new["key_tag"])]
        cds = rolling.dig("+short", csk, "CDS").split()
        assert cds[0] == str(new["key_tag"]) and len(rolling.dig("+short", csk, "CDNSKEY").splitlines()) == 1
        asking.delegate()
        judge()

        # A re-sign period: the sweep goes through the zones.
        rolling.jump(24 * HOUR + 300)
        for zone in denials:
            rolling.wait_status(zone, phase="switching", wait="parent")
            rolling.cli("key", "roll", zone, "--parent-has-ds")
            rolling.wait_status(zone, phase="switching", wait="caches")
        judge()
        rolling.jump(HOUR + 60)
        for zone in denials:
            rolling.wait_status(zone, phase="none")
            assert rolling.dig("+short", zone, "CDS") == ""
        assert roles(rolling, csk) == [("csk", "active")]
        assert roles(rolling, split) == [("ksk", "active"), ("zsk", "active")]
        assert len(rolling.keys(csk, "--all")) == 2
        judge()

        # The ZSK alone, without the parent; and an emergency in the middle of another roll.
        rolling.cli("key", "roll", split, "--style", "zsk")
        rolling.cli("key", "roll", csk)
        rolling.wait_status(split, phase="publishing", wait="caches")
        rolling.wait_status(csk, phase="publishing", wait="caches")
        rolling.jump(HOUR + 60)
        rolling.wait_status(csk, phase="switching")
        rolling.wait_status(split, phase="switching")
        rolling.cli("key", "roll", csk, "--emergency")
        rolling.wait_status(csk, phase="publishing", wait="caches", emergency=True)
        judge()
        rolling.jump(HOUR + 60)
        rolling.wait_status(csk, phase="switching", wait="parent")  # swept at once
        asking.delegate()
        rolling.cli("key", "roll", csk, "--parent-has-ds")
        rolling.wait_status(csk, phase="switching", wait="caches")
        judge()
        rolling.jump(24 * HOUR + 300)
        rolling.wait_status(csk, phase="none")
        rolling.wait_status(split, phase="switching", wait="caches")
        rolling.jump(HOUR + 60)
        rolling.wait_status(split, phase="none")
        judge()
        assert roles(rolling, csk) == [("csk", "active")]
        assert len(rolling.keys(csk, "--all")) == 4
        assert roles(rolling, split) == [("ksk", "active"), ("zsk", "active")]
    assert len(judged) > 20
    for zone, name in names.items():
        assert Validator(rolling.folder / "last", zone, rolling.delegation_signer(zone), rolling.ports["dns"]).delv_says(name) == "secure"


def test_algorithms_roll_both_ways_and_every_version_is_valid(rolling):
    ecdsa, ed25519 = "_device.ecdsa.example.", "_device.ed25519.example."
    denials = {ecdsa: NSEC3, ed25519: NSEC}
    names = start(rolling, {ecdsa: (), ed25519: ("--denial", "nsec", "--algorithm", "ed25519")})
    judged = set()

    def after(seconds, **wanted):
        """Every version up to there is valid."""
        if seconds:
            rolling.jump(seconds)
        for zone, denial in denials.items():
            rolling.wait_status(zone, **wanted)
            rolling.wait_served(zone)
            rolling.require_valid_versions(zone, denial, judged)

    with Asking(rolling, names) as asking:
        rolling.cli("key", "roll", ecdsa, "--style", "algorithm", "--algorithm", "ed25519")
        rolling.cli("key", "roll", ed25519, "--style", "algorithm", "--algorithm", "ecdsap256")
        after(0, phase="signing")
        after(24 * HOUR + 300, phase="signing", wait="caches")
        after(HOUR + 60, phase="publishing", wait="caches")
        after(HOUR + 60, phase="switching")
        asking.delegate()
        for zone in denials:
            rolling.cli("key", "roll", zone, "--parent-has-ds")
        after(24 * HOUR + 300, phase="switching", wait="caches")
        after(HOUR + 60, phase="withdrawing", wait="caches")
        after(HOUR + 60, phase="none")
    assert len(judged) > 10
    assert [key["algorithm"] for key in rolling.keys(ecdsa)] == [15]
    assert [key["algorithm"] for key in rolling.keys(ed25519)] == [13]


def test_an_emergency_that_finds_no_room_begins_when_the_roll_ends(rolling):
    """KSK, old ZSK and new ZSK are shown: two more keys would make five."""
    name = "_device.full.example."
    rolling.cli("policy", "create", "split", "--ttl", "60", "--life", "72h", "--resign", "24h", "--scheme", "split")
    start(rolling, {name: ("--policy", "split")})
    first = {key["key_tag"] for key in rolling.keys(name)}
    rolling.cli("key", "roll", name, "--style", "zsk")
    rolling.wait_status(name, phase="publishing", wait="caches")
    rolling.jump(HOUR + 60)
    rolling.wait_status(name, phase="switching")

    rolling.cli("key", "roll", name, "--emergency")

    rolling.wait_status(name, phase="switching", wait="caches", emergency=True, emergency_follows=True)  # swept at once
    rolling.jump(HOUR + 60)
    status = rolling.wait_status(name, phase="publishing", wait="caches", style="all-keys", emergency=True)
    assert "emergency_follows" not in status and "refusal" not in status, status
    shown = {key["key_tag"]: key for key in rolling.keys(name)}
    assert len(shown) == 4 and len(first & set(shown)) == 1, "the old KSK, the ZSK of the first roll, and two new ones"
    rolling.wait_served(name)
    assert len(rolling.dig("+short", name, "DNSKEY").splitlines()) == 4
    judged = set()
    rolling.require_valid_versions(name, NSEC3, judged)
    assert len(judged) > 3


def test_a_zone_that_is_cut_while_keys_roll_holds_nobody_up(rolling):
    """Found by histories: the roll waited for the new zone's first renewal, a sixteenth of the re-sign period later."""
    name = "_device.grows.example."
    rolling.create_namespace(name, "--form", "digits")
    rolling.cli("key", "roll", name)
    rolling.wait_status(name, phase="publishing", wait="caches")
    rolling.cli("namespace", "cut", "add", name, "12")
    wait_until(lambda: [cut["state"] for cut in rolling.cli_json("namespace", "cut", "list", name)] == ["open"], 60, "the cut is open")

    rolling.wait_status(name, phase="publishing", wait="caches")
    rolling.jump(HOUR + 60)
    rolling.wait_status(name, phase="switching")
    judged = set()
    for zone in (name, f"2.1.{name}"):
        rolling.wait_served(zone)
        rolling.require_valid_versions(zone, NSEC3, judged)
