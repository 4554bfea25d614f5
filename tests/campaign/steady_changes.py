# SPDX-License-Identifier: MIT
"""Enrollments and revocations at a steady rate, through gRPC, for as long as wanted. Device n is `moving<n>`; each lives two rounds."""
import hashlib
import threading
import time

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ROUND_SECONDS = 0.25
CALL_SECONDS = 60


def device_id(number):
    return f"moving{number:08d}"


def tree_owner(device, zone):
    """Its owner name in a tree of width 1."""
    return f"{device}.{hashlib.sha256(device.encode()).hexdigest()[0]}.{zone}"


def new_public_key():
    """A bare key, DER: making a certificate would cost more than all that is measured."""
    return ec.generate_private_key(ec.SECP256R1()).public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


class SteadyChanges(threading.Thread):
    """Until `stopping` is set. What the server refuses ends it, and is in `failure`."""

    def __init__(self, stack, zone, a_second):
        super().__init__(daemon=True)
        self.stack, self.zone = stack, zone
        self.a_round = max(1, round(a_second * ROUND_SECONDS / 2))
        self.stopping, self.failure = threading.Event(), None
        self.enrolled, self.revoked, self.seconds = 0, 0, 0.0

    @property
    def changes(self):
        return self.enrolled + self.revoked

    def a_second(self):
        return self.changes / max(self.seconds, 0.001)

    def run(self):
        begun = time.monotonic()
        try:
            with self.stack.client() as client:
                self._calls(client)
                while not self.stopping.is_set():
                    self._round()
                    self.seconds = time.monotonic() - begun
                    # By the clock, not by the last round: a slow second is made up for.
                    time.sleep(max(0.0, begun + self.enrolled / self.a_round * ROUND_SECONDS - time.monotonic()))
        except BaseException as failure:  # noqa: BLE001 # reported as a failure of the campaign
            self.failure = failure
        self.seconds = time.monotonic() - begun

    def _calls(self, client):
        self._enroll = client.stub("EnrollmentService", "EnrollStream", "stream_stream")
        self._enrollment, _ = client._types("EnrollmentService", "EnrollStream")
        self._revoke = client.stub("IdentityService", "RevokeIdentity")
        self._revocation, _ = client._types("IdentityService", "RevokeIdentity")

    def _round(self):
        """Enrolls some, and revokes as many of the round before."""
        flying = [self._revoke.future(self._revocation(namespace_name=self.zone, id=device_id(number), reason="load"), timeout=CALL_SECONDS)
                  for number in range(self.revoked, self.enrolled)]
        requests = (self._enrollment(namespace_name=self.zone, id=device_id(number), public_key=new_public_key())
                    for number in range(self.enrolled, self.enrolled + self.a_round))
        for answer in self._enroll(requests, timeout=CALL_SECONDS):
            if answer.WhichOneof("outcome") != "enrolled":
                raise RuntimeError(f"not enrolled: {answer}")
        for call in flying:
            call.result()
        self.revoked += len(flying)
        self.enrolled += self.a_round
