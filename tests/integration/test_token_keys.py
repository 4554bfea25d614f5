# SPDX-License-Identifier: MIT
"""Zone keys that live in a PKCS #11 token: zones are signed, keys roll, and whatever happens to the token, the zone that is served
stays as it is, the operator is told what to do, and signing goes on when the token is back, without a restart."""
import os
import pathlib
import re
import subprocess
import sys

import pytest
from devstack.devices import make_devices
from devstack.process import wait_until
from rolling_stack import HOUR
from token_stack import SOFTHSM, TokenStack

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "campaign"))
ECDSA, ED25519 = "_device.ecdsa.example.", "_device.ed25519.example."
NSEC3, NSEC = 1, 2
DENIALS = {ECDSA: NSEC3, ED25519: NSEC}
DEVICES = 8


@pytest.fixture
def token_stack(request):
    stack = TokenStack(re.sub(r"\W+", "_", request.node.name), getattr(request, "param", SOFTHSM)).open()
    yield stack
    stack.close()


def start(stack, *namespaces):
    """Creates namespaces and enrolls all devices but the last; returns the devices and {zone: a name with a TLSA record}."""
    devices = make_devices(DEVICES, kinds=lambda number: "p256")
    names = {}
    with stack.client() as client:
        for namespace in namespaces:
            options = ("--denial", "nsec", "--algorithm", "ed25519") if namespace == ED25519 else ()
            stack.create_namespace(namespace, "--layout", "flat", *options)
            names[namespace] = client.enroll_many(namespace, devices[:-1], timeout=60)[0].enrolled.identity.owner_name
    for namespace in namespaces:
        stack.wait_live(namespace)
    return devices, names


def require_secure(stack, names):
    for zone, name in names.items():
        assert stack.validator(zone).delv_says(name) == "secure"
        assert stack.validator(zone).delv_says("absent." + zone) == "secure NXDOMAIN"


def wait_not_ready(stack, *words):
    """The signer says that it cannot work, and why: where orchestrators look, and where operators do."""
    def says():
        code, text = stack.signerd.observe("/readyz")
        return code == 503 and all(word in text for word in ("KEY_TOKEN_UNAVAILABLE", *words))
    try:
        wait_until(says, 30, f"the signer says {words}")
    except TimeoutError as late:
        raise AssertionError(f"{late}: {stack.signerd.observe('/readyz')}") from None
    told = wait_until(lambda: (lambda done: done if "KEY_TOKEN_UNAVAILABLE" in done.stdout else None)(
        stack.cli("--output", "json", "zone", "status", ECDSA, check=False)), 30, "zone status tells it")
    assert told.returncode == 8 and all(word in told.stdout for word in words), told.stdout


def enroll_last(stack, zone, devices):
    with stack.client() as client:
        return client.enroll(zone, devices[-1].id, devices[-1].certificate).identity


def test_keys_of_a_token_sign_and_roll_and_a_token_that_was_gone_is_used_again(token_stack):
    stack = token_stack
    devices, names = start(stack, ECDSA, ED25519)
    judged = set()

    # Made there, named by their SubjectPublicKeyInfo, and never to leave; nothing lies in files.
    listed = {key["key_id"] for zone in names for key in stack.keys(zone)}
    in_token = stack.token_keys()
    assert set(in_token) == listed and len(listed) == 2
    for label, key in in_token.items():
        assert key["ID"] == label
        assert all(word in key["Access"] for word in ("sensitive", "always sensitive", "never extractable", "local")), key
    assert not [path for path in (stack.folder / "keys").iterdir() if re.fullmatch("[0-9a-f]{64}", path.name)]
    require_secure(stack, names)
    for zone, denial in DENIALS.items():
        stack.wait_served(zone)
        stack.require_valid_versions(zone, denial, judged)

    # Gone, and the signer killed meanwhile.
    stack.take_token_away()
    identity = enroll_last(stack, ECDSA, devices)
    wait_not_ready(stack)
    serial = stack.serial(ECDSA)
    require_secure(stack, names)
    stack.signerd.kill()
    stack.signerd._child = None
    stack.signerd.start()
    wait_not_ready(stack, "token zones")
    assert stack.serial(ECDSA) == serial and stack.dig("+short", identity.owner_name, "TLSA") == ""
    pid = stack.signerd.pid()
    stack.bring_token_back()
    with stack.client() as client:
        assert client.wait(ECDSA, [identity.change], live=True, timeout_seconds=60).done
    stack.signerd.wait_ready(30)
    assert stack.signerd.pid() == pid, "no restart was needed"
    assert "KEY_TOKEN_UNAVAILABLE" not in stack.cli("zone", "status", ECDSA, check=False).stdout

    # A wrong PIN is tried once, and again when the file has another one.
    stack.write_pin("141421")
    stack.signerd.kill()
    stack.signerd._child = None
    stack.signerd.start()
    wait_not_ready(stack, "CKR_PIN_INCORRECT")
    wait_not_ready(stack, "tried again when the file has another")
    require_secure(stack, names)
    stack.write_pin("271828")
    stack.signerd.wait_ready(30)

    # A roll; the signer is killed at each jump.
    for zone in names:
        stack.cli("key", "roll", zone)
        stack.wait_status(zone, phase="publishing", wait="caches")
    stack.jump(HOUR + 60)
    for zone in names:
        stack.wait_status(zone, phase="switching")
    stack.jump(24 * HOUR + 300)
    for zone in names:
        stack.wait_status(zone, phase="switching", wait="parent")
        stack.cli("key", "roll", zone, "--parent-has-ds")
        stack.wait_status(zone, phase="switching", wait="caches")
    stack.jump(HOUR + 60)
    for zone, denial in DENIALS.items():
        stack.wait_status(zone, phase="none")
        stack.wait_served(zone)
        stack.require_valid_versions(zone, denial, judged)
    new = {key["key_id"] for zone in names for key in stack.keys(zone)}
    assert len(new) == 2 and not new & listed and new < set(stack.token_keys())
    require_secure(stack, names)
    assert len(judged) >= 8


