# SPDX-License-Identifier: MIT
"""What the quickstart shows: a factory's output enrolled, every answer checked by foreign programs, one device revoked."""
import csv
import json
import pathlib
import random
import tempfile

from .resolver import Validator
from .tlsa_oracle import by_gnutls, by_openssl

ZONE = "_device.acme.example."
REVOKED = "dev000042"
SAMPLE = 24  # devices whose records are compared with OpenSSL and GnuTLS, all kinds of keys among them


def read_devices(path):
    with open(path, encoding="ascii", newline="") as lines:
        return {row["id"]: row["certificate"] for row in csv.DictReader(lines)}


def show(stack, device_file, report):
    with report.step("namespace") as step:
        stack.create_namespace(ZONE, "--layout", "tree", "--width", "1")
        step.note = ZONE
    devices = read_devices(device_file)
    with report.step("enroll") as step:
        results = enroll(stack, device_file, report, len(devices))
        step.note = f"{len(devices)} devices through `idzone device import`"
    with report.step("wait until live") as step:
        stack.wait_live(ZONE)
        step.note = f"{len(zones_of(stack))} zones at every edge"
    anchors = stack.folder / "resolver" / "trust-anchor.ds"
    anchors.parent.mkdir(exist_ok=True)
    ds_lines = stack.delegation_signer(ZONE)
    anchors.write_text("\n".join(ds_lines) + "\n")
    validator = Validator(stack.folder / "resolver", ZONE, ds_lines, stack.ports["dns"])
    with report.step("check answers"):
        check_records(stack, devices, results, report)
        check_validation(stack, validator, anchors, results, report)
    with report.step("revoke") as step:
        stack.cli("device", "revoke", ZONE, REVOKED, "--reason", "shown by the quickstart", caller="enroller")
        stack.wait_live(ZONE)
        step.note = REVOKED
    with report.step("check the denial"):
        check_denial(stack, validator, device_file, results, report)
    report.facts.update(zone=ZONE, devices=len(devices), serial=stack.soa_serial(ZONE))


def zones_of(stack):
    return [zone["name"] for zone in stack.cli_json("zone", "list") if zone["namespace"] == ZONE]


def enroll(stack, device_file, report, count):
    """Imports the file; returns {id: owner name}. On a second run all are there already, and the revoked one is refused."""
    results_file, failed_file = stack.folder / "devices" / "results.jsonl", stack.folder / "devices" / "failed.csv"
    done = stack.cli("device", "import", ZONE, device_file, "--results", results_file, "--failed", failed_file, caller="enroller", check=False)
    results = [json.loads(line) for line in results_file.read_text().splitlines()] if results_file.exists() else []
    refused = rows_of(failed_file)
    owners = {row["id"]: row["owner_name"] for row in results}
    only_revoked = done.returncode in (0, 6) and all(row["id"] == REVOKED for row in refused)
    report.check(f"all {count} devices are enrolled" + (" (the one revoked earlier stays out)" if refused else ""),
                 only_revoked and len(owners) + len(refused) == count, f"exit {done.returncode}: {done.stderr[-500:]}")
    return owners


def rows_of(path):
    if not path.exists():
        return []
    with open(path, encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def check_records(stack, devices, owners, report):
    """The record served equals what the programs openssl and gnutls-bin compute from the certificate."""
    wanted = [f"dev{number:06d}" for number in (7, 3, 5)]  # an RSA, a P-384 and an Ed25519 key
    wanted += random.Random(1).sample(sorted(set(owners) - {REVOKED, *wanted}), SAMPLE - len(wanted))
    wrong = {"OpenSSL": [], "GnuTLS": []}
    with tempfile.TemporaryDirectory() as folder:
        for device_id in wanted:
            file = pathlib.Path(folder) / "device.pem"
            file.write_text(devices[device_id])
            served = "".join(stack.dig("+short", owners[device_id], "TLSA").lower().split())
            for name, oracle in (("OpenSSL", by_openssl), ("GnuTLS", by_gnutls)):
                if served != "".join(oracle("3 1 1", file).split()):
                    wrong[name].append(device_id)
    for name, ids in wrong.items():
        report.check(f"{len(wanted)} records equal what {name} computes", not ids, f"differing: {ids}")


def check_validation(stack, validator, anchors, owners, report):
    some = random.Random(2).sample(sorted(set(owners) - {REVOKED}), 10)
    prefix = owners[some[0]].split(".", 1)[1]
    told = {device_id: validator.delv_says(owners[device_id]) for device_id in some}
    report.check("delv: answers are fully validated", all(said == "secure" for said in told.values()), told)
    report.check("delv: an absent type is a validated NODATA", validator.delv_says(owners[some[0]], "SSHFP") == "secure NODATA")
    report.check("delv: the apex of a zone below a cut is a validated NODATA", validator.delv_says(prefix) == "secure NODATA", prefix)
    report.check("delv: an absent name is a validated NXDOMAIN", validator.delv_says(f"absent.{ZONE}") == "secure NXDOMAIN")
    report.check("libunbound: the answer is secure", "(secure)" in validator.unbound_host(owners[some[1]]))
    verified = stack.cli("verify", owners[some[2]], "--trust-anchor", anchors, "--authority", f"127.0.0.1@{stack.ports['dns']}", check=False)
    report.check("idzone verify: secure", verified.returncode == 0, verified.stdout + verified.stderr)


def check_denial(stack, validator, device_file, owners, report):
    owner = owners.get(REVOKED) or stack.cli_json("device", "show", ZONE, REVOKED)["owner_name"]
    said = validator.delv_says(owner)
    report.check("delv: the revoked device is a validated NXDOMAIN", said == "secure NXDOMAIN", said)
    again = stack.cli("device", "enroll", ZONE, REVOKED, "--certificate", "-", caller="enroller", check=False,
                      input=read_devices(device_file)[REVOKED])
    report.check("the revoked device cannot be enrolled again", again.returncode == 3 and "IDENTITY_REVOKED" in again.stderr + again.stdout,
                 again.stdout + again.stderr)


def print_next(stack):
    """The commands to try, ready to be copied."""
    print("\nIt all goes on running. Try:")
    for name, value in stack.cli_environment("enroller").items():
        print(f"  export {name}={json.dumps(value)}")
    idzone, port = stack.binary("idzone"), stack.ports["dns"]
    anchors = stack.folder / "resolver" / "trust-anchor.ds"
    print(f"  {idzone} device list {ZONE} --limit 10")
    print(f"  {idzone} device show {ZONE} dev000001")
    print(f"  {idzone} zone show {ZONE}")
    print(f"  {idzone} verify $({idzone} device name {ZONE} dev000001) --trust-anchor {anchors} --authority 127.0.0.1@{port}")
    print(f"  dig @127.0.0.1 -p {port} {ZONE} SOA +dnssec")
    print("  deploy/quickstart status\n  deploy/quickstart stop\n  tests/run")
