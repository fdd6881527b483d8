"""A server's own clock, and whether it was set between two looks at it."""

from __future__ import annotations

import datetime as dt
from typing import Final

import attrs

from easops.errors import UnexpectedAnswer
from easops.remoting.result import Result
from easops.remoting.wmi import Query, read_moment

CLOCK: Final = Query("Win32_OperatingSystem", ("LocalDateTime", "LastBootUpTime"))

_ROUNDED: Final = dt.timedelta(seconds=2)
"""By how much two reports of the last start may differ, as each is measured to the second."""


@attrs.frozen
class ServerTime:
    """A moment by a server's own clock (UTC). *booted* is when the server was started, by the same clock; None if it
    does not say.

    Windows keeps how long it has been running: where the clock is set, *booted* moves with it.
    """

    time: dt.datetime
    booted: dt.datetime | None = None


def server_time(answer: Result) -> ServerTime:
    """The time in the *answer* to ``CLOCK``. Raises UnexpectedAnswer."""
    systems = answer.objects("Win32_OperatingSystem")
    if len(systems) != 1:
        raise UnexpectedAnswer("the server did not report its time", repr(answer.output)[:200])
    time = read_moment(systems[0].get("LocalDateTime"))
    if time is None:
        raise UnexpectedAnswer(
            "LocalDateTime is not a time", f"the server answered {systems[0].get('LocalDateTime')!r}"
        )
    return ServerTime(time, read_moment(systems[0].get("LastBootUpTime")))


def was_set(earlier: dt.datetime | None, later: dt.datetime | None) -> bool:
    """Whether a server's clock was set, or the server was started again, between two looks.

    *earlier* and *later* are when it was started by its clock at each look; None if it did not say.
    """
    return earlier is not None and later is not None and abs(later - earlier) > _ROUNDED
