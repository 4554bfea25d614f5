# SPDX-License-Identifier: MIT
"""The octets of zone keys, and of the key that seals them, are searched for wherever they must not be, and not found: in PostgreSQL, logs,
replica, feed, and in the memory of every process but the signer. Each search is tried on something that must be found there."""
import os
import re
import signal
import subprocess
import threading

import pytest
from devstack.devices import make_devices
from devstack.process import wait_until
from idzone_stack import TestStack
from key_search import KeySearch, key_encryption_key, private_scalars
from planted_rows import wire_name
from recording_edge import RecordingEdge

ZONES = {"_device.p256.example.": (), "_device.ed25519.example.": ("--algorithm", "ed25519", "--denial", "nsec")}
DAEMONS = ("provisiond", "signerd", "feedd", "replicad")


@pytest.fixture
def talkative_stack(request):
    """Every daemon tells all that it can."""
    class Talkative(TestStack):
        def declare(self):
            super().declare()
            for name in DAEMONS:
                self.daemons[name].environment = {f"IDZONE_{name.upper()}_LOG_LEVEL": "debug"}
            return self

    stack = Talkative(re.sub(r"\W+", "_", request.node.name)).open()
    yield stack
    stack.close()


def core_of(stack, name):
    """The memory of a daemon, by the debugger of root or of its own account."""
    path = stack.folder / "core"
    pid = stack.daemons[name].pid()
    done = subprocess.run(["gcore", "-o", str(path), str(pid)], capture_output=True, text=True, check=False, timeout=120)
    file = path.with_name(f"core.{pid}")
    assert file.exists(), done.stdout + done.stderr
    octets = file.read_bytes()
    file.unlink()
    return octets


def public_keys(stack):
    """The public octets of each zone's keys, which everybody has."""
    return [bytes.fromhex(row)[4:] for row in stack.cluster.sql("select encode(dnskey, 'hex') from published.key").split()]


def test_key_octets_are_found_nowhere_but_in_the_signer(talkative_stack):
    stack = talkative_stack
    devices = make_devices(12, kinds=lambda number: "p256")
    with stack.client() as client:
        for zone, options in ZONES.items():
            stack.create_namespace(zone, "--layout", "flat", *options)
            client.enroll_many(zone, devices[:-1])
            stack.cli("key", "roll", zone)
    for zone in ZONES:
        stack.wait_live(zone)
    wait_until(lambda: len(list(private_scalars(stack))) == 2 * len(ZONES), 30, "two keys a zone: one that signs, one that comes")
    wait_until(lambda: len(public_keys(stack)) == 2 * len(ZONES), 30, "all of them in the database")

    # Snapshots of both zones, then a version.
    edge, ended = RecordingEdge(stack, "edge-2"), set()

    def enroll_another():
        with stack.client() as client:
            client.enroll("_device.p256.example.", devices[-1].id, devices[-1].certificate)

    def done(kind, zone):
        if kind == "snapshot_end":
            ended.add(zone)
            if len(ended) == len(ZONES):
                threading.Thread(target=enroll_another).start()
        return kind == "version" and len(ended) == len(ZONES) and zone == wire_name("_device.p256.example.")

    edge.follow(done)

    secrets = list(private_scalars(stack))
    search = KeySearch([*secrets, key_encryption_key(stack)])
    public = KeySearch(public_keys(stack))
    files = lambda folder: b"".join(path.read_bytes() for path in sorted((stack.folder / folder).rglob("*")) if path.is_file())  # noqa: E731
    dump = subprocess.run(["pg_dumpall", "-d", stack.cluster.url()], capture_output=True, check=True).stdout
    places = {"the dump": dump, "PostgreSQL's files": files("postgresql"), "the replica": files("replica"), "the feed": edge.octets}
    for name, octets in places.items():
        assert public.found_in(octets), f"the search finds nothing in {name}"
        assert not search.found_in(octets), f"a secret of the signer in {name}"
    for folder in ("log", "config", "run"):
        assert not search.found_in_text(files(folder)), f"a secret of the signer in {folder}/"
    assert b"signer.roll_step" in files("log") and b"published.keyset" in dump

    # The signer itself has them all in its memory but the key-encryption key's file, and a core of it shows that the search finds them.
    assert search.found_in(core_of(stack, "signerd")) >= set(range(len(secrets)))
    for name in ("provisiond", "feedd", "replicad", "pdns"):
        core = core_of(stack, name)
        assert len(core) > 1_000_000
        assert not search.found_in(core), f"a secret of the signer in {name}'s memory"


def test_nobody_but_root_gets_a_core_of_the_signer(talkative_stack):
    stack = talkative_stack
    signer, feed = stack.signerd.pid(), stack.feedd.pid()

    def core_limit(pid):
        with open(f"/proc/{pid}/limits", encoding="ascii") as limits:
            return next(line for line in limits if line.startswith("Max core file size")).split()[4:6]

    # A process that is not dumpable belongs to root in /proc (proc(5)), and no debugger of its own account may touch it (ptrace(2)).
    assert core_limit(signer) == ["0", "0"]
    assert os.stat(f"/proc/{signer}/mem").st_uid == 0
    assert os.stat(f"/proc/{feed}/mem").st_uid == stack.account.uid, "the test looks at something that says nothing"
    refused = subprocess.run(stack.account.command("cat", f"/proc/{signer}/mem"), capture_output=True, text=True, check=False)
    if stack.account.is_root:
        assert "Permission denied" in refused.stderr

    # It aborts, and there is no core.
    stack.signerd.send(signal.SIGABRT)
    wait_until(lambda: not stack.signerd.pid(), 30, "the signer aborted")
    assert not [path for path in stack.folder.iterdir() if path.name.startswith("core")]
