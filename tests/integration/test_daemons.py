# SPDX-License-Identifier: MIT
"""How daemons behave around their work: configuration, readiness, drain, certificates."""
import os
import pathlib
import socket
import ssl
import subprocess
import time

import pytest
from devstack.devices import make_device, make_devices
from devstack.process import wait_until

DAEMONS = ("provisiond", "signerd", "feedd", "replicad")
ZONE = "_device.daemons.example."


def run_with(stack, name, config, **environment):
    return subprocess.run(stack.account.command(stack.binary(f"idzone-{name}"), "--config", config), capture_output=True, text=True, timeout=20,
                          env={**os.environ, **environment}, check=False)


@pytest.fixture
def copied_config(stack, request):
    """Returns a function that copies a daemon's file with more text at its end."""
    made = []

    def copy(name, addition):
        original = stack.folder / "config" / f"{name}.toml"
        path = original.with_name(f"copy-{len(made)}-{os.getpid()}-{name}.toml")
        path.write_text(original.read_text() + addition)
        stack.account.own(path)
        made.append(path)
        return path

    yield copy
    for path in made:
        path.unlink()


@pytest.mark.parametrize("name", DAEMONS)
def test_unknown_key_is_refused_with_its_name(stack, copied_config, name):
    done = run_with(stack, name, copied_config(name, "[nonsense]\nkey = 1\n"))

    assert done.returncode == 2, done.stderr
    assert "nonsense.key" in done.stderr and "UNKNOWN_FIELD" in done.stderr


@pytest.mark.parametrize("name", DAEMONS)
def test_unknown_variable_is_refused_with_its_name(stack, copied_config, name):
    variable = f"IDZONE_{name.upper()}_NONSENSE_KEY"

    done = run_with(stack, name, copied_config(name, ""), **{variable: "1"})

    assert done.returncode == 2, done.stderr
    assert variable in done.stderr


@pytest.mark.parametrize("name", DAEMONS)
def test_value_of_the_wrong_type_is_refused(stack, copied_config, name):
    done = run_with(stack, name, copied_config(name, ""), **{f"IDZONE_{name.upper()}_LOG_LEVEL": "loud"})

    assert done.returncode == 2, done.stderr


@pytest.mark.parametrize("name", DAEMONS)
def test_daemon_describes_itself(stack, name):
    version = subprocess.run([stack.binary(f"idzone-{name}"), "--version"], capture_output=True, text=True, check=True).stdout
    keys = subprocess.run([stack.binary(f"idzone-{name}"), "--help-config"], capture_output=True, text=True, check=True).stdout

    assert version.startswith(f"idzone-{name} ")
    assert f"IDZONE_{name.upper()}_LOG_LEVEL" in keys


@pytest.mark.parametrize("name", DAEMONS)
def test_metrics_are_exported(stack, name):
    assert stack.daemons[name].metric("idzone_ready") == 1


def test_database_away_means_not_ready_and_dns_goes_on(own_stack):
    own_stack.create_old_tree(ZONE)
    with own_stack.client() as client:
        owner = client.enroll(ZONE, "dev1", make_device("dev1").certificate).identity.owner_name
        assert client.wait(ZONE, live=True).done
    validator = own_stack.validator(ZONE)

    own_stack.cluster.kill()

    for name in ("provisiond", "signerd", "feedd"):
        wait_until(lambda name=name: own_stack.daemons[name].observe("/readyz")[0] == 503, 20, f"{name} says that it is not ready")
        assert own_stack.daemons[name].observe("/livez")[0] == 200
    assert validator.delv_says(owner) == "secure"
    assert validator.delv_says(f"absent.{ZONE}") == "secure NXDOMAIN"

    own_stack.cluster._child = None
    own_stack.cluster.start().wait_ready()
    for name in DAEMONS:
        own_stack.daemons[name].wait_ready(30)
    with own_stack.client() as client:
        client.enroll(ZONE, "dev2", make_device("dev2").certificate)
        assert client.wait(ZONE, live=True).done


