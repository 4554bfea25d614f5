# SPDX-License-Identifier: MIT
"""An edge that keeps every octet the feed sends it, as gRPC delivers them after TLS."""
import contextlib
import importlib
import queue

import grpc

from idzone_client import messages


class RecordingEdge:
    def __init__(self, stack, name):
        messages("status")  # makes all of them
        self.module = importlib.import_module("idzone.feed.v1.feed_service_pb2")
        tls = stack.folder / "tls"
        stack.authority.issue_once(name)
        stack.cli("edge", "add", name, "--certificate", tls / f"{name}.crt")
        read = lambda file: (tls / file).read_bytes()  # noqa: E731
        credentials = grpc.ssl_channel_credentials(read("ca.crt"), read(f"{name}.key"), read(f"{name}.crt"))
        self.address, self.credentials = f"localhost:{stack.ports['feedd']}", credentials
        self.octets = b""
        self.held = {}  # positions by zone
        self.not_served = False  # what it says of them

    def hello(self, positions=(), more=False):
        request = self.module.FollowRequest()
        request.hello.format_version = 1
        request.not_served = self.not_served
        request.hello.more = more
        request.hello.positions.extend(positions)
        return request

    @contextlib.contextmanager
    def stream(self, hellos, options=(), timeout=60):
        """What the feed sends, in octets, and a queue for what it is to be told."""
        answers = queue.Queue()
        for hello in hellos:
            answers.put(hello)
        with grpc.secure_channel(self.address, self.credentials, options) as channel:
            call = channel.stream_stream("/idzone.feed.v1.FeedService/Follow", self.module.FollowRequest.SerializeToString, lambda raw: raw)
            stream = call(iter(answers.get, None), timeout=timeout)
            try:
                yield stream, answers
            finally:
                answers.put(None)
                stream.cancel()

    @contextlib.contextmanager
    def hold_snapshot(self):
        """Takes the beginning of a snapshot and no more, so that the feed goes on reading it for this edge, as long as the context lasts (and
        for no more than the 30 s in which the feed wants to hear something)."""
        small_window = (("grpc.http2.bdp_probe", 0), ("grpc.http2.lookahead_bytes", 65536))
        with self.stream([self.hello()], small_window) as (stream, _):
            assert any(self.module.FollowResponse.FromString(raw).HasField("snapshot_begin") for raw in stream)
            yield

    def follow(self, done, hellos=None, timeout=60):
        """Follows until `done(kind, zone)` says so of a message, whose zone is in wire form. As if it held nothing, without `hellos`."""
        with self.stream(hellos or [self.hello()], timeout=timeout) as (stream, answers):
            begun = {}
            for raw in stream:
                self.octets += raw
                message = self.module.FollowResponse.FromString(raw)
                kind = message.WhichOneof("message")
                if kind == "snapshot_begin":
                    begun[message.snapshot_begin.position.zone] = message.snapshot_begin.position
                position = {"version": lambda: message.version.position, "snapshot_end": lambda: begun[message.snapshot_end.zone]}.get(kind, lambda: None)()
                applied = self.module.FollowRequest()
                applied.applied.SetInParent()
                if position is not None:
                    applied.applied.position.CopyFrom(position)
                    self.held[position.zone] = position
                applied.not_served = self.not_served
                answers.put(applied)
                if position is not None and done(kind, position.zone):
                    break
