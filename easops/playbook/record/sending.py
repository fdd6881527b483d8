"""When a change was intended and sent, as it is recorded: what a process that died may have sent."""

from __future__ import annotations

import datetime as dt

import attrs

from easops.actions.change import Change, ChangeOutcome
from easops.actions.sent import Sent
from easops.clock import Clock
from easops.identity import this_machine
from easops.playbook.record.run import Entry, Run
from easops.playbook.record.run_record import RunRecord
from easops.playbook.steps.codec import Json, from_json
from easops.status import CHANGED_OR_UNSURE, Status


@attrs.frozen
class RecordedChange:
    """A change with its intent's *key*, and its *outcome*, None if none is recorded.

    *sent* is when it was sent, or may have been; None if it is known that it was not sent, or was not done.
    """

    key: str
    change: Change
    outcome: ChangeOutcome | None
    sent: Sent | None

    @property
    def is_open(self) -> bool:
        """Whether it was sent, or may have been, and what became of it is not known."""
        return self.outcome is None or self.outcome.status is Status.UNKNOWN


def clock_name(lab: str | None) -> str:
    """Whose clock the times of a run's changes are by: that of its *lab*, or that of this machine."""
    return this_machine() if lab is None else "lab"


def moment(clock: Clock, name: str) -> dict[str, Json]:
    """The present time, as an intent and its sending record it. *name* is the ``clock_name``."""
    return {"at": clock.now().isoformat(), "clock": name}


def recorded_changes(run: Run, store: RunRecord) -> tuple[RecordedChange, ...]:
    """The changes of *run*, in the order of their intents."""
    entries = store.entries(run.run_id, "intent", "sent", "outcome")
    sent = {entry.key: entry for entry in entries if entry.kind == "sent"}
    outcomes = {entry.key: from_json(entry.body, ChangeOutcome) for entry in entries if entry.kind == "outcome"}
    name = clock_name(run.lab)
    changes = []
    for entry in entries:
        if entry.kind != "intent":
            continue
        change: Change = from_json(entry.body["change"], Change)  # type: ignore[type-abstract]
        outcome = outcomes.get(entry.key)
        not_done = outcome is not None and outcome.status not in CHANGED_OR_UNSURE
        changes.append(
            RecordedChange(
                entry.key, change, outcome, None if not_done else _sent(entry.body, sent.get(entry.key), name)
            )
        )
    return tuple(changes)


def _sent(intent: Json, sent: Entry | None, name: str) -> Sent | None:
    """What the change of *intent* may have done: None if it was not sent. *name* is the present ``clock_name``."""
    if sent is None:
        # An intent without a time is of a version that did not record the sending.
        return None if "at" in intent else Sent()
    # By another machine's clock it cannot be told how long ago it was.
    return Sent(dt.datetime.fromisoformat(sent.body["at"])) if sent.body["clock"] == name else Sent()
