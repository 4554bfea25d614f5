# SPDX-License-Identifier: MIT
"""A revoked name is empty until nobody can believe its old record any more; then a re-enroller may give it to another key."""
import datetime
import json
import random
import threading
import time

import gate
import grpc
import pytest
from devstack.devices import make_device, make_devices
from devstack.tlsa_oracle import by_openssl
from idzone_client import refusal

HOUR = 3600
QUARANTINE_SECONDS = 72 * HOUR + 73 * HOUR // 10  # of `standard`: life, and a tenth of it and of the inception offset
ZONE = "_device.lives.example."
COUNT = 200  # of devices that are enrolled again while somebody is killed
PAUSE_SECONDS = 0.1  # of each of four clients between two of them


def end_quarantines(stack):
    """Days go by."""
    stack.cluster.sql("update published.quarantine set ends_at = now()")


def test_name_lives_again_after_its_quarantine_with_a_new_key_alone(stack, namespace, tmp_path):
    old, new = make_device("sensor1"), make_device("sensor1")
    for name, device in (("old", old), ("new", new)):
        (tmp_path / f"{name}.pem").write_bytes(device.certificate)
    with stack.client() as client:
        owner = client.enroll(namespace, "sensor1", old.certificate).identity.owner_name
        revoked_at = time.time()
        client.revoke(namespace, "sensor1")
        assert client.wait(namespace, live=True).done
        identity = client.get(namespace, "sensor1")
        assert identity.quarantine_end_time.seconds - revoked_at == pytest.approx(QUARANTINE_SECONDS, abs=60)
        assert refusal(client.re_enroll, namespace, "sensor1", new.certificate)[:2] == ("PERMISSION_DENIED", "ROLE_MISSING")
        code, reason, metadata = refusal(client.enroll, namespace, "sensor1", new.certificate)
        assert (code, reason) == ("FAILED_PRECONDITION", "IDENTITY_REVOKED")
        until = datetime.datetime.fromtimestamp(identity.quarantine_end_time.seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        assert until in metadata["met"]

    early = stack.cli("--output", "json", "device", "re-enroll", namespace, "sensor1", "--certificate", tmp_path / "new.pem", caller="re-enroller", check=False)
    assert early.returncode == 3
    error = json.loads(early.stderr)["error"]
    assert error["reason"] == "NAME_IN_QUARANTINE" and until in error["expected"]
    validator = stack.validator(namespace)
    assert validator.delv_says(owner) == "secure NXDOMAIN"

    end_quarantines(stack)
    again = stack.cli_json("device", "re-enroll", namespace, "sensor1", "--certificate", tmp_path / "new.pem", "--wait", caller="re-enroller")

    assert (again["state"], again["life"], again["owner_name"]) == ("active", 2, owner)
    assert validator.delv_says(owner) == "secure"
    assert stack.dig("+short", owner, "TLSA").replace(" ", "").lower().strip() == by_openssl("3 1 1", tmp_path / "new.pem").replace(" ", "")
    with stack.client("re-enroller") as client:
        assert client.re_enroll(namespace, "sensor1", new.certificate).already_re_enrolled
        assert refusal(client.re_enroll, namespace, "sensor1", old.certificate)[:2] == ("FAILED_PRECONDITION", "IDENTITY_NOT_REVOKED")
    with stack.client() as client:
        assert refusal(client.add_key, namespace, "sensor1", certificate=old.certificate)[:2] == ("FAILED_PRECONDITION", "KEY_REVOKED")
        assert refusal(client.enroll, namespace, "another", old.certificate)[:2] == ("FAILED_PRECONDITION", "KEY_REVOKED")
        assert client.enroll(namespace, "sensor1", new.certificate).already_enrolled, "an import that is run again meets the new life"
        client.revoke(namespace, "sensor1")
        assert client.wait(namespace, live=True).done
    assert validator.delv_says(owner) == "secure NXDOMAIN"
    event = stack.cluster.sql("select kind || ' ' || (detail->>'life') || ' ' || (detail->>'fingerprint') from registry.event where kind = 'identity.re_enrolled'"
                              f" and identity_ids[1] = (select identity_id from registry.revocation where life = 2 and namespace_id = "
                              f"(select namespace_id from registry.namespace where name_text = '{namespace}'))")
    assert event == f"identity.re_enrolled 2 {new.fingerprint}"


class ReEnrolling(threading.Thread):
    """Enrolls devices again, one after the other, and asks again, by a new connection, when no answer came."""

    def __init__(self, stack, devices):
        super().__init__(daemon=True)
        self.stack, self.devices, self.acknowledged, self.failure = stack, devices, [], None

    def run(self):
        try:
            waiting = list(self.devices)
            while waiting:
                with self.stack.client("re-enroller") as client:
                    while waiting and self.attempt(client, waiting[0]):
                        waiting.pop(0)
                time.sleep(0.05)
        except BaseException as failure:  # noqa: BLE001 # the test looks at it
            self.failure = failure

    def attempt(self, client, device):
        try:
            client.re_enroll(ZONE, device.id, device.certificate, timeout=10)
        except grpc.RpcError as error:
            if error.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.UNKNOWN):
                return False
            raise
        self.acknowledged.append(device)
        time.sleep(PAUSE_SECONDS)
        return True


def test_acknowledged_re_enrollments_survive_kill_9(own_stack):
    own_stack.create_namespace(ZONE, "--layout", "flat")
    first = make_devices(COUNT, kinds=lambda number: "p256")
    with own_stack.client() as client:
        client.enroll_many(ZONE, first)
        for device in first:
            client.revoke(ZONE, device.id)
        assert client.wait(ZONE, live=True, timeout_seconds=60).done
    end_quarantines(own_stack)
    second = make_devices(COUNT, kinds=lambda number: "p256")
    workers = [ReEnrolling(own_stack, second[part::4]) for part in range(4)]
    for worker in workers:
        worker.start()
    chance, kills = random.Random(7), 0
    while any(worker.is_alive() for worker in workers):
        victim = own_stack.daemons[chance.choice(("provisiond", "provisiond", "postgresql", "signerd"))]
        time.sleep(chance.uniform(0.05, 0.4))
        victim.kill()
        kills += 1
        known = {worker: list(worker.acknowledged) for worker in workers}
        victim._child = None
        victim.start()
        victim.wait_ready(60)
        with own_stack.client() as client:
            for device in (each for some in known.values() for each in some):
                identity = client.get(ZONE, device.id)
                assert (identity.state, identity.life, identity.fingerprint.hex()) == (1, 2, device.fingerprint), identity
        if kills > 60:
            break
    for worker in workers:
        worker.join(60)
        assert worker.failure is None, worker.failure
        assert len(worker.acknowledged) == COUNT // 4
    assert kills >= 3

    with own_stack.client() as client:
        assert client.wait(ZONE, live=True, timeout_seconds=60).done
        listed = {identity.id: identity for identity in client.list(ZONE)}
    for device in second:
        assert (listed[device.id].state, listed[device.id].life) == (1, 2)
        assert [key.fingerprint.hex() for key in listed[device.id].keys if key.state == 1] == [device.fingerprint]
    assert own_stack.cluster.sql("select count(*) from registry.reenrollment") == str(COUNT)
    for path in own_stack.zone_files(ZONE):
        gate.require_valid(path, ZONE, 24 * HOUR)
        assert gate.shape(path, ZONE)[0] > COUNT
    validator = own_stack.validator(ZONE)
    assert validator.delv_says(listed[second[0].id].owner_name) == "secure"
