"""The commands that lead on from a run, in the order in which to think of them; no other place writes them out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from easops.playbook.assessment.alternatives import alternatives
from easops.playbook.assessment.found import reads_the_past
from easops.playbook.assessment.next_command import NextCommand, Repeat, typed
from easops.playbook.assessment.not_judged import not_checked
from easops.playbook.assessment.run_facts import RunFacts
from easops.playbook.assessment.still_open import untouched
from easops.status import UNCONFIRMED, Severity, Status, severity

if TYPE_CHECKING:
    from easops.playbook.record.approval import PendingApproval

SETTLING: Final = frozenset({"begin", "reconcile", "approve", "resume", "undo", "close"})
"""The labels of the commands that bring a run to its end: what there is to do about an open one."""


def next_commands(run: RunFacts) -> tuple[NextCommand, ...]:
    """None of a run that is still running, or was undone; of an abandoned one only its undo.

    Read before write: what is not known is reconciled first, and what a person has to decide comes before what goes on.
    The undo comes after all that leads forward; to close a run for good is the last resort, except where its plan was
    denied: then it cannot go on.
    """
    if run.running:
        return ()
    if run.closed:
        return tuple(_undo(run)) if run.abandoned else ()
    commands = [
        *_of_a_check(run),
        *_begin(run),
        *_reconcile(run),
        *_approve(run),
        *_resume(run),
        *alternatives(run),
        *_recycle(run),
        *_looks(run),
        *_show(run),
        *_undo(run),
        *_on_real_servers(run),
        *_close(run),
    ]
    return tuple(command for command in dict.fromkeys(commands) if command.command)


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
    # A run without an end may still be changing something: --anew does not begin beside it.
    if run.earlier is not None and run.earlier.ended:
        found.append(ANEW)
    return tuple(found)


ANEW: Final = Repeat("anyway", "with --anew", "leave the earlier run as it is, and start a new one")


def begin(run_id: str) -> NextCommand:
    return NextCommand("begin", f"easops worker {run_id}", "execute the run that waits")


def approve(run_id: str) -> NextCommand:
    return NextCommand("approve", f"easops approve {run_id}", "see the planned changes, and approve them")


def resume(run_id: str, *, awaiting: bool = False) -> NextCommand:
    meaning = "go on once it is approved" if awaiting else "go on with the unfinished steps"
    return NextCommand("resume", f"easops runs resume {run_id}", meaning)


def close(run_id: str) -> NextCommand:
    return NextCommand("close", f"easops runs abandon {run_id}", "close it for good; what it set stays")


def next_of_asked(asked: PendingApproval) -> NextCommand:
    """The command that leads on from what a run asks an approval for."""
    run_id = asked.run.run_id
    if asked.decision is None:
        return approve(run_id)
    return resume(run_id) if asked.decision.approved else close(run_id)


def _of_a_check(run: RunFacts) -> list[NextCommand]:
    commands = []
    if run.earlier is not None:
        command = f"easops runs show {run.earlier.run_id}"
        commands.append(NextCommand("look", command, "see the earlier run, and how to go on with it"))
    if run.checked and run.kind == "undo" and run.would_change and run.command:
        commands.append(NextCommand("to do it", f"easops undo {run.command}", "put these changes back"))
    return commands


def _begin(run: RunFacts) -> list[NextCommand]:
    return [begin(run.run_id)] if run.run_id is not None and run.waits else []


def _reconcile(run: RunFacts) -> list[NextCommand]:
    if run.run_id is None or not run.unknown:
        return []
    meaning = "read the servers to learn what became of it; changes nothing"
    return [NextCommand("reconcile", f"easops runs reconcile {run.run_id}", meaning)]


def _approve(run: RunFacts) -> list[NextCommand]:
    awaits = run.status is Status.AWAITING_APPROVAL and not run.cut_short and run.decision == ""
    return [approve(run.run_id)] if run.run_id is not None and awaits else []


def _resume(run: RunFacts) -> list[NextCommand]:
    if run.run_id is None or not (run.cut_short or run.unfinished):
        return []
    if run.decision == "denied":
        return [close(run.run_id)]
    return [resume(run.run_id, awaiting=run.status is Status.AWAITING_APPROVAL and run.decision == "")]


def _recycle(run: RunFacts) -> list[NextCommand]:
    """What puts into force what an undo has put back; nothing in a lab, as the command would make another one."""
    if run.kind != "undo" or run.lab is not None or not any(item.pending for item in run.items):
        return []
    because = f"to put into force what {run.playbook} put back"
    command = typed("easops", "do", "recycle_app_pool", "--on", "runs=activesync", "--because", because, *run.where)
    return [NextCommand("recycle", command, "put into force what was put back, once it has been replicated")]


def _looks(run: RunFacts) -> list[NextCommand]:
    """Looks that would say more: whether what was found goes on, and whether there is another cause."""
    commands = []
    for detector in dict.fromkeys(step.subject for step in untouched(run) if reads_the_past(step.subject)):
        command = typed("easops", "detect", detector, "since=20m", *run.where)
        commands.append(NextCommand("check again", command, "see whether it goes on"))
    for step in not_checked(run):
        command = typed("easops", "detect", step.subject, *step.given, *run.where)
        commands.append(NextCommand("also check", command, f"look for what {step.name!r} would have found"))
    return commands


def _show(run: RunFacts) -> list[NextCommand]:
    """Of a change that was sent and is not as it should be, although its outcome is known."""
    unconfirmed = any(item.status in UNCONFIRMED for item in run.items)
    if run.run_id is None or run.unknown or not unconfirmed:
        return []
    meaning = "see what was read of each change, and why it counts as not confirmed"
    return [NextCommand("look", f"easops runs show {run.run_id} --verbose", meaning)]


def _undo(run: RunFacts) -> list[NextCommand]:
    # Of a run that was cut short the steps may not say all that was sent: undo reads it first, then puts it back.
    if run.run_id is None or run.kind == "undo" or not (run.cut_short or run.undoable):
        return []
    return [NextCommand("undo", f"easops undo {run.run_id}", "put back what this run set")]


def _on_real_servers(run: RunFacts) -> list[NextCommand]:
    well = severity(run.status) is Severity.GOOD and not run.waits and not run.cut_short
    if run.lab is None or run.kind != "run" or not run.command or not well:
        return []
    command = f"easops run {run.command} --inventory hosts.yml --check"
    meaning = "the same on real servers: read everything, change nothing"
    return [NextCommand("on real servers", command, meaning)]


def _close(run: RunFacts) -> list[NextCommand]:
    return [close(run.run_id)] if run.run_id is not None and (run.cut_short or run.unfinished or run.waits) else []


def _hosts_that_answered(run: RunFacts) -> list[str]:
    """The hosts that were judged, in a check that came to no end because others gave no answer."""
    if not run.checked or run.kind != "run" or run.status is not Status.UNREACHABLE:
        return []
    looks = [step.detection for step in run.steps if step.detection is not None]
    lost = {unreachable.host for look in looks for unreachable in look.unreachable}
    answered = dict.fromkeys(host for look in looks for host in look.judged if host not in lost)
    return list(answered) if lost else []
