"""The changes of a recorded run whose outcome is not known: settled by reading, and recorded."""

from __future__ import annotations

from collections.abc import Callable

import attrs

from easops.actions.change import Change, ChangeOutcome
from easops.actions.perform import conclude, settle
from easops.actions.sent import Sent
from easops.context import Context
from easops.playbook.record.run import Run
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.sending import RecordedChange, recorded_changes
from easops.playbook.steps.codec import to_json
from easops.status import OPEN, Status

_NOT_SENT = ChangeOutcome(Status.NOT_STARTED, "not sent: the process of the run ended before it")


def settle_changes(run: Run, store: RunRecord, context: Context) -> tuple[tuple[Change, ChangeOutcome], ...]:
    """The changes of *run* whose outcome was not known, each with what it is now. Waits as ``settle`` does."""
    found = (recorded for recorded in recorded_changes(run, store) if recorded.is_open)
    return tuple((recorded.change, _settled(run, store, recorded, context, settle)) for recorded in found)


def conclude_changes(run: Run, store: RunRecord, context: Context) -> tuple[RecordedChange, ...]:
    """All changes of *run*. Those whose outcome was not known have what it is now; those that have happened, and
    one-way changes that were not proved, are proved again."""
    return tuple(
        attrs.evolve(recorded, outcome=_settled(run, store, recorded, context, conclude))
        if _to_conclude(recorded)
        else recorded
        for recorded in recorded_changes(run, store)
    )


def _to_conclude(recorded: RecordedChange) -> bool:
    one_way = recorded.change.inverse() is None
    return recorded.is_open or (one_way and recorded.outcome is not None and recorded.outcome.status in OPEN)


def _settled(
    run: Run,
    store: RunRecord,
    recorded: RecordedChange,
    context: Context,
    decide: Callable[[Change, Context, Sent], ChangeOutcome],
) -> ChangeOutcome:
    outcome = _NOT_SENT if recorded.sent is None else decide(recorded.change, context, recorded.sent)
    store.write(run.run_id, "outcome", recorded.key, to_json(outcome))
    return outcome
