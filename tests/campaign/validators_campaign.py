# SPDX-License-Identifier: MIT
"""delv, drill and libunbound are asked the same questions; all three must say what is known to be so: the same status, the same RRset.

Namespaces of each layout with both kinds of denial; existing names, absent types and names, empty non-terminals, wildcards, above,
at and below cuts, in mixed case. A cycle is a question; a failure is an answer on which one of them differs. First all three are
given wrong anchors, with which none may call anything secure.

Two exceptions. ldns (1.8.3) does not know that an NSEC record whose next name lies below a name proves that name (RFC 4035 §5.4, RFC
4592 §2.2.2), and wants the wildcard beside it denied too, which no server sends. So drill refuses such empty non-terminals. And for
type DS it knows the proof of an absent type at an existing name (RFC 5155 §8.6), but not at a wildcard (§8.7), which it takes for
one that covers too little. Both of whatever server: before each run it has to refuse them of a zone of dnssec-signzone and
Unbound, or the exception is a failure itself. Those answers are judged by the two others, and counted.
"""
import collections
import multiprocessing
import os
import pathlib
import signal

from idzone_stack import TestStack
from lab_zone import LabZone
from validator_world import World
from verdicts import VALIDATORS, Drill

CHUNK = 20
PROGRESS_EVERY = 1000
# By kind of question: for which type (None: any), and how drill refuses.
LDNS_WANTS_MORE = {"ENT nsec": (None, "wildcard not covered by the given NSEC RRs"),
                   "wildcard NODATA": ("DS", "RR not covered by the given NSEC RRs")}
_asking = {}  # of a worker process: validators by zone and name


def prepare(folder, anchors, port):
    """In each worker: every validator for every zone, with files of its own."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # how the pool ends its workers: nothing here is left to be stopped
    own = pathlib.Path(folder) / f"worker-{os.getpid()}"
    own.mkdir(parents=True)
    for zone, ds_lines in anchors.items():
        for name, validator in VALIDATORS.items():
            _asking[zone, name] = validator(own, zone, ds_lines, port)


def ask(question):
    """Returns the question and what each validator said."""
    verdicts = {}
    for name in VALIDATORS:
        try:
            verdicts[name] = _asking[question.zone, name].ask(question.name, question.rr_type)
        except Exception as failure:  # noqa: BLE001 # a validator that breaks is a failure of this question, told with its name
            verdicts[name] = (repr(failure), frozenset())
    return question, verdicts


def excused(question, verdicts):
    """Whether this is what drill does not know (see above); then its verdict is taken out."""
    rr_type, refusal = LDNS_WANTS_MORE.get(question.kind, (None, None))
    if refusal is None or rr_type not in (None, question.rr_type) or refusal not in verdicts["drill"][0]:
        return False
    del verdicts["drill"]
    return True


def lift_the_exceptions(folder):
    """Yields a failure when drill judges these answers after all, or refuses for another reason."""
    for nsec3, records, questions in (
            (False, ["a 300 IN TLSA 3 1 1 " + 64 * "0", "below.empty 300 IN TLSA 3 1 1 " + 64 * "1"],
             [("a", "SSHFP", "secure NODATA"), ("absent", "SSHFP", "secure NXDOMAIN"), ("empty", "SSHFP", LDNS_WANTS_MORE["ENT nsec"][1])]),
            (True, ["* 300 IN TLSA 2 0 1 " + 64 * "0"],
             [("any", "SSHFP", "secure NODATA"), ("any", "DS", LDNS_WANTS_MORE["wildcard NODATA"][1])])):
        with LabZone(folder / str(nsec3), "lab.example.", records, nsec3=nsec3) as lab:
            drill = Drill(lab.folder, lab.zone, lab.ds_lines, lab.port)
            for name, rr_type, wanted in questions:
                said = drill.ask(f"{name}.{lab.zone}", rr_type).status
                if wanted not in said:
                    yield f"drill said of {name}.{lab.zone} {rr_type}, which is none of ours, not {wanted} but {said[-1500:]}"


def trouble(question, verdicts):
    """What is wrong, None when all agree with each other and with what is known."""
    rrsets = {rrset for _, rrset in verdicts.values()}
    statuses = {status for status, _ in verdicts.values()}
    if statuses == {question.status} and len(rrsets) == 1:
        rrset = rrsets.pop()
        if rrset == question.rrset or (question.rrset is None and rrset):
            return None
    said = "; ".join(f"{name}: {status[-1500:]} {sorted(rrset)}" for name, (status, rrset) in verdicts.items())
    return f"{question.kind}: {question.name} {question.rr_type} is {question.status} {sorted(question.rrset or ())}, but {said}"


def wrong_anchor(ds_line):
    """The same DS record with another digest."""
    return ds_line.rstrip()[:-4] + ("0000" if not ds_line.rstrip().endswith("0000") else "1111")


def workers(stack, anchors, count):
    # Not forked: gRPC's threads would be missing in the children, its locks not.
    folder = stack.folder / "validators" / str(len(list((stack.folder / "validators").glob("*"))))
    return multiprocessing.get_context("spawn").Pool(count, prepare, (str(folder), anchors, stack.ports["dns"]))


def believers(stack, anchors, questions):
    """Who calls an answer secure with anchors that are not the zones': a validator that does judges nothing."""
    with workers(stack, {zone: [wrong_anchor(line) for line in lines] for zone, lines in anchors.items()}, 1) as pool:
        for question, verdicts in pool.imap(ask, questions):
            for name, (status, _) in verdicts.items():
                if status.startswith("secure"):
                    yield f"{name} called {question.name} {question.rr_type} {status} with a wrong anchor"


def run(size, seed):
    stack, failures, kinds, statuses, done = TestStack("campaign-validators"), [], collections.Counter(), collections.Counter(), 0
    without_drill = 0
    with stack.judged_by(failures):
        stack.open()
        world = World(stack)
        anchors = {space.zone: stack.delegation_signer(space.zone) for space in world.spaces}
        failures += lift_the_exceptions(stack.folder / "lab")
        failures += believers(stack, anchors, world.questions(len(world.spaces), seed))
        with workers(stack, anchors, os.cpu_count()) as pool:
            for question, verdicts in pool.imap_unordered(ask, world.questions(size, seed), CHUNK):
                done += 1
                kinds[question.kind + (", mixed case" if question.name != question.name.lower() else "")] += 1
                statuses[question.status] += 1
                without_drill += excused(question, verdicts)
                failures += filter(None, [trouble(question, verdicts)])
                if done % PROGRESS_EVERY == 0:
                    print(f"{done}/{size} answers, {len(failures)} failures", flush=True)
    return {"cycles": done, "operations": dict(statuses), "kinds": dict(sorted(kinds.items())),
            "judged_by_all_three": done - without_drill, "judged_without_drill": without_drill, "failures": failures}
