# SPDX-License-Identifier: MIT
"""The record that is served equals what OpenSSL and GnuTLS compute, for every kind of key and every profile."""
import dns.rdatatype
import pytest
from devstack.devices import KEY_KINDS, make_device
from devstack.tlsa_oracle import PROFILES, by_gnutls, by_openssl
from look_up import wire_query


def served(port, owner):
    answer = wire_query(port, owner).answer
    return [rdata.to_text().replace(" ", "") for rrset in answer if rrset.rdtype == dns.rdatatype.TLSA for rdata in rrset]


@pytest.mark.parametrize("profile", PROFILES)
def test_record_equals_openssl_and_gnutls(stack, tmp_path, profile):
    namespace = f"_device.profile{profile.replace(' ', '')}.example."
    stack.create_namespace(namespace, "--layout", "flat", "--profile", profile)
    expected = {}
    with stack.client() as client:
        for kind in KEY_KINDS:
            device = make_device(f"key-{kind}", kind)
            file = tmp_path / f"{kind}.pem"
            file.write_bytes(device.certificate)
            assert by_openssl(profile, file) == by_gnutls(profile, file), "the two oracles agree"
            enrolled = client.enroll(namespace, device.id, device.certificate).identity
            expected[enrolled.owner_name] = by_openssl(profile, file)
            assert enrolled.record.lower() == "tlsa " + expected[enrolled.owner_name]
        assert client.wait(namespace, live=True, timeout_seconds=30).done

    for owner, record in expected.items():
        assert served(stack.ports["dns"], owner) == [record.replace(" ", "")]


@pytest.mark.parametrize("kind", KEY_KINDS)
def test_request_and_bare_key_give_the_record_of_the_certificate(stack, namespace, kind):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization

    device = make_device("device", kind)
    builder = x509.CertificateSigningRequestBuilder().subject_name(x509.Name([]))
    csr = builder.sign(device.key, None if kind == "ed25519" else hashes.SHA256())
    with stack.client() as client:
        first = client.enroll(namespace, "device", certificate_request=csr.public_bytes(serialization.Encoding.DER))
        second = client.enroll(namespace, "device", public_key=device.spki)
        third = client.enroll(namespace, "device", device.certificate)

    assert not first.already_enrolled and second.already_enrolled and third.already_enrolled
    assert first.identity.record == second.identity.record == third.identity.record
