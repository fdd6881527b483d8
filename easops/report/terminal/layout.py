"""Lines and columns: prose for 80 columns, tables for as many as a terminal has, and figures as a person reads them."""

from __future__ import annotations

import datetime as dt
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from easops.actions.state_words import value_names
from easops.clock import readable_time
from easops.duration import format_duration
from easops.report.terminal.styled_line import spread
from easops.visible import visible

WIDTH: Final = 80
"""Columns of prose, wherever it is read."""
INDENT: Final = "    "

_UNIT: Final = re.compile(r"(?<=\d) (?=(?:s|min|hours|days|percent|GiB|MiB)\b)")
_BOUND: Final = "\N{NO-BREAK SPACE}"


def wrapped(text: str, indent: str = INDENT, hanging: str = "  ") -> list[str]:
    """*text* in lines of at most 80, each after *indent*, the second and later after *hanging* too.

    A word is never cut: commands and addresses stay whole, so that they can be copied; nor is a figure from its unit.
    The styles of a Line go with its words.
    """
    words = " ".join(text.split())
    lines = textwrap.wrap(
        _UNIT.sub(_BOUND, words),
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
    return spread(text, (line.replace(_BOUND, " ") for line in lines))


def table(columns: Sequence[str], rows: Iterable[Sequence[Any]], width: int | None = None) -> list[str]:
    """A table with a head, at most *width* columns wide; figures stand to the right. The last column is not padded.

    Without a *width* each row is one line, and whole. Where a row is too wide for one line, its later columns stand on
    a second one (and a third), further in; a value that is too wide for a line of its own is shortened: JSON has it
    whole.
    """
    texts = [list(map(cell, row)) for row in rows]
    if width is not None:
        texts = [[_shortened(text, width - len(INDENT)) for text in row] for row in texts]
    cells = [[column.replace("_", " ") for column in columns], *texts]
    right = [_figures(row[at] for row in cells[1:]) for at in range(len(columns))]
    widths = [max(len(row[at]) for row in cells) for at in range(len(columns))]
    lines = []
    for row in cells:
        padded = [
            text.rjust(wide) if to_right else text.ljust(wide)
            for text, wide, to_right in zip(row, widths, right, strict=True)
        ]
        for indent, columns_here in _folded(widths, width):
            lines.append((indent + "  ".join(padded[at] for at in columns_here)).rstrip())
    return lines


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most - 3]}..."


def _folded(widths: Sequence[int], most: int | None) -> list[tuple[str, list[int]]]:
    """The columns of each line of a row, by number, with the line's indent."""
    lines: list[tuple[str, list[int]]] = []
    for at, width in enumerate(widths):
        indent, here = lines[-1] if lines else ("", [])
        taken = len(indent) + sum(widths[other] + 2 for other in here)
        if not lines or (here and most is not None and taken + width > most):
            lines.append((INDENT if lines else "", [at]))
        else:
            here.append(at)
    return lines


def _figures(texts: Iterable[str]) -> bool:
    known = [text for text in texts if text != "-"]
    return bool(known) and all(text.replace(",", "").replace(".", "").lstrip("-").isdigit() for text in known)


def cell(value: Any) -> str:
    """A value in a table, on one line: ``-`` for none, times in UTC to the second, durations as ``2d3h``."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dt.datetime):
        return moment(value)
    if isinstance(value, dt.timedelta):
        return format_duration(value)
    if isinstance(value, float):
        return f"{value:.1f}"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(sorted(cell(item) for item in value)) or "-"
    return visible(str(value))


def moment(value: dt.datetime) -> str:
    """``2026-11-24 17:05:09Z``."""
    return f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M:%SZ}"


def value_words(value: Any) -> str:
    """A before or after as a person reads it: none, on, off, or the text of it."""
    if value is None:
        return "none"
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, Mapping):
        return ", ".join(f"{_key(name)} {value_words(value[name])}" for name in value_names(value)) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(value_words(item) for item in value) or "none"
    return readable_time(value) if isinstance(value, str) else str(value)


def difference(before: Any, after: Any, *, whole: bool = False) -> list[str]:
    """``policy none -> easops-…``: what differs, one entry a key; with *whole* also what stays."""
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        if before == after:
            return [value_words(before)] if whole else []
        return [f"{value_words(before)} -> {value_words(after)}"]
    lines = []
    for name in value_names(before, after):
        old, new = before.get(name), after.get(name)
        if old != new:
            lines.append(f"{_key(name)} {value_words(old)} -> {value_words(new)}")
        elif whole:
            lines.append(f"{_key(name)} {value_words(old)}")
    return lines


def effective_lines(sentences: Iterable[str]) -> list[str]:
    """When changes take effect, and what that may do to users: each sentence once, however many it is true of."""
    return [line for text in dict.fromkeys(sentences) if text for line in wrapped(f"effective {text}")]


def _key(name: str) -> str:
    return name.replace("_", " ")
