# SPDX-License-Identifier: MIT
"""Policies of one's own: made once, checked, and what a zone then says and does."""
import json

import pytest
from devstack.devices import make_device
from idzone_client import refusal


def test_namespace_lives_by_its_own_policy(stack):
    zone = "_device.policy-own.example."
    stack.cli("policy", "create", "two-speed", "--ttl", "90", "--life", "12h", "--resign", "2h", "--denial-life", "3h", "--denial-resign", "30m",
              "--apex-life", "10d", "--apex-resign", "2d")
    shown = stack.cli_json("policy", "show", "two-speed")
    assert (shown["identity"], shown["denial"]) == ({"life_seconds": 43200, "resign_seconds": 7200}, {"life_seconds": 10800, "resign_seconds": 1800})
    assert shown["soa_expire_seconds"] == 10800 - 2813, "what the oldest signatures have left"
    assert shown["quarantine_seconds"] == 43200 + 4680, "life, and a tenth of life and inception offset"
    stack.create_namespace(zone, "--layout", "flat", "--policy", "two-speed")
    with stack.client() as client:
        owner = client.enroll(zone, "dev1", make_device("dev1").certificate).identity.owner_name
        assert client.wait(zone, live=True).done

    def lives(*question):
        """Seconds from inception to expiration of each signature in an answer, by the type that it covers."""
        import datetime

        found = {}
        for line in stack.dig("+dnssec", "+noall", "+answer", "+authority", *question).splitlines():
            fields = line.split()
            if fields[3] == "RRSIG":
                end, start = (datetime.datetime.strptime(text, "%Y%m%d%H%M%S") for text in (fields[8], fields[9]))
                found[fields[4]] = (end - start).total_seconds() - 3600
        return found

    assert lives(owner, "TLSA") == {"TLSA": 43200}
    absent = lives("absent." + zone, "TLSA")
    assert absent.pop("SOA") == 864000 and set(absent.values()) == {10800}
    assert lives(zone, "DNSKEY") == {"DNSKEY": 864000}
    assert stack.dig("+noall", "+answer", owner, "TLSA").split()[1] == "90"
    status = stack.cli_json("zone", "status", zone)
    assert status["policy"] == "two-speed" and status["problems"] == []
    assert 9000 < status["least_signature_life_seconds"] <= 10800
    stack.require_valid(zone, valid_for_seconds=2 * 3600, names_min=0)


@pytest.mark.parametrize("options, field", [
    (("--life", "23h", "--resign", "8h"), "identity.life"),
    (("--life", "31d", "--resign", "8h"), "identity.life"),
    (("--life", "24h", "--resign", "5m"), "identity.resign"),
    (("--ttl", "90000", "--life", "10d", "--resign", "2d"), "ttl"),
    (("--life", "24h", "--resign", "8h", "--apex-life", "2h", "--apex-resign", "1h"), "apex.life"),
    (("--life", "24h", "--resign", "8h", "--soa-expire", "17h"), "soa_expire"),
])
def test_impossible_policy_is_refused_by_field(stack, options, field):
    ttl = () if "--ttl" in options else ("--ttl", "60")
    done = stack.cli("--output", "json", "policy", "create", "impossible", *ttl, *options, check=False)

    assert done.returncode == 3, done.stderr
    error = json.loads(done.stderr)["error"]
    assert (error["reason"], error["field"]) == ("VALUE_OUT_OF_RANGE", field)
    assert error["expected"] and error["met"]
    assert stack.cli("policy", "show", "impossible", check=False).returncode == 3


def test_policies_are_an_admins_and_never_changed(stack):
    stack.cli("policy", "create", "steady", "--ttl", "60", "--life", "24h", "--resign", "8h")
    stack.cli("policy", "create", "steady", "--ttl", "60", "--life", "24h", "--resign", "8h")
    assert stack.cli("policy", "create", "steady", "--ttl", "61", "--life", "24h", "--resign", "8h", check=False).returncode == 3
    assert stack.cli("policy", "create", "fast", "--ttl", "61", "--life", "24h", "--resign", "8h", check=False).returncode == 3
    assert stack.cli("policy", "create", "foreign", "--ttl", "60", "--life", "24h", "--resign", "8h", caller="enroller", check=False).returncode == 4
    assert stack.cli("namespace", "create", "_device.no-policy.example.", "--ns", "ns.example.net", "--policy", "unknown", check=False).returncode == 3
    names = [json.loads(line)["name"] for line in stack.cli("--output", "jsonl", "policy", "list", caller="auditor").stdout.splitlines()]
    assert {"fast", "relaxed", "standard", "steady"} <= set(names)


def test_status_of_a_foreign_or_unknown_zone_is_not_told(stack, namespace):
    with stack.client("auditor") as client:
        assert refusal(client.call, "ZoneService", "GetZoneStatus", name="_device.nowhere.example.")[:2] == ("NOT_FOUND", "NOT_FOUND")
        assert client.call("ZoneService", "GetZoneStatus", name=namespace).status.name == namespace
    for output in ("table", "json", "yaml", "jsonl"):
        done = stack.cli("--output", output, "zone", "status", namespace)
        assert "problems" in done.stdout
