# SPDX-License-Identifier: MIT
"""Every kind of identity, from the CLI down to delv: the record equals what OpenSSH, GnuPG and OpenSSL compute, the name what its RFC says."""
import base64
import hashlib
import os
import re
import subprocess

import dns.rdatatype
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from devstack.certificates import Authority
from devstack.devices import make_device
from idzone_stack import BUILD
from look_up import wire_query
from ssh_world import SshWorld, can_run, make_ssh_key, sshfp_by_ssh_keygen

SSH_KINDS = {"rsa": ("rsa", 2048), "p256": ("ecdsa", 256), "p384": ("ecdsa", 384), "p521": ("ecdsa", 521), "ed25519": ("ed25519", None)}
# RFC 7929 §3 and RFC 8162 §3: SHA-256 of "hugh", 28 octets.
HUGH = "c93f1e400f26708f98cb19d936620da35eec8f72e57f9eec01c1afd6"


def enroll(stack, noun, namespace, *arguments):
    return stack.cli_json(noun, "enroll", namespace, *arguments, "--wait", caller="enroller")


def served(stack, owner, rr_type):
    """The records of one type, as text without blanks inside the data."""
    return sorted(rdata.to_text().lower() for rrset in wire_query(stack.ports["dns"], owner, rr_type).answer
                  if rrset.rdtype == dns.rdatatype.from_text(rr_type) for rdata in rrset)


def packed(text):
    """Three numbers, then the data without blanks."""
    words = text.lower().split()
    return " ".join(words[:3]) + " " + "".join(words[3:])


@pytest.fixture(scope="module")
def ssh_users(stack):
    name = "_user.sshkeys.example."
    stack.create_namespace(name)
    return name


@pytest.mark.parametrize("kind", SSH_KINDS)
def test_sshfp_equals_ssh_keygen(stack, ssh_users, tmp_path, kind):
    make_ssh_key(tmp_path / "key", *SSH_KINDS[kind])
    expected = sshfp_by_ssh_keygen(tmp_path / "key.pub").lower()

    identity = enroll(stack, "user", ssh_users, f"ada-{kind}", "--ssh-key", tmp_path / "key.pub")

    assert identity["record"].lower() == "sshfp " + expected
    assert served(stack, identity["owner_name"], "SSHFP") == [expected]
    assert stack.validator(ssh_users).delv_says(identity["owner_name"], "SSHFP") == "secure"
    assert identity["private_label"] and f"ada-{kind}" not in identity["owner_name"]


def test_users_are_imported_with_their_ssh_keys(stack, ssh_users, tmp_path):
    lines = [make_ssh_key(tmp_path / f"key{number}") for number in range(3)]
    (tmp_path / "users.csv").write_text(f"id,ssh_public_key,ssh_public_key_file\nBob Smith,{lines[0].strip()},\neve,,key1.pub\nmallory,{lines[2].split()[1]},\n")

    done = stack.cli("user", "import", ssh_users, tmp_path / "users.csv", caller="enroller", check=False)

    assert done.returncode == 6, done.stderr
    assert "MATERIAL_MALFORMED" in (tmp_path / "users.csv.failed.csv").read_text()
    for identifier, file in (("bob smith", "key0"), ("eve", "key1")):
        identity = stack.cli_json("user", "show", ssh_users, identifier)
        assert identity["keys"][0]["record"].lower() == "sshfp " + sshfp_by_ssh_keygen(tmp_path / f"{file}.pub").lower()


