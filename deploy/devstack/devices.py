# SPDX-License-Identifier: MIT
"""Devices with real certificates, as a factory line would make them: most keys are P-256, some of the other kinds."""
import dataclasses
import datetime
import hashlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.x509.oid import NameOID

KEY_KINDS = {
    "rsa": lambda: rsa.generate_private_key(public_exponent=65537, key_size=2048),
    "p256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "p384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
}


@dataclasses.dataclass(frozen=True)
class Device:
    id: str
    key: object
    certificate: bytes  # PEM

    @property
    def spki(self):
        return self.key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)

    @property
    def fingerprint(self):
        return hashlib.sha256(self.spki).hexdigest()

    @property
    def certificate_der(self):
        return x509.load_pem_x509_certificate(self.certificate).public_bytes(serialization.Encoding.DER)


def make_device(device_id, kind="p256"):
    """One device with a new key and a self-signed certificate of ten years."""
    key = KEY_KINDS[kind]()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, device_id)])
    start = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0) - datetime.timedelta(days=1)
    certificate = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(start).not_valid_after(start + datetime.timedelta(days=3650))
        .sign(key, None if kind == "ed25519" else hashes.SHA256()))
    return Device(device_id, key, certificate.public_bytes(serialization.Encoding.PEM))


def kind_of(number):
    """RSA keys take the longest to make, so there are few."""
    if number % 250 == 7:
        return "rsa"
    if number % 20 == 3:
        return "p384"
    if number % 20 == 5:
        return "ed25519"
    return "p256"


def make_devices(count, prefix="dev", kinds=kind_of):
    return [make_device(f"{prefix}{number:06d}", kinds(number)) for number in range(count)]
