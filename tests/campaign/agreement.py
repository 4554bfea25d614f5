# SPDX-License-Identifier: MIT
"""Whether all places say the same of a zone, and what a ledger allows: the registry's list, the signer's export, the transfer
from PowerDNS and validated answers. For moments at which clients rest and everything has converged."""
import gate
from ledger import History
from look_up import SecureResolver

ASKED_OF_THE_UNCHANGED = 0.1  # the share of plainly active names that a validator looks up: the transfer was compared already
STATES = {None: "absent", 1: "active", 2: "revoked"}


class Agreement:
    def __init__(self, stack, zone, random):
        self.stack, self.zone, self.random = stack, zone, random
        self.resolver = SecureResolver(stack.folder / "resolver", zone, stack.delegation_signer(zone), stack.ports["dns"])

    def troubles(self, client, ledger_path, names_min=0, asked_share=ASKED_OF_THE_UNCHANGED):
        """Compares everything; returns what is wrong, a line each."""
        history, found = History(ledger_path), []
        listed = {}
        for identity in client.list(self.zone):
            if identity.id in listed:
                found.append(f"{identity.id} is listed twice")
            listed[identity.id] = identity
        found += [f"{device_id} is listed and nobody enrolled it" for device_id in sorted(set(listed) - set(history.devices))]
        zones = {}
        for path, kind in zip(self.stack.zone_files(self.zone), ("export", "transfer")):
            zones[kind] = self._judged(path, kind, names_min, found)
        for device_id, device in history.devices.items():
            found += self._judge(device_id, device, history.expectation(device_id), listed.get(device_id), zones, asked_share)
        return found

    def _judged(self, path, kind, names_min, found):
        """The gate on a zone file; returns its TLSA records by owner."""
        try:
            gate.require_valid(path, self.zone, 24 * 3600)
        except gate.ZoneRefused as refused:
            found.append(f"{kind}: {refused}")
        names, empty = gate.shape(path, self.zone)
        if names < names_min or (names_min and empty < 1):
            found.append(f"{kind} has {names} names and {empty} empty non-terminals")
        return {owner: rdata.lower().replace(" ", "") for owner, _, rr_type, rdata in gate.records(path) if rr_type == "TLSA"}

    def _judge(self, device_id, device, allowed, identity, zones, asked_share):
        """One device: what the list says must be allowed, and DNS must say the same everywhere."""
        state = STATES[identity.state if identity else None]
        if state not in allowed:
            yield f"{device_id} is {state}, the ledger allows {sorted(allowed)}"
        if identity is None:
            if any(owner.startswith(device_id + ".") for zone in zones.values() for owner in zone):
                yield f"{device_id} is not in the list and in DNS"
            return
        if identity.fingerprint.hex() != device["fingerprint"]:
            yield f"{device_id} has another key than was enrolled"
        owner = identity.owner_name
        wanted = identity.record.split(" ", 1)[1].lower().replace(" ", "") if state == "active" else None
        for kind, zone in zones.items():
            if zone.get(owner) != wanted:
                yield f"{device_id} is {state}, but the {kind} says {zone.get(owner)}"
        # All that was revoked or unclear is asked of DNS.
        if state == "active" and len(allowed) == 1 and self.random.random() > asked_share:
            return
        verdict, rdatas = self.resolver.ask(owner)
        if verdict != ("secure" if wanted else "secure NXDOMAIN"):
            yield f"{device_id} is {state}, a validator says {verdict}"
        elif wanted and [rdata.hex() for rdata in rdatas] != [tlsa_wire(wanted)]:
            yield f"{device_id} has another record in DNS than in the list"


def tlsa_wire(text):
    """ "311abcd" as wire form in hexadecimal: three octets, then the data."""
    return "".join(f"{int(digit):02x}" for digit in text[:3]) + text[3:]
