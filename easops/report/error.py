"""Errors as three lines, and as a JSON document."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Sequence
from typing import Any

from easops.document import DocumentError, Problem
from easops.errors import EasopsError


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
        for part in textwrap.wrap(
            line,
            max(width, 40),
            subsequent_indent=" " * _begins(line),
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def _begins(line: str) -> int:
    """The column of a line's own text, after its label."""
    found = _LABEL.match(line)
    return found.end() if found else 4


_LABEL = re.compile(r"easops: |  why:  |  next: ")


def three_lines(what: str, why: str = "", next_step: str = "") -> list[str]:
    """What is missing is left out."""
    lines = [f"easops: {' '.join(what.split())}"]
    lines += [f"  why:  {' '.join(why.split())}"] if why else []
    return [*lines, *([f"  next: {' '.join(next_step.split())}"] if next_step else [])]


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
