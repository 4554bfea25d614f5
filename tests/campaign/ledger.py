# SPDX-License-Identifier: MIT
"""The judge of a campaign: an append-only file, written through to the disk, of what clients asked and were told.

Each operation is written before it is sent and again when its outcome is known:
  ok       acknowledged: must hold for ever
  refused  answered with a refusal: must not have happened because of it
  unknown  no answer (a timeout, a broken connection): may have happened or not, but the same everywhere
"""
import json
import os
import threading


class Ledger:
    """Threads: any."""

    def __init__(self, path):
        self.path = path
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_DSYNC, 0o600)
        self._lock = threading.Lock()
        self._next = 0

    def _append(self, **entry):
        os.write(self._file, (json.dumps(entry) + "\n").encode())

    def ask(self, kind, device_id, **more):
        """Records an intention; returns its number."""
        with self._lock:
            self._next += 1
            self._append(operation=self._next, kind=kind, id=device_id, **more)
            return self._next

    def outcome(self, operation, outcome, **more):
        with self._lock:
            self._append(operation=operation, outcome=outcome, **more)

    def close(self):
        os.close(self._file)


class History:
    """What a ledger says, read back from the file: per device, the outcomes of its enrollments and revocations."""

    def __init__(self, path):
        asked, self.devices, self.counts = {}, {}, {}
        with open(path, encoding="ascii") as lines:
            for line in lines:
                entry = json.loads(line)
                if "kind" in entry:
                    asked[entry["operation"]] = entry
                    continue
                first = asked.pop(entry["operation"])
                self._note(first, entry["outcome"], entry)
        for first in asked.values():  # asked, and the client died before it heard
            self._note(first, "unknown", {})

    def _note(self, first, outcome, entry):
        key = f"{first['kind']} {outcome}"
        self.counts[key] = self.counts.get(key, 0) + 1
        device = self.devices.setdefault(first["id"], {"enroll": [], "revoke": [], "fingerprint": None, "owner": None})
        device[first["kind"]].append(outcome)
        device["fingerprint"] = first.get("fingerprint") or device["fingerprint"]
        device["owner"] = entry.get("owner") or device["owner"]

    @staticmethod
    def _strongest(outcomes):
        return next((outcome for outcome in ("ok", "unknown", "refused") if outcome in outcomes), None)

    def expectation(self, device_id):
        """What must be true of a device now: "active", "revoked", or "either" of those that `possible` allows."""
        device = self.devices[device_id]
        enrolled, revoked = self._strongest(device["enroll"]), self._strongest(device["revoke"])
        if revoked == "ok":
            return {"revoked"}
        if enrolled == "ok":
            return {"active", "revoked"} if revoked == "unknown" else {"active"}
        if enrolled == "unknown":
            return {"absent", "active", "revoked"} if revoked == "unknown" else {"absent", "active"}
        return {"absent"}
