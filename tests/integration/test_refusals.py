# SPDX-License-Identifier: MIT
"""Bad input and bad callers: a canonical code, a typed reason, the field; nothing is stored."""
import grpc
import pytest
from devstack.certificates import Authority
from devstack.devices import make_device, make_devices
from idzone_client import Client, messages, refusal


@pytest.fixture
def client(stack):
    with stack.client() as one:
        yield one


def caller(stack, certificate, key):
    return Client(f"localhost:{stack.ports['provisiond']}", stack.folder / "tls" / "ca.crt", certificate, key)


def test_expired_certificate_is_refused_by_name(stack, namespace):
    files = stack.authority.issue("expired", days=1, start_days_ago=30)

    with caller(stack, *files) as one:
        code, reason, _ = refusal(one.get, namespace, "x")

    assert (code, reason) == ("UNAUTHENTICATED", "CERTIFICATE_EXPIRED")


def test_foreign_certificate_is_refused_by_name(stack, namespace, tmp_path):
    files = Authority(tmp_path, "another CA").issue("enroller")

    with caller(stack, *files) as one:
        code, reason, _ = refusal(one.get, namespace, "x")

    assert (code, reason) == ("UNAUTHENTICATED", "CERTIFICATE_UNTRUSTED")


def test_unknown_principal_is_refused_by_name(stack, namespace):
    files = stack.authority.issue("stranger")

    with caller(stack, *files) as one:
        code, reason, _ = refusal(one.get, namespace, "x")

    assert (code, reason) == ("PERMISSION_DENIED", "PRINCIPAL_UNKNOWN")


def test_no_certificate_gets_nowhere(stack, namespace):
    with caller(stack, None, None) as one, pytest.raises(grpc.RpcError) as refused:
        one.get(namespace, "x")

    assert refused.value.code() in (grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.UNAVAILABLE)


@pytest.mark.parametrize("role", ["admin", "auditor", "re-enroller"])
def test_roles_that_do_not_enroll_are_refused(stack, namespace, role):
    with stack.client(role) as one:
        code, reason, _ = refusal(one.enroll, namespace, "dev1", make_device("dev1").certificate)
        assert (code, reason) == ("PERMISSION_DENIED", "ROLE_MISSING")
        assert one.list(namespace) == []


def test_enroller_administers_nothing(client):
    code, reason, _ = refusal(client.call, "OperatorService", "CreateOperator", id="other", display_name="Other")

    assert (code, reason) == ("PERMISSION_DENIED", "ROLE_MISSING")


BAD_IDS = ["", "a" * 64, "with space", "dot.ted", "-begin", "end-", "_acme-challenge", "ümlaut", "nul\0", "*", "a\\.b"]


@pytest.mark.parametrize("device_id", BAD_IDS)
def test_ids_that_are_no_label_are_refused(client, namespace, device_id):
    code, reason, metadata = refusal(client.enroll, namespace, device_id, make_device("x").certificate)

    assert (code, reason) == ("INVALID_ARGUMENT", "ID_MALFORMED")
    assert metadata["field"] and metadata["expected"]
    assert client.list(namespace) == []


def bad_materials():
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import dsa, ec, rsa

    def spki(key):
        return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    good = make_device("good")
    return [
        ("nothing", {}, {"MATERIAL_MISSING"}),
        ("empty", {"certificate": b""}, {"MATERIAL_MISSING", "MATERIAL_MALFORMED"}),
        ("noise", {"certificate": b"\x30\x82\xff\xff" + b"\0" * 40}, {"MATERIAL_MALFORMED"}),
        ("cut", {"certificate": good.certificate_der[:-20]}, {"MATERIAL_MALFORMED"}),
        ("trailing", {"certificate": good.certificate_der + b"\0"}, {"MATERIAL_TRAILING_BYTES"}),
        ("two", {"certificate": good.certificate + good.certificate}, {"MATERIAL_TRAILING_BYTES"}),
        ("kind", {"public_key": good.certificate}, {"MATERIAL_WRONG_KIND"}),
        ("private", {"public_key": good.key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())},
         {"MATERIAL_WRONG_KIND"}),
        ("rsa1024", {"public_key": spki(rsa.generate_private_key(public_exponent=65537, key_size=1024))}, {"KEY_TOO_WEAK"}),
        ("p192", {"public_key": spki(ec.generate_private_key(ec.SECP192R1()))}, {"KEY_UNSUPPORTED"}),
        ("dsa", {"public_key": spki(dsa.generate_private_key(2048))}, {"KEY_UNSUPPORTED"}),
        ("large", {"certificate": b"\x30" * 20000}, {"LIMIT_EXCEEDED", "MATERIAL_MALFORMED"}),
    ]


