# SPDX-License-Identifier: MIT
"""What a factory sends: a file of devices with P-256 certificates (or bare keys), made once and kept below build/bench.

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


def _lines(arguments):
    material, first, last = arguments
    issuer = Issuer()
    lines = []
    for number in range(first, last):
        key = ec.generate_private_key(ec.SECP256R1())
        octets = issuer.issue(device_id(number), key) if material == "certificate" else _spki(key)
        lines.append(f"{device_id(number)},{base64.b64encode(octets).decode()}\n")
    if material == "certificate":
        x509.load_der_x509_certificate(octets)
    return "".join(lines)


def devices(material, count):
    """Returns (header, list of lines `id,material`) for the CLI's import; the same ones for the same count."""
    path = CACHE / f"devices-{material}-{count}.csv"
    if not path.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        chunks = [(material, first, min(first + CHUNK, count)) for first in range(0, count, CHUNK)]
        unfinished = path.with_suffix(".unfinished")
        with multiprocessing.get_context("spawn").Pool() as pool, open(unfinished, "w") as out:
            for text in pool.imap(_lines, chunks):
                out.write(text)
        unfinished.rename(path)
    header = "id,certificate\n" if material == "certificate" else "id,public_key\n"
    return header, path.read_text().splitlines(keepends=True)
