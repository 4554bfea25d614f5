# SPDX-License-Identifier: MIT
"""A gRPC client made from the protos at run time: another implementation than the CLI's, and free to send nonsense."""
import importlib
import os
import pathlib
import subprocess
import sys
import tempfile
import threading

# Else gRPC waits, before each child process is started, until all of its threads are idle: with calls under way, for ever.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "false"

import grpc  # noqa: E402

SOURCE = pathlib.Path(__file__).resolve().parents[2]
# google.rpc.Status: its C++ and Python forms are not in Debian 12, its wire form is this.
STATUS_PROTO = 'syntax = "proto3"; package idzonetest; import "google/protobuf/any.proto";' \
               " message Status { int32 code = 1; string message = 2; repeated google.protobuf.Any details = 3; }"
_generated = None
_generating = threading.Lock()


def messages(stem):
    """Returns the module of proto/idzone/v1/STEM.proto; protoc runs once a process."""
    global _generated
    with _generating:
        if _generated is None:
            _generated = tempfile.TemporaryDirectory(prefix="idzone-protos-")
            out = pathlib.Path(_generated.name)
            (out / "idzonetest_status.proto").write_text(STATUS_PROTO)
            protos = sorted(path.relative_to(SOURCE / "proto") for path in (SOURCE / "proto").rglob("*.proto"))
            subprocess.run(["protoc", f"-I{SOURCE / 'proto'}", f"-I{out}", f"--python_out={out}", "idzonetest_status.proto", *map(str, protos)], check=True)
            sys.path.insert(0, str(out))
    return importlib.import_module(f"{stem}_pb2" if stem.startswith("idzonetest") else f"idzone.v1.{stem}_pb2")


class Client:
    """Calls methods by name: client.call("EnrollmentService", "Enroll", request). Use as a context manager."""

    SERVICE_FILES = {
        "EnrollmentService": "enrollment_service", "IdentityService": "identity_service", "NamespaceService": "namespace_service",
        "OperatorService": "operator_service", "ZoneService": "zone_service", "KeyService": "key_service", "EdgeService": "edge_service",
        "PolicyService": "policy_service",
    }

    def __init__(self, address, ca, certificate=None, key=None, options=()):
        read = lambda path: pathlib.Path(path).read_bytes() if path else None  # noqa: E731
        credentials = grpc.ssl_channel_credentials(read(ca), read(key), read(certificate))
        # One connection a client (grpcio otherwise shares it between channels of equal arguments), and a lost one tried again
        # soon: by default the name is looked up again only after 30 s, and nothing is tried before.
        self.channel = grpc.secure_channel(address, credentials, [
            ("grpc.use_local_subchannel_pool", 1), ("grpc.dns_min_time_between_resolutions_ms", 200),
            ("grpc.initial_reconnect_backoff_ms", 100), ("grpc.max_reconnect_backoff_ms", 1000), *options])

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.channel.close()

    def _types(self, service, method):
        module = messages(self.SERVICE_FILES[service])
        descriptor = module.DESCRIPTOR.services_by_name[service].methods_by_name[method]
        return getattr(module, descriptor.input_type.name), getattr(module, descriptor.output_type.name)

    def stub(self, service, method, kind="unary_unary"):
        request, response = self._types(service, method)
        make = getattr(self.channel, kind)
        serialize = lambda message: message if isinstance(message, bytes) else request.SerializeToString(message)  # noqa: E731
        return make(f"/idzone.v1.{service}/{method}", request_serializer=serialize, response_deserializer=response.FromString)

    def call(self, service, method, deadline=30, **fields):
        """A unary call; fields are those of the request."""
        request, _ = self._types(service, method)
        return self.stub(service, method)(request(**fields), timeout=deadline)

    def enroll(self, namespace, device_id, certificate=None, timeout=30, **material):
        if certificate is not None:
            material["certificate"] = certificate
        return self.call("EnrollmentService", "Enroll", timeout, namespace_name=namespace, id=device_id, **material)

    def enroll_many(self, namespace, devices, timeout=600):
        """Enrolls through one stream; returns the answers in order."""
        request, _ = self._types("EnrollmentService", "EnrollStream")
        requests = (request(namespace_name=namespace, id=device.id, certificate=device.certificate) for device in devices)
        return list(self.stub("EnrollmentService", "EnrollStream", "stream_stream")(requests, timeout=timeout))

    def re_enroll(self, namespace, device_id, certificate, timeout=30):
        return self.call("EnrollmentService", "ReEnroll", timeout, namespace_name=namespace, id=device_id, certificate=certificate)

    def revoke(self, namespace, device_id, reason="test", timeout=30):
        return self.call("IdentityService", "RevokeIdentity", timeout, namespace_name=namespace, id=device_id, reason=reason)

    def add_key(self, namespace, device_id, timeout=30, **material):
        return self.call("IdentityService", "AddKey", timeout, namespace_name=namespace, id=device_id, **material)

    def retire_key(self, namespace, device_id, fingerprint, reason="test", timeout=30):
        return self.call("IdentityService", "RetireKey", timeout, namespace_name=namespace, id=device_id, fingerprint=fingerprint, reason=reason)

    def get(self, namespace, device_id):
        return self.call("IdentityService", "GetIdentity", namespace_name=namespace, id=device_id).identity

    def list(self, namespace, **fields):
        """All identities, page by page."""
        token, found = "", []
        while True:
            page = self.call("IdentityService", "ListIdentities", namespace_name=namespace, page_size=1000, page_token=token, **fields)
            found += page.identities
            token = page.next_page_token
            if not token:
                return found

    def wait(self, namespace, changes=(), live=False, timeout_seconds=30):
        """Returns the WaitForChange response."""
        from google.protobuf.duration_pb2 import Duration

        return self.call("IdentityService", "WaitForChange", timeout_seconds + 10, namespace_name=namespace, changes=list(changes),
                         live_at_edges=live, timeout=Duration(seconds=timeout_seconds))


def detail_of(error):
    """Returns the ErrorDetail of a failed call, None when it carries none."""
    for key, value in error.trailing_metadata() or ():
        if key == "grpc-status-details-bin":
            status = messages("idzonetest_status").Status.FromString(value)
            assert status.code == error.code().value[0], "the status inside must be the status outside"
            detail = messages("error").ErrorDetail()
            assert status.details[0].Unpack(detail), status.details[0].type_url
            assert detail.domain == "idzone"
            return detail
    return None


def refusal(call, *arguments, **fields):
    """Runs a call that must be refused; returns (grpc code name, reason, metadata)."""
    try:
        call(*arguments, **fields)
    except grpc.RpcError as error:
        detail = detail_of(error)
        return error.code().name, detail.reason if detail else None, dict(detail.metadata) if detail else {}
    raise AssertionError("the call was not refused")
