"""Numbers as a person reads them, and text from outside as a person may see it."""

from __future__ import annotations

import re
from typing import Final


def counted(count: int, noun: str) -> str:
    """``1 user``, ``2 users``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def figure(value: float, decimals: int) -> str:
    """``1,836`` and ``87.5``, with none and with one decimal."""
    return f"{value:,.{decimals}f}"


def figure_and_limit(value: float, limit: float, decimals: int) -> tuple[str, str]:
    """Both as figures with that many decimals, or with as many more as make them differ: ``48.32`` and ``48.31``."""
    shown = figure(value, decimals), figure(limit, decimals)
    while value != limit and shown[0] == shown[1] and decimals < 6:
        decimals += 1
        shown = figure(value, decimals), figure(limit, decimals)
    return shown


_INVISIBLE: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
"""Characters that a terminal, or an eye, takes for something else than what they are: control characters but tab and
line feed, marks of direction, separators of lines, halves of surrogate pairs."""


def visible(text: str) -> str:
    """*text* with what a terminal would obey, or not show, written out: ``\\x1b``, ``\\u202e``.

    Names, agents and errors come from clients, servers and logs: what they send must not move a cursor, hide text or
    turn it around.
    """
    return _INVISIBLE.sub(_written_out, text)


def _written_out(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
