"""The channels of one notifications file, and the announcing of a run's end through them."""

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
from easops.playbook.record.notice_ledger import Ledger
from easops.playbook.steps.codec import Json, from_json, to_json
from easops.report.message import message_of, trial_message

WITHIN: Final = 15.0
"""Seconds that the notices of an end may take, all of them together: they are sent at the same time."""

WITHIN_STOPPED: Final = 5.0
"""Seconds of those of a run that was stopped: whoever stopped it waits."""


def _nobody(notice: Notice) -> None: ...


@attrs.frozen
class Notifications:
    """Who is told of a run's end (``easops.playbook.record.notice_ledger.Announcer``). *came_of_it* is told of each
    notice."""

    channels: tuple[Channel, ...]
    came_of_it: Callable[[Notice], None] = _nobody

    @classmethod
    def of_record(cls, recorded: Json) -> Notifications:
        """Those that a run's record keeps."""
        return cls(from_json(recorded, tuple[Channel, ...]))

    def recorded(self) -> Json:
        return to_json(list(self.channels))

    def check(self) -> None:
        """Read every secret once, and forget it. Raises BadInput where one is not to be had."""
        for channel in self.channels:
            channel.secrets()

    def reporting_to(self, came_of_it: Callable[[Notice], None]) -> Notifications:
        """The same, with somebody who is told what came of each notice, as it comes."""
        return attrs.evolve(self, came_of_it=came_of_it)

    def wanting(self, words: Collection[Word]) -> tuple[Channel, ...]:
        """The channels that want to know of an end of which these words are true."""
        return tuple(channel for channel in self.channels if set(channel.when) & set(words))

    def announce(self, ending: Ending, ledger: Ledger, progress: Callable[[str], None]) -> tuple[Notice, ...]:
        """Tell whoever wants to know, and was not told: raises nothing, and takes ``WITHIN`` at most."""

        def came_of_it(notice: Notice) -> None:
            try:
                ledger.came_of_it(notice)
            finally:
                self.came_of_it(notice)

        mine: list[Channel] = []
        try:
            wanting = self.wanting(ending.words)
            message = message_of(ending, ledger.end) if wanting else None
            mine = [channel for channel in wanting if ledger.intends(channel.name)]
            if message is None or not mine:
                return ()
            progress(f"telling {', '.join(channel.name for channel in mine)}")
            seconds = WITHIN if ending.moment == "end" else WITHIN_STOPPED
            return deliver(mine, message, seconds=seconds, came_of_it=came_of_it)
        except Exception as error:  # whatever it is, the run has ended as it has, and that is what counts
            why = str(error) if isinstance(error, EasopsError) else f"a bug in easops: {type(error).__name__}"
            failed = Notice("all", "unknown", why, dt.datetime.now(dt.UTC))
            self.came_of_it(failed)
            return (failed,)

    def try_out(self) -> tuple[Notice, ...]:
        """Send every channel a message that says that it is a trial."""
        return deliver(self.channels, trial_message(), seconds=WITHIN, came_of_it=self.came_of_it)
