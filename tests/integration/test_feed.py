# SPDX-License-Identifier: MIT
"""From the journal to an edge: nothing is lost when either side dies, nothing is believed that was tampered with."""
import os
import time

import grpc
import pytest
from devstack.devices import make_devices
from devstack.process import Daemon, wait_until
from recording_edge import RecordingEdge

ZONE = "_device.feed.example."


@pytest.fixture
def fed(own_stack):
    """A stack with a zone of 20 live devices, and a client that enrolls more."""
    own_stack.create_old_tree(ZONE)
    with own_stack.client() as client:
        enroll(client, 20)
        assert client.wait(ZONE, live=True).done
        yield own_stack, client


def enroll(client, count, prefix="dev"):
    answers = client.enroll_many(ZONE, make_devices(count, prefix=prefix, kinds=lambda number: "p256"))
    assert all(answer.WhichOneof("outcome") == "enrolled" for answer in answers)


def published_serial(stack):
    return int(stack.cluster.sql("select serial from published.zone"))


def wait_served(stack, timeout_seconds=60):
    wait_until(lambda: stack.soa_serial(ZONE) == published_serial(stack), timeout_seconds, "the newest version is served")


def start_again(daemon):
    daemon._child = None
    return daemon.start()


def other_follower(stack, name, **environment):
    """A second idzone-replicad on the stack's configuration with some of it changed; its replica is its own."""
    folder = stack.folder / name
    folder.mkdir(mode=0o700)
    stack.account.own(folder)
    variables = {"REPLICA_DIRECTORY": folder, "OBSERVE_ADDRESS": "", **environment}
    return Daemon(name, [stack.binary("idzone-replicad"), "--config", stack.folder / "config" / "replicad.toml"], stack.folder, stack.account,
                  environment={f"IDZONE_REPLICAD_{key}": str(value) for key, value in variables.items()})


def test_killed_follower_continues_where_it_was_durable(fed):
    stack, client = fed
    for round_number in range(5):
        enroll(client, 10, prefix=f"kill{round_number}-")
        stack.replicad.kill()
        start_again(stack.replicad)

    stack.replicad.wait_ready()

    assert client.wait(ZONE, live=True, timeout_seconds=60).done
    wait_served(stack)
    assert stack.replicad.log_tail(1000).count("replica.snapshot_applied") == 1, "only the first time took a snapshot"
    stack.require_valid(ZONE, names_min=60)


def test_killed_feed_is_found_again(fed):
    stack, client = fed
    stack.feedd.kill()
    enroll(client, 10, prefix="away")
    assert stack.replicad.is_ready(), "what is held is served on"

    start_again(stack.feedd).wait_ready()

    assert client.wait(ZONE, live=True, timeout_seconds=60).done
    wait_served(stack)


def test_pruned_journal_leads_to_a_snapshot(fed):
    stack, client = fed
    stack.replicad.stop()
    enroll(client, 10, prefix="pruned")
    client.wait(ZONE, live=False)
    stack.feedd.stop()
    stack.cluster.sql("delete from published.version")
    start_again(stack.feedd).wait_ready()

    start_again(stack.replicad).wait_ready()

    wait_served(stack)
    assert stack.replicad.log_tail(1000).count("replica.snapshot_applied") == 2
    stack.require_valid(ZONE, names_min=20)


def test_tampered_version_is_refused_and_healed_by_a_snapshot(fed):
    stack, client = fed
    stack.replicad.stop()
    enroll(client, 10, prefix="tampered")
    client.wait(ZONE, live=False)
    stack.feedd.stop()
    stack.cluster.sql("update published.version set delta = set_byte(delta, octet_length(delta) - 1, get_byte(delta, octet_length(delta) - 1) # 255)"
                      " where serial = (select max(serial) from published.version)")
    start_again(stack.feedd).wait_ready()

    start_again(stack.replicad).wait_ready()

    wait_served(stack)
    assert "reason=DIGEST_MISMATCH" in stack.replicad.log_tail(1000)
    assert "feed.refused" in stack.feedd.log_tail(1000)
    stack.require_valid(ZONE, names_min=20)
    enroll(client, 5, prefix="after")
    assert client.wait(ZONE, live=True).done


