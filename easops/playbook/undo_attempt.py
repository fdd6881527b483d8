"""One attempt to carry out a recorded undo: plan everything, refuse if anything has drifted, then put back in order."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Final

import attrs

from easops.actions.action import Plan
from easops.actions.change import Comparison, drift
from easops.actions.outcome import Done, ItemOutcome
from easops.context import Context
from easops.errors import EasopsError
from easops.playbook.execution.error_status import status_of
from easops.playbook.record.run import Run
from easops.playbook.steps.codec import from_json
from easops.playbook.steps.effects import Effects, Job, Preview
from easops.playbook.steps.step_result import StepResult
from easops.status import PROBLEMS, STOPS_LATER_CHANGES, UNDO_FAILS, Status

_DRIFTED: Final = "nothing is put back, because something has changed since; --skip-drifted puts back the rest"


@attrs.frozen
class UndoPlan:
    """The planned jobs of an undo. *refused* says why the whole undo is refused; empty if it is not."""

    jobs: tuple[Job, ...]
    refused: str

    def results(self, moved: str) -> tuple[StepResult, ...]:
        """The steps as they are before anything is put back. *moved* is as for ``attempt_undo``."""
        return _results(self.jobs, {job.step: _not_sent(job) for job in self.jobs}, self.refused, moved)


def plan_undo(jobs: Sequence[Job], context: Context, effects: Effects, *, skip_drifted: bool) -> UndoPlan:
    """Read what is there now. The undo is refused where something has drifted, or cannot be read; with *skip_drifted*
    only what has drifted is refused."""
    planned = []
    for job in jobs:
        plans = tuple(
            effects.once(f"plan.{job.step}.{number}", Plan, functools.partial(_plan, plan, context))
            for number, plan in enumerate(job.plans)
        )
        planned.append(attrs.evolve(job, plans=plans))
    unread = [plan.reason for job in planned for plan in job.plans if plan.status in PROBLEMS]
    drifted = any(plan.status is Status.REFUSED for job in planned for plan in job.plans)
    refused = "; ".join(unread) or (_DRIFTED if drifted and not skip_drifted else "")
    return UndoPlan(tuple(planned), refused)


def attempt_undo(run: Run, context: Context, effects: Effects) -> None:
    """Carry out the undo *run*. Its results are recorded as they come."""
    skip_drifted = bool(run.document.get("skip_drifted"))
    moved = run.document.get("moved", "")
    undo_plan = plan_undo(
        [from_json(job, Job) for job in run.document["jobs"]], context, effects, skip_drifted=skip_drifted
    )
    refused, item_reason = undo_plan.refused, "not put back: the whole undo is refused"
    to_do = [_to_do(job) for job in undo_plan.jobs]
    plans = tuple(plan for job in to_do for plan in job.plans)
    if not refused and plans and not effects.ask(Preview("undo", plans, (), (), len(plans), 1)):
        refused, item_reason = "not confirmed: nothing was changed", "not confirmed"
    outcomes: dict[int, tuple[ItemOutcome, ...]] = {}
    stopped = False
    for job, part in zip(undo_plan.jobs, to_do, strict=True):
        if refused:
            outcomes[job.step] = _not_sent(job, Status.REFUSED, item_reason)
        elif not part.plans:
            outcomes[job.step] = _not_sent(job)
        elif stopped:
            outcomes[job.step] = _not_sent(job, Status.NOT_STARTED, "an earlier item failed")
        else:
            ((_, items),) = effects.apply([part], 1)
            undone = [_undone(item) for item in items]
            stops = PROBLEMS if skip_drifted else STOPS_LATER_CHANGES
            stopped = any(item.status in stops for item in undone)
            outcomes[job.step] = tuple(
                undone.pop(0) if plan.status is Status.WOULD_CHANGE else item
                for plan, item in zip(job.plans, _not_sent(job), strict=True)
            )
    moved = "; ".join((*filter(None, [moved]), *context.organisation.moves))
    for result in _results(undo_plan.jobs, outcomes, refused, moved):
        effects.finished(result)


def _plan(plan: Plan, context: Context) -> Plan:
    """The plan of an undo, after a read of what is there now."""
    if not plan.changes:
        return plan
    back = plan.changes[0]
    try:
        state = back.read(context)
    except EasopsError as error:
        return attrs.evolve(plan, status=status_of(error), reason=error.with_next_step, changes=())
    comparison = back.compare(state)
    if comparison is Comparison.AFTER:
        return attrs.evolve(plan, status=Status.OK, reason="it is already as it was before", changes=())
    if comparison is Comparison.NEITHER:
        return attrs.evolve(plan, status=Status.REFUSED, reason=f"changed since: {drift(back, state)}", changes=())
    return plan


def _to_do(job: Job) -> Job:
    """The part of a planned job that puts something back."""
    return attrs.evolve(job, plans=tuple(plan for plan in job.plans if plan.status is Status.WOULD_CHANGE))


def _not_sent(job: Job, status: Status | None = None, reason: str = "") -> tuple[ItemOutcome, ...]:
    """The items of a job where nothing is sent. Those that could have been put back get *status* and *reason*."""
    items = []
    for plan in job.plans:
        planned = plan.status is Status.WOULD_CHANGE and status is None
        item = ItemOutcome(
            plan.item,
            job.target,
            plan.status,
            plan.reason,
            plan.before,
            plan.after,
            effective=plan.effective if planned else "",
        )
        if status is not None and plan.status is Status.WOULD_CHANGE:
            item = attrs.evolve(item, status=status, reason=reason)
        items.append(item)
    return tuple(items)


def _undone(item: ItemOutcome) -> ItemOutcome:
    if item.status is Status.CHANGED:
        return attrs.evolve(item, status=Status.UNDONE)
    return attrs.evolve(item, status=Status.UNDO_FAILED) if item.status in UNDO_FAILS else item


def _results(
    jobs: Sequence[Job], outcomes: Mapping[int, tuple[ItemOutcome, ...]], refused: str, moved: str
) -> tuple[StepResult, ...]:
    results = []
    for job in jobs:
        done = Done("undo", outcomes[job.step])
        name = f"Put back on {job.target.rpartition('/')[2] if job.host is None else job.host}"
        hosts = () if job.host is None else (job.host,)
        reason = "; ".join(part for part in (refused, moved if job.host is None else "") if part)
        results.append(StepResult(job.step, name, "undo", "undo", done.status, reason, hosts=hosts, done=done))
    return tuple(results)
