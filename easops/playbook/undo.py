"""Undo: put back what a run changed, in reverse order, or refuse the whole with the difference."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Final

import attrs

from easops.actions.action import Plan
from easops.actions.change import Change, ChangeOutcome, Comparison, drift
from easops.actions.outcome import Done, ItemOutcome
from easops.context import Context
from easops.errors import EasopsError, Refused
from easops.exchange.server import choose_domain_controller
from easops.inventory.host import Host
from easops.playbook.assessment.ending import Announcer
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.dbos_engine import alone
from easops.playbook.execution.execute_run import WAIT, Caller, Conduct, Confirm, execute_run, made_here
from easops.playbook.execution.maintenance import check_engine
from easops.playbook.reconcile import abandon_run, reconcile_run
from easops.playbook.record.run_store import Record, Run
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.record.stored_run import (
    changes_of,
    context_of,
    kept,
    locked,
    new_run_id,
    opened,
    recorded_host_target,
    recorded_organisation_target,
    status_of,
    time_of_run,
    world_of,
)
from easops.playbook.steps.codec import from_json, to_json
from easops.playbook.steps.effects import Effects, Job, Preview, ReadOnlyEffects
from easops.playbook.steps.observer import Observer
from easops.playbook.steps.step_result import StepResult, run_status
from easops.remoting.pool import SessionPool
from easops.status import EXIT_CODES, Status


def undo(
    run_id: str,
    *,
    check: bool = False,
    skip_drifted: bool = False,
    confirm: Confirm = False,
    wait: dt.timedelta = WAIT,
    observer: Observer | None = None,
    sessions: SessionPool | None = None,
    state: StateFolder | None = None,
    hosts: Sequence[Host] | None = None,
    stopper: Callable[[Callable[[], None]], None] = lambda stop: None,
    announcer: Announcer | None = None,
) -> RunReport:
    """Put back what a run changed, in reverse order; a run of its own.

    It plans first: where anything is neither as the run left it nor as it was before, the whole is refused with the
    difference; with *skip_drifted* that alone is refused, and the rest put back. Only an undo that refused nothing
    closes the run; until then it can be undone again, which finds most of it as it was before already. What of a run
    that died may have been sent is looked at first. A recycle has no way back, and is told as skipped.

    Args:
        run_id: the run's id, or its beginning.
        check: say what would be put back, change nothing.
        skip_drifted: leave what has changed since as it is, and put back the rest.
        confirm: as for ``run``.
        wait: how long to wait for a target that another run is changing.
        observer: is told how it goes on.
        sessions: a pool that stays open, instead of one that ends with the run.
        state: where the record is, as for ``run``.
        hosts: an inventory's: their credentials are taken in place of the recorded ones.
        stopper: as for ``run``.
        announcer: as for ``run``.

    Returns:
        A step for each target; ``Status.UNDONE`` where all is as it was.

    Raises:
        BadInput: there is no such run.
        Refused: it is alive, or undone already.
        UnreachableHost, CommandFailed, Interrupted: as for ``run``.
    """
    conduct = Conduct(Caller(observer, confirm), wait, stopper, sessions, announcer)
    with (
        nullcontext() if check else alone(),
        opened(state) as (record, state),
        locked(record, state, run_id) as (held, _lock),
    ):
        if held.closed.startswith("undone"):
            raise Refused(
                f"run {held.run_id} is {held.closed} already",
                "",
                f"easops runs show {held.run_id} tells more",
                rule="undone",
            )
        check_engine(state)
        conduct = conduct.in_lab(held.lab)
        with world_of(held, hosts, state) as (known, clock):
            if held.ended is None and not check:
                reconcile_run(held, record, known, clock)
                abandon_run(held, record, state)
            jobs = _undo_steps(held, (*_left_behind(held, record), *changes_of(held, record)))
            if check:
                conduct.observer.started(None)
                with context_of(held, record, known, clock, conduct.observer, conduct.sessions) as context:
                    moved = _move(context, jobs)
                    report = _undo_checked(held, jobs, context, conduct.observer, skip_drifted, moved)
                    return conduct.caller.heard(report)
            with context_of(held, record, known, clock, conduct.observer, conduct.sessions) as context:
                moved = _move(context, jobs)
                controller = context.organisation.domain_controller
            undoing = Run(
                new_run_id(),
                "undo",
                f"undo of {held.run_id}",
                {
                    # A run of its own: how the first was confirmed, and which easops made it, is nothing to it.
                    **made_here(),
                    **{name: held.document.get(name) for name in ("source", "hosts", "lab")},
                    "undoes": held.run_id,
                    "closed": held.closed,
                    "root": held.document.get("root", held.run_id),
                    "jobs": to_json(jobs),
                    "skip_drifted": skip_drifted,
                    "moved": moved,
                    "notify": None if announcer is None else announcer.recorded(),
                },
                held.targets,
                time_of_run(held.lab, clock),
            )
            lock = state.lock(undoing.run_id)
            lock.take()
            with kept(lock):
                record.add(undoing)
                for entry in record.entries(held.run_id, "facts"):
                    record.write(undoing.run_id, "facts", entry.key, {**entry.body, "domain_controller": controller})
                conduct.observer.started(undoing.run_id)
                main = functools.partial(walk_back, undoing)
                report = execute_run(undoing, undoing.run_id, main, record, state, lock, known, clock, conduct)
            return conduct.caller.heard(report)


def _move(context: Context, jobs: Sequence[Job]) -> str:
    """Have an undo name another domain controller where the run's own does not answer any more; the sentence on it,
    empty where the run's own is named, or nothing can be learned now."""
    held = context.organisation.domain_controller
    if held is None or all(job.host is not None for job in jobs):
        return ""
    try:
        chosen = choose_domain_controller(context.organisation.session(), held)
    except EasopsError:
        return ""  # the plans meet the same, and say it
    if chosen is None or chosen == held:
        return ""
    context.organisation.domain_controller = chosen
    return f"written on {held}, which does not answer; read on {chosen}, which may not know of it yet"


