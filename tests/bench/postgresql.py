# SPDX-License-Identifier: MIT
"""PostgreSQL as operators are told to run it, ours and the peer's alike: deploy/postgresql/idzone.conf."""
import pathlib

from devstack.cluster import Cluster

FILE = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "postgresql" / "idzone.conf"


def settings():
    """Returns the file's settings by name."""
    lines = (line.partition("#")[0].strip() for line in FILE.read_text(encoding="utf-8").splitlines())
    return {name.strip(): value.strip() for name, _, value in (line.partition("=") for line in lines if line)}


SETTINGS = settings()


def cluster(folder, account):
    return Cluster(folder, account, SETTINGS)
