"""Moments as a series: so many in each minute, where the whole minute was observed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from easops.detectors.finding import Series

STEPS: Final = (60, 300, 900, 3600, 14_400, 86_400)
"""Seconds that a value may stand for. Each divides the next, so that two series of one figure can be laid together."""

MOST: Final = 300
"""Values of a series: what is recorded and drawn stays small whatever the window."""


def series(
    host: str,
    name: str,
    unit: str,
    counted: Iterable[tuple[dt.datetime, int]],
    start: dt.datetime,
    end: dt.datetime,
) -> Series | None:
    """The sums of *counted*, pairs of a moment and how much, over the observed time from *start* to *end*.

    A span that was observed in part alone is left out at either end; None where no whole one was.
    """
    for step in STEPS:
        first, last = _ceiling(start, step), int(end.timestamp()) // step
        if last - first <= MOST or step == STEPS[-1]:
            break
    if last <= first:
        return None
    values = [0] * (last - first)
    for moment, amount in counted:
        at = int(moment.timestamp()) // step - first
        if 0 <= at < len(values):
            values[at] += amount
    return Series(host, name, unit, dt.datetime.fromtimestamp(first * step, dt.UTC), step, tuple(values))


def _ceiling(moment: dt.datetime, step: int) -> int:
    return -int(-moment.timestamp() // step)
