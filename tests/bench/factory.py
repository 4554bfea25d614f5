# SPDX-License-Identifier: MIT
"""What a factory sends: devices with P-256 certificates (or bare keys), made once and kept below build/bench, so many a file.

A certificate is a real one, issued by one CA: made by patching the id, the serial number and the key into the octets of a
model that the library made, and signing them; that is ten times faster than the library's builder.
"""
import base64
import datetime
import multiprocessing
import os
import pathlib

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

CACHE = pathlib.Path(__file__).resolve().parents[2] / "build" / "bench"
CHUNK = 5000
MODEL_ID = "device-model"  # as long as every id


def device_id(number):
    return f"sn{number:010d}"


def _spki(key):
    return key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def _sequence(content):
    return b"\x30" + (bytes([len(content)]) if len(content) < 128 else b"\x82" + len(content).to_bytes(2, "big")) + content


class Issuer:
    """One CA and one model certificate. `issue` returns the DER of a certificate."""

    def __init__(self):
        self._key = ec.generate_private_key(ec.SECP256R1())
        model_key = ec.generate_private_key(ec.SECP256R1())
        self._serial = b"\x55" * 16
        start = datetime.datetime.now(datetime.timezone.utc).replace(tzinfo=None, microsecond=0) - datetime.timedelta(days=1)
        model = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, MODEL_ID)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Factory CA")]))
            .public_key(model_key.public_key()).serial_number(int.from_bytes(self._serial, "big"))
            .not_valid_before(start).not_valid_after(start + datetime.timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.KeyUsage(True, False, False, False, False, False, False, False, False), critical=True)
            .sign(self._key, hashes.SHA256()))
        self._model, self._model_spki = model.tbs_certificate_bytes, _spki(model_key)
        der = model.public_bytes(serialization.Encoding.DER)
        after = der.index(self._model) + len(self._model)
        self._algorithm = der[after:after + 2 + der[after + 1]]

    def issue(self, name, key):
        body = self._model
        for old, new in ((MODEL_ID.encode(), name.encode()), (self._serial, b"\x55" + os.urandom(15)), (self._model_spki, _spki(key))):
            assert body.count(old) == 1 and len(old) == len(new)
            body = body.replace(old, new)
        signature = self._key.sign(body, ec.ECDSA(hashes.SHA256()))
        return _sequence(body + self._algorithm + b"\x03" + bytes([len(signature) + 1, 0]) + signature)


def _path(material, chunk):
    return CACHE / f"devices-{material}" / f"{chunk:05d}.csv"


def _make(arguments):
    material, chunk = arguments
    issuer = Issuer()
    lines = []
    for number in range(chunk * CHUNK, (chunk + 1) * CHUNK):
        key = ec.generate_private_key(ec.SECP256R1())
        octets = issuer.issue(device_id(number), key) if material == "certificate" else _spki(key)
        lines.append(f"{device_id(number)},{base64.b64encode(octets).decode()}\n")
    if material == "certificate":
        x509.load_der_x509_certificate(octets)
    unfinished = _path(material, chunk).with_suffix(".unfinished")
    unfinished.write_text("".join(lines))
    unfinished.rename(_path(material, chunk))


def make(material, count):
    """Makes what is not there yet of the first `count` devices; they are the same in every run."""
    (CACHE / f"devices-{material}").mkdir(parents=True, exist_ok=True)
    missing = [(material, chunk) for chunk in range(-(-count // CHUNK)) if not _path(material, chunk).exists()]
    if missing:
        with multiprocessing.get_context("spawn").Pool() as pool:
            for _ in pool.imap_unordered(_make, missing):
                pass


def header(material):
    """The first line of a file for the CLI's import."""
    return "id,certificate\n" if material == "certificate" else "id,public_key\n"


def lines(material, first, end):
    """Yields the lines `id,material` of devices first to end - 1. Requires: made."""
    for chunk in range(first // CHUNK, -(-end // CHUNK)):
        begin = chunk * CHUNK
        yield from _path(material, chunk).read_text().splitlines(keepends=True)[max(first - begin, 0):end - begin]