def _left_behind(held: Run, record: Record) -> list[tuple[Change, ChangeOutcome | None]]:
    """What earlier undos on the same target left behind, as changes of *held* still rested on it: changes that are to
    be undone with those of *held*, which may be the last."""
    resting = {change.depends_on for change, _ in changes_of(held, record)} - {""}
    found: dict[str, Change] = {}
    organisation = recorded_organisation_target(held)
    for other in record.runs() if resting else ():
        if other.kind != "undo" or other.run_id == held.run_id or organisation not in other.targets:
            continue
        for back, outcome in changes_of(other, record):
            made = back.inverse()
            alone = outcome is not None and outcome.status is Status.SKIPPED and back.subject in resting
            if alone and made is not None:
                found.setdefault(back.subject, made)
    made_itself = {change.subject for change, _ in changes_of(held, record)}
    return [(made, None) for subject, made in found.items() if subject not in made_itself]


def _undo_steps(held: Run, changes: Sequence[tuple[Change, ChangeOutcome | None]]) -> list[Job]:
    """The jobs that put *changes* back, those that happened or may have: in reverse, those of one target together."""
    jobs: list[Job] = []
    for change, outcome in reversed(changes):
        if outcome is not None and outcome.status not in _DONE_OR_UNSURE:
            continue
        host = getattr(change, "host", None)
        target = recorded_organisation_target(held) if host is None else recorded_host_target(held, host)
        back = change.inverse()
        if back is None:
            plan = Plan(
                change.subject,
                Status.SKIPPED,
                f"cannot be undone: {change.undo.removeprefix('none (').removesuffix(')')}",
                host=host,
            )
        else:
            plan = Plan(
                change.subject, Status.WOULD_CHANGE, changes=(back,), before=back.before, after=back.after, host=host
            )
        if jobs and jobs[-1].target == target:
            jobs[-1] = attrs.evolve(jobs[-1], plans=(*jobs[-1].plans, plan))
        else:
            jobs.append(Job(len(jobs) + 1, target, host, (plan,)))
    return jobs


_DONE_OR_UNSURE: Final = (Status.CHANGED, Status.UNKNOWN, Status.VERIFY_FAILED)
"""Outcomes after which the change is there, or may be."""


def _undo_planned(plan: Plan, context: Context) -> Plan:
    """An undo's plan, after a look at what is there now."""
    if not plan.changes:
        return plan
    back = plan.changes[0]
    try:
        state = back.read(context)
    except EasopsError as error:
        status = status_of(error)
        return attrs.evolve(plan, status=status, reason=str(error), changes=())
    comparison = back.compare(state)
    if comparison is Comparison.AFTER:
        return attrs.evolve(plan, status=Status.OK, reason="it is as it was before already", changes=())
    if comparison is Comparison.NEITHER:
        return attrs.evolve(plan, status=Status.REFUSED, reason=f"changed since: {drift(back, state)}", changes=())
    return plan


