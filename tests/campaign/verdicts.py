# SPDX-License-Identifier: MIT
"""What three validators say of one question, in one form: delv (BIND), drill (ldns) and libunbound (Unbound).

Each starts with nothing but the namespace's DS records and keeps nothing from one question to the next, so that each answer and
its whole chain of keys are asked of PowerDNS and judged anew. delv and drill are run as the programs that they are.
"""
import pathlib
import re
import subprocess
import typing

import dns.rdata
import dns.rdataclass
import dns.rdatatype
from devstack.resolver import Validator
from look_up import SecureResolver

DRILL_SECONDS = 30
STATUSES = {"NOERROR": "secure", "NXDOMAIN": "secure NXDOMAIN"}


class Verdict(typing.NamedTuple):
    """`status` is secure, secure NODATA, secure NXDOMAIN, or what the validator said instead; `rrset` has RDATA in canonical
    form (RFC 4034 §6.2) as hexadecimal text."""
    status: str
    rrset: frozenset


def canonical_text(rr_type, text):
    return dns.rdata.from_text(dns.rdataclass.IN, rr_type, text).to_digestable().hex()


def canonical_wire(rr_type, octets):
    return dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.from_text(rr_type), octets, 0, len(octets)).to_digestable().hex()


def rrset_in(text, rr_type):
    """The records of a type in text that has one a line; comments are no records."""
    fields = (line.split(None, 4) for line in text.splitlines() if not line.startswith(";"))
    return frozenset(canonical_text(rr_type, parts[4]) for parts in fields if len(parts) == 5 and parts[2:4] == ["IN", rr_type])


class Delv:
    def __init__(self, folder, zone, ds_lines, port):
        self._validator = Validator(folder, zone, ds_lines, port)

    def ask(self, name, rr_type):
        said = self._validator.delv(name, rr_type)
        status = self._validator.verdict(said)
        return Verdict(status, rrset_in(said, rr_type) if status == "secure" else frozenset())


class Drill:
    """`drill -S` chases each signature up to the anchor; with -V 3 it shows the answer that it starts from, too."""

    def __init__(self, folder, zone, ds_lines, port):
        self._anchor, self._port = pathlib.Path(folder) / f"{zone}drill", port
        self._anchor.write_text("".join(" ".join(line.split()) + "\n" for line in ds_lines))

    def ask(self, name, rr_type):
        done = subprocess.run(["drill", "-V", "3", "-S", "-k", self._anchor, "-p", str(self._port), name, "@127.0.0.1", rr_type],
                              capture_output=True, text=True, timeout=DRILL_SECONDS, check=False)
        said = done.stdout + done.stderr
        header, answer = re.search(r"rcode: (\w+)", said), re.search(r";; ANSWER SECTION:\n(.*?)\n;; AUTHORITY", said, re.DOTALL)
        if done.returncode != 0 or ";; Chase successful" not in said or header is None or header[1] not in STATUSES:
            return Verdict(said, frozenset())
        found = rrset_in(answer[1], rr_type)
        return Verdict("secure NODATA" if header[1] == "NOERROR" and not found else STATUSES[header[1]], found)


class Unbound:
    def __init__(self, folder, zone, ds_lines, port):
        self._resolver = SecureResolver(folder, zone, ds_lines, port)

    def ask(self, name, rr_type):
        status, rdatas = self._resolver.ask(name, dns.rdatatype.from_text(rr_type))
        return Verdict(status, frozenset(canonical_wire(rr_type, rdata) for rdata in rdatas))


VALIDATORS = {"delv": Delv, "drill": Drill, "unbound": Unbound}
