# SPDX-License-Identifier: MIT
"""Single changes, each waited for at the edge: enrolled until it is answered, revoked until it is denied."""
import base64
import time

import content
import factory
import wire
from imports import Import

REVOKE_PAUSE_SECONDS = 0.02


def percentile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def percentiles(name, seconds):
    return {f"{name}_p50_ms": percentile(seconds, 0.5) * 1000, f"{name}_p99_ms": percentile(seconds, 0.99) * 1000}


def _until(asker, owner, holds):
    question = wire.query(owner)
    while not holds(asker.ask(question)):
        time.sleep(0.0001)
    return time.monotonic()


def _is_denied(answer):
    return answer[0] == wire.NXDOMAIN


def _revoke(client, asker, layout, device):
    """Its answer is in the edge's packet cache, which is on as it is deployed, when it is revoked."""
    owner = content.owner(layout, device)
    for _ in range(2):
        assert wire.is_signed_answer(asker.ask(wire.query(owner))), f"{owner}: no signed answer before it is revoked"
    client.revoke(content.ZONE, device)
    acknowledged = time.monotonic()
    return _until(asker, owner, _is_denied) - acknowledged


def one_by_one(stack, layout, material, first, end):
    """One device after another: enrolled until it is answered; then revoked until it is denied."""
    client, asker = stack.client("enroller"), wire.Asker(stack.ports["dns"])
    shown = []
    begun = time.monotonic()
    for line in factory.lines(material, first, end):
        device, encoded = line.strip().split(",")
        client.enroll(content.ZONE, device, **{"certificate" if material == "certificate" else "public_key": base64.b64decode(encoded)})
        acknowledged = time.monotonic()
        shown.append(_until(asker, content.owner(layout, device), wire.is_signed_answer) - acknowledged)
    rate = (end - first) / (time.monotonic() - begun)
    gone = [_revoke(client, asker, layout, factory.device_id(number)) for number in range(first, end)]
    client.channel.close()
    asker.close()
    return {"single_names_per_s": rate, **percentiles("visible", shown), **percentiles("revoked", gone)}


def revoked_during_import(stack, layout, material, victims, first, end):
    """While devices first to end - 1 are imported at full speed, others are revoked one by one."""
    client, asker = stack.client("enroller"), wire.Asker(stack.ports["dns"])
    importing = Import(stack, material, first, end).start()
    gone = []
    for number in victims:
        if not importing.running():
            break
        gone.append(_revoke(client, asker, layout, factory.device_id(number)))
        time.sleep(REVOKE_PAUSE_SECONDS)
    importing.finish()
    stack.wait_live(content.ZONE)
    client.channel.close()
    asker.close()
    assert gone, "the import was over before the first revocation"
    return {**percentiles("revoked_during_import", gone), "revoked_during_import_samples": len(gone)}
