"""The commands that lead on from a run, in the order in which to think of them."""

from __future__ import annotations

from easops.playbook.assessment.alternatives import alternatives
from easops.playbook.assessment.found import reads_the_past
from easops.playbook.assessment.next_command import NextCommand, Repeat, typed
from easops.playbook.assessment.not_judged import not_checked
from easops.playbook.assessment.run_facts import RunFacts
from easops.playbook.assessment.still_open import untouched
from easops.status import Severity, Status, severity


def next_commands(run: RunFacts) -> tuple[NextCommand, ...]:
    """None of a run that is closed, or still running: nothing is left to do, or not yet.

    Read before write: what is not known is reconciled first, and what a person has to decide comes before what goes on.
    The undo stands behind all that leads forward; to close a run for good is the last resort.
    """
    if run.closed or run.running:
        return ()
    if run.run_id is None:
        return (*_of_a_check(run), *alternatives(run), *_looks(run))
    commands: list[NextCommand] = []
    waits = run.record is not None and run.record.run.waits
    if waits:
        commands.append(NextCommand("begin", f"easops worker {run.run_id}", "execute the run that waits"))
    if run.unknown:
        meaning = "read the servers to learn what became of it; changes nothing"
        commands.append(NextCommand("reconcile", f"easops runs reconcile {run.run_id}", meaning))
    decision = _decision(run)
    if run.status is Status.AWAITING_APPROVAL and not run.cut_short and decision == "":
        commands.append(
            NextCommand("approve", f"easops approve {run.run_id}", "see the planned changes, and approve them")
        )
    if (run.cut_short or run.unfinished) and decision != "denied":
        awaiting = run.status is Status.AWAITING_APPROVAL and decision == ""
        meaning = "go on once it is approved" if awaiting else "go on with the unfinished steps"
        commands.append(NextCommand("resume", f"easops runs resume {run.run_id}", meaning))
    commands += alternatives(run)
    commands += _looks(run)
    if _wants_a_look(run):
        meaning = "see what was read of each change, and why it counts as not confirmed"
        commands.append(NextCommand("look", f"easops runs show {run.run_id} --verbose", meaning))
    if run.kind != "undo" and (run.cut_short or run.undoable):
        commands.append(NextCommand("undo", f"easops undo {run.run_id}", "put back what this run set"))
    if (
        run.lab is not None
        and run.kind == "run"
        and run.command
        and severity(run.status) is Severity.GOOD
        and not waits
    ):
        command = f"easops run {run.command} --inventory hosts.yml --check"
        meaning = "the same on real servers: read everything, change nothing"
        commands.append(NextCommand("on real servers", command, meaning))
    if run.cut_short or run.unfinished or waits:
        meaning = "close the run for good; what it set stays"
        commands.append(NextCommand("close", f"easops runs abandon {run.run_id}", meaning))
    return tuple(commands)


def repeats(run: RunFacts) -> tuple[Repeat, ...]:
    """What to type once more, and how it should differ."""
    found: list[Repeat] = []
    if run.checked and run.would_change and run.kind != "undo":
        found.append(Repeat("to do it", "without --check", "make these changes"))
    answered = _hosts_that_answered(run)
    if answered:
        found.append(
            Repeat("excluding failed hosts", f"with --limit {','.join(answered)}", "leave out who gave no answer")
        )
    if run.earlier is not None:
        found.append(Repeat("anyway", "with --anew", "start a new run even if an earlier run is unfinished"))
    return tuple(found)


def _of_a_check(run: RunFacts) -> list[NextCommand]:
    commands = []
    if run.earlier is not None:
        command = f"easops runs show {run.earlier.run_id}"
        commands.append(NextCommand("look", command, "see the earlier run, and how to go on with it"))
    if run.kind == "undo" and run.would_change and run.command:
        commands.append(NextCommand("to do it", f"easops undo {run.command}", "put these changes back"))
    return commands


def _looks(run: RunFacts) -> list[NextCommand]:
    """Looks that would tell more: whether what was found goes on, and whether there is another cause."""
    commands = []
    for detector in dict.fromkeys(step.subject for step in untouched(run) if reads_the_past(step.subject)):
        command = f"easops detect {detector} since=20m"
        commands.append(NextCommand("check again", command, "see whether it goes on"))
    for step in not_checked(run):
        if command := typed("easops", "detect", step.subject, *step.given):
            commands.append(NextCommand("also check", command, f"look for what {step.name!r} would have found"))
    return commands


def _wants_a_look(run: RunFacts) -> bool:
    """Whether a change was sent and is not as it should be, although its outcome is known."""
    statuses = {item.status for item in run.items}
    return not run.unknown and (Status.VERIFY_FAILED in statuses or Status.UNDO_FAILED in statuses)


def _decision(run: RunFacts) -> str:
    """``approved`` or ``denied``; empty where nothing is decided, or nothing is to be."""
    pending = None if run.record is None else run.record.asked
    return "" if pending is None or pending.decision is None else pending.status


def _hosts_that_answered(run: RunFacts) -> list[str]:
    """The hosts that were judged, in a check that came to no end because others gave no answer."""
    if not run.checked or run.kind != "run" or run.status is not Status.UNREACHABLE:
        return []
    looks = [step.detection for step in run.steps if step.detection is not None]
    lost = {unreachable.host for look in looks for unreachable in look.unreachable}
    answered = dict.fromkeys(host for look in looks for host in look.judged if host not in lost)
    return list(answered) if lost else []
