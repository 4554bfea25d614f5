#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""The gate: four foreign judges that every zone we publish must pass, all of them.

dnssec-verify AND kzonecheck AND named-checkzone (-i local), and ldns-verify-zone for the window in which every
signature must be valid. No single one suffices: named-checkzone does not look at signatures, ldns-verify-zone sees
neither a wrong type bitmap nor an orphan RRSIG. tests/judge/test_gate.py plants each fault and shows who catches it.

Two exceptions: kzonecheck (3.2.6) says "no valid signature for a record", and stops, at zones with several combined keys, also at those
of dnssec-signzone that both have signed, and wants a zone signing key, if there is one, to sign all data. So it refuses zones whose combined
key rolls (RFC 7583 §3.2.1), which all others and validators accept. When it says that, and nothing else, of a zone with such keys, it is asked
again for all but signatures. The other judges verify them all, and a zone on both sides of the roll must please kzonecheck whole. Likewise
it says "CDNSKEY not match DNSKEY", and stops, when the parent is told of a key before the zone shows it, as a double-DS roll does.

usage: gate.py [--valid-for SECONDS] ZONE-FILE ZONE-NAME
"""
import argparse
import base64
import concurrent.futures
import dataclasses
import os
import re
import struct
import subprocess
import sys

TIMEOUT_SECONDS = 300  # a zone of 100,000 names takes BIND about 20 s on one core
# What may stand in a zone file of ours: the allow-list of services/core/dns/rr_type.h with the denial and signature types.
ALLOWED_TYPES = frozenset("SOA NS DNSKEY NSEC3PARAM CDS CDNSKEY DS TLSA SSHFP SMIMEA OPENPGPKEY RRSIG NSEC NSEC3".split())


@dataclasses.dataclass(frozen=True)
class Verdict:
    judge: str
    accepted: bool
    output: str


class ZoneRefused(AssertionError):
    """At least one judge refused the zone; `verdicts` has what each said."""

    def __init__(self, zone, verdicts):
        self.verdicts = verdicts
        refusals = [f"{v.judge}: {v.output.strip()[-600:]}" for v in verdicts if not v.accepted]
        super().__init__(f"zone {zone} refused by {len(refusals)} of {len(verdicts)} judges:\n" + "\n".join(refusals))


def commands(zone_file, zone, valid_for_seconds):
    """The command line of each judge."""
    zone = zone if zone.endswith(".") else zone + "."
    return {
        # -z: one key signs everything, whatever its KSK flag says.
        "dnssec-verify": ["dnssec-verify", "-z", "-o", zone, zone_file],
        "kzonecheck": ["kzonecheck", "-d", "on", "-o", zone, zone_file],
        "named-checkzone": ["named-checkzone", "-i", "local", zone, zone_file],
        "ldns-verify-zone": ["ldns-verify-zone", "-V", "1", "-e", f"PT{int(valid_for_seconds)}S", zone_file],
    }


def key_tag(rdata):
    """RFC 4034 appendix B."""
    flags, protocol, algorithm, key = rdata.split(None, 3)
    octets = struct.pack("!HBB", int(flags), int(protocol), int(algorithm)) + base64.b64decode("".join(key.split()))
    total = sum(octet << (0 if index & 1 else 8) for index, octet in enumerate(octets))
    return (total + (total >> 16)) & 0xffff


def misleads_kzonecheck(zone_file, zone):
    """Says whether kzonecheck misjudges the keys: several combined ones, or data that no zone signing key has signed though there is one."""
    signers, keys = {}, {}
    for owner, _, rr_type, rdata in records(zone_file):
        if rr_type == "DNSKEY" and owner == zone.lower():
            keys[key_tag(rdata)] = rdata.split(None, 1)[0]
        if rr_type == "RRSIG":
            covered, _, _, _, _, _, tag, _ = rdata.split(None, 7)
            if covered not in ("DNSKEY", "CDS", "CDNSKEY"):
                signers.setdefault((owner, covered), set()).add(int(tag))
    zone_keys = {tag for tag, flags in keys.items() if flags == "256"}
    if zone_keys:
        return any(not by & zone_keys for by in signers.values())
    return len(keys) > 1


def run_judge(judge, command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", timeout=TIMEOUT_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return Verdict(judge, False, f"no verdict within {TIMEOUT_SECONDS} s")
    except FileNotFoundError:
        return Verdict(judge, False, "is not installed")
    return Verdict(judge, done.returncode == 0, f"exit {done.returncode}\n{done.stdout}{done.stderr}")


def misled(verdict, zone_file, zone):
    """Says whether a refusal is one of the two that kzonecheck gives to zones whose keys roll by the book, and no other; returns the zone
    file that it is asked about instead, without signatures, or None."""
    complaints = [line for line in verdict.output.splitlines() if line.startswith("[") or re.match(r"\s+\d+\s", line)]
    if verdict.judge != "kzonecheck" or verdict.accepted or not complaints:
        return None
    if all("no valid signature for a record" in complaint for complaint in complaints):
        return zone_file if misleads_kzonecheck(zone_file, zone) else None
    if all("CDNSKEY not match DNSKEY" in complaint for complaint in complaints) and announces_key(zone_file, zone):
        return without_announcement(zone_file)
    return None


def announces_key(zone_file, zone):
    """Says whether the parent is told of a key that is in the DNSKEY RRset and of one that will be (RFC 7583 §3.3.2, double-DS: the DS record
    comes first; RFC 7344 §4.1 wants CDS not to break the delegation, which the first of the two does not)."""
    keys = {rr_type: {"".join(rdata.split()) for owner, _, of, rdata in records(zone_file) if of == rr_type and owner == zone.lower()}
            for rr_type in ("DNSKEY", "CDNSKEY", "CDS")}
    told = keys["CDNSKEY"]
    return len(told) == len(keys["CDS"]) == 2 and len(told & keys["DNSKEY"]) == 1


def without_announcement(zone_file):
    """A copy of a zone file without CDS and CDNSKEY."""
    copy = f"{zone_file}.kzonecheck"
    with open(zone_file, encoding="ascii") as lines, open(copy, "w", encoding="ascii") as kept:
        for line in lines:
            types = line.split(None, 5)[3:5]
            if not {"CDS", "CDNSKEY"} & set(types if types[:1] == ["RRSIG"] else types[:1]):
                kept.write(line)
    return copy


def ask(judge, command, run=run_judge):
    """Returns the judge's Verdict."""
    verdict = run(judge, command)
    instead = misled(verdict, command[-1], command[-2])
    if instead is None:
        return verdict
    try:
        return run(judge, [*("off" if argument == "on" else argument for argument in command[:-1]), instead])
    finally:
        if instead != command[-1]:
            os.unlink(instead)


