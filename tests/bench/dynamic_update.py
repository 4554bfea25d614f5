# SPDX-License-Identifier: MIT
"""Publishing by dynamic update (RFC 2136): what the peers can do instead of an enrollment."""
import threading
import time

import content
import wire
from usage import CpuMeter

# (names a message, connections): which is best depends on the server, so all are tried and the best one counts.
SHAPES = ((100, 1), (500, 1), (100, 4))


def _fresh(layout, prefix):
    """Yields owner names that the zone does not hold yet."""
    number = 0
    while True:
        yield content.owner(layout, f"{prefix}{number:08d}")
        number += 1


def _accepted(code):
    if code != wire.NOERROR:
        raise RuntimeError(f"the update was answered with response code {code}")


def single(port, layout, seconds):
    """One name after another, each sent when the last one is answered with its signature. Returns names a second."""
    owners = _fresh(layout, "one")
    stream, asker = wire.Stream(port), wire.Asker(port)
    done, begun = 0, time.monotonic()
    while time.monotonic() - begun < seconds:
        owner = next(owners)
        _accepted(stream.ask(wire.update(content.ZONE, [owner])))
        question = wire.query(owner)
        while not wire.is_signed_answer(asker.ask(question)):
            pass
        done += 1
    rate = done / (time.monotonic() - begun)
    stream.close()
    asker.close()
    return rate


def _send(port, messages, until, sent):
    stream = wire.Stream(port)
    for message in messages:
        if time.monotonic() > until:
            break
        _accepted(stream.ask(message))
        sent.append(message)
    stream.close()


def batches(port, layout, size, connections, seconds, names_max):
    """Messages of `size` names over several connections. Returns names a second, up to where the last one is visible."""
    each = names_max // size // connections
    owners = _fresh(layout, f"b{size}x{connections}n")
    plans = [[[next(owners) for _ in range(size)] for _ in range(each)] for _ in range(connections)]
    messages = [[wire.update(content.ZONE, plan) for plan in plan_of_one] for plan_of_one in plans]
    sent = [[] for _ in range(connections)]
    begun = time.monotonic()
    threads = [threading.Thread(target=_send, args=(port, mine, begun + seconds, done)) for mine, done in zip(messages, sent)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    asker = wire.Asker(port)
    for plan, done in zip(plans, sent):
        if not done:
            raise RuntimeError(f"no message of {size} names was accepted within {seconds} s")
        question = wire.query(plan[len(done) - 1][-1])
        while not wire.is_signed_answer(asker.ask(question)):
            if time.monotonic() - begun > seconds + 60:
                raise RuntimeError("an accepted name is not visible")
    taken = time.monotonic() - begun
    asker.close()
    return sum(len(done) for done in sent) * size / taken


def measure(server, layout, seconds, names_max):
    """Returns the figures of one peer, without its prefix."""
    meter = CpuMeter(**server.daemons())
    figures = {"single_names_per_s": single(server.port, layout, seconds), "batch_names_per_s": 0}
    for size, connections in SHAPES:
        before, begun = sum(meter.seconds().values()), time.monotonic()
        rate = figures[f"batch_{size}x{connections}_names_per_s"] = batches(server.port, layout, size, connections, seconds, names_max)
        if rate > figures["batch_names_per_s"]:
            used = sum(meter.seconds().values()) - before
            figures |= {"batch_names_per_s": rate, "batch_cpu_us_per_name": used * 1e6 / (rate * (time.monotonic() - begun))}
    return figures | {f"cpu_s.{process}": used for process, used in meter.seconds().items()}
