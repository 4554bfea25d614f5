# SPDX-License-Identifier: MIT
"""The files that know PowerDNS's headers compile against other releases than the installed one. Nothing is loaded. Sources
are taken from IDZONE_PDNS_SOURCES, folders with a colon between them, each the unpacked source of one release."""
import os
import pathlib
import subprocess

import pytest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
MODULE = SOURCE / "services" / "nameserver"
RELEASES = [pathlib.Path(folder) for folder in os.environ.get("IDZONE_PDNS_SOURCES", "").split(":") if folder]


def api_of(release):
    """As services/nameserver/CMakeLists.txt finds it out."""
    if "domainid_t" in (release / "pdns" / "dnsbackend.hh").read_text():
        return 500
    return 409 if "void setContent" in (release / "pdns" / "dnsparser.hh").read_text() else 407


@pytest.mark.skipif(not RELEASES, reason="IDZONE_PDNS_SOURCES names no sources of other releases of PowerDNS")
@pytest.mark.parametrize("file", sorted(path.name for path in MODULE.glob("pdns_*.cc")))
@pytest.mark.parametrize("release", RELEASES, ids=lambda release: release.name)
def test_the_module_compiles_against_another_release(release, file):
    system = [MODULE / "pdns_config", release, release / "pdns", release / "ext" / "json11"]
    command = ["g++", "-std=c++20", "-fsyntax-only", "-Wall", "-DHAVE_CONFIG_H", "-DPDNS_AUTH", f"-DIDZONE_PDNS_API={api_of(release)}", f"-I{SOURCE}",
               *(part for folder in system for part in ("-isystem", str(folder))), str(MODULE / file)]

    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)

    assert done.returncode == 0, done.stderr[:4000]
