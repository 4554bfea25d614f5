# SPDX-License-Identifier: MIT
"""Validating look-ups: delv and unbound-host, with a zone's own DS records as the trust anchor.

In the field the parent zone has the DS record; here nobody delegates to us, so its lines go into the resolver instead.
"""
import pathlib
import subprocess

from .files import write_whole

DELV_SECONDS = 30
DELV_ATTEMPTS = 3


class Validator:
    """Another one for the same zone and folder takes this one's place: a look-up that is under way ends by either's anchors."""

    def __init__(self, folder, zone, ds_lines, port):
        self.zone = zone if zone.endswith(".") else zone + "."
        self.port = port
        folder = pathlib.Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        label = self.zone.strip(".")
        self._anchors = folder / f"{label}.anchors"
        write_whole(self._anchors, "trust-anchors {\n" + "".join(self._static_ds(line) for line in ds_lines) + "};\n")
        self._unbound = folder / f"{label}.unbound.conf"
        anchors = "".join(f'  trust-anchor: "{" ".join(line.split())}"\n' for line in ds_lines)
        write_whole(
            self._unbound, "server:\n  do-not-query-localhost: no\n  module-config: \"validator iterator\"\n  use-syslog: no\n  root-hints: \"\"\n" + anchors +
            f'stub-zone:\n  name: "{self.zone}"\n  stub-addr: 127.0.0.1@{port}\n')

    @staticmethod
    def _static_ds(line):
        owner, rdata = line.split()[0], line.split(" DS ", 1)[1].split() if " DS " in line else line.split("DS", 1)[1].split()
        return f'  {owner} static-ds {rdata[0]} {rdata[1]} {rdata[2]} "{"".join(rdata[3:])}";\n'

    def delv(self, name, rr_type="TLSA"):
        """Returns what delv prints; look for `fully validated`. With a server that says nothing, delv gives up after 10 s and says so: one
        that still runs after DELV_SECONDS has hung in itself (seen once in some ten thousands of runs of 9.18.49), and is run again."""
        command = ["delv", "@127.0.0.1", "-p", str(self.port), "-a", str(self._anchors), f"+root={self.zone}", name, rr_type]
        for _ in range(DELV_ATTEMPTS):
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=DELV_SECONDS, check=False)
                return done.stdout + done.stderr
            except subprocess.TimeoutExpired:
                continue
        raise RuntimeError(f"hung {DELV_ATTEMPTS} times for {DELV_SECONDS} s: {' '.join(command)}")

    def delv_says(self, name, rr_type="TLSA"):
        """Returns "secure", "secure NXDOMAIN", "secure NODATA" or the whole output when nothing was validated."""
        return self.verdict(self.delv(name, rr_type))

    @staticmethod
    def verdict(text):
        """The same of what delv printed."""
        if "; negative response, fully validated" in text:
            return "secure NXDOMAIN" if "ncache nxdomain" in text else "secure NODATA"
        if "; fully validated" in text and "unsigned answer" not in text:
            return "secure"
        return text

    def unbound_host(self, name, rr_type="TLSA"):
        """Returns what unbound-host (libunbound) prints; look for `(secure)`."""
        done = subprocess.run(["unbound-host", "-v", "-C", str(self._unbound), "-t", rr_type, name], capture_output=True, text=True, timeout=30, check=False)
        return done.stdout + done.stderr
