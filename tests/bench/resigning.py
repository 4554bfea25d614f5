# SPDX-License-Identifier: MIT
"""Signing again: signer and edge are started anew thirteen hours later (libfaketime), when half of the re-sign period is over
and every signature that the sweep meets is old enough to be renewed. libfaketime takes the place of the allocator that is deployed: it
dies where the two meet."""
import subprocess
import time

import content

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
LATER = {"LD_PRELOAD": FAKETIME, "FAKETIME": "+13h", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
         "IDZONE_SIGNERD_SIGNING_CLOCK_SKEW_SECONDS_MAX": "0"}  # PostgreSQL's clock does not go along
MEASURED_SECONDS = 40  # at most
IDLE_SECONDS = 3  # without a new signature: all is done that was due
RAW_SECONDS = 3
VERIFY_EVERY = 256  # signing.verify_every: the signer verifies one of so many
SAMPLE_EVERY = 16  # the follower's share, services/replica/follower_check.cc


def _renewed(stack):
    text = stack.signerd.observe("/metrics")[1].splitlines()
    return sum(float(line.rsplit(" ", 1)[1]) for line in text if line.startswith('idzone_signer_signatures_total{kind="renew"'))


def raw_mix(stack, verify):
    """Signatures a second on one core that does nothing else, with as many verifications as signer and edge make."""
    verifications = 1 / VERIFY_EVERY + (1 if verify == "all" else 1 / SAMPLE_EVERY)
    done = subprocess.run(["taskset", "-c", "0", stack.build / "bin" / "raw_mix", str(RAW_SECONDS), str(1 / verifications)],
                          capture_output=True, text=True, check=True)
    return float(done.stdout)


def measure(stack, verify):
    """Renews what is due, or as much as the time allows. Returns signatures a second, up to where the edge has the last one.
    Nothing else can be measured with this stack afterwards: its zone lives in the future."""
    for name in ("replicad", "signerd"):
        stack.daemons[name].environment.update(LATER)
    stack.signerd.stop()
    stack.replicad.restart().wait_ready()
    begun = time.monotonic()
    stack.signerd._child = None  # noqa: SLF001 # as Daemon.restart does
    stack.signerd.start()
    meter = stack.meter()
    done, changed = 0, begun
    while time.monotonic() < min(begun + MEASURED_SECONDS, changed + IDLE_SECONDS):
        time.sleep(0.1)
        now = _renewed(stack)
        if now > done:
            done, changed = now, time.monotonic()
    used = meter.seconds()
    memory = stack.signerd_peak_mib()
    if time.monotonic() >= begun + MEASURED_SECONDS:  # there is more to do
        stack.signerd.stop()
        stack.wait_live(content.ZONE)
        changed = time.monotonic()
    assert done, "no signature was renewed"
    raw = raw_mix(stack, verify)
    rate = done / (changed - begun)
    return {"resign_signatures_per_s": rate, "raw_mix_signatures_per_s": raw, "resign_share_of_raw_mix": rate / raw, "resign_signatures": done,
            "resign_cpu_us_per_signature": sum(used.values()) * 1e6 / done, "signerd_rss_mib": memory,
            **{f"cpu_us.resign.{name}": seconds * 1e6 / done for name, seconds in used.items()}}
