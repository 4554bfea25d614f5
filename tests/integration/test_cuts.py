# SPDX-License-Identifier: MIT
"""Zone cuts: many zones of one namespace, a chain of trust through each, while they are made too."""
import dataclasses
import random
import threading
import time

import dns.rdatatype
import pytest
from devstack.devices import make_device, make_devices
from devstack.process import wait_until
from idzone_client import refusal
from look_up import SecureResolver, wire_query

import gate

PHONES = "_user.phones.example."  # enum names show their digits, whatever the kind


def cuts(stack, namespace):
    return {cut["prefix"]: cut for cut in stack.cli_json("namespace", "cut", "list", namespace)}


def wait_open(stack, namespace, prefix):
    wait_until(lambda: cuts(stack, namespace)[prefix]["state"] == "open", 60, f"cut {prefix} is open")


def signers(answer, rr_type):
    """The zones that signed the records of that type in an answer."""
    return {rdata.signer.to_text() for section in (answer.answer, answer.authority) for rrset in section
            if rrset.rdtype == dns.rdatatype.RRSIG and rrset.covers == dns.rdatatype.from_text(rr_type) for rdata in rrset}


@pytest.fixture(scope="module", params=["nsec3", "nsec"])
def tree(request, stack):
    """A tree of 17 zones with 300 devices, live; returns (namespace, {id: owner name})."""
    name = f"_device.cuts-{request.param}.example."
    stack.create_namespace(name, "--layout", "tree", "--width", "1", "--denial", request.param)
    with stack.client() as client:
        answers = client.enroll_many(name, make_devices(300, kinds=lambda number: "p256"))
        assert client.wait(name, live=True, timeout_seconds=60).done
    return name, {answer.enrolled.identity.id: answer.enrolled.identity.owner_name for answer in answers}


def test_every_zone_of_a_tree_passes_the_gate(stack, tree):
    name, owners = tree
    zones = stack.zones(name)

    assert zones == sorted([name, *(f"{digit}.{name}" for digit in "0123456789abcdef")])
    stack.require_all_valid(name, names_min=len(owners))


def test_delv_and_libunbound_agree_above_at_and_below_cuts(stack, tree):
    name, owners = tree
    validator = stack.validator(name)
    resolver = SecureResolver(stack.folder / "resolver", name, stack.delegation_signer(name), stack.ports["dns"])
    owner = owners["dev000007"]
    cut = owner.split(".", 1)[1]
    expected = {
        (owner, "TLSA"): "secure", (owner.upper(), "TLSA"): "secure", (owner, "SSHFP"): "secure NODATA",
        (f"absent.{cut}", "TLSA"): "secure NXDOMAIN", (f"below.{owner}", "TLSA"): "secure NXDOMAIN",
        (cut, "TLSA"): "secure NODATA", (cut, "SOA"): "secure", (cut, "NS"): "secure", (cut, "DNSKEY"): "secure", (cut, "DS"): "secure",
        (cut.upper(), "DS"): "secure", (owner, "DS"): "secure NODATA", (f"absent.{cut}", "DS"): "secure NXDOMAIN",
        (name, "TLSA"): "secure NODATA", (f"absent.{name}", "TLSA"): "secure NXDOMAIN", (f"absent.{name}", "DS"): "secure NXDOMAIN",
        (name, "SOA"): "secure",
    }

    assert {question: validator.delv_says(*question) for question in expected} == expected
    assert {question: resolver.ask(question[0], dns.rdatatype.from_text(question[1]))[0] for question in expected} == expected


def test_the_parent_answers_for_the_cut_and_the_child_for_all_else(stack, tree):
    name, owners = tree
    port = stack.ports["dns"]
    cut = owners["dev000003"].split(".", 1)[1]

    assert signers(wire_query(port, cut, "DS"), "DS") == {name}
    assert signers(wire_query(port, cut, "NS"), "NS") == {cut}
    assert signers(wire_query(port, owners["dev000003"], "TLSA"), "TLSA") == {cut}
    assert signers(wire_query(port, f"absent.{cut}", "TLSA"), "SOA") == {cut}
    assert signers(wire_query(port, f"absent.{name}", "TLSA"), "SOA") == {name}


def test_identities_say_in_which_zone_they_are(stack, tree):
    name, owners = tree
    with stack.client() as client:
        for device_id in random.Random(5).sample(sorted(owners), 5):
            assert client.get(name, device_id).version.zone == owners[device_id].split(".", 1)[1]


