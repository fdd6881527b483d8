"""Who follows a run as it goes."""

from __future__ import annotations

from typing import Protocol

from easops.playbook.steps.step_result import StepResult


class Observer(Protocol):
    """Follows a run: derive a class from this one, with the methods for what you want to know.

    The methods are called from the threads of the run, and the run waits for them. An exception in one of them does not
    end the run: the first one is raised when the run has ended (one in ``started``: before the run begins).
    """

    def started(self, run_id: str | None) -> None:
        """The run begins; nothing has been read or sent yet. The run is recorded under *run_id* from now on, so that
        ``easops undo RUN_ID`` works even if this process dies. Under check *run_id* is None."""
        return

    def progress(self, text: str) -> None:
        """What the run is doing or waiting for, in a few words."""
        return

    def finished(self, result: StepResult) -> None:
        """A step has ended. *result* has its ``name``, ``status``, ``reason``, ``items`` and ``detection``."""
        return


class Silent(Observer):
    """An Observer that ignores everything."""
