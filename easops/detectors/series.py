"""Counts over time: the sum in each minute (or longer step), for the steps that were observed from start to end."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Final

from easops.detectors.finding import Series

STEPS: Final = (60, 300, 900, 3600, 14_400, 86_400)
"""The possible seconds of a step. Each divides the next, so that two series of one figure can be put on one axis."""

MOST: Final = 300
"""The most values of a series: what is recorded and drawn stays small, however long the window."""


def series(
    host: str,
    name: str,
    unit: str,
    counted: Iterable[tuple[dt.datetime, int]],
    start: dt.datetime,
    end: dt.datetime,
) -> Series | None:
    """The sums of *counted*, pairs of a moment and an amount, over the observed time from *start* to *end*.

    A step that was observed only in part is left out, at either end; None if no step was observed whole.
    """
    for step in STEPS:
        first, last = _ceiling(start, step), int(end.timestamp()) // step
        if last - first <= MOST or step == STEPS[-1]:
            break
    if last <= first:
        return None
    values = [0] * (last - first)
    for moment, amount in counted:
        index = int(moment.timestamp()) // step - first
        if 0 <= index < len(values):
            values[index] += amount
    return Series(host, name, unit, dt.datetime.fromtimestamp(first * step, dt.UTC), step, tuple(values))


def _ceiling(moment: dt.datetime, step: int) -> int:
    return -int(-moment.timestamp() // step)
