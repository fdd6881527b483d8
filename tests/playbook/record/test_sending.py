"""What the record says of a change that a process which died may have sent."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Any

import pytest

from easops.actions.block_user import SetActiveSyncEnabled
from easops.actions.change import ChangeOutcome
from easops.actions.sent import Sent
from easops.identity import this_machine
from easops.playbook.record.run import Run
from easops.playbook.record.sending import recorded_changes
from easops.playbook.record.state_folder import StateFolder, open_store
from easops.playbook.steps.codec import to_json
from easops.status import Status

AT = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)
CHANGE = SetActiveSyncEnabled("anna", "guid", True, False)
HERE = {"at": AT.isoformat(), "clock": this_machine()}
ELSEWHERE = {"at": AT.isoformat(), "clock": "another machine"}
LAB = {"at": AT.isoformat(), "clock": "lab"}


@pytest.mark.parametrize(
    ("lab", "intended", "sent", "outcome", "expected"),
    [
        (None, HERE, HERE, None, Sent(AT)),
        (None, HERE, None, None, None),
        (None, {}, None, None, Sent()),
        (None, ELSEWHERE, ELSEWHERE, None, Sent()),
        ("calm", LAB, LAB, None, Sent(AT)),
        (None, HERE, HERE, Status.UNKNOWN, Sent(AT)),
        (None, HERE, HERE, Status.UNREACHABLE, None),
        (None, HERE, None, Status.NOT_STARTED, None),
    ],
    ids=[
        "sent",
        "intended, and not sent",
        "by a version that did not record the sending",
        "by another machine, whose clock may be wrong",
        "by the lab's clock",
        "sent, no answer",
        "nothing was sent",
        "stopped before it",
    ],
)
def test_when_a_change_was_sent(
    tmp_path: Path, lab: str | None, intended: Any, sent: Any, outcome: Status | None, expected: Sent | None
) -> None:
    run = Run("R", "run", "test", {"lab": lab}, (), AT)
    with open_store(StateFolder(tmp_path)) as (store, _):
        store.add(run)
        store.write("R", "intent", "R/1", {"change": to_json(CHANGE), **intended})
        if sent is not None:
            store.write("R", "sent", "R/1", sent)
        if outcome is not None:
            store.write("R", "outcome", "R/1", to_json(ChangeOutcome(outcome)))

        (recorded,) = recorded_changes(run, store)

    assert recorded.sent == expected
