# SPDX-License-Identifier: MIT
"""A factory's list is imported, some devices are revoked, and the same list is imported again: revoked stays revoked."""
import csv
import json

from devstack.devices import make_devices
from look_up import SecureResolver

REVOKED_SHARE = 100


def rows(path):
    with open(path, encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def import_list(stack, namespace, path, folder, run):
    results, failed = folder / f"results-{run}.jsonl", folder / f"failed-{run}.csv"
    done = stack.cli("device", "import", namespace, path, "--results", results, "--failed", failed, caller="enroller", check=False)
    return done, [json.loads(line) for line in results.read_text().splitlines()], rows(failed) if failed.exists() else []


def test_revoked_devices_stay_absent_when_the_list_is_imported_again(stack, namespace, sizes, tmp_path):
    count = sizes["reimported"]
    devices = make_devices(count, kinds=lambda number: "p256")
    listed = tmp_path / "devices.csv"
    with open(listed, "w", encoding="ascii", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(["id", "certificate"])
        writer.writerows([device.id, device.certificate.decode()] for device in devices)

    done, results, failures = import_list(stack, namespace, listed, tmp_path, 1)
    assert (done.returncode, len(results), failures) == (0, count, []), done.stderr
    owners = {row["id"]: row["owner_name"] for row in results}
    revoked = [device.id for device in devices[::count // REVOKED_SHARE]]
    assert len(revoked) == REVOKED_SHARE
    stack.cli("device", "revoke", namespace, *revoked, "--wait", caller="enroller")

    done, results, failures = import_list(stack, namespace, listed, tmp_path, 2)

    assert done.returncode == 6, "partly refused"
    assert {row["id"] for row in failures} == set(revoked)
    assert {row["error_reason"] for row in failures} == {"IDENTITY_REVOKED"}
    assert len(results) == count - len(revoked)
    with stack.client() as client:
        assert client.wait(namespace, live=True, timeout_seconds=60).done
        states = {identity.id: identity.state for identity in client.list(namespace)}
    assert {device_id for device_id, state in states.items() if state == 2} == set(revoked)
    resolver = SecureResolver(stack.folder / "resolver", namespace, stack.delegation_signer(namespace), stack.ports["dns"])
    for device_id in revoked:
        assert resolver.ask(owners[device_id])[0] == "secure NXDOMAIN", device_id
    for device in devices[1:60]:
        assert resolver.ask(owners[device.id])[0] == ("secure NXDOMAIN" if device.id in revoked else "secure")
    stack.require_valid(namespace)

    # What failed can be fed back as it is: it fails again, for the same reason, and changes nothing.
    done, results, again = import_list(stack, namespace, tmp_path / "failed-2.csv", tmp_path, 3)
    assert {row["id"] for row in again} == set(revoked) and results == []