def test_keys_are_rotated_and_revocation_takes_all(stack, namespace, tmp_path):
    first, second = (make_device("sensor7") for _ in range(2))
    for number, device in enumerate((first, second)):
        (tmp_path / f"{number}.pem").write_bytes(device.certificate)
    make_ssh_key(tmp_path / "ssh")
    owner = enroll(stack, "device", namespace, "sensor7", "--certificate", tmp_path / "0.pem")["owner_name"]

    added = stack.cli_json("device", "add-key", namespace, "sensor7", "--certificate", tmp_path / "1.pem", "--wait", caller="enroller")
    stack.cli("device", "add-key", namespace, "sensor7", "--ssh-key", tmp_path / "ssh.pub", "--wait", caller="enroller")

    assert added["active_keys"] == 2 and added["live"]
    assert {text.split()[-1] for text in served(stack, owner, "TLSA")} == {first.fingerprint, second.fingerprint}
    assert served(stack, owner, "SSHFP") == [sshfp_by_ssh_keygen(tmp_path / "ssh.pub").lower()]
    retired = stack.cli_json("device", "retire-key", namespace, "sensor7", first.fingerprint, "--wait", caller="enroller")
    assert [key["state"] for key in retired["keys"]] == ["retired", "active", "active"]
    assert [text.split()[-1] for text in served(stack, owner, "TLSA")] == [second.fingerprint]
    assert stack.cli("device", "add-key", namespace, "sensor7", "--certificate", tmp_path / "0.pem", caller="enroller", check=False).returncode == 3
    stack.cli("device", "revoke", namespace, "sensor7", "--wait", caller="enroller")
    for rr_type in ("TLSA", "SSHFP"):
        assert stack.validator(namespace).delv_says(owner, rr_type) == "secure NXDOMAIN"


@pytest.mark.parametrize("full", [False, True], ids=["2 0 1", "2 0 0"])
def test_the_ca_of_users_is_at_the_apex(stack, tmp_path, full):
    name = f"_user.ca{'full' if full else 'digest'}.example."
    stack.create_namespace(name)
    ca = Authority(tmp_path, "users' CA")
    der = x509.load_pem_x509_certificate(ca.certificate_file.read_bytes()).public_bytes(serialization.Encoding.DER)

    stack.cli("namespace", "ca", "set", name, "--certificate", ca.certificate_file, "--wait", *(["--full"] if full else []))

    expected = f"2 0 0 {der.hex()}" if full else f"2 0 1 {hashlib.sha256(der).hexdigest()}"
    assert [packed(text) for text in served(stack, name, "TLSA")] == [expected]
    assert stack.validator(name).delv_says(name) == "secure"
    assert stack.cli_json("namespace", "show", name)["authority"]["owner_name"] == name
    stack.cli("namespace", "ca", "remove", name, "--wait")
    assert stack.validator(name).delv_says(name) == "secure NODATA"


def test_a_wildcard_ca_answers_every_name(stack, tmp_path):
    name = "_device.wildcard.example."
    stack.create_namespace(name, "--layout", "flat", "--wildcard-ca")
    ca = Authority(tmp_path, "devices' CA")
    der = x509.load_pem_x509_certificate(ca.certificate_file.read_bytes()).public_bytes(serialization.Encoding.DER)

    stack.cli("namespace", "ca", "set", name, "--certificate", ca.certificate_file, "--wait")

    assert [packed(text) for text in served(stack, f"any.{name}", "TLSA")] == [f"2 0 1 {hashlib.sha256(der).hexdigest()}"]
    assert stack.validator(name).delv_says(f"any.{name}") == "secure"
    stack.cli("namespace", "ca", "remove", name, "--wait")
    assert stack.validator(name).delv_says(f"any.{name}") == "secure NXDOMAIN"


def test_a_service_is_at_the_apex_of_its_host(stack, tmp_path):
    name = "_smtp-client.host1.example."
    stack.create_namespace(name)
    device = make_device("host1")
    (tmp_path / "c.pem").write_bytes(device.certificate)

    identity = enroll(stack, "service", name, "--certificate", tmp_path / "c.pem")

    assert identity["owner_name"] == name and identity["id"] == "@"
    assert served(stack, name, "TLSA") == [f"3 1 1 {device.fingerprint}"]
    assert stack.validator(name).delv_says(name) == "secure"


def test_telephone_users_are_reversed_digits(stack, tmp_path):
    name = "_user.phones.example."
    stack.create_namespace(name, "--layout", "enum", "--form", "e164", "--labels", "clear")
    (tmp_path / "c.pem").write_bytes(make_device("phone").certificate)

    identity = enroll(stack, "user", name, "+44 1632 960083", "--certificate", tmp_path / "c.pem")

    # RFC 6116 §3.2 has this number.
    assert identity["owner_name"] == "3.8.0.0.6.9.2.3.6.1.4.4." + name
    assert stack.validator(name).delv_says(identity["owner_name"]) == "secure"
    assert stack.validator(name).delv_says("4." + name) == "secure NODATA"


