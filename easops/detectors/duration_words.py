"""Durations as evidence shows them."""

from __future__ import annotations

import datetime as dt


def minutes(duration: dt.timedelta) -> str:
    """An interval or a window, in minutes where it is long enough: ``45 s``, ``4 min``, ``4.5 min``, ``60 min``."""
    seconds = duration.total_seconds()
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.1f}".removesuffix(".0") + " min"


def span(duration: dt.timedelta) -> str:
    """How long something has lasted, in its largest unit: ``45 s``, ``49 min``, ``3.5 hours``, ``24 days``."""
    seconds = duration.total_seconds()
    for unit, size, fewest in (("days", 86_400, 2), ("hours", 3600, 2), ("min", 60, 2)):
        if seconds >= fewest * size:
            number = f"{seconds / size:.1f}" if unit == "hours" else f"{int(seconds // size)}"
            return f"{number.removesuffix('.0')} {unit}"
    return f"{seconds:.0f} s"