def test_everything_behind_the_edge_may_be_lost_and_restart_in_any_order(own_stack):
    own_stack.create_namespace(ZONE, "--layout", "flat")
    with own_stack.client() as client:
        owner = client.enroll(ZONE, "dev1", make_device("dev1").certificate).identity.owner_name
        assert client.wait(ZONE, live=True).done
    validator = own_stack.validator(ZONE)

    for name in ("postgresql", "provisiond", "signerd", "feedd", "replicad"):
        own_stack.daemons[name].kill()
    assert validator.delv_says(owner) == "secure"
    own_stack.pdns.restart().wait_ready()
    assert validator.delv_says(owner) == "secure", "the replica needs nobody"

    for name in ("replicad", "feedd", "signerd", "provisiond", "postgresql"):
        own_stack.daemons[name]._child = None
        own_stack.daemons[name].start()
    for name in DAEMONS:
        own_stack.daemons[name].wait_ready(40)
    with own_stack.client() as client:
        client.revoke(ZONE, "dev1")
        assert client.wait(ZONE, live=True).done
    assert validator.delv_says(owner) == "secure NXDOMAIN"


def test_sigterm_drains_and_loses_nothing_acknowledged(own_stack):
    own_stack.create_old_tree(ZONE)
    devices = make_devices(1500, kinds=lambda number: "p256")
    acknowledged = []
    with own_stack.client() as client:
        import grpc

        request, _ = client._types("EnrollmentService", "EnrollStream")
        requests = (request(namespace_name=ZONE, id=device.id, certificate=device.certificate) for device in devices)
        try:
            for answer in client.stub("EnrollmentService", "EnrollStream", "stream_stream")(requests, timeout=60):
                acknowledged.append(answer.enrolled.identity.id)
                if len(acknowledged) == 300:
                    own_stack.provisiond.send(15)
        except grpc.RpcError as ended:
            assert ended.code() in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED), ended
    wait_until(lambda: not own_stack.provisiond.pid(), 30, "provisiond drained")
    assert own_stack.provisiond._child.returncode == 0

    own_stack.provisiond._child = None
    own_stack.provisiond.start().wait_ready()
    with own_stack.client() as client:
        listed = {identity.id for identity in client.list(ZONE)}
        assert set(acknowledged) <= listed
        assert len(acknowledged) >= 300
    for name in ("replicad", "feedd", "signerd", "provisiond"):
        assert own_stack.daemons[name].stop() == 0, f"{name} ends with 0 after SIGTERM"


def peer_certificate(stack, port):
    tls = stack.folder / "tls"
    context = ssl.create_default_context(cafile=tls / "ca.crt")
    context.load_cert_chain(tls / "admin.crt", tls / "admin.key")
    context.set_alpn_protocols(["h2"])
    with socket.create_connection(("127.0.0.1", port), 5) as raw, context.wrap_socket(raw, server_hostname="localhost") as secured:
        return secured.getpeercert()["serialNumber"]


@pytest.mark.parametrize("name", ["provisiond", "feedd"])
def test_renewed_server_certificate_is_used_without_restart(own_stack, name):
    port, pid = own_stack.ports[name], own_stack.daemons[name].pid()
    before = peer_certificate(own_stack, port)

    (own_stack.folder / "tls" / "server.key").write_bytes(b"")  # a renewal that is just being written
    time.sleep(3)
    assert peer_certificate(own_stack, port) == before
    own_stack.authority.issue("server", server=True)
    own_stack.account.own(own_stack.folder / "tls")

    wait_until(lambda: peer_certificate(own_stack, port) != before, 30, "the new certificate", 0.5)
    assert own_stack.daemons[name].pid() == pid


def test_signer_refuses_a_key_encryption_key_that_opens_none_of_its_keys(own_stack):
    own_stack.create_namespace("_device.kek.example.", "--layout", "flat")
    kek = pathlib.Path(own_stack.folder / "keys" / "other-kek")
    kek.write_text("ab" * 32)
    kek.chmod(0o600)
    own_stack.account.own(kek)

    done = run_with(own_stack, "signerd", own_stack.folder / "config" / "signerd.toml", IDZONE_SIGNERD_KEYS_KEK_FILE=str(kek), IDZONE_SIGNERD_OBSERVE_ADDRESS="")

    assert done.returncode == 2 and str(kek) in done.stderr, done.stderr


def test_signer_refuses_a_key_that_others_may_read(stack, copied_config):
    kek = pathlib.Path(stack.folder / "keys" / "loose-kek")
    kek.write_text("ab" * 32)
    kek.chmod(0o644)
    stack.account.own(kek)

    done = run_with(stack, "signerd", copied_config("signerd", ""), IDZONE_SIGNERD_KEYS_KEK_FILE=str(kek), IDZONE_SIGNERD_OBSERVE_ADDRESS="")

    assert done.returncode == 2, done.stderr