def _undo_plans(jobs: Sequence[Job], context: Context, effects: Effects, skip_drifted: bool) -> tuple[list[Job], str]:
    """The jobs planned, and why the whole is refused (empty: it is not)."""
    planned: list[Job] = []
    for job in jobs:
        plans = tuple(
            effects.once(f"plan.{job.step}.{number}", Plan, functools.partial(_undo_planned, plan, context))
            for number, plan in enumerate(job.plans)
        )
        planned.append(attrs.evolve(job, plans=plans))
    bad = [plan for job in planned for plan in job.plans if EXIT_CODES[plan.status] != 0]
    unread = [plan.reason for plan in bad if plan.status is not Status.REFUSED]
    if unread:
        return planned, "; ".join(unread)
    return planned, "" if skip_drifted or not bad else _DRIFTED


_DRIFTED: Final = "nothing is put back where something has changed since; --skip-drifted puts back the rest"


def _undo_results(
    jobs: Sequence[Job], outcomes: Mapping[int, tuple[ItemOutcome, ...]], refused: str, moved: str
) -> tuple[StepResult, ...]:
    results = []
    for job in jobs:
        items = outcomes[job.step]
        done = Done("undo", items)
        name = f"Put back on {job.target.rpartition('/')[2] if job.host is None else job.host}"
        hosts = () if job.host is None else (job.host,)
        reason = "; ".join(part for part in (refused, moved if job.host is None else "") if part)
        results.append(StepResult(job.step, name, "undo", "undo", done.status, reason, hosts=hosts, done=done))
    return tuple(results)


def _untouched(job: Job, status: Status | None = None, reason: str = "") -> tuple[ItemOutcome, ...]:
    """The items of a job of which nothing is sent: what could have been put back is *status*, because of *reason*."""
    items = []
    for plan in job.plans:
        item = ItemOutcome(plan.item, job.target, plan.status, plan.reason, plan.before, plan.after)
        if status is not None and plan.status is Status.WOULD_CHANGE:
            item = attrs.evolve(item, status=status, reason=reason)
        items.append(item)
    return tuple(items)


def _undo_checked(
    held: Run, jobs: Sequence[Job], context: Context, observer: Observer, skip_drifted: bool, moved: str
) -> RunReport:
    planned, refused = _undo_plans(jobs, context, ReadOnlyEffects(observer), skip_drifted)
    steps = _undo_results(planned, {job.step: _untouched(job) for job in planned}, refused, moved)
    for step in steps:
        observer.finished(step)
    return RunReport(
        None,
        f"undo of {held.run_id}",
        "undo",
        run_status(steps),
        steps,
        checked=True,
        lab=held.lab,
        command=held.run_id + (" --skip-drifted" if skip_drifted else ""),
    )


def walk_back(held: Run, context: Context, effects: Effects) -> None:
    """Plan every change of an undo, refuse the whole where one has drifted (unless such are to be skipped), else carry
    them out in order."""
    jobs = [from_json(job, Job) for job in held.document["jobs"]]
    skip_drifted = bool(held.document.get("skip_drifted"))
    planned, refused = _undo_plans(jobs, context, effects, skip_drifted)
    outcomes: dict[int, tuple[ItemOutcome, ...]] = {}
    wanted = [job for job in planned if any(plan.status is Status.WOULD_CHANGE for plan in job.plans)]
    go = not refused
    held_back = "not put back: the whole is refused"
    if go and wanted:
        plans = tuple(plan for job in wanted for plan in job.plans)
        go = effects.ask(Preview("undo", plans, (), (), len(plans), 1))
        refused = "" if go else "not confirmed: nothing was changed"
        held_back = "not confirmed"
    stopped = False
    for job in planned:
        todo = attrs.evolve(job, plans=tuple(p for p in job.plans if p.status is Status.WOULD_CHANGE))
        if not go:
            outcomes[job.step] = _untouched(job, Status.REFUSED, held_back)
        elif not todo.plans:
            outcomes[job.step] = _untouched(job)
        elif stopped:
            outcomes[job.step] = _untouched(job, Status.NOT_STARTED, "behind an earlier one that did not end well")
        else:
            ((_, done),) = effects.apply([todo], 1)
            left = [_undone(item) for item in done]
            goes_on = EXIT_CODES[Status.REFUSED] if skip_drifted else 0
            stopped = any(EXIT_CODES[item.status] > goes_on for item in left)
            outcomes[job.step] = tuple(
                left.pop(0) if plan.status is Status.WOULD_CHANGE else untouched
                for plan, untouched in zip(job.plans, _untouched(job), strict=True)
            )
    for result in _undo_results(planned, outcomes, refused, held.document.get("moved", "")):
        effects.finished(result)


def _undone(item: ItemOutcome) -> ItemOutcome:
    if item.status is Status.CHANGED:
        return attrs.evolve(item, status=Status.UNDONE)
    if item.status in (Status.FAILED, Status.UNREACHABLE, Status.VERIFY_FAILED):
        return attrs.evolve(item, status=Status.UNDO_FAILED)
    return item
