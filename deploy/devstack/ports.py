# SPDX-License-Identifier: MIT
"""Ports that daemons will bind a moment later, which nobody takes in between: the kernel gives none of this range to outgoing
connections, and processes that choose here at the same time reserve what they chose."""
import collections
import fcntl
import os
import pathlib
import random
import socket
import tempfile

RANGE = range(16384, 32768)  # below Linux's ephemeral ports (net.ipv4.ip_local_port_range)
TRIES = 1000
REMEMBERED = 1000  # more than the stacks of one process use together; older ones may be had again

_reservations = None  # one file for the account: the octet at a port's number is locked by who has the port, as long as it lives
_mine = collections.deque(maxlen=REMEMBERED)


def _reserve(port):
    global _reservations
    if port in _mine:
        return False
    if _reservations is None:
        path = pathlib.Path(tempfile.gettempdir()) / f"idzone-ports-{os.geteuid()}"
        _reservations = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    if len(_mine) == REMEMBERED:
        fcntl.lockf(_reservations, fcntl.LOCK_UN, 1, _mine[0])
    try:
        fcntl.lockf(_reservations, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, port)
    except OSError:
        return False
    _mine.append(port)
    return True


def port_is_free(port):
    """Says whether it can be bound for TCP and for UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as probe:
            if kind == socket.SOCK_STREAM:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


def free_ports(count):
    """Returns that many ports, free for TCP and UDP, which this process has reserved."""
    found = []
    for _ in range(TRIES):
        port = random.SystemRandom().choice(RANGE)
        if _reserve(port) and port_is_free(port):
            found.append(port)
        if len(found) == count:
            return found
    raise RuntimeError(f"no {count} free ports from {RANGE.start} to {RANGE.stop - 1} in {TRIES} tries: what listens there?")
