"""What a report format is: values in, text out, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Protocol

from easops.actions.change import Change, ChangeOutcome
from easops.detectors.finding import Detection
from easops.detectors.why import Explanation
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.record.notice import Notice
from easops.playbook.steps.step_result import StepResult
from easops.readings.take import ReadingResult
from easops.status import Status

if TYPE_CHECKING:
    from easops.playbook.record.approval import PendingApproval
    from easops.playbook.record.decision import Decision
    from easops.playbook.record.run_view import RunView


class Format(Protocol):
    """One way to show what easops has to say.

    A run is shown as it goes: ``head``, each ``step``, ``end``; a format that is one document gives empty texts until
    the end. Texts have no line end at their end.
    """

    @property
    def name(self) -> str:
        """Its name on the command line."""
        ...

    def head(self, title: str, run_id: str | None, lab: str | None, limit: str | None, *, checked: bool) -> str:
        """The first lines of a run, before its steps."""
        ...

    def step(self, step: StepResult, earlier: Sequence[StepResult], *, diff: bool, verbose: bool) -> str:
        """*diff* shows before and after of every item, whole; *verbose* all the evidence."""
        ...

    def end(self, report: RunReport, exit_code: int | None) -> str:
        """*exit_code* is that of the process; None of a run that was stopped."""
        ...

    def detection(
        self, detection: Detection, status: Status, exit_code: int, *, lab: str | None = None, verbose: bool
    ) -> str:
        """The result of ``easops detect``; *lab* is the scenario, if it looked at the built-in lab."""
        ...

    def explained(self, explanations: Sequence[Explanation]) -> str:
        """The result of ``easops why``."""
        ...

    def reading(self, result: ReadingResult, *, lab: str | None = None) -> str:
        """The result of ``easops show``; *lab* as for ``detection``."""
        ...

    def runs(self, views: Sequence[RunView]) -> str:
        """The list of recorded runs."""
        ...

    def run_view(self, view: RunView, report: RunReport, *, diff: bool, verbose: bool) -> str:
        """One recorded run."""
        ...

    def submitted(self, run_id: str) -> str:
        """A run that was recorded, for a worker to execute."""
        ...

    def served(self, runs: Sequence[tuple[RunView, RunReport, int]], exit_code: int) -> str:
        """The runs that a worker has executed, each with the exit code of its process."""
        ...

    def asked(self, asked: PendingApproval, exit_code: int) -> str:
        """What a run asks an approval for."""
        ...

    def decided(self, asked: PendingApproval, decision: Decision) -> str:
        """What was decided on it just now."""
        ...

    def notices(self, notices: Sequence[Notice], status: Status, exit_code: int) -> str:
        """The result of a test message to every channel."""
        ...

    def reconciled(
        self,
        run_id: str,
        found: Sequence[tuple[Change, ChangeOutcome]],
        status: Status,
        exit_code: int,
        *,
        closed: bool,
    ) -> str:
        """What reading decided about changes whose outcome was not known; *closed*: the run is abandoned now."""
        ...
