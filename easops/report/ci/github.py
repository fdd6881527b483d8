"""GitHub's annotations: lines in a job's log, by which it shows an error beside the file or above the log.

Source: GitHub, "Workflow commands for GitHub Actions"; the escapes are those of its own toolkit.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from easops.document import DocumentError, Problem
from easops.errors import EasopsError
from easops.playbook.assessment.run_report import RunReport
from easops.report.ci.test_case import cases
from easops.report.terminal.lint import Linted, within
from easops.status import Status
from easops.visible import visible_lines

Level = Literal["error", "notice"]


class _Github:
    name = "github"

    def render(self, linted: Sequence[Linted], root: Path) -> str:
        return "\n".join(of_problem(problem, root) for one in linted for problem in one.problems)


GITHUB = _Github()


def of_problem(problem: Problem, root: Path) -> str:
    """One mistake in a file, beside its line."""
    where: dict[str, str | int | None] = {"file": problem.file, "line": problem.line, "col": problem.column}
    inside = within(problem.file, root)
    if inside is not None:
        where["file"] = inside.as_posix()
    return _annotation("error", problem.what, (problem.why, problem.next_step), **where)


def of_error(error: EasopsError, root: Path) -> list[str]:
    """What ended a command: of a file all that is wrong with it."""
    if isinstance(error, DocumentError):
        return [of_problem(problem, root) for problem in error.problems]
    return [of_words(error.what, error.why, error.next_step)]


def of_words(what: str, why: str, next_step: str) -> str:
    return _annotation("error", what, (why, next_step))


def of_run(report: RunReport) -> list[str]:
    """What stopped or failed in a run, each with the command to type next; and an approval that is waited for."""
    lines, next_command = [], report.next
    for case in cases(report):
        waits = case.status == Status.AWAITING_APPROVAL
        if waits or case.outcome in ("failure", "error"):
            title = f"{case.name}: {case.status.replace('_', ' ')}"
            lines.append(_annotation("notice" if waits else "error", title, (case.reason, next_command)))
    return lines


def _annotation(level: Level, title: str, sentences: Sequence[str], **where: str | int | None) -> str:
    properties = {**{name: value for name, value in where.items() if value is not None}, "title": title}
    listed = ",".join(f"{name}={_property(str(value))}" for name, value in properties.items())
    return f"::{level} {listed}::{_data('. '.join(part.rstrip('.') for part in sentences if part) or title)}"


def _data(text: str) -> str:
    return visible_lines(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(" ".join(text.split())).replace(":", "%3A").replace(",", "%2C")
