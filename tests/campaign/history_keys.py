# SPDX-License-Identifier: MIT
"""The signing keys of a history: rolls of every style that its keys allow, one after the other, some broken off by an emergency."""
import grpc
from idzone_client import detail_of

SIGNING, PARENT, CACHES = 3, 4, 5  # RollWait
CSK, KSK, ZSK = 1, 2, 3  # KeyRole
ALL_KEYS, ZSK_PRE_PUBLISH, KSK_DOUBLE_SIGNATURE, KSK_DOUBLE_DS, ALGORITHM = 1, 2, 3, 4, 5  # RollStyle
SPLIT = (KSK, ZSK)
OTHER_ALGORITHM = {13: 15, 15: 13}


def choices(roles, algorithm):
    """{what it is: fields of RollKeyRequest} for a namespace whose keys have those roles."""
    other = OTHER_ALGORITHM[algorithm]
    if CSK in roles:
        return {"csk": {"style": ALL_KEYS}, "csk to split": {"style": ALL_KEYS, "roles": SPLIT}, "csk algorithm": {"style": ALGORITHM, "algorithm": other},
                "csk algorithm to split": {"style": ALGORITHM, "algorithm": other, "roles": SPLIT}}
    return {"ksk and zsk": {"style": ALL_KEYS}, "split to csk": {"style": ALL_KEYS, "roles": (CSK,)}, "zsk": {"style": ZSK_PRE_PUBLISH},
            "ksk": {"style": KSK_DOUBLE_SIGNATURE}, "ksk double ds": {"style": KSK_DOUBLE_DS}, "split algorithm": {"style": ALGORITHM, "algorithm": other},
            "split algorithm to csk": {"style": ALGORITHM, "algorithm": other, "roles": (CSK,)}}


class Keys:
    def __init__(self, life, rolls):
        """`rolls`: how many; emergencies come beside them."""
        self.life, self.random, self.zone = life, life.random, life.zone
        self.rolls, self.begun, self.under_way, self.seen = rolls, 0, None, False
        self.waits = None  # what the roll waited for when it was last looked at

    def call(self, admin, method, **fields):
        from history_life import CALL_SECONDS, patiently

        return patiently(lambda: admin.call("KeyService", method, CALL_SECONDS, **fields))

    def status(self, admin):
        status = self.call(admin, "GetKeyStatus", namespace_name=self.zone).status
        self.seen = self.seen or status.HasField("roll")
        self.waits = status.roll.wait if status.HasField("roll") else None
        if self.under_way and not status.HasField("roll") and not status.waiting_commands:
            assert self.seen, f"the roll {self.under_way} was refused: {status.refusal}"
            self.life.operations[f"rolled {self.under_way}"] += 1
            self.under_way = None
        return status

    def shown(self, admin):
        return [key for key in self.call(admin, "ListKeys", namespace_name=self.zone).keys if key.in_dnskey]

    def step(self, admin):
        """Whatever a roll may meet: a parent that does as it is told, soon or late; an emergency; nothing."""
        status = self.status(admin)
        if self.under_way is None:
            if self.random.random() < 0.6:
                self.begin_next(admin)
        elif status.roll.wait == PARENT:
            if self.random.random() < 0.7:
                self.confirm(admin)
        elif status.HasField("roll") and not status.roll.emergency and not status.waiting_commands and self.random.random() < 0.08:
            self.life.operations["emergency"] += 1
            self.call(admin, "RollKey", namespace_name=self.zone, style=ALL_KEYS, emergency=True)

    def are_done(self):
        return self.under_way is None and self.begun == self.rolls

    def begin_next(self, admin):
        if self.under_way is not None or self.begun == self.rolls:
            return
        keys = self.shown(admin)
        offered = choices({key.role for key in keys}, keys[0].algorithm)
        splits = [name for name in offered if name.endswith("to split")]  # the first of two rolls, most often: else few keys roll apart
        name = self.random.choice(sorted(splits if splits and self.begun + 1 < self.rolls and self.random.random() < 0.8 else offered))
        self.call(admin, "RollKey", namespace_name=self.zone, **offered[name])
        self.begun += 1
        self.under_way, self.seen = name, False

    def confirm(self, admin):
        """Somebody else than this history may have been quicker: the roll itself."""
        try:
            self.call(admin, "ConfirmParent", namespace_name=self.zone)
        except grpc.RpcError as error:
            detail = detail_of(error)
            if detail is None or detail.reason != "NAMESPACE_NOT_READY":
                raise

    def settled(self, admin):
        """Says whether only the parent or time can move the roll on; tells the parent."""
        status = self.status(admin)
        if status.waiting_commands:
            return False
        if status.HasField("roll") and status.roll.wait == PARENT:
            self.confirm(admin)
            return False
        return not status.HasField("roll") or status.roll.wait in (SIGNING, CACHES)  # a sweep takes its time, too
