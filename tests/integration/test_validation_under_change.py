# SPDX-License-Identifier: MIT
"""Ten thousand validated look-ups while 500 names a second change: none may be bogus, stale data none either."""
import random
import time

from churn import CHANGES_A_SECOND, Churn
from devstack.devices import make_devices
from look_up import SecureResolver

# libunbound's calls hold the interpreter: without a pause the changes beside them starve.
LOOK_UP_PAUSE_SECONDS = 0.004


def test_nothing_is_bogus_while_names_change(stack, namespace, sizes):
    stable = make_devices(500, "stable", kinds=lambda number: "p256")
    seconds_at_most = sizes["validated_queries"] // 40
    moving = make_devices(max(CHANGES_A_SECOND // 2 * min(seconds_at_most, 60), 2500), "moving", kinds=lambda number: "p256")
    with stack.client() as client:
        answers = client.enroll_many(namespace, stable)
        expected = {a.enrolled.identity.owner_name: a.enrolled.identity.record.split()[-1].lower() for a in answers}
        moving_names = [client.call("EnrollmentService", "ComputeOwnerName", namespace_name=namespace, id=d.id).owner_name for d in moving[:500]]
        assert client.wait(namespace, live=True, timeout_seconds=60).done
    resolver = SecureResolver(stack.folder / "resolver", namespace, stack.delegation_signer(namespace), stack.ports["dns"])
    source = random.Random(7)
    names = sorted(expected)
    first_serial = stack.soa_serial(namespace)
    churn = Churn(stack, namespace, moving)
    churn.start()

    verdicts, asked = {}, 0
    while asked < sizes["validated_queries"]:
        asked += 1
        kind = asked % 4
        if kind < 2:
            name = source.choice(names)
            verdict, rdatas = resolver.ask(name)
            assert verdict == "secure" and [rdata[3:].hex() for rdata in rdatas] == [expected[name]], (name, verdict)
        elif kind == 2:
            verdict, _ = resolver.ask(source.choice(moving_names))
            assert verdict in ("secure", "secure NXDOMAIN"), verdict
        else:
            verdict, _ = resolver.ask(f"absent{source.randrange(10**9)}.{source.choice(names).split('.', 1)[1]}")
            assert verdict == "secure NXDOMAIN", verdict
        verdicts[verdict] = verdicts.get(verdict, 0) + 1
        time.sleep(LOOK_UP_PAUSE_SECONDS)
    churn.stopping.set()
    churn.join(120)

    assert churn.failure is None, churn.failure
    rate = churn.changes / max(churn.seconds, 0.001)
    print(f"{asked} look-ups {verdicts}; {churn.changes} changes at {rate:.0f}/s; serial {first_serial} -> {stack.soa_serial(namespace)}")
    assert churn.changes > 0 and stack.soa_serial(namespace) > first_serial, "the zone moved meanwhile"
