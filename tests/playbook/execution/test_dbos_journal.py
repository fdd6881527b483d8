"""Waiting for the result of a workflow of this process."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest

from easops.playbook.execution import dbos_journal
from easops.playbook.execution.dbos_journal import result_of
from easops.playbook.execution.execution import Execution
from easops.playbook.execution.waits import Waits

NOBODY: Any = None


class Handle:
    workflow_id = "R.1.ex01"

    def get_result(self, *, polling_interval_sec: float) -> str:
        return "its result"


@pytest.fixture
def execution() -> Execution:
    return Execution("R", "R", NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, NOBODY, "", Waits())


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The looks into the database, which finds every workflow still working."""
    looks: list[str] = []

    def is_working(workflow_id: str) -> bool:
        looks.append(workflow_id)
        return True

    monkeypatch.setattr(dbos_journal, "_is_working", is_working)
    return looks


def test_the_end_of_a_workflow_is_heard_at_once_and_the_database_is_looked_at_once(
    execution: Execution, looks: list[str]
) -> None:
    handle: Any = Handle()
    threading.Timer(0.3, execution.end_of(handle.workflow_id).set).start()
    began = time.monotonic()

    assert result_of(execution, handle) == "its result"

    assert time.monotonic() - began < execution.waits.database / 2
    assert looks == ["R.1.ex01"]


def test_a_workflow_that_an_earlier_process_finished_is_not_waited_for(
    execution: Execution, monkeypatch: pytest.MonkeyPatch
) -> None:
    handle: Any = Handle()
    monkeypatch.setattr(dbos_journal, "_is_working", lambda workflow_id: False)

    assert result_of(execution, handle) == "its result"