def test_cuts_are_made_by_command_in_three_states(own_stack):
    stack = own_stack
    stack.create_namespace(PHONES, "--form", "e164", "--labels", "clear")
    with stack.client() as client:
        client.enroll(PHONES, "+49 30 123456", make_device("german").certificate)
        stack.daemons["signerd"].stop()
        first = stack.cli_json("namespace", "cut", "add", PHONES, "+44")
        assert (first["prefix"], first["state"], first["zone"]) == ("44", "preparing", f"4.4.{PHONES}")
        assert stack.cli_json("namespace", "cut", "add", PHONES, "44") == first, "asking again changes nothing"

        british = make_device("british")
        code, reason, _ = refusal(client.enroll, PHONES, "+44 1632 960083", british.certificate)
        assert (code, reason) == ("FAILED_PRECONDITION", "NAMESPACE_NOT_READY")
        client.enroll(PHONES, "+49 30 123457", make_device("other").certificate)

        stack.daemons["replicad"].stop()
        stack.daemons["signerd"].start()
        wait_until(lambda: cuts(stack, PHONES)["44"]["state"] == "delegated", 60, "published")
        assert cuts(stack, PHONES)["44"]["edges_behind"] != []
        assert refusal(client.enroll, PHONES, "+44 1632 960083", british.certificate)[1] == "NAMESPACE_NOT_READY"

        stack.daemons["replicad"].start()
        wait_open(stack, PHONES, "44")
        owner = client.enroll(PHONES, "+44 1632 960083", british.certificate).identity.owner_name
        stack.cli("namespace", "cut", "add", PHONES, "+44 20")
        wait_open(stack, PHONES, "4420")
        london = client.enroll(PHONES, "+44 20 7946 0018", make_device("london").certificate).identity.owner_name
        assert client.wait(PHONES, live=True, timeout_seconds=60).done

    validator = stack.validator(PHONES)
    assert validator.delv_says(owner) == validator.delv_says(london) == "secure"
    assert validator.delv_says(f"4.4.{PHONES}", "DS") == validator.delv_says(f"0.2.4.4.{PHONES}", "DS") == "secure"
    assert validator.delv_says(f"2.4.4.{PHONES}", "DS") == "secure NODATA", "an empty non-terminal is no cut"
    assert signers(wire_query(stack.ports["dns"], f"0.2.4.4.{PHONES}", "DS"), "DS") == {f"4.4.{PHONES}"}
    assert signers(wire_query(stack.ports["dns"], london, "TLSA"), "TLSA") == {f"0.2.4.4.{PHONES}"}
    assert stack.zones(PHONES) == sorted([PHONES, f"4.4.{PHONES}", f"0.2.4.4.{PHONES}"])
    stack.require_all_valid(PHONES, names_min=4)
    refuse_bad_cuts(stack)


def refuse_bad_cuts(stack):
    def refused(namespace, prefix):
        done = stack.cli("namespace", "cut", "add", namespace, prefix, check=False)
        assert done.returncode == 3, done.stderr
        return done.stderr

    assert "4930123456" in refused(PHONES, "49"), "the identity in the way is named"
    assert "the cut 4420" in refused(PHONES, "442")
    assert "VALUE_MALFORMED" in refused(PHONES, "4x")
    assert "VALUE_OUT_OF_RANGE" in refused(PHONES, "123456789012345")
    stack.create_namespace("_device.uncut.example.", "--layout", "flat")
    assert "NAMESPACE_KIND_MISMATCH" in refused("_device.uncut.example.", "12")


def test_nobody_sees_anything_bogus_while_cuts_are_made(stack):
    """Names below each prefix are asked for without a pause before, while and after it becomes a zone."""
    name = "_device.growing.example."
    stack.create_namespace(name, "--form", "digits")
    resolver = SecureResolver(stack.folder / "resolver", name, stack.delegation_signer(name), stack.ports["dns"])
    prefixes = [f"{number:02d}" for number in range(12)]
    told, stopping = [], threading.Event()

    def ask():
        source = random.Random(1)
        while not stopping.is_set():
            digits = source.choice(prefixes) + f"{source.randrange(10**4):04d}"
            asked = ".".join(reversed(digits)) + "." + name
            told.append((asked, resolver.ask(asked)[0]))
            told.append((asked[8:], resolver.ask(asked[8:], dns.rdatatype.DS)[0]))

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        for prefix in prefixes:
            stack.cli("namespace", "cut", "add", name, prefix)
            time.sleep(0.3)
        for prefix in prefixes:
            wait_open(stack, name, prefix)
        with stack.client() as client:
            devices = [dataclasses.replace(device, id=f"{prefixes[number % 12]}{number:04d}") for number, device in enumerate(make_devices(120, "grown", kinds=lambda number: "p256"))]
            answers = client.enroll_many(name, devices)
            assert all(answer.HasField("enrolled") for answer in answers), answers[0]
            assert client.wait(name, live=True, timeout_seconds=60).done
    finally:
        stopping.set()
        asking.join(30)

    wrong = [(asked, verdict) for asked, verdict in told if not verdict.startswith("secure")]
    assert not wrong, f"{len(wrong)} of {len(told)}: {wrong[:5]}"
    assert len(told) > 300
    assert resolver.ask(answers[0].enrolled.identity.owner_name)[0] == "secure"


