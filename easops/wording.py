"""Numbers as a person reads them."""

from __future__ import annotations


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
