"""What a run's people are told, and that each of them is told at most once.

An intent is committed before anything is sent; where its outcome is missing, the process ended in between, and it is
not sent again: it may have come.
"""

from __future__ import annotations

import secrets
from typing import Literal, cast

from easops.playbook.record.notice import Notice, NoticeStatus
from easops.playbook.record.run_store import Record, Run

Moment = Literal["end", "stopped"]
"""Of what somebody is notified: that a run has ended, or was stopped before its end."""


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
