# SPDX-License-Identifier: MIT
"""PostgreSQL as operators are told to run it, ours and the peer's alike: deploy/postgresql."""
import contextlib
import pathlib

from devstack.cluster import Cluster

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "deploy" / "postgresql"


def settings(file):
    """Returns the file's settings by name."""
    lines = (line.partition("#")[0].strip() for line in (FOLDER / file).read_text(encoding="utf-8").splitlines())
    return {name.strip(): value.strip().strip("'") for name, _, value in (line.partition("=") for line in lines if line)}


SETTINGS = settings("idzone.conf")
ENVIRONMENT = settings("environment")


def cluster(folder, account):
    made = Cluster(folder, account, SETTINGS)
    made.environment = dict(ENVIRONMENT)
    return made


HUGE_PAGES = pathlib.Path("/proc/sys/vm/nr_hugepages")
HUGE_PAGES_WANTED = 2300  # of 2 MiB, as the file says


@contextlib.contextmanager
def huge_pages():
    """Sets them aside meanwhile, also as the file says; where that is not allowed, or they are short, all clusters do without alike."""
    before = int(HUGE_PAGES.read_text(encoding="ascii"))
    _set_aside(max(before, HUGE_PAGES_WANTED))
    try:
        yield
    finally:
        _set_aside(before)


def _set_aside(count):
    with contextlib.suppress(OSError):
        HUGE_PAGES.write_text(f"{count}\n", encoding="ascii")
