"""Who follows a run as it goes."""

from __future__ import annotations

from typing import Protocol

from easops.playbook.steps.step_result import StepResult


class Observer(Protocol):
    """Who is told how a run goes on: write a class of this one, and the methods of what you want to know.

    They are called from the run's threads, and the run waits for them. What they raise does not end the run in its
    middle: the first error is raised when it has ended (``started``: before it has begun).
    """

    def started(self, run_id: str | None) -> None:
        """The run begins, and nothing has been read or sent yet. Its id is in the record from now on, so that
        ``easops undo RUN_ID`` works whatever becomes of this process; it is None under check."""
        return

    def progress(self, text: str) -> None:
        """What is being done or waited for, in a few words."""
        return

    def finished(self, result: StepResult) -> None:
        """A step has ended. *result* has its ``name``, ``status``, ``reason``, ``items`` and ``detection``."""
        return


class Silent(Observer):
    """An Observer that is not interested."""
