#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes the first inputs of the fuzz targets in tests/fuzz/corpus: valid ones, from which a fuzzer finds its way.

usage: tests/fuzz/make_seeds.py
Keys are new each time; the seeds in the repository were made once. What a fuzzer finds is added by hand, named after the fact.
"""
import hashlib
import pathlib
import struct
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "deploy"))

from cryptography import x509  # noqa: E402
from cryptography.hazmat.primitives import hashes, serialization  # noqa: E402
from cryptography.x509.oid import NameOID  # noqa: E402
from devstack.devices import make_device  # noqa: E402

CORPUS = ROOT / "tests" / "fuzz" / "corpus"
ZONE = b"\x07_device\x04acme\x07example\x00"


def write(target, name, octets):
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(octets)


def materials():
    for kind in ("rsa", "p256", "p384", "ed25519"):
        device = make_device("seed", kind)
        write("material", f"certificate-{kind}", b"\0" + device.certificate_der)
        write("material", f"spki-{kind}", b"\2" + device.spki)
        ssh = device.key.public_key().public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH)
        write("material", f"ssh-{kind}", b"\3" + ssh + b" comment")
        write("material", f"ssh-line-{kind}", b"\7" + ssh)
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "seed")])
        request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(device.key, None if kind == "ed25519" else hashes.SHA256())
        write("material", f"request-{kind}", b"\1" + request.public_bytes(serialization.Encoding.DER))
        write("material", f"authority-{kind}", b"\4" + device.certificate_der)
        write("material", f"plain-{kind}", b"\7" + device.certificate_der)
    for path in sorted((ROOT / "tests" / "golden" / "openpgp").iterdir()):
        octets = path.read_bytes()
        if len(octets) < 8192 and path.suffix in (".asc", ".pgp", ".gpg", ".bin"):
            write("material", f"openpgp-{path.stem}", b"\5" + octets)
            write("material", f"armor-{path.stem}", b"\6" + octets)


def rrset(rr_type, ttl, *rdatas):
    text = struct.pack(">HIB", rr_type, ttl, len(rdatas)) + b"".join(struct.pack(">H", len(rdata)) + rdata for rdata in rdatas)
    signature = struct.pack(">HBBIIIH", rr_type, 13, 4, ttl, 2_000_000_000, 1_700_000_000, 1) + ZONE + bytes(64)
    return text + b"\1" + struct.pack(">H", len(signature)) + signature


def deltas():
    owner = b"\3dev" + ZONE
    tlsa = b"\3\1\1" + hashlib.sha256(b"seed").digest()
    rrsets = b"\1" + rrset(52, 300, tlsa)
    write("delta", "rrsets-tlsa", b"\0" + rrsets)
    write("delta", "rrsets-two", b"\0\2" + rrset(44, 60, b"\4\2" + bytes(32)) + rrset(52, 300, tlsa, b"\3\1\1" + bytes(32)))
    for rr_type, rdata in ((52, tlsa), (44, b"\1\2" + bytes(32)), (53, tlsa), (61, b"\x99\0\1\4"), (2, ZONE), (48, b"\1\1\3\15" + bytes(64)), (43, bytes(36))):
        write("delta", f"rdata-{rr_type}", b"\1" + struct.pack(">H", rr_type) + rdata)
    key = hashlib.sha1(owner).digest()
    for kind, denial_key, following in ((2, key, bytes(20)), (3, b"\0dev\0", ZONE)):
        data = bytes([len(owner)]) + owner + struct.pack(">I", len(rrsets)) + rrsets
        denial = bytes([len(following)]) + following + b"\0\4sign"
        for flags, parts in ((3, data + denial), (1, data), (2, denial), (4, b"")):
            write("delta", f"delta-{kind}-{flags}", bytes([kind, flags, len(denial_key)]) + denial_key + parts)


def names():
    for number, octets in enumerate((ZONE, b"\3dev" + ZONE, b"\0", b"dev._device.acme.example.", b"\\000a\\.b.example.", b"\0dev\0", bytes(20),
                                     b"\x3f" + b"a" * 63 + ZONE)):
        write("name", f"name-{number}", octets)


def replicas():
    question = b"\2\0\x34\4\1d\1e\6\0\xff\2\1x\1\0\x2e\3\2cu\2\0\2\4\3cut"
    write("replica", "nothing-planted", b"\0\0" + question)
    for kind in (0, 1):
        for index in range(0, 12):
            write("replica", f"sealed-{kind}-{index}", bytes([kind, 1, 3, index]) + b"\0\x20" + bytes(32) + question)
            write("replica", f"plain-{kind}-{index}", bytes([kind, 1, 1, index]) + b"\0\x04" + bytes(4) + question)


if __name__ == "__main__":
    materials()
    deltas()
    names()
    replicas()
    print(sum(1 for path in CORPUS.rglob("*") if path.is_file()), "files")
