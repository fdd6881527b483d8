"""What a run's people are told, and that each of them is told at most once.

An intent is committed before anything is sent; where its outcome is missing, the process ended in between, and it is
not sent again: it may have come.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from typing import Final, Literal, Protocol, cast

import attrs

from easops.errors import EasopsError
from easops.playbook.record.run_store import Record, Run
from easops.playbook.steps.codec import Json
from easops.playbook.steps.report import Notice, NoticeStatus, RunReport
from easops.status import Status

Word = Literal["approval", "trouble", "changed", "found", "end"]

WORDS: Final[Mapping[Word, str]] = {
    "approval": "it waits for an approval",
    "trouble": "it was refused or stopped, failed, did not reach a server, or could not prove or learn what it had to",
    "changed": "something was changed or put back, or may have been",
    "found": "a detect step found something",
    "end": "any end",
}
"""Of which ends of a run somebody wants to be told; the first that is true of an end names it."""

Moment = Literal["end", "stopped"]


def words_of(report: RunReport, *, went_wrong: bool = False) -> tuple[Word, ...]:
    """The words that are true of an end, in their order; under check, of the end that is predicted."""
    waits = report.status is Status.AWAITING_APPROVAL and not went_wrong
    true: dict[Word, bool] = {
        "approval": waits,
        "trouble": went_wrong or (report.exit_code != 0 and not waits),
        "changed": report.changed or report.would_change,
        "found": any(detection.found for detection in report.findings),
        "end": True,
    }
    return tuple(word for word in WORDS if true[word])


@attrs.frozen
class Ending:
    """A run that has come to its end, or was stopped before it. *problem* is what kept it from its first step."""

    run: Run
    report: RunReport
    moment: Moment = "end"
    problem: EasopsError | None = None

    @property
    def words(self) -> tuple[Word, ...]:
        """Those that are true of it, in their order."""
        went_wrong = self.moment == "stopped" or self.problem is not None
        return words_of(self.report, went_wrong=went_wrong)


class Ledger:
    """The notices of one end of a run, in its record."""

    def __init__(self, record: Record, run: Run, moment: Moment) -> None:
        self._record = record
        self._run_id = run.run_id
        self._walk = run.walk_ids[-1]
        self._moment: str = moment
        if moment == "stopped":
            # A walk may be stopped, resumed, and stopped again; it ends once.
            begun = {entry.body["moment"] for entry in record.entries(self._run_id, "notice")}
            self._moment = f"stopped {sum(each.startswith('stopped') for each in begun) + 1}"

    @property
    def end(self) -> str:
        """What tells this end from all others: ``20261124-170000-abcd.end``, ``20261124-170000-abcd.2.stopped-1``."""
        return f"{self._walk}.{self._moment.replace(' ', '-')}"

    def intends(self, channel: str) -> bool:
        """Commit that *channel* is about to be told. False: somebody has, and it must not be sent again."""
        body = {"channel": channel, "moment": self._moment, "token": secrets.token_hex(8)}
        self._record.write(self._run_id, "notice", self._key(channel), body)
        held = {entry.key: entry.body for entry in self._record.entries(self._run_id, "notice")}
        return bool(held[self._key(channel)] == body)

    def came_of_it(self, notice: Notice) -> None:
        body = {"status": notice.status, "reason": notice.reason}
        self._record.write(self._run_id, "told", self._key(notice.channel), body)

    def _key(self, channel: str) -> str:
        return f"{self._walk}/{self._moment}/{channel}"


class Announcer(Protocol):
    """Who tells people of a run's end (``easops.notify``)."""

    def recorded(self) -> Json:
        """What the record keeps of it: no secret, only where each is found."""
        ...

    def announce(self, ending: Ending, ledger: Ledger, progress: Callable[[str], None]) -> tuple[Notice, ...]:
        """Tell everybody who wants to know of such an end; *progress* is told who. Raises nothing; takes seconds."""
        ...


def notices_of(run: Run, record: Record) -> tuple[Notice, ...]:
    """What came of each notice of a run, in order; one without an outcome is ``unknown``."""
    told = {entry.key: entry for entry in record.entries(run.run_id, "told")}
    notices = []
    for entry in record.entries(run.run_id, "notice"):
        outcome = told.get(entry.key)
        if outcome is None:
            notices.append(Notice(entry.body["channel"], "unknown", "no outcome is recorded", entry.at))
        else:
            status = cast("NoticeStatus", outcome.body["status"])
            notices.append(Notice(entry.body["channel"], status, outcome.body["reason"], outcome.at))
    return tuple(notices)
