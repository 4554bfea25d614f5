# SPDX-License-Identifier: MIT
"""Namespaces of every layout with both kinds of denial, and questions about them whose answers are known beforehand."""
import random
import typing

from devstack.certificates import Authority
from devstack.devices import make_device, make_devices
from devstack.process import wait_until
from verdicts import canonical_text

DEVICES = 250  # of a namespace
SECOND_KEY_EVERY = 10  # devices; those have an RRset of two records
ENUM_CUTS = ("7", "75")  # one below the other
LAYOUTS = {"flat": ("--layout", "flat"), "tree": ("--layout", "tree", "--width", "1"), "enum": ("--form", "digits"),
           "wildcard": ("--layout", "flat", "--wildcard-ca")}
ABSENT_TYPES = ("SSHFP", "OPENPGPKEY", "DS", "A", "AAAA", "TXT", "MX", "NS", "HTTPS", "TYPE65280")
APEX_TYPES = ("SOA", "NS", "DNSKEY")


class Question(typing.NamedTuple):
    """`rrset` is None where any is right as long as all say the same."""
    zone: str
    kind: str
    name: str
    rr_type: str
    status: str
    rrset: frozenset | None


class Space:
    """One namespace: its owners with their RRsets, its cuts, its empty non-terminals."""

    def __init__(self, stack, layout, denial):
        self.layout, self.denial = layout, denial
        self.zone = f"_device.{layout}.{denial}.example."
        self.owners, self.authority = {}, None
        algorithm = "ed25519" if (layout == "flat") == (denial == "nsec") else "ecdsa"  # each in half of them, with each denial
        stack.create_namespace(self.zone, *LAYOUTS[layout], "--denial", denial, "--algorithm", algorithm)
        if layout == "wildcard":
            self._set_authority(stack)
            self.cuts = []
            return
        for prefix in ENUM_CUTS if layout == "enum" else ():
            stack.cli("namespace", "cut", "add", self.zone, prefix)
            wait_until(lambda prefix=prefix: self._cut_states(stack)[prefix] == "open", 60, f"cut {prefix} of {self.zone}")
        self.cuts = [zone for zone in stack.zones(self.zone) if zone != self.zone]
        self._enroll(stack)
        self.empty = sorted(self._between())

    def _cut_states(self, stack):
        return {cut["prefix"]: cut["state"] for cut in stack.cli_json("namespace", "cut", "list", self.zone)}

    def _set_authority(self, stack):
        authority = Authority(stack.folder / "tls" / self.zone, "devices' CA")
        stack.cli("namespace", "ca", "set", self.zone, "--certificate", authority.certificate_file, "--wait")
        shown = stack.cli_json("namespace", "show", self.zone)["authority"]
        self.authority = frozenset([canonical_text("TLSA", shown["record"].removeprefix("TLSA "))])

    def _enroll(self, stack):
        source = random.Random(self.zone)
        devices = make_devices(DEVICES, "dev", kinds=lambda number: "p256")
        if self.layout == "enum":  # some ids are the beginning of others: names with data and with names below
            ids = set()
            while len(ids) < DEVICES:
                ids.add(str(source.randrange(10 ** source.choice((2, 3, 4, 5, 6)))))
            devices = [make_device(device_id) for device_id in sorted(ids)]
        with stack.client() as client:
            for answer in client.enroll_many(self.zone, devices):
                identity = answer.enrolled.identity
                records = [identity.record]
                if len(self.owners) % SECOND_KEY_EVERY == 0:
                    second = make_device("second")
                    client.add_key(self.zone, identity.id, certificate=second.certificate)
                    records.append(f"TLSA 3 1 1 {second.fingerprint}")
                self.owners[identity.owner_name] = frozenset(canonical_text("TLSA", record.removeprefix("TLSA ")) for record in records)
            assert len(self.owners) == DEVICES
            assert client.wait(self.zone, live=True, timeout_seconds=60).done

    def _between(self):
        for owner in self.owners:
            name = owner.split(".", 1)[1]
            while name != self.zone and name not in self.cuts:
                if name not in self.owners:
                    yield name
                name = name.split(".", 1)[1]

    def questions(self, source):
        """One of each kind that the namespace has."""
        def ask(kind, name, rr_type, status, rrset=frozenset()):
            return Question(self.zone, kind, _shuffled_case(name, source) if source.random() < 0.3 else name, rr_type, status, rrset)

        absent = f"absent{source.randrange(10**9)}"
        absent_type = source.choice(ABSENT_TYPES)
        yield ask("above a cut", self.zone, source.choice(APEX_TYPES), "secure", None)
        yield ask("above a cut", self.zone, "NSEC3PARAM", *(("secure", None) if self.denial == "nsec3" else ("secure NODATA",)))
        if self.layout == "wildcard":
            below = f"{absent}.{self.zone}" if source.random() < 0.7 else f"{absent}.between.{self.zone}"
            yield ask("wildcard", below, "TLSA", "secure", self.authority)
            yield ask("wildcard NODATA", below, absent_type, "secure NODATA")
            yield ask("existing", f"*.{self.zone}", "TLSA", "secure", self.authority)
            return
        yield ask("NODATA", self.zone, "TLSA", "secure NODATA")
        owner = source.choice([each for each in self.owners if each not in self.cuts])  # a cut has types of its own, and DS above them
        yield ask("existing", owner, "TLSA", "secure", self.owners[owner])
        yield ask("NODATA", owner, absent_type, "secure NODATA")
        yield ask("absent", f"{absent}.{owner.split('.', 1)[1]}", "TLSA", "secure NXDOMAIN")
        yield ask("absent", f"{absent}.{owner}", source.choice(("TLSA", absent_type)), "secure NXDOMAIN")
        yield ask("above a cut", f"{absent}.{self.zone}", source.choice(("TLSA", "DS")), "secure NXDOMAIN")
        if self.empty:
            yield ask(f"ENT {self.denial}", source.choice(self.empty), source.choice(("TLSA", absent_type)), "secure NODATA")
            yield ask("absent", f"{absent}.{source.choice(self.empty)}", "TLSA", "secure NXDOMAIN")
        if self.cuts:
            cut = source.choice(self.cuts)
            yield ask("at a cut", cut, "DS", "secure", None)
            yield ask("below a cut", cut, source.choice(APEX_TYPES), "secure", None)
            yield ask("below a cut", cut, "A", "secure NODATA")
            yield ask("below a cut", cut, "TLSA", *(("secure", self.owners[cut]) if cut in self.owners else ("secure NODATA",)))
            yield ask("below a cut", f"{absent}.{cut}", source.choice(("TLSA", "DS")), "secure NXDOMAIN")


def _shuffled_case(name, source):
    return "".join(letter.upper() if source.random() < 0.5 else letter for letter in name)


class World:
    def __init__(self, stack):
        self.spaces = [Space(stack, layout, denial) for layout in LAYOUTS for denial in ("nsec3", "nsec")]

    def questions(self, count, seed):
        source, made = random.Random(seed), []
        while len(made) < count:
            for space in self.spaces:
                made += space.questions(source)
        source.shuffle(made)
        return made[:count]
