"""Carrying out a job: each change of each item, in order, and what came of the items."""

from __future__ import annotations

import datetime as dt
from typing import Final, Protocol

import attrs

from easops.actions.action import Plan
from easops.actions.change import Change, ChangeOutcome
from easops.actions.outcome import ItemOutcome
from easops.context import Context
from easops.errors import EasopsError
from easops.iis.worker_process import read_worker_processes
from easops.playbook.steps.effects import Job
from easops.status import EXIT_CODES, Status, worst

_TOUCHED: Final = (Status.CHANGED, Status.UNKNOWN, Status.VERIFY_FAILED)


class Durable(Protocol):
    """Stores an intent before its change is sent, and what came of it after."""

    def perform(self, key: str, change: Change) -> ChangeOutcome:
        """Store the intent under *key*, then carry the change out (``easops.actions.perform.perform``)."""
        ...

    def moment(self, key: str, host: str) -> dt.datetime | None:
        """The host's own time now; None where it does not tell."""
        ...


def carry_out(job: Job, durable: Durable) -> tuple[ItemOutcome, ...]:
    """The outcomes of the job's items, in order. An item that fails does not stop the others; an unknown one does."""
    outcomes: list[ItemOutcome] = []
    for number, plan in enumerate(job.plans):
        if any(outcome.status is Status.UNKNOWN for outcome in outcomes):
            outcomes.append(_item(job, plan, Status.NOT_STARTED, "behind one whose outcome is unknown"))
            continue
        outcomes.append(_carried(job, plan, number, durable))
    return tuple(outcomes)


def host_time(host: str, context: Context) -> dt.datetime | None:
    """A host's own clock, for ``Durable.moment``."""
    try:
        return read_worker_processes(context.windows(host)).time
    except EasopsError:
        return None


def _carried(job: Job, plan: Plan, number: int, durable: Durable) -> ItemOutcome:
    done: list[ChangeOutcome] = []
    for position, change in enumerate(plan.changes):
        outcome = durable.perform(f"{job.key}.{job.target}.{number}.{position}", change)
        done.append(outcome)
        if EXIT_CODES[outcome.status] != 0:
            break
    status = worst(outcome.status for outcome in done)
    reason = "; ".join(outcome.reason for outcome in done if outcome.reason and outcome.status is status)
    ended = durable.moment(f"{job.key}.{job.target}.{number}.time", job.host) if job.host is not None else None
    touched = any(outcome.status in _TOUCHED for outcome in done)
    item = _item(job, plan, status, "" if status is Status.CHANGED else reason)
    return attrs.evolve(item, ended=ended, touched=touched, rule=next((o.rule for o in done if o.rule), ""))


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
    )