@pytest.mark.parametrize("token_stack", ["faulty"], indirect=True)
def test_full_locked_and_failing_tokens_are_waited_for(token_stack):
    stack = token_stack
    devices, names = start(stack, ECDSA)

    # Full: no roll, but signing goes on.
    stack.tell_fault("C_GenerateKeyPair 0x31")
    stack.cli("key", "roll", ECDSA, "--scheme", "split")
    wait_until(lambda: "CKR_DEVICE_MEMORY: it is full" in stack.status(ECDSA).get("refusal", ""), 30, "key status says that it is full")
    identity = enroll_last(stack, ECDSA, devices)
    with stack.client() as client:
        assert client.wait(ECDSA, [identity.change], live=True, timeout_seconds=60).done
    count = len(stack.token_keys())
    stack.tell_fault("")
    stack.wait_status(ECDSA, phase="publishing")
    assert "refusal" not in stack.status(ECDSA)
    assert len(stack.token_keys()) == count + 2, "nothing was left behind by the tries"

    # Pulled out in the middle of signing.
    serial = stack.serial(ECDSA)
    stack.tell_fault("C_Sign 0x32")
    with stack.client() as client:
        change = client.revoke(ECDSA, devices[-1].id).identity.change
    wait_until(lambda: "CKR_DEVICE_REMOVED" in stack.cli("zone", "status", ECDSA, check=False).stdout, 30, "zone status tells it")
    require_secure(stack, names)
    assert stack.serial(ECDSA) == serial
    stack.tell_fault("")
    with stack.client() as client:
        assert client.wait(ECDSA, [change], live=True, timeout_seconds=60).done

    # Locked at the next start.
    stack.tell_fault("C_Login 0xa4")
    stack.signerd.kill()
    stack.signerd._child = None
    stack.signerd.start()
    wait_not_ready(stack, "CKR_PIN_LOCKED")
    stack.tell_fault("")
    stack.signerd.wait_ready(30)
    require_secure(stack, names)


@pytest.mark.parametrize("token_stack", ["faulty"], indirect=True)
def test_configuration_that_cannot_work_is_refused(token_stack):
    stack = token_stack
    stack.signerd.kill()
    working = dict(stack.settings)

    def refusal(**changed):
        environment = {"SOFTHSM2_CONF": str(stack.configuration), **{f"IDZONE_SIGNERD_{name}": value for name, value in {**working, **changed}.items()}}
        done = subprocess.run(stack.account.command(*stack.signerd.command), env={**os.environ, **environment}, capture_output=True, text=True,
                              check=False, timeout=60)
        assert done.returncode == 2, (done.returncode, done.stdout)
        return done.stdout + done.stderr

    stack.pin_file.chmod(0o640)
    assert "mode 0600 or 0400" in refusal()
    stack.pin_file.chmod(0o600)
    assert "cannot open shared object file" in refusal(PKCS11_MODULE="/usr/lib/none.so")
    assert "PKCS #11 module" in refusal(PKCS11_MODULE=str(stack.binary("idzone").parent / "libidentitybackend.so"))
    assert "pkcs11.token" in refusal(PKCS11_TOKEN="")
    assert "subject=keys.provider expected=\"sealed or pkcs11\" met=vault" in refusal(KEYS_PROVIDER="vault")
    assert "keys.directory" in refusal(KEYS_PROVIDER="sealed", KEYS_KEK_FILE=str(stack.folder / "keys" / "kek"))
