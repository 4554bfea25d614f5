# SPDX-License-Identifier: MIT
"""What a device's TLSA record must be, computed by the programs openssl and gnutls-bin, which share no code with us."""
import hashlib
import re
import subprocess

PROFILES = {"3 1 1": ("spki", "sha256"), "3 1 2": ("spki", "sha512"), "3 0 1": ("certificate", "sha256"), "3 1 0": ("spki", None)}


def _run(*command, octets=None):
    return subprocess.run(command, input=octets, capture_output=True, check=True, timeout=60).stdout


def _digest(octets, name):
    return octets.hex() if name is None else hashlib.new(name, octets).hexdigest()


def by_openssl(profile, certificate_file):
    selected, digest = PROFILES[profile]
    if selected == "spki":
        public_key = _run("openssl", "x509", "-in", str(certificate_file), "-noout", "-pubkey")
        octets = _run("openssl", "pkey", "-pubin", "-outform", "DER", octets=public_key)
    else:
        octets = _run("openssl", "x509", "-in", str(certificate_file), "-outform", "DER")
    return f"{profile} {_digest(octets, digest)}"


def by_gnutls(profile, certificate_file):
    """danetool's own record; for 3 1 0, which it cannot print, GnuTLS's SubjectPublicKeyInfo."""
    selected, digest = PROFILES[profile]
    if digest is None:
        octets = _run("certtool", "--load-certificate", str(certificate_file), "--pubkey-info", "--outder")
        return f"{profile} {octets.hex()}"
    command = ["danetool", "--tlsa-rr", "--host", "device.example", "--hash", digest, "--load-certificate", str(certificate_file)]
    if selected == "certificate":
        command.append("--x509")
    usage, selector, matching, data = re.search(rb"TLSA \( (\d+) (\d+) (\d+) ([0-9a-f]+) \)", _run(*command)).groups()
    return f"{int(usage)} {int(selector)} {int(matching)} {data.decode()}"
