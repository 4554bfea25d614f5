# SPDX-License-Identifier: MIT
"""The main job: a factory's output becomes validated answers, and a revoked device a validated denial."""
import random

import pytest
from devstack.devices import make_devices
from look_up import SecureResolver, wire_query

ZONE = "_device.factory.example."


@pytest.fixture(scope="module")
def factory(stack, sizes):
    """A namespace with 1,000 and more devices, live; returns (client, {id: identity})."""
    stack.create_namespace(ZONE, "--layout", "tree", "--width", "1")
    devices = make_devices(sizes["devices"])
    with stack.client() as client:
        answers = client.enroll_many(ZONE, devices)
        assert [answer.index for answer in answers] == list(range(len(devices)))
        assert all(answer.WhichOneof("outcome") == "enrolled" for answer in answers)
        waited = client.wait(ZONE, live=True, timeout_seconds=60)
        assert waited.done, waited
        yield client, {answer.enrolled.identity.id: answer.enrolled.identity for answer in answers}


@pytest.fixture(scope="module")
def resolver(stack, factory):
    return SecureResolver(stack.folder / "resolver", ZONE, stack.delegation_signer(ZONE), stack.ports["dns"])


def prefix_of(identity):
    """What is above a device's name: a zone below a cut, or in an old tree an empty non-terminal."""
    return identity.owner_name.split(".", 1)[1]


def test_published_and_transferred_zones_pass_the_gate(stack, factory):
    assert len(stack.zones(ZONE)) == 17
    stack.require_all_valid(ZONE)


def test_delv_validates_answers_and_denials(stack, factory):
    _, identities = factory
    validator = stack.validator(ZONE)
    some = random.Random(1).sample(sorted(identities), 20)

    for device_id in some:
        assert validator.delv_says(identities[device_id].owner_name) == "secure"
        assert validator.delv_says(identities[device_id].owner_name, "SSHFP") == "secure NODATA"
        assert validator.delv_says(prefix_of(identities[device_id])) == "secure NODATA", "the zone's apex exists"
        assert validator.delv_says("absent-" + identities[device_id].owner_name) == "secure NXDOMAIN"
        assert validator.delv_says("below." + identities[device_id].owner_name) == "secure NXDOMAIN"
    for rr_type in ("SOA", "NS", "DNSKEY", "NSEC3PARAM"):
        assert validator.delv_says(ZONE, rr_type) == "secure"


def test_libunbound_finds_every_device_secure(factory, resolver):
    _, identities = factory

    for identity in identities.values():
        verdict, rdatas = resolver.ask(identity.owner_name)
        assert verdict == "secure", identity.owner_name
        assert [rdata[3:].hex() for rdata in rdatas] == [identity.record.split()[-1].lower()]


def test_libunbound_finds_every_kind_of_denial_secure(factory, resolver):
    _, identities = factory

    for number in range(200):
        assert resolver.ask(f"absent{number}.{ZONE}")[0] == "secure NXDOMAIN"
    for prefix in {prefix_of(identity) for identity in identities.values()}:
        assert resolver.ask(prefix)[0] == "secure NODATA"
        assert resolver.ask(f"absent.{prefix}")[0] == "secure NXDOMAIN"
        assert resolver.ask(f"*.{prefix}")[0] == "secure NXDOMAIN"


def test_letters_of_either_case_find_the_same_record(stack, factory):
    _, identities = factory
    validator = stack.validator(ZONE)
    owner = identities["dev000001"].owner_name
    shuffled = "".join(character.upper() if number % 2 else character for number, character in enumerate(owner))

    lower, upper = wire_query(stack.ports["dns"], owner), wire_query(stack.ports["dns"], shuffled)

    # In whatever order: PowerDNS puts a record set before or behind its signature.
    assert {rdata for rrset in lower.answer for rdata in rrset} == {rdata for rrset in upper.answer for rdata in rrset}
    assert upper.question[0].name.to_text() == shuffled, "the question comes back as it was asked"
    assert validator.delv_says(shuffled) == "secure"
    assert validator.delv_says(f"ABSENT-{shuffled}") == "secure NXDOMAIN"


def test_unbound_host_calls_it_secure(stack, factory):
    _, identities = factory

    assert "(secure)" in stack.validator(ZONE).unbound_host(identities["dev000002"].owner_name)


def test_cli_verifies_through_libunbound(stack, factory):
    _, identities = factory

    text = stack.cli(*verify_arguments(stack, identities["dev000003"].owner_name)).stdout
    absent = stack.cli(*verify_arguments(stack, "absent." + ZONE), check=False)

    assert "secure" in text.lower()
    assert absent.returncode == 7


def verify_arguments(stack, name):
    anchors = stack.folder / "resolver" / "factory.ds"
    anchors.parent.mkdir(exist_ok=True)
    anchors.write_text("\n".join(stack.delegation_signer(ZONE)) + "\n")
    return ["verify", name, "--trust-anchor", anchors, "--authority", f"127.0.0.1@{stack.ports['dns']}"]


def test_revoked_device_gets_a_validated_denial(stack, factory, resolver):
    client, identities = factory
    owner = identities["dev000004"].owner_name

    revoked = client.revoke(ZONE, "dev000004")
    assert client.wait(ZONE, [revoked.identity.change], live=True).done

    assert resolver.ask(owner)[0] == "secure NXDOMAIN"
    assert stack.validator(ZONE).delv_says(owner) == "secure NXDOMAIN"
    assert client.revoke(ZONE, "dev000004").already_revoked
    stack.require_all_valid(ZONE)


def test_a_last_device_takes_its_empty_non_terminal_with_it(stack, namespace):
    from devstack.devices import make_device

    device = make_device("only")
    with stack.client() as client:
        identity = client.enroll(namespace, device.id, device.certificate).identity
        assert client.wait(namespace, live=True).done
        validator = stack.validator(namespace)
        assert validator.delv_says(prefix_of(identity)) == "secure NODATA"

        client.revoke(namespace, device.id)
        assert client.wait(namespace, live=True).done

    assert validator.delv_says(prefix_of(identity)) == "secure NXDOMAIN"
    assert validator.delv_says(identity.owner_name) == "secure NXDOMAIN"
