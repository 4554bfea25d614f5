# SPDX-License-Identifier: MIT
"""PostgreSQL as operators are told to run it, ours and the peer's alike: deploy/postgresql/idzone.conf."""
import contextlib
import os
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


HUGE_PAGES = pathlib.Path("/proc/sys/vm/nr_hugepages")
HUGE_PAGES_WANTED = 2300  # of 2 MiB, as the file says


@contextlib.contextmanager
def huge_pages():
    """Reserves them meanwhile, also as the file says; without root, or where they are short, all clusters do without alike."""
    if os.geteuid() != 0:
        yield
        return
    before = HUGE_PAGES.read_text(encoding="ascii")
    HUGE_PAGES.write_text(f"{max(int(before), HUGE_PAGES_WANTED)}\n", encoding="ascii")
    try:
        yield
    finally:
        HUGE_PAGES.write_text(before, encoding="ascii")
