# SPDX-License-Identifier: MIT
"""delv, one process a look-up, asks for enrolled, absent and empty names and absent types, while 500 names a second change.

libunbound does the same in tests/integration/test_validation_under_change.py; delv is BIND's validator, not Unbound's.
A cycle is a look-up; a failure is an answer that is not validated, or not the one that must come.
"""
import collections
import concurrent.futures
import random

from churn import CHANGES_A_SECOND, Churn
from devstack.devices import make_devices
from devstack.resolver import Validator
from idzone_stack import TestStack

ZONE = "_device.delv.example."
STABLE = 1000  # judged zones have at least a thousand names
CHURN_SECONDS = 30  # as many distinct devices as that needs; they are revoked for ever, so each round takes new ones


def questions(owners, count, seed):
    """Yields (name, type, what delv must say): half of them answers, half denials of three kinds."""
    source = random.Random(seed)
    for number in range(count):
        owner = source.choice(owners)
        yield [(owner, "TLSA", "secure"), (owner, "SSHFP", "secure NODATA"), (owner, "TLSA", "secure"),
               (f"absent{source.randrange(10**9)}.{owner.split('.', 1)[1]}", "TLSA", "secure NXDOMAIN"), (owner, "TLSA", "secure"),
               (owner.split(".", 1)[1], "TLSA", "secure NODATA")][number % 6]


def serials(stack):
    """The versions of all zones."""
    return int(stack.cluster.sql("select sum(serial) from published.zone"))


def run(size, seed):
    stack = TestStack("campaign-delv").open()
    failures, told, changes = [], collections.Counter(), 0
    with stack.judged_by(failures):
        stack.create_namespace(ZONE, "--layout", "tree", "--width", "1")  # every name lies below a cut
        with stack.client() as client:
            answers = client.enroll_many(ZONE, make_devices(STABLE, "stable", kinds=lambda number: "p256"))
            owners = sorted(answer.enrolled.identity.owner_name for answer in answers)
            assert client.wait(ZONE, live=True, timeout_seconds=60).done
        validator = Validator(stack.folder / "resolver", ZONE, stack.delegation_signer(ZONE), stack.ports["dns"])
        first_serial = serials(stack)
        rounds = iter(range(1_000_000))

        def start_churn():
            count = CHANGES_A_SECOND // 2 * CHURN_SECONDS
            churn = Churn(stack, ZONE, make_devices(count, f"moving{next(rounds)}", kinds=lambda number: "p256"))
            churn.start()
            return churn

        churns = [start_churn()]
        with concurrent.futures.ThreadPoolExecutor(4) as pool:
            asked = list(questions(owners, size, seed))
            for begin in range(0, size, 200):
                part = asked[begin:begin + 200]
                for (name, rr_type, wanted), said in zip(part, pool.map(lambda question: validator.delv_says(*question[:2]), part)):
                    told[said if said == wanted else "wrong"] += 1
                    if said != wanted:
                        failures.append(f"{name} {rr_type}: not {wanted} but {said[:300]}")
                if not churns[-1].is_alive():
                    churns.append(start_churn())
        churns[-1].stopping.set()
        for churn in churns:
            churn.join(120)
            changes += churn.changes
            if churn.failure is not None:
                failures.append(f"the changes stopped: {churn.failure!r}")
        busy = sum(churn.seconds for churn in churns)
        versions = serials(stack) - first_serial
    operations = {**told, "changes": changes, "changes_per_s": round(changes / max(busy, 0.001)), "versions": versions}
    return {"cycles": size, "operations": operations, "failures": failures}