@pytest.mark.parametrize("name,material,reasons", bad_materials(), ids=lambda value: value if isinstance(value, str) else "")
def test_bad_material_is_refused_and_nothing_stored(client, namespace, name, material, reasons):
    code, reason, metadata = refusal(client.enroll, namespace, "dev1", **material)

    assert code == "INVALID_ARGUMENT" and reason in reasons
    assert metadata["field"]
    assert client.list(namespace) == []


def test_request_signed_by_another_key_is_refused(client, namespace):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    csr = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([])).sign(make_device("x").key, hashes.SHA256())
    octets = bytearray(csr.public_bytes(serialization.Encoding.DER))
    octets[-5] ^= 1

    code, reason, _ = refusal(client.enroll, namespace, "dev1", certificate_request=bytes(octets))

    assert code == "INVALID_ARGUMENT" and reason in ("PROOF_MISMATCH", "MATERIAL_MALFORMED")
    assert client.list(namespace) == []


def test_over_long_message_is_refused(client, namespace):
    code, _, _ = refusal(client.enroll, namespace, "dev1", b"x" * 70000)

    assert code == "RESOURCE_EXHAUSTED"


def test_unknown_enum_values_are_refused(stack):
    namespace_type = messages("namespace").Namespace
    with stack.client("admin") as admin:
        resource = namespace_type(name="_device.enum.example.", profile=99, name_servers=["ns1.example.net."])
        code, reason, _ = refusal(admin.call, "NamespaceService", "CreateNamespace", namespace_resource=resource)
        assert (code, reason) == ("INVALID_ARGUMENT", "ENUM_UNKNOWN")


@pytest.mark.parametrize("name", ["acme.example.", "www.acme.example.", "_tcp.acme.example.", "device.acme.example."])
def test_namespace_outside_the_suffix_is_refused(stack, name):
    resource = messages("namespace").Namespace(name=name, name_servers=["ns1.example.net."])
    with stack.client("admin") as admin:
        code, reason, _ = refusal(admin.call, "NamespaceService", "CreateNamespace", namespace_resource=resource)

    assert (code, reason) == ("INVALID_ARGUMENT", "ZONE_APEX_FORBIDDEN")


def test_another_key_is_a_conflict_with_both_fingerprints(client, namespace):
    import hashlib

    first, second = make_device("dev1"), make_device("dev1")
    client.enroll(namespace, "dev1", first.certificate)

    code, reason, metadata = refusal(client.enroll, namespace, "dev1", second.certificate)

    assert (code, reason) == ("ALREADY_EXISTS", "KEY_CONFLICT")
    text = " ".join(metadata.values())
    assert hashlib.sha256(first.spki).hexdigest() in text and hashlib.sha256(second.spki).hexdigest() in text


def test_revoked_identity_and_revoked_key_stay_out(client, namespace):
    device = make_device("dev1")
    client.enroll(namespace, "dev1", device.certificate)
    client.revoke(namespace, "dev1")

    assert refusal(client.enroll, namespace, "dev1", device.certificate)[:2] == ("FAILED_PRECONDITION", "IDENTITY_REVOKED")
    assert refusal(client.enroll, namespace, "dev1", make_device("dev1").certificate)[:2] == ("FAILED_PRECONDITION", "IDENTITY_REVOKED")
    assert refusal(client.enroll, namespace, "dev2", device.certificate)[:2] == ("FAILED_PRECONDITION", "KEY_REVOKED")


@pytest.mark.parametrize("position", [0, 1, 9, 18, 19])
def test_one_bad_item_of_a_stream_is_exactly_that_item(client, namespace, position):
    import dataclasses

    devices = make_devices(20, kinds=lambda number: "p256")
    devices[position] = dataclasses.replace(devices[position], certificate=b"noise")

    answers = client.enroll_many(namespace, devices)

    outcomes = [answer.WhichOneof("outcome") for answer in answers]
    assert [answer.index for answer in answers] == list(range(20))
    assert outcomes == ["error" if number == position else "enrolled" for number in range(20)]
    assert answers[position].error.detail.reason == "MATERIAL_MALFORMED"
    assert answers[position].error.code == grpc.StatusCode.INVALID_ARGUMENT.value[0]
    assert {identity.id for identity in client.list(namespace)} == {d.id for d in devices} - {devices[position].id}
