"""What a format of lint is: what was found in each playbook in, text out, no I/O."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import attrs

from easops.document import Problem
from easops.report.terminal.error import problem_line


@attrs.frozen
class Linted:
    """A playbook as it was named, and all that is wrong with it."""

    playbook: str
    problems: tuple[Problem, ...] = ()


class LintFormat(Protocol):
    """One way to show what lint found."""

    @property
    def name(self) -> str:
        """Its name on the command line."""
        ...

    def render(self, linted: Sequence[Linted], root: Path) -> str:
        """*root* is the folder that files are named from, where they lie in it."""
        ...


class _Text:
    name = "text"

    def render(self, linted: Sequence[Linted], root: Path) -> str:
        lines = []
        for one in linted:
            lines += [problem_line(problem) for problem in one.problems] or [f"{one.playbook}: ok"]
        return "\n".join(lines)


LINT_TEXT = _Text()


def within(file: str, root: Path) -> Path | None:
    """The path from *root* on to *file*; None where it does not lie in it."""
    try:
        return Path(file).absolute().relative_to(root.absolute())
    except (ValueError, OSError):
        return None
