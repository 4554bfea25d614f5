# SPDX-License-Identifier: MIT
"""Several signers on one database: whoever stops in the middle of a version, the others go on, and when it wakes up it cannot publish."""
import pathlib
import random
import shutil
import signal
import threading
import time

import pytest
from devstack.devices import make_devices
from devstack.ports import free_ports
from devstack.process import Daemon, wait_until

ZONE = "_device.signers.example."
TAKEOVER_SECONDS = 3
STOPS_IN_THE_MIDDLE = 3
STOPS_MAX, FLOOD_SECONDS_MAX = 400, 240
LOT = 100


class Flood(threading.Thread):
    """Enrolls devices, a few at a time, and revokes one of each lot, until it is told to end."""

    def __init__(self, stack):
        super().__init__(daemon=True)
        self.stack, self.revoked, self.done = stack, set(), 0
        self.failure, self.ending = None, threading.Event()

    def run(self):
        try:
            with self.stack.client() as client:
                end = time.monotonic() + FLOOD_SECONDS_MAX
                while not self.ending.is_set() and time.monotonic() < end:
                    some = make_devices(LOT, f"after{self.done}-", kinds=lambda number: "p256")
                    client.enroll_many(ZONE, some)
                    client.revoke(ZONE, some[0].id)
                    self.revoked.add(some[0].id)
                    self.done += len(some)
                    time.sleep(0.15)
        except BaseException as failure:  # noqa: BLE001 # the test looks at it
            self.failure = failure


def add_signer(stack, keys=None):
    """A second signer, with the first one's keys or a directory of its own."""
    port = free_ports(1)[0]
    text = (stack.folder / "config" / "signerd.toml").read_text().replace(str(stack.ports["observe-signerd"]), str(port))
    if keys:
        text = text.replace(f'directory = "{stack.folder}/keys"', f'directory = "{keys}"')
    path = stack.folder / "config" / "signerd-2.toml"
    path.write_text(text)
    stack.account.own(path)
    daemon = Daemon("signerd-2", [stack.binary("idzone-signerd"), "--config", path], stack.folder, stack.account, observe_port=port)
    stack.daemons["signerd-2"] = daemon
    return daemon


def restart_with(daemon, **environment):
    daemon.stop()
    daemon._child = None
    daemon.environment.update(environment)
    return daemon.start().wait_ready()


def serial(stack):
    return int(stack.cluster.sql(f"select serial from published.zone where name_text = '{ZONE}'"))


def check_chain(stack):
    """Every version follows the one before, by serial and by digest; no batch was lost, none was published twice."""
    rows = stack.cluster.sql(f"select v.serial, v.previous_serial, encode(v.previous_digest, 'hex'), encode(v.digest, 'hex') from published.version v"
                             f" join published.zone z using (zone_id) where z.name_text = '{ZONE}' order by v.serial").splitlines()
    versions = [row.split("|") for row in rows]
    for before, after in zip(versions, versions[1:]):
        assert int(after[0]) == int(before[0]) + 1 == int(after[1]) + 1, (before, after)
        assert after[2] == before[3], "a version builds on another than the one before"
    assert stack.cluster.sql("select count(*) from registry.dirty_batch") == "0"
    assert stack.cluster.sql("select count(*) from (select batch_id from registry.identity union select batch_id from registry.revocation) b"
                             " left join published.batch p using (batch_id) where p.batch_id is null") == "0"
    return len(versions)


def holds_the_zone_for(stack, seconds):
    """Whether a signer has been idle that long inside a transaction that holds the zone."""
    return stack.cluster.sql("select count(*) from pg_stat_activity a join pg_locks l using (pid) where a.application_name = 'idzone-signerd'"
                             f" and a.state = 'idle in transaction' and a.state_change < clock_timestamp() - interval '{seconds} s'"
                             " and l.relation = 'published.zone'::regclass and l.mode in ('RowShareLock', 'RowExclusiveLock')") != "0"


def stopped_in_the_middle(stack, daemon):
    """Stops a signer; says whether it was inside a transaction that holds the zone. A running one is idle there for some ms at most, so that
    a short look says which stops are worth a long one."""
    daemon.send(signal.SIGSTOP)
    time.sleep(0.1)
    if not holds_the_zone_for(stack, 0.05):
        return False
    time.sleep(1.2)
    return holds_the_zone_for(stack, 1)


@pytest.fixture
def two_signers(own_stack):
    own_stack.create_namespace(ZONE, "--layout", "flat")
    second = add_signer(own_stack)
    for daemon in (own_stack.signerd, second):
        restart_with(daemon, IDZONE_SIGNERD_SIGNING_TAKEOVER_SECONDS=str(TAKEOVER_SECONDS))
    yield own_stack, own_stack.signerd, second
    second.send(signal.SIGCONT)
    second.kill()


