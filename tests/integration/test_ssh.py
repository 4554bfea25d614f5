# SPDX-License-Identifier: MIT
"""OpenSSH believes what DNS says of its keys: ssh of a host's key by itself, sshd of a user's key through idzone's helper. The zone
is a foreign one, so that it can hold what idzone never publishes: forged signatures, an unsigned child, SHA-1."""
import hashlib

import pytest
from cryptography.hazmat.primitives import serialization
from idzone_stack import BUILD
from lab_zone import LabZone
from ssh_world import SshWorld, can_run, make_ssh_key, sshfp_by_ssh_keygen

ZONE = "_device.ssh.example."
pytestmark = pytest.mark.skipif(not can_run(), reason="needs root: a mount namespace and port 53")

KINDS = {"rsa": ("rsa", 2048), "p256": ("ecdsa", 256), "p384": ("ecdsa", 384), "p521": ("ecdsa", 521), "ed25519": ("ed25519", None)}


def spki_digest(public_line):
    key = serialization.load_ssh_public_key(public_line.encode())
    return hashlib.sha256(key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)).hexdigest()


@pytest.fixture(scope="module")
def keys(tmp_path_factory):
    """{name: (private file, public line)}: one key of each kind, and a stranger's."""
    folder = tmp_path_factory.mktemp("ssh-keys")
    made = {name: (folder / name, make_ssh_key(folder / name, *kind)) for name, kind in KINDS.items()}
    made["stranger"] = (folder / "stranger", make_ssh_key(folder / "stranger"))
    return made


@pytest.fixture(scope="module")
def world(tmp_path_factory, keys):
    def sshfp(owner, name, kind=2):
        return f"{owner} 300 IN SSHFP {sshfp_by_ssh_keygen(f'{keys[name][0]}.pub', kind)}"

    folder = tmp_path_factory.mktemp("ssh-world")
    make_ssh_key(folder / "host")
    host = sshfp_by_ssh_keygen(folder / "host.pub")
    records = [f"right 300 IN SSHFP {host}", sshfp("wrong", "stranger"), f"forged 300 IN SSHFP {host}", *[sshfp(f"user-{name}", name) for name in KINDS],
               f"tlsa 300 IN TLSA 3 1 1 {spki_digest(keys['ed25519'][1])}", sshfp("sha1", "ed25519", 1),
               "user-forged 300 IN CNAME forged-key", sshfp("forged-key", "ed25519"), sshfp("other", "stranger")]
    users = [*[f"{name} user-{name}.{ZONE}" for name in KINDS], f"ada absent.{ZONE} user-ed25519.{ZONE}  # two names", f"tlsa tlsa.{ZONE}", f"sha1 sha1.{ZONE}",
             f"insecure user-ed25519.open.{ZONE}", f"absent absent.{ZONE}", f"other other.{ZONE}", f"host forged.{ZONE}", "broken not..a.name"]
    hosts = [f"{label}.{ZONE}" for label in ("right", "wrong", "forged", "absent", "right.open")]
    with LabZone(folder / "zone", ZONE, records) as zone:
        with SshWorld(folder, BUILD / "bin" / "idzone", ZONE, zone.ds_lines, zone.port, hosts, users) as one:
            yield one


def test_a_host_key_found_in_dns_lets_the_client_in(world, keys):
    done = world.ssh(f"right.{ZONE}", keys["ed25519"][0])

    assert (done.returncode, done.stdout.strip()) == (0, "ada"), done.stderr
    assert "matching host key fingerprint found in DNS" in done.stderr


@pytest.mark.parametrize("host,why", [("wrong", "mismatching host key fingerprint found in DNS"), ("absent", ""), ("forged", ""), ("right.open", "")])
def test_a_host_key_that_dns_does_not_vouch_for_is_refused(world, keys, host, why):
    done = world.ssh(f"{host}.{ZONE}", keys["ed25519"][0])

    assert done.returncode == 255 and done.stdout == "", done.stderr
    assert "Host key verification failed" in done.stderr
    assert why in done.stderr


def test_a_user_key_that_is_not_in_dns_is_refused(world, keys):
    done = world.ssh(f"right.{ZONE}", keys["stranger"][0])

    assert done.returncode == 255 and done.stdout == "", done.stderr
    assert "Permission denied (publickey)" in done.stderr


def test_the_log_of_sshd_has_no_offered_key(world, keys):
    for name in ("ed25519", "stranger"):
        world.ssh(f"right.{ZONE}", keys[name][0])

    assert "Failed publickey for ada" in world.sshd_log() and "Accepted publickey for ada" in world.sshd_log()
    for _, line in keys.values():
        assert line.split()[1] not in world.sshd_log()


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_key_is_found_and_printed_as_it_was_offered(world, keys, kind):
    done = world.authorized_keys(kind, keys[kind][1])

    assert (done.returncode, done.stdout) == (0, " ".join(keys[kind][1].split()[:2]) + "\n"), done.stderr


def test_a_key_is_found_by_tlsa_too(world, keys):
    assert world.authorized_keys("tlsa", keys["ed25519"][1]).returncode == 0
    assert world.authorized_keys("tlsa", keys["p256"][1]).returncode == 7


@pytest.mark.parametrize("user,why", [
    ("sha1", "SHA-1"), ("insecure", "insecure"), ("absent", "no-record"), ("other", "no-match"), ("host", "bogus"), ("nobody", "NOT_FOUND")])
def test_anything_but_a_secure_match_prints_nothing(world, keys, user, why):
    done = world.authorized_keys(user, keys["ed25519"][1])

    assert (done.returncode, done.stdout) == (7, ""), done.stderr
    assert why in done.stderr
    assert keys["ed25519"][1].split()[1] not in done.stderr


def test_a_broken_line_stops_its_own_user_only(world, keys):
    assert world.authorized_keys("broken", keys["ed25519"][1]).returncode == 2
    assert world.authorized_keys("ada", keys["ed25519"][1]).returncode == 0


@pytest.mark.parametrize("change,back", [("chmod 664", "chmod 644"), ("chmod 646", "chmod 644"), ("chown nobody", "chown root")])
def test_a_file_of_users_that_others_may_write_is_refused(world, keys, change, back):
    for path in ("/run/idzone/ssh_users", "/run/idzone"):
        undo = back.replace("644", "755") if path == "/run/idzone" else back
        assert world.run(*change.split(), path).returncode == 0
        try:
            done = world.authorized_keys("ada", keys["ed25519"][1])
        finally:
            world.run(*undo.split(), path)
        # What the account cannot even reach is refused as well, with another reason.
        assert done.returncode != 0 and done.stdout == "", done.stderr
    assert world.authorized_keys("ada", keys["ed25519"][1]).returncode == 0


def test_a_resolver_that_is_gone_is_no_answer_in_time(world, keys):
    kind, blob = keys["ed25519"][1].split()[:2]
    command = [word.replace("@53", "@1") for word in world.command_line()]

    done = world.run(*command, "--deadline", "1", "ada", kind, blob)

    assert (done.returncode, done.stdout) == (5, ""), done.stderr
