"""Errors as three lines, and as a JSON document."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Any, Final

from easops.document import DocumentError, Problem
from easops.errors import EasopsError
from easops.report.terminal.styled_line import Style, joined, spread


def problem_line(problem: Problem) -> str:
    """``file:line:column: what; why; next``."""
    return f"{problem.place}: " + "; ".join(
        " ".join(part.split()) for part in (problem.what, problem.why, problem.next_step) if part
    )


def error_lines(error: EasopsError) -> list[str]:
    """What, why and the next step, a line each; of a document one line a problem."""
    if isinstance(error, DocumentError):
        return [problem_line(problem) for problem in error.problems]
    return three_lines(error.what, error.why, error.next_step)


def fitted(lines: Sequence[str], width: int) -> list[str]:
    """The lines of an error, none wider than a terminal of *width*; what goes on stands under where it began."""
    return [
        part
        for line in lines
        for part in spread(
            line,
            textwrap.wrap(
                line,
                max(width, 40),
                subsequent_indent=" " * _begins(line),
                break_long_words=False,
                break_on_hyphens=False,
            ),
        )
    ]


def _begins(line: str) -> int:
    """The column of a line's own text, after its label."""
    found = next((label for label in (_WHAT, _WHY, _NEXT, " " * len(_NEXT)) if line.startswith(label)), None)
    return 4 if found is None else len(found)


_WHAT: Final = "easops: "
_WHY: Final = "  why:  "
_NEXT: Final = "  next: "


def three_lines(what: str, why: str = "", next_step: str = "") -> list[str]:
    """What is missing is left out; of several next steps each has its line."""
    lines: list[str] = [joined((_WHAT, Style.BAD), " ".join(what.split()))]
    if why:
        lines.append(joined((_WHY, None), " ".join(why.split())))
    first, *others = next_step.splitlines() or [""]
    if first:
        lines.append(joined((_NEXT, Style.STRONG), first.strip()))
    return lines + [joined(" " * len(_NEXT), other.strip()) for other in others if other.strip()]


def error_document(status: str, what: str, why: str, next_step: str, exit_code: int) -> dict[str, Any]:
    return {
        "status": status,
        "error": {"what": what, "why": why, "next": next_step},
        "exit_code": exit_code,
    }


def problems_data(error: DocumentError) -> list[dict[str, Any]]:
    return [
        {
            "file": problem.file,
            "line": problem.line,
            "column": problem.column,
            "what": problem.what,
            "why": problem.why,
            "next": problem.next_step,
        }
        for problem in error.problems
    ]