def judge_zone(zone_file, zone, valid_for_seconds=3600):
    """Asks all judges; returns one Verdict each."""
    with concurrent.futures.ThreadPoolExecutor() as pool:
        asked = [pool.submit(ask, judge, command) for judge, command in commands(str(zone_file), zone, valid_for_seconds).items()]
        return [verdict.result() for verdict in asked]


def require_valid(zone_file, zone, valid_for_seconds=3600, judges=None):
    """Returns the verdicts, or raises ZoneRefused when one judge refuses or a type is not on the allow-list. `judges` are those of a
    gate that is kept open (kept.KeptJudges); without them each is started for this zone."""
    if judges is None:
        verdicts = judge_zone(zone_file, zone, valid_for_seconds)
    else:
        verdicts = [ask(judge, command, judges.run) for judge, command in commands(str(zone_file), zone, valid_for_seconds).items()]
    foreign = foreign_types(zone_file)
    verdicts.append(Verdict("allow-list", not foreign, f"types outside the allow-list: {sorted(foreign)}"))
    if not all(verdict.accepted for verdict in verdicts):
        raise ZoneRefused(zone, verdicts)
    return verdicts


def records(zone_file):
    """Yields (owner, ttl, type, rdata) of a file with one whole record a line, as `zone export`, dig and dnssec-signzone -O full write."""
    with open(zone_file, encoding="ascii") as lines:
        for line in lines:
            fields = line.split(None, 4)
            if len(fields) == 5 and not line.startswith((";", "$")) and fields[2] == "IN":
                yield fields[0].lower(), int(fields[1]), fields[3], fields[4].strip()


def foreign_types(zone_file):
    return {rr_type for _, _, rr_type, _ in records(zone_file)} - ALLOWED_TYPES


def shape(zone_file, zone):
    """Returns (names with data, empty non-terminals) of a zone: judged zones need 1,000 and 1."""
    zone = zone if zone.endswith(".") else zone + "."
    names = {owner for owner, _, rr_type, _ in records(zone_file) if rr_type not in ("NSEC3", "RRSIG")}
    between = set()
    for name in names:
        parent = name.split(".", 1)[1]
        while name != zone and parent != zone and parent.endswith("." + zone):
            between.add(parent)
            parent = parent.split(".", 1)[1]
    return len(names), len(between - names)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--valid-for", type=int, default=3600, metavar="SECONDS", help="every signature must still be valid then")
    parser.add_argument("zone_file")
    parser.add_argument("zone")
    options = parser.parse_args()
    try:
        verdicts = require_valid(options.zone_file, options.zone, options.valid_for)
    except ZoneRefused as refused:
        print(refused)
        return 1
    names, empty = shape(options.zone_file, options.zone)
    print(f"accepted by {', '.join(v.judge for v in verdicts)}: {names} names, {empty} empty non-terminals")
    return 0


if __name__ == "__main__":
    sys.exit(main())
