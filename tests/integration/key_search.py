# SPDX-License-Identifier: MIT
"""What the signer's secrets are, opened as only its key-encryption key can, and how to find them in whatever there is."""
import base64
import re

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_der_private_key


def private_scalars(stack):
    """The 32 octets of each key in the stack's directory, removed ones too: P-256 scalars and Ed25519 seeds."""
    kek = key_encryption_key(stack)
    for path in sorted((stack.folder / "keys").iterdir()):
        if not re.fullmatch("[0-9a-f]{64}", path.name):
            continue
        key = load_der_private_key(unseal(AESGCM(kek), path.read_bytes(), bytes.fromhex(path.name)), None)
        if hasattr(key, "private_numbers"):
            yield key.private_numbers().private_value.to_bytes(32, "big")
        else:
            yield key.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())


def key_encryption_key(stack):
    return bytes.fromhex((stack.folder / "keys" / "kek").read_text().strip())


def unseal(cipher, sealed, name):
    """services/sealing/sealing.h: header · nonce · ciphertext and tag."""
    header, nonce, text = sealed[:7], sealed[7:19], sealed[19:]
    assert header == b"IDZKEY\x01"
    return cipher.decrypt(nonce, text, header + name)


def forms_of(secret):
    """How its octets may be written: as they are (so also in DER), as a number in memory (least octet first), in hex, and in base64 at
    each of its three alignments (so also in PEM)."""
    forms = [secret, secret[::-1], secret.hex().encode(), secret.hex().upper().encode()]
    for before in range(3):
        text = base64.b64encode(bytes(before) + secret)
        # Without the characters that share bits with what stands before or after it.
        forms.append(text[(before * 8 + 5) // 6:(before + len(secret)) * 8 // 6])
    return forms


class KeySearch:
    def __init__(self, secrets):
        self.secrets = [forms_of(secret) for secret in secrets]

    def found_in(self, octets):
        """The numbers of the secrets that are there."""
        return {number for number, forms in enumerate(self.secrets) if any(form in octets for form in forms)}

    def found_in_text(self, octets):
        """The same, in text that may have been broken into lines."""
        return self.found_in(octets) | self.found_in(octets.replace(b"\r", b"").replace(b"\n", b""))