def test_forged_records_behind_right_digests_are_refused(fed):
    """Whoever can write PostgreSQL, but has no key, changes nothing at an edge."""
    stack, client = fed
    before = stack.soa_serial(ZONE)
    stack.signerd.stop()
    # The snapshot tells another key for one device; a new position makes the edge ask for it.
    stack.cluster.sql(
        "begin; update published.node set rrsets = set_byte(rrsets, 20, get_byte(rrsets, 20) # 255) where denial_key ="
        " (select denial_key from published.node where rr_types = '{52}' limit 1);"
        " update published.zone set epoch = epoch + 1; commit")

    wait_until(lambda: "reason=SIGNATURE_INVALID" in stack.replicad.log_tail(1000), 30, "the forged snapshot is refused")

    assert stack.soa_serial(ZONE) == before
    wait_until(lambda: stack.replicad.log_tail(1000).count("reason=SIGNATURE_INVALID") >= 2, 30, "it is tried again")
    assert stack.replicad.log_tail(1000).count("reason=SIGNATURE_INVALID") <= 4, "but not in a tight loop"


def test_unregistered_edge_is_refused(fed):
    stack, _ = fed
    tls = stack.folder / "tls"
    stranger = other_follower(stack, "stranger", TLS_CERTIFICATE=tls / "enroller.crt", TLS_PRIVATE_KEY=tls / "enroller.key")

    stranger.start()
    try:
        wait_until(lambda: "reason=PRINCIPAL_UNKNOWN" in stranger.log_tail(50), 20, "the stranger is refused")
        assert "replica.snapshot_applied" not in stranger.log_tail(50)
    finally:
        assert stranger.stop() == 0


def test_nobody_waits_for_an_edge_that_was_removed(fed):
    """It was lost, and the one that takes its place stays in step; whoever still has its key is shown the door."""
    stack, client = fed
    lost = RecordingEdge(stack, "edge-2")
    lost.follow(lambda kind, zone: kind == "snapshot_end")
    enroll(client, 1, prefix="more")
    assert not client.wait(ZONE, live=True, timeout_seconds=3).done, "it is waited for"
    phones = "_device.phones.example."
    stack.create_namespace(phones, "--form", "e164", "--labels", "clear")
    stack.cli("namespace", "cut", "add", phones, "+44")
    cut = lambda: stack.cli_json("namespace", "cut", "list", phones)[0]  # noqa: E731
    wait_until(lambda: (cut()["state"], cut()["edges_behind"]) == ("delegated", ["edge-2"]), 60, "so it is with a cut")
    tls = stack.folder / "tls"
    stack.account.own(tls / "edge-2.key")
    still_there = other_follower(stack, "still-there", TLS_CERTIFICATE=tls / "edge-2.crt", TLS_PRIVATE_KEY=tls / "edge-2.key")
    still_there.start()
    try:
        wait_until(lambda: "replica.current" in still_there.log_tail(50), 30, "somebody with its key follows")

        assert stack.cli_json("edge", "remove", "edge-2")["id"] == "edge-2"

        assert "edge-2" not in [edge["id"] for edge in stack.cli_json("edge", "list")]
        assert cut()["state"] == "open"
        enroll(client, 1, prefix="last")
        assert client.wait(ZONE, live=True, timeout_seconds=30).done
        assert stack.cluster.sql("select count(*) from published.edge_position where edge_id = 'edge-2'") == "0"
        assert stack.cluster.sql("select detail ->> 'edge' from registry.event where kind = 'edge.removed'") == "edge-2"
        wait_until(lambda: "reason=PRINCIPAL_UNKNOWN" in still_there.log_tail(50), 90, "its stream ends, and it is not let in again")
        again = stack.cli("edge", "remove", "edge-2", check=False)
        assert again.returncode != 0 and "a registered edge" in again.stderr

        zones, placed = "select count(*) from published.zone", "select count(*) from published.edge_position where edge_id = 'edge-2' and serial > 0"
        everywhere = lambda: stack.cluster.sql(placed) == stack.cluster.sql(zones)  # noqa: E731
        stack.cli("edge", "add", "edge-2", "--certificate", tls / "edge-2.crt")
        wait_until(everywhere, 60, "registered again, it is let in")
        stack.cli("edge", "remove", "edge-2")
        stack.cli("edge", "add", "edge-2", "--certificate", tls / "edge-2.crt")
        wait_until(everywhere, 60, "so it is when nobody looked in between")
    finally:
        still_there.stop()


def test_a_hello_comes_in_parts(fed):
    """Found by crash_rolls: an edge with more than 10,000 zones could not say so in one, and was never fed again."""
    stack, client = fed
    edge = RecordingEdge(stack, "edge-2")
    edge.follow(lambda kind, zone: kind == "snapshot_end")
    position, = edge.held.values()
    enroll(client, 1, prefix="more")
    kinds = []

    def a_version(kind, zone):
        kinds.append(kind)
        return kind == "version"

    edge.follow(a_version, [edge.hello(more=True), edge.hello([position], more=True), edge.hello()])

    assert kinds == ["version"], "what follows the position, and no snapshot"
    with pytest.raises(grpc.RpcError) as refused:
        edge.follow(lambda kind, zone: False, [edge.hello(), edge.hello([position])])
    assert refused.value.code() == grpc.StatusCode.INVALID_ARGUMENT and "none behind the last one" in refused.value.details()


