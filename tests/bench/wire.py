# SPDX-License-Identifier: MIT
"""DNS messages made beforehand, so that making them costs the measurement nothing."""
import hashlib
import socket
import struct

TLSA, SOA = 52, 6
NOERROR, NXDOMAIN = 0, 3
TTL = 300
QR, UPDATE, DO = 0x8000, 5 << 11, 0x8000


def name(text):
    return b"".join(bytes([len(label)]) + label for label in text.rstrip(".").encode().split(b".")) + b"\0"


def query(owner, rr_type=TLSA):
    """A query with DO set."""
    return struct.pack(">6H", 0x1D0A, 0, 1, 0, 0, 1) + name(owner) + struct.pack(">2H", rr_type, 1) + struct.pack(">BHHIH", 0, 41, 1232, DO, 0)


def tlsa(label):
    """RDATA of 3 1 1, another for each label."""
    return b"\x03\x01\x01" + hashlib.sha256(label.encode()).digest()


def update(zone, owners):
    """An RFC 2136 UPDATE that adds one TLSA record for each owner name."""
    apex = name(zone)
    parts = [struct.pack(">6H", 0x1D0B, UPDATE, 1, 0, len(owners), 0), apex, struct.pack(">2H", SOA, 1)]
    for owner in owners:
        relative = name(owner.removesuffix("." + zone))[:-1]
        data = tlsa(owner)
        parts.append(relative + b"\xc0\x0c" + struct.pack(">HHIH", TLSA, 1, TTL, len(data)) + data)  # 0xc00c: the zone's name
    return b"".join(parts)


class Stream:
    """One TCP connection; messages one after another."""

    def __init__(self, port, timeout=60):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb")

    def ask(self, message):
        """Returns the response code."""
        self._socket.sendall(struct.pack(">H", len(message)) + message)
        length = struct.unpack(">H", self._file.read(2))[0]
        return self._file.read(length)[3] & 15

    def close(self):
        self._file.close()
        self._socket.close()


class Asker:
    """One UDP socket that asks a server again and again."""

    def __init__(self, port):
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.settimeout(1)
        self._socket.connect(("127.0.0.1", port))

    def ask(self, message):
        """Returns (response code, number of answer records), (None, 0) when nothing comes."""
        try:
            self._socket.send(message)
            answer = self._socket.recv(4096)
        except OSError:
            return None, 0
        return answer[3] & 15, int.from_bytes(answer[6:8], "big")

    def close(self):
        self._socket.close()


def is_signed_answer(answer):
    """At least a record and its signature."""
    return answer[0] == NOERROR and answer[1] >= 2
