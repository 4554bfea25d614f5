# SPDX-License-Identifier: MIT
"""Bad input of every kind of identity: a canonical code, a typed reason, the field; nothing is stored."""
import subprocess

import dns.dnssec
import pytest
from devstack.certificates import Authority
from devstack.devices import make_device
from idzone_client import refusal
from ssh_world import make_ssh_key

CERTIFICATE = make_device("x").certificate


@pytest.fixture
def client(stack):
    with stack.client() as one:
        yield one


@pytest.fixture(scope="module")
def space(stack):
    """Makes a namespace once, without waiting for its zone: refusals need none."""
    made = set()

    def make(name, *options):
        if name not in made:
            stack.create_namespace(name, *options, wait=False)
            made.add(name)
        return name

    return make


def require_refused(client, namespace, identifier, wanted, **material):
    code, reason, metadata = refusal(client.enroll, namespace, identifier, **material)
    assert (code, reason) == wanted
    assert metadata["field"] and metadata["expected"]
    assert client.list(namespace) == []


def openssh_lines(folder):
    """(what it is, a line that is refused, reason)."""
    user = make_ssh_key(folder / "user")
    make_ssh_key(folder / "ca")
    subprocess.run(["ssh-keygen", "-q", "-s", folder / "ca", "-I", "ada", "-n", "ada", folder / "user.pub"], check=True, timeout=60)
    make_ssh_key(folder / "small", "rsa", 1024)
    kind, blob = user.split()[:2]
    return {
        "certificate": ((folder / "user-cert.pub").read_text(), "KEY_UNSUPPORTED"),
        "token": ("sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29tAAAAIJPYskEkySr3z6byIV4nc2v4oEE8d04vOllOoLB9A0NOAAAABHNzaDo= ada",
                  "KEY_UNSUPPORTED"),
        "dsa": (f"ssh-dss {blob}", "KEY_TOO_WEAK"),
        "rsa1024": ((folder / "small.pub").read_text(), "KEY_TOO_WEAK"),
        "two": (user + user, "MATERIAL_TRAILING_BYTES"),
        "options": (f'command="id" {kind} {blob}', "MATERIAL_MALFORMED"),
        "cut": (f"{kind} {blob[:-8]}", "MATERIAL_MALFORMED"),
        "private": ((folder / "user").read_text(), "MATERIAL_WRONG_KIND"),
        "pem": (CERTIFICATE.decode(), "MATERIAL_WRONG_KIND"),
    }


@pytest.mark.parametrize("what", ["certificate", "token", "dsa", "rsa1024", "two", "options", "cut", "private", "pem"])
def test_ssh_keys_without_sshfp_and_in_other_forms(client, space, tmp_path, what):
    line, reason = openssh_lines(tmp_path)[what]

    require_refused(client, space("_user.badssh.example."), "ada", ("INVALID_ARGUMENT", reason), ssh_public_key=line.encode())


@pytest.mark.parametrize("slot", ["certificate", "certificate_request", "public_key", "openpgp_key"])
def test_an_ssh_key_in_another_slot(client, space, tmp_path, slot):
    line = make_ssh_key(tmp_path / "key").encode()

    name = space("_openpgpkey.slots.example.", "--layout", "flat", "--mail-records") if slot == "openpgp_key" else space("_user.slots.example.")

    require_refused(client, name, "ada", ("INVALID_ARGUMENT", "MATERIAL_WRONG_KIND"), **{slot: line})


def test_a_ca_that_is_none(stack, space, tmp_path):
    name = space("_user.noca.example.")
    leaf, _ = Authority(tmp_path).issue("leaf")
    with stack.client("admin") as admin:
        code, reason, metadata = refusal(admin.call, "NamespaceService", "SetAuthority", name=name, certificate=leaf.read_bytes())
        assert (code, reason) == ("INVALID_ARGUMENT", "CERTIFICATE_NOT_CA") and metadata["field"]
        namespace = admin.call("NamespaceService", "GetNamespace", name=name).namespace_resource
    assert not namespace.HasField("authority")


BAD_STRUCTURED = {
    "digits": ["12a4", "", "1" * 65], "nibbles": ["12g4", "f" * 65], "eui48": ["0011223344", "00:11:22:33:44:5g"], "eui64": ["001122334455667", "00112233445566778"],
    "imei": ["490154203237519", "49015420323751", "49015420323751a"], "gs1": ["09506000134353", "0950600013435", "09506000134352." + "a" * 21],
    "e164": ["1234567890123456", "+0441632960083", "+44 1632 96008x", "12"],
}


@pytest.mark.parametrize("form,identifier", [(form, one) for form, ids in BAD_STRUCTURED.items() for one in ids])
def test_structured_ids_that_break_their_form(client, space, form, identifier):
    name = space(f"_device.bad{form}.example.", "--layout", "enum", "--form", form)

    require_refused(client, name, identifier, ("INVALID_ARGUMENT", "ID_MALFORMED"), certificate=CERTIFICATE)


def test_a_private_id_that_is_enrolled_in_clear(client, space):
    name = space("_user.chosen.example.", "--labels", "chosen", "--layout", "flat")
    first = client.enroll(name, "ada", CERTIFICATE, label_privacy=1).identity

    code, reason, metadata = refusal(client.enroll, name, "ada", CERTIFICATE, label_privacy=2)

    assert (code, reason) == ("ALREADY_EXISTS", "LABEL_CONFLICT") and metadata["field"]
    assert [(one.owner_name, one.private_label) for one in client.list(name)] == [(first.owner_name, False)]


def test_an_id_that_is_another_names_nsec3_label(client, stack, space):
    name = space("_device.denials.example.", "--layout", "flat")
    first = client.enroll(name, "ada", CERTIFICATE).identity
    assert client.wait(name).done, "the label is known once the name is published"
    label = dns.dnssec.nsec3_hash(first.owner_name, None, 0, "SHA1").lower()

    code, reason, metadata = refusal(client.enroll, name, label, make_device("y").certificate)

    assert (code, reason) == ("ALREADY_EXISTS", "ID_IS_DENIAL_LABEL") and metadata["field"]
    assert [one.id for one in client.list(name)] == ["ada"]


def test_material_that_the_namespace_does_not_publish(client, space, tmp_path):
    line = make_ssh_key(tmp_path / "key").encode()
    wildcard = space("_device.mismatch.example.", "--layout", "flat", "--wildcard-ca")
    mail = space("_openpgpkey.mismatch.example.", "--layout", "flat", "--mail-records")

    require_refused(client, wildcard, "sensor7", ("FAILED_PRECONDITION", "NAMESPACE_KIND_MISMATCH"), certificate=CERTIFICATE)
    require_refused(client, mail, "hugh", ("FAILED_PRECONDITION", "NAMESPACE_KIND_MISMATCH"), ssh_public_key=line)
    require_refused(client, mail, "hugh", ("FAILED_PRECONDITION", "NAMESPACE_KIND_MISMATCH"), certificate=CERTIFICATE)


def test_the_last_key_stays(client, space):
    name = space("_device.lastkey.example.")
    device = make_device("one")
    client.enroll(name, "one", device.certificate)

    code, reason, _ = refusal(client.retire_key, name, "one", bytes.fromhex(device.fingerprint))

    assert (code, reason) == ("FAILED_PRECONDITION", "LAST_KEY")
    assert len(client.get(name, "one").keys) == 1
