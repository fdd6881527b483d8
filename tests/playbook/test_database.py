"""Runs whose record and engine are on either database."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from easops.playbook.executing import always
from easops.playbook.runs import list_runs, show_run
from easops.playbook.state import StateFolder
from easops.playbook.undo import undo
from easops.status import Status

Start = Callable[..., Any]


def test_a_run_is_recorded_and_undone_on_either_database(rig: Start, database: StateFolder) -> None:
    lab = rig("contacts-storm", state=database)

    report = lab.cure()
    undone = undo(report.run_id, confirm=always, state=database)

    assert (report.status, undone.status) == (Status.CHANGED, Status.UNDONE)
    views = [show_run(view.run.run_id, database) for view in list_runs(database)]
    assert [view.status for view in views] == ["undone", f"undone by {undone.run_id}"]
    assert all(outcome is not None for view in views for _, outcome in view.changes)
    assert (database.path / "easops.sqlite").exists() == (database.database is None)
