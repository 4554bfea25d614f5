# SPDX-License-Identifier: MIT
"""What the namespaces of histories are like: every layout, both kinds of denial, both algorithms."""
import dataclasses

from journal_zone import NSEC, NSEC3
from structured_ids import ENUM_FORMS, any_label, any_text

DENIAL_TYPES = {NSEC3: "NSEC3", NSEC: "NSEC"}
FLAT, TREE, ENUM = 1, 2, 3  # LayoutKind
PRIVATE = 2  # LabelPrivacy
EVERY_WIDE = 64  # one history in so many is a tree of 4,097 zones, which costs as much as dozens of the others


@dataclasses.dataclass(frozen=True)
class Kind:
    """What a namespace is like. `ids` makes an id from a source of randomness."""
    layout: str
    fields: dict  # of the message Namespace
    ids: object
    denial: int
    algorithm: int

    @property
    def is_enum(self):
        return self.fields["layout"]["kind"] == ENUM

    def __str__(self):
        return f"{self.layout} {DENIAL_TYPES[self.denial]} {self.algorithm}"


LAYOUTS = (
    ("flat", {"layout": {"kind": FLAT}}, any_label),
    ("tree-1", {"layout": {"kind": TREE, "width": 1}}, any_label),
    ("tree-2", {"layout": {"kind": TREE, "width": 2}}, any_label),
    ("tree-0", {"layout": {"kind": TREE, "width": 0}}, any_label),
    ("flat private", {"layout": {"kind": FLAT}, "labels": PRIVATE}, any_text),
    ("tree-1 private", {"layout": {"kind": TREE, "width": 1}, "labels": PRIVATE}, any_text),
    *((f"enum {ids.__name__}", {"layout": {"kind": ENUM, "form": form + 1}}, ids) for form, ids in enumerate(ENUM_FORMS)),
)
WIDE = ("tree-3", {"layout": {"kind": TREE, "width": 3}}, any_label)
CHAINS = ((NSEC3, 13), (NSEC, 15), (NSEC3, 15), (NSEC, 13))  # (denial, algorithm)
# Neighbours differ in both; every pair comes once, because their counts have no common divisor.
KINDS = tuple(Kind(*LAYOUTS[number % len(LAYOUTS)], *CHAINS[number % len(CHAINS)]) for number in range(len(LAYOUTS) * len(CHAINS)))
assert len(set(map(str, KINDS))) == len(KINDS)


def kind_of(seed):
    if seed % EVERY_WIDE == EVERY_WIDE - 1:
        return Kind(*WIDE, *CHAINS[seed // EVERY_WIDE % len(CHAINS)])
    return KINDS[seed % len(KINDS)]


def significant(device_id):
    """The digits of an enum id, as cuts count them: a GTIN's serial number is none of them."""
    return "".join(character for character in device_id.lower().split(".")[0] if character in "0123456789abcdef")