def kill_while_zones_are_made(stack, name):
    """Makes a namespace of 256 zones while the signer is killed as often as it is seen at work; returns how often it was in the middle."""
    def made():
        zones, count = stack.cluster.sql(
            "select (select count(*) from published.zone child where child.parent_id = parent.zone_id), cuts_made from published.zone parent"
            f" where name_text = '{name}' union all select 0, 0 order by 2 desc limit 1").split("|")
        assert zones == count, "zones and their count are one transaction"
        return int(count)

    middles = 0
    stack.create_namespace(name, "--layout", "tree", "--width", "2", wait=False)
    while made() < 256:
        seen = made()
        wait_until(lambda: made() > seen or made() == 256, 60, "the signer goes on", step_seconds=0.01)
        stack.daemons["signerd"].kill()
        stack.daemons["signerd"]._child = None
        middles += made() < 256
        stack.daemons["signerd"].start()
    return middles


def test_a_signer_killed_while_it_makes_zones_goes_on_where_it_was(own_stack):
    stack = own_stack
    names, middles = [], 0
    # A quick signer is seldom met in the middle: a namespace more, then.
    while middles < 3 and len(names) < 12:
        names.append(f"_device.wide{len(names)}.example.")
        middles += kill_while_zones_are_made(stack, names[-1])
    assert middles >= 3, f"{middles} kills in the middle, in {len(names)} namespaces"
    name = names[-1]
    with stack.client() as client:
        answer = client.enroll(name, "early", make_device("early").certificate)
        for each in names:
            assert client.wait(each, live=True, timeout_seconds=60).done

    validator = stack.validator(name)
    assert validator.delv_says(answer.identity.owner_name) == "secure"
    path = stack.export(name, stack.folder / "wide.zone")
    gate.require_valid(path, name, 3600)
    assert sum(rr_type == "DS" for _, _, rr_type, _ in gate.records(path)) == 256
    assert stack.cli_json("namespace", "show", name)["cuts_made"] == 256


def test_a_new_edge_serves_parent_and_children_from_one_moment_on(own_stack):
    """The replica is lost with all zones published: at no time does the parent delegate to a child that is not there."""
    stack = own_stack
    name = "_device.rebuilt.example."
    stack.create_namespace(name, "--layout", "tree", "--width", "1")
    with stack.client() as client:
        owner = client.enroll(name, "one", make_device("one").certificate).identity.owner_name
        assert client.wait(name, live=True, timeout_seconds=60).done
    resolver = SecureResolver(stack.folder / "resolver", name, stack.delegation_signer(name), stack.ports["dns"])
    assert resolver.ask(owner)[0] == "secure"

    stack.daemons["replicad"].stop()
    for part in (stack.folder / "replica").iterdir():
        part.unlink()
    moved_in = stack.replicad.log_file.read_text().count("replica.moved_in")
    stack.daemons["replicad"].start()
    seen = set()
    wait_until(lambda: seen.add(resolver.ask(owner)[0]) or "secure" in seen and resolver.ask(owner)[0] == "secure", 60, "served again")

    assert seen <= {"secure", "SERVFAIL"}, seen
    elsewhere = "select count(*) from published.zone z left join published.edge_position p on p.zone_id = z.zone_id and (p.epoch, p.serial) = (z.epoch, z.serial)" \
                " where p.zone_id is null"
    wait_until(lambda: stack.replicad.log_file.read_text().count("replica.moved_in") > moved_in, 30, "it has a new replica")
    time.sleep(2)  # the feed writes where an edge stands a moment later: until then rows of before stand there
    wait_until(lambda: stack.cluster.sql(elsewhere) == "0", 20, "parent and children count as live")


def test_the_parents_word_is_compared_with_what_it_should_be(stack, tree):
    name, owners = tree
    cut = owners["dev000001"].split(".", 1)[1]
    server = f"127.0.0.1@{stack.ports['dns']}"

    right = stack.cli("zone", "check-delegation", cut, "--server", server, check=False)
    nothing = stack.cli("zone", "check-delegation", name, "--server", server, check=False)
    silent = stack.cli("zone", "check-delegation", cut, "--server", "127.0.0.1@1", check=False)

    assert right.returncode == 0, right.stdout + right.stderr
    assert nothing.returncode == 7 and "there is no DS" in nothing.stdout, "nobody delegates the namespace itself here"
    assert silent.returncode == 5, silent.stdout + silent.stderr
