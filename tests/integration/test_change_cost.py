# SPDX-License-Identifier: MIT
"""What a change costs PostgreSQL does not grow with the zone: blocks are counted, and sequential scans, at two sizes."""
import signal
import time

from devstack.devices import make_devices

ZONE = "_device.cost.example."
CHANGED = 100  # names of the measured changes
GROWTH = 3_000  # names that make the small zone a large one, twenty times its size
BLOCKS_RATIO_MAX = 1.6  # one more level in an index of three or four look-ups a name
# A session that is at rest tells what it counted at the latest after so long (PGSTAT_IDLE_INTERVAL).
COUNTED_AFTER_SECONDS = 11
TABLES = ("identity", "credential", "revocation", "node", "version", "batch")  # those that grow; queues stay short
COUNTERS = f"""
select (select sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read + idx_blks_hit, 0))
          from pg_statio_all_tables where schemaname in ('registry', 'published')),
       (select sum(seq_tup_read) from pg_stat_all_tables
         where schemaname in ('registry', 'published') and relname ~ '^({"|".join(TABLES)})')"""


def counters(stack):
    """Returns (when, blocks, rows)."""
    time.sleep(COUNTED_AFTER_SECONDS)
    return [time.monotonic(), *(int(value) for value in stack.cluster.sql(COUNTERS).split("|"))]


def change(stack, client, prefix):
    """Enrolls and revokes; returns (blocks looked at, rows read by sequential scans), less the blocks of those who look for work all the time:
    on a busy machine that is a longer time."""
    devices = make_devices(CHANGED, prefix=prefix, kinds=lambda number: "p256")
    stack.cluster.sql("vacuum analyze")
    before = counters(stack)
    stack.signerd.send(signal.SIGSTOP)  # so that both times it finds all changes at once
    try:
        enroll(client, devices)
        for device in devices[:20]:
            client.revoke(ZONE, device.id)
    finally:
        stack.signerd.send(signal.SIGCONT)
    assert client.wait(ZONE, live=True, timeout_seconds=60).done
    after = counters(stack)
    seconds, blocks, rows = (end - begin for begin, end in zip(before, after))
    seconds_at_rest, blocks_at_rest, _ = (end - begin for begin, end in zip(after, counters(stack)))
    return round(blocks - blocks_at_rest / seconds_at_rest * seconds), rows


def enroll(client, devices):
    answers = client.enroll_many(ZONE, devices)
    assert all(answer.WhichOneof("outcome") == "enrolled" for answer in answers)


def test_change_costs_as_much_in_a_large_zone_as_in_a_small_one(own_stack):
    # Autovacuum looks at blocks as well, and its statistics choose plans: here it comes when it is called.
    own_stack.cluster.sql("alter system set autovacuum = off")
    own_stack.cluster.sql("select pg_reload_conf()")
    own_stack.create_namespace(ZONE, "--layout", "flat")
    with own_stack.client() as client:
        enroll(client, make_devices(150, prefix="first", kinds=lambda number: "p256"))
        assert client.wait(ZONE, live=True, timeout_seconds=60).done
        small = change(own_stack, client, "small")
        enroll(client, make_devices(GROWTH, prefix="grown", kinds=lambda number: "p256"))
        assert client.wait(ZONE, live=True, timeout_seconds=60).done

        large = change(own_stack, client, "large")

    print(f"blocks looked at: {small[0]}, then {large[0]}")
    assert small[1] == 0 and large[1] == 0, f"rows read by sequential scans: {small[1]}, then {large[1]}"
    assert large[0] <= BLOCKS_RATIO_MAX * small[0], f"blocks looked at: {small[0]}, then {large[0]}"
