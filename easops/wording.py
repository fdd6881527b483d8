"""Numbers as a person reads them."""

from __future__ import annotations


def counted(count: int, noun: str) -> str:
    """``1 user``, ``2 users``."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def figure(value: float, unit: str) -> str:
    """``87.5``; a number of requests has no decimals."""
    return f"{value:,.0f}" if unit == "requests" else f"{value:,.1f}"


def figure_and_limit(value: float, limit: float, unit: str) -> tuple[str, str]:
    """Both as figures, with as many decimals as it takes to tell them apart: ``48.32`` and ``48.31``."""
    texts = figure(value, unit), figure(limit, unit)
    for decimals in range(1, 7):
        if value == limit or texts[0] != texts[1]:
            break
        texts = f"{value:,.{decimals}f}", f"{limit:,.{decimals}f}"
    return texts
