"""The functions that a caller gives to a run: an observer, and who confirms the changes."""

from __future__ import annotations

from collections.abc import Callable

from easops.playbook.assessment.run_report import RunReport
from easops.playbook.steps.effects import Preview
from easops.playbook.steps.observer import Observer, Silent
from easops.playbook.steps.step_result import StepResult

Confirm = Callable[[Preview], bool] | bool
"""Who confirms a run's changes, before the first: True (confirmed), False (refused), or a function that is shown what
the run would do."""


def always(preview: Preview) -> bool:
    """Confirms everything: ``--yes``, and a run in the lab."""
    return True


class Caller:
    """The caller's own functions, guarded.

    What they raise must not end a run half way. The first such error is kept until the run has ended, and a *confirm*
    that raises counts as a no.
    """

    def __init__(self, observer: Observer | None, confirm: Confirm) -> None:
        self._observer = observer or Silent()
        self._confirm = confirm
        self._error: Exception | None = None

    def started(self, run_id: str | None) -> None:
        self._observer.started(run_id)  # not guarded: nothing is under way yet, so the run does not begin

    def progress(self, text: str) -> None:
        try:
            self._observer.progress(text)
        except Exception as error:
            self._error = self._error or error

    def finished(self, result: StepResult) -> None:
        try:
            self._observer.finished(result)
        except Exception as error:
            self._error = self._error or error

    def confirm(self, preview: Preview) -> bool:
        if isinstance(self._confirm, bool):
            return self._confirm
        try:
            return self._confirm(preview)
        except Exception as error:
            self._error = self._error or error
            return False

    def checked(self, report: RunReport) -> RunReport:
        """*report*. If one of the caller's functions raised an error, that is raised here: the run has ended all the
        same, and its record is complete."""
        if self._error is None:
            return report
        if report.run_id is not None:
            run = f"run {report.run_id} has ended ({report.status}): easops runs show {report.run_id}"
            self._error.add_note(f"This error is of the caller's observer or confirm; {run}")
        raise self._error
