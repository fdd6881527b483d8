"""The channels of one notifications file, and announcing the end of a run through them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Collection
from typing import Final

import attrs

from easops.errors import EasopsError
from easops.notify.channel import Channel
from easops.notify.deliver import deliver
from easops.playbook.assessment.ending import Ending, Word
from easops.playbook.record.notice import Notice
from easops.playbook.record.notice_ledger import NoticeLedger
from easops.playbook.steps.codec import Json, from_json, to_json
from easops.report.message import message_of, trial_message

DELIVERY_SECONDS: Final = 15.0
"""Seconds that all notices of an end may take together; they are sent at the same time."""

STOPPED_SECONDS: Final = 5.0
"""The same for a run that was stopped: the person who stopped it is waiting."""


def _ignore(notice: Notice) -> None: ...


@attrs.frozen
class Notifications:
    """The *channels* that are notified of a run's end (``easops.playbook.assessment.ending.Announcer``). *on_notice* is
    called with each notice."""

    channels: tuple[Channel, ...]
    on_notice: Callable[[Notice], None] = _ignore

    @classmethod
    def of_record(cls, recorded: Json) -> Notifications:
        """The channels that a run's record holds."""
        return cls(from_json(recorded, tuple[Channel, ...]))

    def recorded(self) -> Json:
        """The channels in the form in which a run's record has them."""
        return to_json(list(self.channels))

    def check(self) -> None:
        """Read every secret once, and discard it. Raises BadInput if one cannot be read."""
        for channel in self.channels:
            channel.secrets()

    def reporting_to(self, on_notice: Callable[[Notice], None]) -> Notifications:
        """The same channels; *on_notice* is called with each notice as it becomes known."""
        return attrs.evolve(self, on_notice=on_notice)

    def wanting(self, words: Collection[Word]) -> tuple[Channel, ...]:
        """The channels that are notified of an end that these words describe."""
        return tuple(channel for channel in self.channels if set(channel.when) & set(words))

    def announce(self, ending: Ending, ledger: NoticeLedger, progress: Callable[[str], None]) -> tuple[Notice, ...]:
        """Notify the channels that want to know and were not notified yet.

        Raises nothing, and takes at most ``DELIVERY_SECONDS``.
        """

        def on_notice(notice: Notice) -> None:
            try:
                ledger.record_outcome(notice)
            finally:
                self.on_notice(notice)

        due: list[Channel] = []
        try:
            wanting = self.wanting(ending.words)
            message = message_of(ending, ledger.end) if wanting else None
            due = [channel for channel in wanting if ledger.begin(channel.name)]
            if message is None or not due:
                return ()
            progress(f"notifying {', '.join(channel.name for channel in due)}")
            seconds = DELIVERY_SECONDS if ending.moment == "end" else STOPPED_SECONDS
            return deliver(due, message, seconds=seconds, on_notice=on_notice)
        except Exception as error:  # the run has ended, and no error here may change how
            why = str(error) if isinstance(error, EasopsError) else f"a bug in easops: {type(error).__name__}"
            failed = Notice("all", "unknown", why, dt.datetime.now(dt.UTC))
            self.on_notice(failed)
            return (failed,)

    def send_test(self) -> tuple[Notice, ...]:
        """Send a test message to every channel."""
        return deliver(self.channels, trial_message(), seconds=DELIVERY_SECONDS, on_notice=self.on_notice)