def test_zone_with_another_key_than_its_anchor_is_refused(fed):
    stack, _ = fed
    stack.replicad.stop()
    anchors = stack.folder / "config" / "anchors"
    anchors.write_text(f"{ZONE} 3600 IN DS 1 13 2 {'00' * 32}\n")
    stack.account.own(anchors)
    wary = other_follower(stack, "wary", REPLICA_ANCHORS_FILE=anchors)

    wary.start()
    try:
        wait_until(lambda: "reason=KEY_NOT_PINNED" in wary.log_tail(50), 20, "the zone is refused")
        assert "replica.snapshot_applied" not in wary.log_tail(50)
    finally:
        wary.stop()

    anchors.write_text("\n".join(stack.delegation_signer(ZONE)) + "\n")
    trusting = other_follower(stack, "trusting", REPLICA_ANCHORS_FILE=anchors)
    trusting.start()
    try:
        wait_until(lambda: "replica.current" in trusting.log_tail(50), 20, "the zone is taken with its true key")
        assert "replica.snapshot_applied" in trusting.log_tail(50)
    finally:
        assert trusting.stop() == 0
    assert os.listdir(stack.folder / "trusting")


def test_edge_without_its_disk_is_not_called_live(fed):
    stack, client = fed
    stack.replicad.stop()
    empty = other_follower(stack, "empty", REPLICA_ANCHORS_FILE=_empty_anchors(stack))

    empty.start()
    try:
        wait_until(lambda: stack.cluster.sql("select serial from published.edge_position") == "0", 20, "the edge holds nothing")
        assert not client.wait(ZONE, live=True, timeout_seconds=2).done
    finally:
        empty.stop()


def test_a_replica_that_is_being_made_is_not_called_live(fed):
    stack, client = fed
    stored = lambda: stack.cluster.sql("select serial from published.edge_position where edge_id = 'edge-2'")  # noqa: E731
    edge = RecordingEdge(stack, "edge-2")
    edge.not_served = True

    def moves_in(kind, zone):
        if kind == "snapshot_end":
            time.sleep(1)
            assert stored() == "0"
            assert not client.wait(ZONE, live=True, timeout_seconds=1).done
            enroll(client, 1, prefix="more")
        elif kind == "version":
            # It has all, and takes the place of what was served with the answer to the next message.
            time.sleep(1)
            assert stored() == "0"
            edge.not_served = False
        return False

    with pytest.raises(grpc.RpcError):
        edge.follow(moves_in, timeout=25)

    assert stored() == str(published_serial(stack)), "with a heartbeat's answer, all of it"


def _empty_anchors(stack):
    path = stack.folder / "config" / "no-anchors"
    path.write_text("; no zone is trusted\n")
    stack.account.own(path)
    return path


def test_an_edge_that_was_away_is_fed_with_few_looks_into_the_journal(fed):
    """It is further behind than the feed remembers: each look gives some tens of versions, and each of them is sent."""
    stack, client = fed
    stack.replicad.stop()
    first = published_serial(stack)
    for number in range(150):
        enroll(client, 1, prefix=f"away{number}-")
        assert client.wait(ZONE, timeout_seconds=60).done
    versions = published_serial(stack) - first
    assert versions >= 100, "nearly a version an enrollment"
    stack.feedd.restart()  # it remembers nothing now
    wait_until(lambda: stack.feedd.observe("/readyz")[0] == 200, 30, "the feed reads")
    time.sleep(1)
    looks = looks_into_the_journal(stack)

    stack.replicad.start()

    assert client.wait(ZONE, live=True, timeout_seconds=60).done
    # PostgreSQL counts what a backend read with one of its next transactions.
    wait_until(lambda: looks_into_the_journal(stack) > looks, 30, "the looks are counted")
    time.sleep(2)
    looks = looks_into_the_journal(stack) - looks
    assert looks < versions / 4, f"{looks} looks for {versions} versions"


def looks_into_the_journal(stack):
    """Scans of its fullest partition."""
    return int(stack.cluster.sql("select max(coalesce(idx_scan, 0) + seq_scan) from pg_stat_user_tables where schemaname = 'published'"
                                 " and relname like 'version\\_%'"))