def test_smimea_has_the_name_of_rfc_8162(stack, tmp_path):
    name = "_smimecert.mail.example."
    stack.create_namespace(name, "--layout", "flat", "--mail-records", "--profile", "3 0 0")
    device = make_device("hugh")
    (tmp_path / "c.pem").write_bytes(device.certificate)

    identity = enroll(stack, "mailbox", name, "hugh", "--certificate", tmp_path / "c.pem")

    assert identity["owner_name"] == f"{HUGH}.{name}"
    assert [packed(text) for text in served(stack, identity["owner_name"], "SMIMEA")] == [f"3 0 0 {device.certificate_der.hex()}"]
    assert stack.validator(name).delv_says(identity["owner_name"], "SMIMEA") == "secure"


def test_openpgpkey_equals_what_gnupg_exports(stack, tmp_path):
    name = "_openpgpkey.pgp.example."
    stack.create_namespace(name, "--layout", "flat", "--mail-records")
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    environment = {**os.environ, "GNUPGHOME": str(home)}

    def gpg(*arguments):
        return subprocess.run(["gpg", "--batch", "--quiet", *arguments], env=environment, capture_output=True, check=True, timeout=60).stdout

    try:
        gpg("--passphrase", "", "--quick-gen-key", "hugh <hugh@pgp.example>", "ed25519", "sign", "never")
        (tmp_path / "hugh.asc").write_bytes(gpg("--armor", "--export", "--export-options", "export-minimal", "hugh"))
        binary = gpg("--export", "--export-options", "export-minimal", "hugh")
        dane = gpg("--export", "--export-options", "export-dane,export-minimal", "hugh").decode()
    finally:
        subprocess.run(["gpgconf", "--kill", "all"], env=environment, check=False, timeout=60)

    identity = enroll(stack, "mailbox", name, "hugh", "--openpgp-key", tmp_path / "hugh.asc")

    owner, data = re.search(r"^([0-9a-f]{56}) TYPE61 \\# \d+ \(([^)]*)\)", dane, re.MULTILINE).groups()
    assert identity["owner_name"] == f"{owner}.{name}" and owner == HUGH
    [rdata] = [rdata for rrset in wire_query(stack.ports["dns"], identity["owner_name"], "OPENPGPKEY").answer if rrset.rdtype == 61 for rdata in rrset]
    assert rdata.key == binary == bytes.fromhex("".join(data.split()))
    assert identity["record"].split(maxsplit=1)[1].replace(" ", "") == base64.b64encode(binary).decode()
    assert stack.validator(name).delv_says(identity["owner_name"], "OPENPGPKEY") == "secure"


@pytest.mark.skipif(not can_run(), reason="needs root: a mount namespace and port 53")
def test_ssh_and_sshd_believe_what_idzone_publishes(stack, tmp_path):
    name = "_device.sshgate.example."
    stack.create_old_tree(name)
    for file in ("host", "ada", "stranger"):
        make_ssh_key(tmp_path / file)
    gate = enroll(stack, "device", name, "gate", "--ssh-key", tmp_path / "host.pub")["owner_name"]
    other = enroll(stack, "device", name, "other", "--ssh-key", tmp_path / "stranger.pub")["owner_name"]
    ada = enroll(stack, "device", name, "ada", "--ssh-key", tmp_path / "ada.pub")["owner_name"]

    with SshWorld(tmp_path, BUILD / "bin" / "idzone", name, stack.delegation_signer(name), stack.ports["dns"], [gate, other], [f"ada {ada}"]) as world:
        right = world.ssh(gate, tmp_path / "ada")
        assert (right.returncode, right.stdout.strip()) == (0, "ada"), right.stderr
        wrong_host = world.ssh(other, tmp_path / "ada")
        assert wrong_host.returncode == 255 and "mismatching host key fingerprint found in DNS" in wrong_host.stderr
        stranger = world.ssh(gate, tmp_path / "stranger")
        assert stranger.returncode == 255 and "Permission denied (publickey)" in stranger.stderr
