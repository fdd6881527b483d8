"""What executes runs: the durable engine of the product, or another one that keeps the same promises."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Protocol

from easops.at_once import AtOnce
from easops.playbook.execution.execution import Execution
from easops.playbook.execution.waits import Waits
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.state_folder import StateFolder


class Engine(Protocol):
    """Executes the attempts of recorded runs."""

    @property
    def waits(self) -> Waits:
        """How long it waits, and by which clock."""
        ...

    @property
    def at_once(self) -> AtOnce:
        """How many hosts are asked at once."""
        ...

    def new_run_id(self) -> str:
        """An id for a new run."""
        ...

    def reserved(self) -> AbstractContextManager[None]:
        """Around a run, from before it is recorded. Raises Refused if this process cannot execute another one now."""
        ...

    def check(self, state: StateFolder) -> None:
        """Check that it can use *state*, before a run is recorded there.

        Raises BadInput, DatabaseAway, DatabaseUnusable.
        """
        ...

    def execute(self, execution: Execution) -> None:
        """Execute an attempt to its end: begin it, or continue it after its process died.

        Raises Interrupted if the run was stopped (``execution.stop``), or if its lock or its database is gone.
        """
        ...

    def cancel(self, state: StateFolder, attempt_ids: Sequence[str]) -> None:
        """Give up the attempts of a dead run, and release the targets that they claim."""
        ...

    def prune(self, store: RunRecord, state: StateFolder) -> None:
        """Delete what is too old to be kept."""
        ...