def test_stopped_signer_is_taken_over_and_cannot_publish_when_it_wakes_up(two_signers):
    stack, first, second = two_signers
    flood = Flood(stack)
    flood.start()
    chance, middles, stops = random.Random(11), 0, 0
    while middles < STOPS_IN_THE_MIDDLE and stops < STOPS_MAX and flood.is_alive():
        victim = chance.choice((first, second))
        stops += 1
        time.sleep(chance.uniform(0.01, 0.1))
        if not stopped_in_the_middle(stack, victim):
            victim.send(signal.SIGCONT)
            continue
        middles += 1
        other = second if victim is first else first
        before = serial(stack)
        wait_until(lambda before=before: serial(stack) > before, TAKEOVER_SECONDS + 20, "the other signer publishes")
        assert flood.failure is None, flood.failure
        at_wake = serial(stack)
        victim.send(signal.SIGCONT)
        wait_until(lambda at_wake=at_wake: serial(stack) > at_wake or not flood.is_alive(), 30, "versions go on after the first has woken up")
        assert other.pid() and victim.pid()
        victim.wait_ready(30)
    flood.ending.set()
    flood.join(120)
    assert flood.failure is None, flood.failure
    assert middles >= 2, f"{middles} of {stops} stops were inside a version: the test did not meet its case"

    with stack.client() as client:
        assert client.wait(ZONE, live=True, timeout_seconds=60).done
        states = {identity.id: identity.state for identity in client.list(ZONE)}
    assert len(states) == flood.done
    assert {name for name, state in states.items() if state == 2} == flood.revoked
    versions = check_chain(stack)
    stack.require_valid(ZONE, names_min=0)
    log = "".join(path.read_text(errors="replace") for path in (stack.folder / "log").glob("*.log"))
    refused = log.count("idle-in-transaction timeout") + log.count("due to administrator command")
    print(f"{stops} stops, {middles} inside a version, {versions} versions; sessions that were ended: {refused}")
    assert refused >= 1, "no commit of a woken signer was refused"


def test_signer_without_the_zones_key_says_so_and_stands_in_nobodys_way(own_stack):
    own_stack.create_namespace(ZONE, "--layout", "flat")
    keys = pathlib.Path(own_stack.folder / "keys-2")
    keys.mkdir(mode=0o700)
    shutil.copy2(own_stack.folder / "keys" / "kek", keys / "kek")
    own_stack.account.own(keys)
    second = add_signer(own_stack, keys)
    second.start().wait_ready()

    with own_stack.client() as client:
        for device in make_devices(40, kinds=lambda number: "p256"):
            change = client.enroll(ZONE, device.id, device.certificate).identity.change
            assert client.wait(ZONE, [change], timeout_seconds=20).done

    wait_until(lambda: "KEY_FILE_INVALID" in second.log_file.read_text(), 30, "the one without the key says so")
    assert second.metric("idzone_signer_failures_total") >= 1
    status = own_stack.cli("--output", "json", "zone", "status", ZONE, check=False)
    assert status.returncode == 8
    assert "KEY_FILE_INVALID" in status.stdout
    check_chain(own_stack)

    # Alone it makes no keys either, which the other one could not sign with.
    first = own_stack.daemons["signerd"]
    first.stop()
    first._child = None
    own_stack.cli("key", "roll", ZONE)
    own_stack.cli("namespace", "create", "_device.later.example.", "--operator", "acme", "--layout", "flat", "--ns", "ns1.example.net.", "--ns", "ns2.example.net.")
    wait_until(lambda: str(keys) in own_stack.cluster.sql("select string_agg(refused, ' ') from published.keyset"), 30, "the roll waits")
    wait_until(lambda: "_device.later" in own_stack.cluster.sql("select string_agg(detail::text, ' ') from published.alarm") or
               "zone=_device.later.example. kind=create" in second.log_file.read_text(), 30, "so does the zone")
    assert [path.name for path in keys.iterdir()] == ["kek"]
    # Who has just registered the namespace is told what keeps its zone from being there.
    for command in ("zone", "key"):
        shown = own_stack.cli(command, "status", "_device.later.example.", check=False)
        assert "the keys that were made last" in shown.stdout + shown.stderr and str(keys) not in shown.stdout + shown.stderr, shown
    first.start().wait_ready()
    for each in (ZONE, "_device.later.example."):
        wait_until(lambda: own_stack.soa_serial(each), 60, f"{each} served")
    wait_until(lambda: len(own_stack.cluster.sql("select key_id from published.key").split()) == 3, 30, "the roll goes on")
    second.kill()
    own_stack.require_valid(ZONE, names_min=0)
