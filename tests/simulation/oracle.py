"""What must hold in every incident. One function for each promise; its docstring is the sentence."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final

from easops.actions.change import Change, ChangeOutcome
from easops.errors import BadInput, EasopsError
from easops.lab.world.recipient import Mailbox
from easops.lab.world.replication import Write
from easops.status import CHANGED_OR_UNSURE, EXIT_CODES, Status, worst
from tests.simulation.incident import BLOCKS, OURS, RECYCLES, START, Course, Told
from tests.simulation.machine import Process
from tests.simulation.servers import ON_MAILBOXES, Sent

Key = tuple[Any, ...]

_TROUBLE: Final = (Status.FAILED, Status.UNREACHABLE, Status.VERIFY_FAILED, Status.UNKNOWN)


def asked(change: Any) -> Key:
    """What a change asks of the servers."""
    match change.kind:
        case "throttling_policy":
            return ("Remove-ThrottlingPolicy" if change.after is None else "New-ThrottlingPolicy", change.name)
        case "throttling_policy_association":
            return ("Set-ThrottlingPolicyAssociation", change.mailbox, change.after)
        case "active_sync_enabled":
            return ("Set-CASMailbox", change.mailbox, change.after)
        case "recycle_app_pool":
            return ("Restart-WebAppPool", change.host, change.pool)
    raise AssertionError(change)


def made(sent: Sent) -> Key:
    """What a server was asked, in the same form."""
    parameters = sent.parameters
    match sent.cmdlet:
        case "New-ThrottlingPolicy":
            return (sent.cmdlet, parameters["Name"])
        case "Remove-ThrottlingPolicy":
            return (sent.cmdlet, parameters["Identity"])
        case "Set-ThrottlingPolicyAssociation":
            return (sent.cmdlet, parameters["Identity"], parameters["ThrottlingPolicy"])
        case "Set-CASMailbox":
            return (sent.cmdlet, parameters["Identity"], parameters["ActiveSyncEnabled"])
        case "Restart-WebAppPool":
            return (sent.cmdlet, sent.server, parameters["Name"])
    raise AssertionError(sent)


def _mailbox_of(course: Course, sent: Sent) -> Mailbox | None:
    if sent.cmdlet not in ON_MAILBOXES:
        return None
    return course.world.directory.find_mailboxes(str(sent.parameters["Identity"]))[0]


def _runs(course: Course) -> Iterator[str]:
    yield from course.machine.runs


def _of_run(course: Course, run_id: str, until: Told | None = None) -> list[Sent]:
    """What was carried out for a run, whenever; with *until*, for its processes up to that one."""
    processes: list[Process] = []
    for told in course.told:
        processes.append(told.process)
        if told is until:
            break
    return [sent for sent in course.made if sent.process.run_id == run_id and sent.process in processes]


def _others_touched(course: Course) -> frozenset[str]:
    """The users, servers and policies that others did something to."""
    beside = [act for _, act in course.incident.beside.values()]
    return frozenset(str(happening["whom"]) for happening in (*course.incident.world["happenings"], *beside))


def _ended(course: Course, *verbs: str) -> Iterator[Told]:
    for told in course.told:
        if told.report is not None and told.verb in verbs:
            yield told


# -- the promises ------------------------------------------------------------------------------------------------------


def nobody_protected_is_touched(course: Course) -> Iterator[str]:
    """A protected mailbox is not changed."""
    protected = set(course.incident.inputs["protect"])
    for sent in course.made:
        mailbox = _mailbox_of(course, sent)
        if mailbox is not None and mailbox.smtp in protected:
            yield f"{sent.cmdlet} of {mailbox.smtp}, who is protected"


def nobody_innocent_is_touched(course: Course) -> Iterator[str]:
    """Only users whose phones have the fault are changed."""
    guilty = {storm["user"] for storm in course.incident.world["storms"]}
    for sent in course.made:
        mailbox = _mailbox_of(course, sent)
        if mailbox is not None and mailbox.display_name not in guilty:
            yield f"{sent.cmdlet} of {mailbox.smtp}, who has no storm"


def nothing_is_written_that_no_intent_tells_of(course: Course) -> Iterator[str]:
    """Each change that a server carried out is in the record of its run."""
    for told in course.told:
        intended = {asked(change) for change, _ in _latest_outcomes(course, told.process.run_id)}
        for sent in _of_run(course, told.process.run_id):
            if made(sent) not in intended:
                yield f"{made(sent)} was carried out, and no intent of {told.process.run_id} tells of it"


def _latest_outcomes(course: Course, run_id: str) -> tuple[tuple[Change, ChangeOutcome | None], ...]:
    return next((told.outcomes for told in reversed(course.told) if told.process.run_id == run_id), ())


def what_is_told_as_not_done_was_not_done_then_or_later(course: Course) -> Iterator[str]:
    """A change whose outcome is "not done" was never carried out, not even later."""
    for told in course.told:
        if told.died:
            continue
        run_id = told.process.run_id
        maybe = {asked(c) for c, outcome in told.outcomes if outcome is None or outcome.status in CHANGED_OR_UNSURE}
        denied = {asked(c): outcome for c, outcome in told.outcomes if outcome is not None} if run_id else {}
        for sent in _of_run(course, run_id, told) if run_id else ():
            outcome = denied.get(made(sent))
            if outcome is not None and made(sent) not in maybe and not _taken_back(course, sent):
                told_as = f"{outcome.status}: {outcome.reason}"
                yield f"{made(sent)} was carried out at {sent.time:.0f} s, and is told as {told_as}"


def _taken_back(course: Course, sent: Sent) -> bool:
    """Whether somebody else undid it before easops looked: it reads as if it had never been."""
    if sent.cmdlet == "New-ThrottlingPolicy":
        begin, name = START.timestamp(), sent.parameters["Name"]
        made_then = [
            policy
            for policy in course.world.directory.policies
            if policy.name == name and abs(policy.history[0].time - begin - sent.time) < 0.5
        ]
        ours = [begin + other.time for other in course.made if other.cmdlet == "Remove-ThrottlingPolicy"]
        return any(
            policy.removed is not None and all(abs(policy.removed.time - time) > 0.5 for time in ours)
            for policy in made_then
        )
    mailbox = _mailbox_of(course, sent)
    if mailbox is None or sent.write is None:
        return False
    later = mailbox.history[_place(mailbox, sent.write) + 1 :]
    return any(all(write is not other.write for other in course.made) for write in later)


def what_is_told_as_changed_was_changed(course: Course) -> Iterator[str]:
    """A change that is told as ours was carried out for us."""
    for told in course.told:
        if told.died or not told.process.run_id:
            continue
        done = {made(sent) for sent in _of_run(course, told.process.run_id, told)}
        for change, outcome in told.outcomes:
            ours = outcome is not None and outcome.status is Status.CHANGED and not outcome.reason
            if ours and asked(change) not in done:
                yield f"{asked(change)} is told as changed, and no server carried it out"


def nothing_is_written_twice(course: Course) -> Iterator[str]:
    """No change is carried out twice for one run."""
    if _others_touched(course):
        return  # what somebody has put back may be changed again
    for run_id in _runs(course):
        for key, times in Counter(made(sent) for sent in _of_run(course, run_id)).items():
            if times > 1:
                yield f"{key} was carried out {times} times for {run_id}"


def no_worker_process_is_recycled_that_is_younger_than_the_run(course: Course) -> Iterator[str]:
    """A worker process that started after the run did is no part of its evidence, and is not recycled by it."""
    for sent in course.made:
        if sent.cmdlet != "Restart-WebAppPool":
            continue
        run = course.machine.runs.get(sent.process.run_id)
        if run is None:
            continue  # a check, which has no record: that it changes nothing is another promise
        started = run.started
        if dt.datetime.fromtimestamp(sent.replaced, dt.UTC) > started:
            yield f"the pool of {sent.server} was recycled for {sent.process.run_id} {sent.time:.0f} s after the start"


def a_proved_flood_has_ended(course: Course) -> Iterator[str]:
    """A flood whose end is told as proved goes on no more."""
    touched = _others_touched(course)
    for told in _ended(course, "run", "resume"):
        assert told.report is not None
        proved = [s for s in told.report.steps if s.kind == "verify" and s.subject == "contact_sync_storm"]
        if not proved or proved[-1].status is not Status.OK:
            continue
        treated = {item.item for s in told.report.steps if s.subject == "limit_eas_usage" for item in s.items}
        refused = {
            item.item for s in told.report.steps for item in s.items if item.status not in (Status.OK, Status.CHANGED)
        }
        for flood in told.floods:
            name = course.world.directory.find_mailboxes(flood.mailbox)[0].display_name
            others = name in touched or flood.server in touched
            if flood.mailbox in treated - refused and not flood.refused and not others:
                yield f"{flood.mailbox} floods {flood.server}, and the end of it is told as proved"


def all_is_well_is_told_only_without_a_flood(course: Course) -> Iterator[str]:
    """Exit code 0 is not given beside a flood that nobody is told of."""
    if course.incident.playbook == RECYCLES:
        return
    fixed = _others_touched(course)
    for told in _ended(course, "run", "resume"):
        assert told.report is not None
        if told.report.exit_code != 0 or told.verb != "run":
            continue
        named = {user.user for s in told.report.steps if s.detection is not None for user in s.detection.users}
        for flood in told.floods:
            name = course.world.directory.find_mailboxes(flood.mailbox)[0].display_name
            if flood.mailbox not in named and not flood.refused and name not in fixed and flood.server not in fixed:
                yield f"{flood.mailbox} floods {flood.server}, and the run ends with 0 and does not name the user"


def the_exit_code_is_that_of_the_worst(course: Course) -> Iterator[str]:
    """A run is not told as better than its worst item."""
    for told in _ended(course, "run", "resume", "undo"):
        assert told.report is not None
        items = [item.status for s in told.report.steps if s.kind in ("do", "undo") for item in s.items]
        if items and EXIT_CODES[worst(items)] > told.report.exit_code:
            yield f"{told.verb} ends with {told.report.exit_code}, and an item is {worst(items)}"


def every_change_is_in_the_report(course: Course) -> Iterator[str]:
    """The report of a run names whoever it changed, in whichever attempt."""
    for told in _ended(course, "run", "resume"):
        assert told.report is not None
        named = {item.item for step in told.report.steps for item in step.items if item.touched}
        for sent in _of_run(course, told.process.run_id, told):
            mailbox = _mailbox_of(course, sent)
            subject = sent.server if sent.cmdlet == "Restart-WebAppPool" else None if mailbox is None else mailbox.smtp
            if subject is not None and subject not in named:
                yield f"{subject} was changed, and the report of the {told.verb} does not name it as changed"


def nothing_is_changed_behind_a_problem(course: Course) -> Iterator[str]:
    """Behind an item that failed or is not known no later step changes anything, nor, behind one that is not known,
    the same step on the same target."""
    for told in _ended(course, "run"):
        assert told.report is not None
        stopped = ""
        for step in told.report.steps:
            if step.kind != "do":
                continue
            unknown: set[str] = set()
            for item in step.items:
                if item.status is Status.CHANGED and (stopped or item.target in unknown):
                    yield f"{item.item} was changed behind {stopped or 'an unknown outcome'}"
                if item.status is Status.UNKNOWN:
                    unknown.add(item.target)
            if trouble := [item.item for item in step.items if item.status in _TROUBLE]:
                stopped = f"the problem of {', '.join(trouble)} in step {step.key}"


def limits_hold(course: Course) -> Iterator[str]:
    """No step changes more than ``limits.changes``."""
    most = 2 if course.incident.playbook == BLOCKS else 10
    for told in _ended(course, "run", "resume"):
        assert told.report is not None
        for step in told.report.steps:
            if sum(item.touched for item in step.items) > most:
                yield f"step {step.key} changed more than {most}"


def a_check_changes_nothing_and_foretells_the_run(course: Course) -> Iterator[str]:
    """``--check`` sends no change, and what it foretells for the first changing step comes about where all is calm."""
    for at, told in enumerate(course.told):
        if told.verb != "check":
            continue
        if any(sent.process is told.process for sent in course.made):
            yield "a check has changed something"
        run = course.told[at + 1].report
        if told.report is None or run is None:
            if (told.report is None) != (run is None):
                yield "the check and the run do not both come to a report"
            continue
        for step, real in zip(told.report.steps, run.steps, strict=True):
            if step.kind == "do":
                foretold = {item.item for item in step.items if item.status is Status.WOULD_CHANGE}
                came = {item.item for item in real.items if item.status is Status.CHANGED}
                if foretold != came:
                    yield f"step {step.key} would change {sorted(foretold)}, and changed {sorted(came)}"
                break


def undo_gives_identical_reads(course: Course) -> Iterator[str]:
    """Where the undo is told as whole, everything reads as before."""
    undos = [told for told in course.told if told.verb == "undo"]
    whole = [told for told in undos if told.report is not None and told.report.exit_code == 0]
    refused = [told for told in undos if told.error is not None and "already" in str(told.error)]
    if course.undone is None or len(whole) + len(refused) < len(undos):
        return
    touched = _others_touched(course)
    names = {mailbox.smtp: mailbox.display_name for mailbox in course.world.directory.mailboxes}
    for what, before in course.before.items():
        if what == "policies" and OURS in touched:
            continue
        if course.undone[what] != before and names.get(what) not in touched:
            yield f"{what} is {course.undone[what]} after the undo, and was {before}"


def an_undo_overwrites_nobody(course: Course) -> Iterator[str]:
    """What somebody else has changed since, another run too, is not put back."""
    undoes = {run.run_id: run.document["undoes"] for run in course.machine.runs.values() if run.kind == "undo"}
    for sent in course.made:
        if sent.process.run_id not in undoes:
            continue
        undone = undoes[sent.process.run_id]
        mailbox = _mailbox_of(course, sent)
        if mailbox is None:
            continue
        value = "active_sync" if sent.cmdlet == "Set-CASMailbox" else "policy"
        earlier = [write for write in mailbox.history[: _place(mailbox, sent.write)] if value in write.values]
        ours = [
            other.write for other in course.made if undone in (other.process.run_id, undoes.get(other.process.run_id))
        ]
        # Between the read and the write nobody can see what somebody else does: Exchange has no compare and set.
        seen = bool(earlier) and earlier[-1].time < START.timestamp() + sent.asked - 1.0
        # Nor what others have changed and changed back: it reads as the run left it.
        left = [write.values[value] for write in earlier if any(write is own for own in ours)]
        as_left = bool(left) and earlier[-1].values[value] == left[-1]
        if seen and not as_left:
            others = earlier[-1].time - START.timestamp()
            yield f"the undo put {mailbox.smtp} back, whom somebody else had changed at {others:.0f} s"


def _place(mailbox: Mailbox, write: Write | None) -> int:
    return next(at for at, other in enumerate(mailbox.history) if other is write)


def no_foreign_exception(course: Course) -> Iterator[str]:
    """Whatever happens, only errors of easops are raised."""
    for told in course.told:
        if told.trace:
            yield f"{told.verb}: {told.trace}"
        if isinstance(told.error, BadInput) or type(told.error) is EasopsError:
            yield f"{told.verb}: {told.error}"


PROMISES: Final[tuple[Callable[[Course], Iterator[str]], ...]] = (
    nobody_protected_is_touched,
    nobody_innocent_is_touched,
    nothing_is_written_that_no_intent_tells_of,
    what_is_told_as_not_done_was_not_done_then_or_later,
    what_is_told_as_changed_was_changed,
    nothing_is_written_twice,
    no_worker_process_is_recycled_that_is_younger_than_the_run,
    a_proved_flood_has_ended,
    all_is_well_is_told_only_without_a_flood,
    the_exit_code_is_that_of_the_worst,
    every_change_is_in_the_report,
    nothing_is_changed_behind_a_problem,
    limits_hold,
    a_check_changes_nothing_and_foretells_the_run,
    undo_gives_identical_reads,
    an_undo_overwrites_nobody,
    no_foreign_exception,
)


def violations(course: Course) -> list[str]:
    """The broken promises, each with what happened."""
    return [f"{promise.__name__}: {what}" for promise in PROMISES for what in promise(course)]
