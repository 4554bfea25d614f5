# SPDX-License-Identifier: MIT
"""What the namespaces of histories are like: every layout, both kinds of denial, both algorithms."""
import dataclasses

from journal_zone import NSEC, NSEC3
from structured_ids import ENUM_FORMS, any_label, any_text

DENIAL_TYPES = {NSEC3: "NSEC3", NSEC: "NSEC"}
FLAT, TREE, ENUM = 1, 2, 3  # LayoutKind
PRIVATE = 2  # LabelPrivacy


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

    @property
    def width(self):
        """Of a tree, in digits; None of anything else."""
        return self.fields["layout"].get("width")

    @property
    def is_wide(self):
        """Has thousands of versions, or tens of thousands, where others have a hundred."""
        return (self.width or 0) >= 2

    def __str__(self):
        return f"{self.layout} {DENIAL_TYPES[self.denial]} {self.algorithm}"


LAYOUTS = (
    ("flat", {"layout": {"kind": FLAT}}, any_label),
    ("tree-1", {"layout": {"kind": TREE, "width": 1}}, any_label),
    ("tree-0", {"layout": {"kind": TREE, "width": 0}}, any_label),
    ("flat private", {"layout": {"kind": FLAT}, "labels": PRIVATE}, any_text),
    ("tree-1 private", {"layout": {"kind": TREE, "width": 1}, "labels": PRIVATE}, any_text),
    *((f"enum {ids.__name__}", {"layout": {"kind": ENUM, "form": form + 1}}, ids) for form, ids in enumerate(ENUM_FORMS)),
)
# Trees of 257 and 4,097 zones: one history in so many, the last of each so many seeds; 4 and 46 of 2,000.
WIDE = {500: ("tree-3", {"layout": {"kind": TREE, "width": 3}}, any_label), 40: ("tree-2", {"layout": {"kind": TREE, "width": 2}}, any_label)}
CHAINS = ((NSEC3, 13), (NSEC, 15), (NSEC3, 15), (NSEC, 13))  # (denial, algorithm)


def kind_of(seed):
    """Neighbours differ in layout and chain; every pair of them comes, because chains begin anew with each round of layouts."""
    for every, layout in WIDE.items():
        if seed % every == every - 1:
            return Kind(*layout, *CHAINS[seed // every % len(CHAINS)])
    return Kind(*LAYOUTS[seed % len(LAYOUTS)], *CHAINS[(seed + seed // len(LAYOUTS)) % len(CHAINS)])


KINDS = {str(kind_of(seed)) for seed in range(4 * max(WIDE))}
assert len(KINDS) == (len(LAYOUTS) + len(WIDE)) * len(CHAINS)


def significant(device_id):
    """The digits of an enum id, as cuts count them: a GTIN's serial number is none of them."""
    return "".join(character for character in device_id.lower().split(".")[0] if character in "0123456789abcdef")
