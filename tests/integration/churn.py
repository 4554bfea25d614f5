# SPDX-License-Identifier: MIT
"""Names that come and go at a steady rate, while somebody else looks."""
import threading
import time

CHANGES_A_SECOND = 500


class Churn(threading.Thread):
    """Enrolls and revokes at a steady rate until stopped. Half of the changes are enrollments through a stream."""

    def __init__(self, stack, zone, devices):
        super().__init__(daemon=True)
        self.stack, self.zone, self.devices = stack, zone, devices
        self.stopping = threading.Event()
        self.changes, self.failure, self.seconds = 0, None, 0.0

    def run(self):
        started = time.monotonic()
        try:
            with self.stack.client() as client:
                half = CHANGES_A_SECOND // 2
                for begin in range(0, len(self.devices) - half + 1, half):
                    if self.stopping.is_set():
                        break
                    batch = self.devices[begin:begin + half]
                    answers = client.enroll_many(self.zone, batch)
                    assert all(answer.WhichOneof("outcome") == "enrolled" for answer in answers)
                    revoke = client.stub("IdentityService", "RevokeIdentity")
                    request, _ = client._types("IdentityService", "RevokeIdentity")
                    flying = [revoke.future(request(namespace_name=self.zone, id=device.id), timeout=60) for device in batch]
                    for call in flying:
                        call.result()
                    self.changes += 2 * len(batch)
                    # By the clock, not by the last round: a slow second is made up for.
                    time.sleep(max(0.0, started + self.changes / CHANGES_A_SECOND - time.monotonic()))
        except BaseException as failure:  # noqa: BLE001 # reported by the test itself
            self.failure = failure
        self.seconds = time.monotonic() - started
