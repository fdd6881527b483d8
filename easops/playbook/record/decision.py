"""What was decided on the plan of an approval step, as it is recorded."""

from __future__ import annotations

import datetime as dt

import attrs

from easops.identity import Person
from easops.playbook.record.run_record import RunRecord
from easops.playbook.steps.approval_request import PlannedChange
from easops.playbook.steps.codec import from_json, to_json


@attrs.frozen
class Decision:
    """An approval or a denial of planned changes, by a person.

    *step* is the key of the approval step. *until* is the time until which an approval stays valid. *used* is the
    attempt that used it, *void* why it is not valid any more; both are empty for a decision that counts.
    """

    step: str
    digest: str
    changes: tuple[PlannedChange, ...]
    approved: bool
    by: Person
    at: dt.datetime
    until: dt.datetime
    used: str = ""
    void: str = ""


def decisions_of(store: RunRecord, run_id: str) -> list[Decision]:
    """The decisions on a run, in the order in which they were made. On each step the latest one counts."""
    return [from_json(entry.body, Decision) for entry in store.entries(run_id, "approval")]


def write_decision(store: RunRecord, run_id: str, number: int, decision: Decision) -> None:
    """Record the decision of that number in ``decisions_of``, or replace it."""
    store.write(run_id, "approval", str(number), to_json(decision))
