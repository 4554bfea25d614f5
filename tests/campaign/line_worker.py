# SPDX-License-Identifier: MIT
"""One call of a client that keeps a ledger: written down before it is sent, and again when its outcome is known."""
import grpc
from idzone_client import detail_of

# What a client may hear when somebody died on the way: the call may have happened or not.
UNKNOWN = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.CANCELLED, grpc.StatusCode.UNKNOWN,
           grpc.StatusCode.INTERNAL, grpc.StatusCode.RESOURCE_EXHAUSTED, grpc.StatusCode.ABORTED}
CALL_SECONDS = 10


def attempt(client, ledger, zone, kind, device):
    """Enrolls or revokes a device; returns "ok", "refused" or "unknown"."""
    operation = ledger.ask(kind, device.id, fingerprint=device.fingerprint)
    try:
        if kind == "enroll":
            answer = client.enroll(zone, device.id, device.certificate, timeout=CALL_SECONDS)
        else:
            answer = client.revoke(zone, device.id, timeout=CALL_SECONDS)
    except grpc.RpcError as error:
        outcome = "unknown" if error.code() in UNKNOWN else "refused"
        detail = detail_of(error)
        ledger.outcome(operation, outcome, code=error.code().name, reason=detail.reason if detail else None)
        return outcome
    ledger.outcome(operation, "ok", owner=answer.identity.owner_name)
    return "ok"
