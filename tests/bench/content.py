# SPDX-License-Identifier: MIT
"""The zone that the peers hold: the names that ours would have, each with one TLSA record."""
import hashlib
import shutil
import subprocess

from wire import TTL, tlsa

ZONE = "_device.bench.example."
TREE_WIDTH = 2  # hex digits
SERVERS = ("ns1.example.net.", "ns2.example.net.")


def owner(layout, label):
    """services/core/zone/layout.h"""
    if layout == "flat":
        return f"{label}.{ZONE}"
    return f"{label}.{hashlib.sha256(label.encode()).hexdigest()[:TREE_WIDTH]}.{ZONE}"


def namespace_options(layout):
    """What makes the CLI create the same layout."""
    return ["--layout", layout, *(["--width", str(TREE_WIDTH)] if layout == "tree" else [])]


def records(owners, apex=ZONE, cuts=()):
    """Yields (owner, type, RDATA in master file form). TTL of all: wire.TTL."""
    yield apex, "SOA", f"{SERVERS[0]} hostmaster.example.net. 1 3600 600 604800 {TTL}"
    for zone in (apex, *cuts):
        for server in SERVERS:
            yield zone, "NS", server
    for each in owners:
        data = tlsa(each)
        yield each, "TLSA", f"{data[0]} {data[1]} {data[2]} {data[3:].hex()}"


def write(path, owners, apex=ZONE, cuts=()):
    path.write_text("".join(f"{name} {TTL} IN {kind} {data}\n" for name, kind, data in records(owners, apex, cuts)))
    return path


def run(*command, **arguments):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, **arguments)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(map(str, command))}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def copy_for(account, source, target):
    shutil.copyfile(source, target)
    account.own(target)
    return target
