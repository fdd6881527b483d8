"""The notices of a run's ends: each is sent at most once.

An intent is recorded before a notice is sent. If its outcome is missing, the process ended in between. It is not sent
again then, because it may have arrived.
"""

from __future__ import annotations

import secrets
from typing import Literal, cast

from easops.playbook.record.notice import Notice, NoticeStatus
from easops.playbook.record.run import Run
from easops.playbook.record.run_record import RunRecord

Moment = Literal["end", "stopped"]
"""What a notice is about: the run has ended, or was stopped before its end."""


class NoticeLedger:
    """The notices of one end of a run, in its record."""

    def __init__(self, store: RunRecord, run: Run, moment: Moment) -> None:
        self._store = store
        self._run_id = run.run_id
        self._attempt_id = run.attempt_ids[-1]
        self._moment: str = moment
        if moment == "stopped":
            # An attempt may be stopped, resumed, and stopped again. It ends once.
            moments = {entry.body["moment"] for entry in store.entries(self._run_id, "notice")}
            self._moment = f"stopped {sum(each.startswith('stopped') for each in moments) + 1}"

    @property
    def end(self) -> str:
        """The id of this end: ``20261124-170000-abcd.end``, ``20261124-170000-abcd.2.stopped-1``."""
        return f"{self._attempt_id}.{self._moment.replace(' ', '-')}"

    def begin(self, channel: str) -> bool:
        """Record that the notice to *channel* is about to be sent.

        False if that was recorded before, by this or another process: then it must not be sent again.
        """
        body = {"channel": channel, "moment": self._moment, "token": secrets.token_hex(8)}
        self._store.write(self._run_id, "notice", self._key(channel), body)
        # The first of two processes that write this entry at the same time keeps it.
        recorded = {entry.key: entry.body for entry in self._store.entries(self._run_id, "notice")}
        return bool(recorded[self._key(channel)] == body)

    def record_outcome(self, notice: Notice) -> None:
        """Record whether the notice was sent."""
        body = {"status": notice.status, "reason": notice.reason}
        self._store.write(self._run_id, "told", self._key(notice.channel), body)

    def _key(self, channel: str) -> str:
        return f"{self._attempt_id}/{self._moment}/{channel}"


def notices_of(run: Run, store: RunRecord) -> tuple[Notice, ...]:
    """All notices of a run, in order. The status of one without a recorded outcome is ``unknown``."""
    outcomes = {entry.key: entry for entry in store.entries(run.run_id, "told")}
    notices = []
    for entry in store.entries(run.run_id, "notice"):
        outcome = outcomes.get(entry.key)
        if outcome is None:
            notices.append(Notice(entry.body["channel"], "unknown", "no outcome is recorded", entry.at))
        else:
            status = cast("NoticeStatus", outcome.body["status"])
            notices.append(Notice(entry.body["channel"], status, outcome.body["reason"], outcome.at))
    return tuple(notices)
