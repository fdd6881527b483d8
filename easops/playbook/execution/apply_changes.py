"""Carrying out a job: each change of each item, in order, and the outcome of each item."""

from __future__ import annotations

import datetime as dt
from typing import Protocol

import attrs

from easops.actions.action import Plan
from easops.actions.change import Change, ChangeOutcome
from easops.actions.outcome import ItemOutcome
from easops.context import Context
from easops.errors import EasopsError
from easops.iis.worker_process import read_worker_processes
from easops.playbook.steps.effects import Job
from easops.status import CHANGED_OR_UNSURE, STOPS_LATER_CHANGES, Status, worst


class RecordedChanges(Protocol):
    """Makes changes, and records the intent of each before it is sent and its outcome after."""

    def perform(self, key: str, change: Change) -> ChangeOutcome:
        """Record the intent under *key*, then carry the change out (``easops.actions.perform.perform``)."""
        ...

    def host_time(self, key: str, host: str) -> dt.datetime | None:
        """The present time by the host's own clock; None if the host does not say. It is recorded under *key*."""
        ...


def apply_job(job: Job, changes: RecordedChanges) -> tuple[ItemOutcome, ...]:
    """The outcomes of the job's items, in order. After an item that failed the next one is tried. After one whose
    outcome is unknown none is: the server may still be working on it."""
    outcomes: list[ItemOutcome] = []
    for number, plan in enumerate(job.plans):
        if any(outcome.status is Status.UNKNOWN for outcome in outcomes):
            reason = "not started: the outcome of an earlier item is unknown"
            outcomes.append(_item(job, plan, Status.NOT_STARTED, reason))
            continue
        outcomes.append(_apply_plan(job, plan, number, changes))
    return tuple(outcomes)


def host_time(host: str, context: Context) -> dt.datetime | None:
    """The present time by a host's own clock, for ``RecordedChanges.host_time``."""
    try:
        return read_worker_processes(context.windows(host)).time
    except EasopsError:
        return None


def _apply_plan(job: Job, plan: Plan, number: int, changes: RecordedChanges) -> ItemOutcome:
    outcomes: list[ChangeOutcome] = []
    # The keys are in the record and in the names of the engine's steps, so they stay as they are.
    for position, change in enumerate(plan.changes):
        outcome = changes.perform(f"{job.key}.{job.target}.{number}.{position}", change)
        outcomes.append(outcome)
        if outcome.status in STOPS_LATER_CHANGES:
            break
    status = worst(outcome.status for outcome in outcomes)
    reason = "; ".join(outcome.reason for outcome in outcomes if outcome.reason and outcome.status is status)
    ended = changes.host_time(f"{job.key}.{job.target}.{number}.time", job.host) if job.host is not None else None
    touched = any(outcome.status in CHANGED_OR_UNSURE for outcome in outcomes)
    rule = next((outcome.rule for outcome in outcomes if outcome.rule), "")
    item = _item(job, plan, status, reason or plan.reason)
    return attrs.evolve(item, ended=ended, touched=touched, rule=rule)


def _item(job: Job, plan: Plan, status: Status, reason: str) -> ItemOutcome:
    return ItemOutcome(
        item=plan.item,
        target=job.target,
        status=status,
        reason=reason,
        before=plan.before,
        after=plan.after,
        effective=plan.effective if status is Status.CHANGED else "",
        undo=plan.undo,
        pending=plan.pending and status is Status.CHANGED,
    )
