"""A run's end as those see it who want to be notified of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Final, Literal, Protocol

import attrs

from easops.errors import EasopsError
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.record.notice import Notice
from easops.playbook.steps.codec import Json
from easops.status import Severity, Status, severity

if TYPE_CHECKING:
    from easops.playbook.record.notice_ledger import Moment, NoticeLedger
    from easops.playbook.record.run import Run

Word = Literal["approval", "trouble", "changed", "found", "end"]

WORDS: Final[Mapping[Word, str]] = {
    "approval": "it is waiting for an approval",
    "trouble": "it was refused or stopped, failed, did not reach a server, or could not prove or learn what it had to",
    "changed": "something was changed or put back, or may have been",
    "found": "a detect step found something",
    "end": "any end",
}
"""Of which ends of a run somebody wants to be notified; the first that is true of an end names it."""


def words_of(report: RunReport) -> tuple[Word, ...]:
    """The words that are true of an end, in their order; under check, of the end that is predicted."""
    went_wrong = report.stopped or report.problem is not None
    awaiting = report.status is Status.AWAITING_APPROVAL and not went_wrong
    true: dict[Word, bool] = {
        "approval": awaiting,
        "trouble": went_wrong or (severity(report.status) is not Severity.GOOD and not awaiting),
        "changed": report.changed or report.would_change,
        "found": any(detection.found for detection in report.findings),
        "end": True,
    }
    return tuple(word for word in WORDS if true[word])


@attrs.frozen
class Ending:
    """A recorded run that has come to its end, or was stopped before it."""

    report: RunReport

    @property
    def run(self) -> Run:
        """The run as it is recorded."""
        assert self.report.record is not None, "only a recorded run has an end to be notified of"
        return self.report.record.run

    @property
    def moment(self) -> Moment:
        """Whether it has ended, or was stopped."""
        return "stopped" if self.report.stopped else "end"

    @property
    def problem(self) -> EasopsError | None:
        """What kept it from its first step."""
        return self.report.problem

    @property
    def words(self) -> tuple[Word, ...]:
        """Those that are true of it, in their order."""
        return words_of(self.report)


class Announcer(Protocol):
    """Notifies people of a run's end (``easops.notify``)."""

    def recorded(self) -> Json:
        """What the record keeps of it: no secret, only where each is found."""
        ...

    def announce(self, ending: Ending, ledger: NoticeLedger, progress: Callable[[str], None]) -> tuple[Notice, ...]:
        """Notify everybody who wants to know of such an end; *progress* is given who. Raises nothing; takes seconds."""
        ...
