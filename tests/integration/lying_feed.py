# SPDX-License-Identifier: MIT
"""A feed that sends what no feed of ours would: whoever holds the feed's certificate could. A follower must refuse it."""
import concurrent.futures
import hashlib
import importlib
import queue

import grpc

from idzone_client import messages
from planted_rows import forged_delta, key_of, node_of, wire_name, with_planted


def feed_messages():
    messages("status")  # makes all of them
    return importlib.import_module("idzone.feed.v1.feed_service_pb2")


class LyingFeed:
    """Use as a context manager. `answers` has each forgery's kind and what the follower said to it, in order."""

    def __init__(self, tls_folder, forgeries):
        """`forgeries` makes of a Hello the list of messages to send."""
        self.module = feed_messages()
        self.forgeries = forgeries
        self.answers = queue.Queue()
        read = lambda name: (tls_folder / name).read_bytes()  # noqa: E731
        credentials = grpc.ssl_server_credentials([(read("server.key"), read("server.crt"))], read("ca.crt"), require_client_auth=True)
        self.server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
        handler = grpc.stream_stream_rpc_method_handler(self._follow, self.module.FollowRequest.FromString, self.module.FollowResponse.SerializeToString)
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler("idzone.feed.v1.FeedService", {"Follow": handler}),))
        self.port = self.server.add_secure_port("localhost:0", credentials)

    def _follow(self, requests, _context):
        hello = next(requests).hello
        for message in self.forgeries(self.module, hello):
            yield message
            answer = next(requests)
            self.answers.put((message.WhichOneof("message"), answer))
        heartbeat = self.module.FollowResponse()
        heartbeat.heartbeat.SetInParent()
        yield heartbeat
        for _ in requests:
            pass

    def __enter__(self):
        self.server.start()
        return self

    def __exit__(self, *_):
        self.server.stop(None)


def planted_version(module, held, delta):
    """A version that follows what the follower holds, right in all but its content."""
    message = module.FollowResponse()
    version = message.version
    version.position.zone, version.position.epoch, version.position.serial = held.zone, held.epoch, held.serial + 1
    version.previous_serial, version.previous_digest, version.delta = held.serial, held.digest, delta
    version.position.digest = hashlib.sha256(held.digest + held.epoch.to_bytes(4, "big") + (held.serial + 1).to_bytes(4, "big") + delta).digest()
    return message


def planted_snapshot(module, held, denial, apex_delta):
    """The beginning of a snapshot whose apex has a record too many."""
    message = module.FollowResponse()
    begin = message.snapshot_begin
    begin.position.zone, begin.position.epoch, begin.position.serial = held.zone, held.epoch + 1, held.serial
    begin.position.digest, begin.node_count, begin.denial, begin.apex = hashlib.sha256(b"another").digest(), 10_000, denial, apex_delta
    return message


def forgeries_of(stack, zones, rr_type, rdata):
    """For each zone that the follower holds: a version with the record at one node, and a snapshot with it at the apex.
    `zones`: {name: (denial, owner of the node)}, denial 1 NSEC3, 2 NSEC."""
    def node(owner):
        return key_of(stack, owner), wire_name(owner), node_of(stack, owner)

    nodes = {wire_name(zone): (denial, node(zone), node(owner)) for zone, (denial, owner) in zones.items()}

    def make(module, hello):
        for held in hello.positions:
            denial, apex, other = nodes[held.zone]
            yield planted_version(module, held, forged_delta(*other[:2], with_planted(other[2], rr_type, rdata)))
            yield planted_snapshot(module, held, denial, forged_delta(*apex[:2], with_planted(apex[2], rr_type, rdata)))
    return make


def hear_lies(stack, zones, rr_type, rdata):
    """The edge's replicad follows a lying feed until it has answered every forgery. Returns each forgery's kind with
    its answer, and how often it says that it refused a type. Requires: replicad is stopped; it is again then."""
    config = stack.folder / "config" / "replicad.toml"
    true_config = config.read_text()
    with LyingFeed(stack.folder / "tls", forgeries_of(stack, zones, rr_type, rdata)) as feed:
        config.write_text(true_config.replace(f'"localhost:{stack.ports["feedd"]}"', f'"localhost:{feed.port}"'))
        try:
            stack.replicad._child = None
            stack.replicad.start()
            answers = [feed.answers.get(timeout=60) for _ in range(2 * len(zones))]
            counted = [line for line in stack.replicad.observe("/metrics")[1].splitlines()
                       if line.startswith("idzone_replica_refusals_total") and "RECORD_TYPE_FORBIDDEN" in line]
            stack.replicad.stop()
        finally:
            config.write_text(true_config)
    return answers, sum(float(line.split()[-1]) for line in counted)
