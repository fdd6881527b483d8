"""Two readings of one server, far enough apart by the server's own time stamps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from easops.context import Context

APART: Final = dt.timedelta(seconds=5)
"""The least time between two readings, by the server's time stamps."""

_MOST_READINGS: Final = 5
"""Readings in a row whose time stamp has not moved far enough: after that many the server's clock counts as stopped."""


class Stamped(Protocol):
    """A reading with the server's own time stamp."""

    @property
    def time(self) -> dt.datetime: ...


Reading = TypeVar("Reading", bound=Stamped)


def two_readings(
    read: Callable[[], Reading], first: Reading, context: Context, progress: str
) -> tuple[Reading, Reading] | None:
    """*first* and a later reading, at least APART by the server's time stamps; None if its clock does not move on.

    *progress* is the text that is shown during the wait. The time stamps decide and not our sleep, because a server's
    clock may be set, and a virtual machine may be paused, while we wait. If the clock was set back in between, the
    reading made after that becomes the first.
    """
    missing = APART
    for _ in range(_MOST_READINGS):
        context.progress(progress)
        context.clock.sleep(max(0.1, missing.total_seconds()))
        later = read()
        if later.time < first.time:
            first = later
        missing = APART - (later.time - first.time)
        if missing <= dt.timedelta():
            return first, later
    return None
