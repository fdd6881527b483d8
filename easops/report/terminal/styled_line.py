"""A line of a report: its text, and what stands out in it; painted only where somebody looks at it on a terminal."""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterable

from easops.status import NOT_TRIED, Severity, Status, severity
from easops.visible import visible


class Style(enum.Enum):
    """How a part stands out: as SGR codes of the sixteen colours.

    Those alone that read on a dark and on a light ground: no yellow and nothing bright (on white), no blue (on black).
    None says what the words beside it do not say.
    """

    STRONG = "1"
    FAINT = "2"
    GOOD = "32"
    CARE = "35"
    BAD = "1;31"


class Line(str):
    """Text that knows the style of each of its characters: None where it is plain. It equals its plain text."""

    styles: tuple[Style | None, ...]

    def __new__(cls, text: str, styles: Iterable[Style | None]) -> Line:
        line = super().__new__(cls, text)
        line.styles = tuple(styles)
        return line


class Painted(str):
    """Lines as they are printed: the only escape sequences in it are those of ``painted``."""


Part = str | tuple[str, Style | None]
"""Plain text, another line, or a text with its style."""


def joined(*parts: Part) -> Line:
    """A line of parts, one after another."""
    pairs = [part if isinstance(part, tuple) else (part, None) for part in parts]
    styles = [style or own for text, style in pairs for own in styles_of(text)]
    return Line("".join(text for text, _ in pairs), styles)


def styles_of(text: str) -> tuple[Style | None, ...]:
    """A style for each character."""
    return text.styles if isinstance(text, Line) else (None,) * len(text)


def cut(text: str, start: int = 0) -> Line:
    """*text* from character *start* on, without blanks at its end."""
    end = len(text.rstrip())
    return Line(text[start:end], styles_of(text)[start:end])


def spread(text: str, lines: Iterable[str]) -> list[str]:
    """*lines*, which are *text* broken at its blanks, in the styles of *text*."""
    if not isinstance(text, Line):
        return list(lines)
    styles = iter([style for character, style in zip(text, text.styles, strict=True) if not character.isspace()])
    return [Line(line, [None if character.isspace() else next(styles) for character in line]) for line in lines]


def painted(line: str) -> str:
    """The line with its styles as the escape sequences of a terminal; those in its text are made visible."""
    parts = []
    for style, group in itertools.groupby(zip(line, styles_of(line), strict=True), key=lambda pair: pair[1]):
        text = visible("".join(character for character, _ in group))
        parts.append(text if style is None else f"\x1b[{style.value}m{text}\x1b[0m")
    return "".join(parts)


def printed(lines: Iterable[str], *, colour: bool) -> Painted:
    """Lines of a report as text for a terminal, a pipe or a file, painted or not."""
    return Painted("\n".join(map(painted if colour else visible, lines)))


def status_style(status: Status) -> Style | None:
    """The style of a status: what needs somebody stands out most, what was not done least."""
    if status in NOT_TRIED:
        return Style.FAINT
    if status is Status.WOULD_CHANGE:
        return Style.STRONG
    return {Severity.GOOD: Style.GOOD, Severity.ATTENTION: Style.CARE, Severity.BAD: Style.BAD}[severity(status)]
