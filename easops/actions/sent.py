"""A command that was sent and may still be carried out: until when a read that shows no effect proves nothing."""

from __future__ import annotations

import datetime as dt
from typing import Final

import attrs

from easops.clock import Clock
from easops.remoting.session import CONNECT, DEADLINE, GRACE

LANDS_WITHIN: Final = DEADLINE + GRACE + CONNECT
"""Seconds after which a server has carried out a changing call that was sent, or never will.

It holds, too, if the connection broke: whatever forwards or queues the call may still have it.
"""

SENT_WITHIN: Final = DEADLINE
"""Seconds in which a call is sent, if at all: an attempt that reaches nobody is repeated until the call's deadline."""


@attrs.frozen
class Sent:
    """A command that was sent, or may have been, by a process that is gone or that got no answer.

    *at* is when its first attempt began, by the clock of the run; None if that is not known (it may have been just
    now).
    """

    at: dt.datetime | None = None

    def may_show_for(self, visible_within: float, clock: Clock) -> float:
        """The seconds for which its effect may still come to show; 0 if it is over.

        *visible_within* are the seconds until a command that was carried out shows.
        """
        longest = SENT_WITHIN + LANDS_WITHIN + visible_within
        if self.at is None:
            return longest
        passed = (clock.now() - self.at).total_seconds()
        return min(longest, max(0.0, longest - passed))  # at most: the clock may have been set back
