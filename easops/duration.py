"""Durations as a person writes them: ``90s``, ``30m``, ``1h30m``, ``2d``."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

LONGEST: Final = dt.timedelta(days=36500)
"""The longest duration. A date a hundred years before or after now still exists; much further on it would not."""

_PART: Final = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class DurationError(ValueError):
    """A text or a value is not a duration that easops can use. The text of the error says why."""


def parse_duration(text: str) -> dt.timedelta:
    """``90s``, ``30m``, ``1h30m``, ``2d`` as a timedelta of at most LONGEST. Raises DurationError."""
    parts = _PART.findall(text)
    if not parts or _PART.sub("", text).strip():
        raise DurationError(_not_a_duration(text))
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds > LONGEST.total_seconds():
        raise DurationError(f"{text!r} is too long: the longest duration is {format_duration(LONGEST)}")
    return dt.timedelta(seconds=seconds)


def check_duration(value: object) -> dt.timedelta:
    """A text or a timedelta as a duration of at most LONGEST. Raises DurationError."""
    if isinstance(value, str):
        return parse_duration(value)
    if not isinstance(value, dt.timedelta):
        raise DurationError(_not_a_duration(value))
    if abs(value) > LONGEST:
        raise DurationError(f"{value} is too long: the longest duration is {format_duration(LONGEST)}")
    return value


def format_duration(value: dt.timedelta) -> str:
    """A timedelta as such a text: ``1m30s``, ``30m``, ``1h30m``. It is rounded to seconds."""
    seconds = round(value.total_seconds())
    text = ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


def _not_a_duration(value: object) -> str:
    """The text of the error for *value*."""
    return f"{value!r} is not a valid duration: write a number and a unit, as in 90s, 30m, 1h or 2d"
