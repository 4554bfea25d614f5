# SPDX-License-Identifier: MIT
"""A development CA: EC P-256 certificates for the servers and for everybody who calls them."""
import datetime
import ipaddress
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


def _name(common_name):
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _now():
    return datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None)


def _write_key(path, key):
    path.touch(mode=0o600)
    path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))


class Authority:
    """A CA whose files live in `folder`: NAME.crt, NAME.key for each name, and ca.crt. Opening it again finds its key."""

    def __init__(self, folder, common_name="idzone development CA"):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.certificate_file = self.folder / "ca.crt"
        key_file = self.folder / "ca.key"
        if key_file.exists() and self.certificate_file.exists():
            self._key = serialization.load_pem_private_key(key_file.read_bytes(), None)
            self._certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes())
            return
        self._key = ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(common_name, _name(common_name), self._key.public_key(), days=3650)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        self._certificate = builder.sign(self._key, hashes.SHA256())
        _write_key(key_file, self._key)
        self.certificate_file.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    @staticmethod
    def _builder(common_name, issuer, public_key, days, start_days_ago=1):
        start = _now() - datetime.timedelta(days=start_days_ago)
        return (
            x509.CertificateBuilder()
            .subject_name(_name(common_name))
            .issuer_name(issuer)
            .public_key(public_key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(start)
            .not_valid_after(start + datetime.timedelta(days=days))
        )

    def issue(self, name, server=False, days=365, start_days_ago=1, key=None):
        """Issues a certificate, writes NAME.crt and NAME.key, returns their paths. Each call replaces them."""
        key = key or ec.generate_private_key(ec.SECP256R1())
        builder = self._builder(name, self._certificate.subject, key.public_key(), days, start_days_ago)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        if server:
            names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
            builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        certificate = builder.sign(self._key, hashes.SHA256())
        certificate_file, key_file = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        _write_key(key_file, key)
        certificate_file.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        return certificate_file, key_file

    def issue_once(self, name, server=False):
        """As issue(), but keeps what is there."""
        certificate_file, key_file = self.folder / f"{name}.crt", self.folder / f"{name}.key"
        if certificate_file.exists() and key_file.exists():
            return certificate_file, key_file
        return self.issue(name, server)
