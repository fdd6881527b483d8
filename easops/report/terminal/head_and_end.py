"""The head and the end of a run, as lines: what it is; what was changed, what is open, and what to type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import attrs

from easops.playbook.assessment.assessment import Assessment
from easops.playbook.assessment.next_command import NextCommand
from easops.playbook.assessment.point import Point
from easops.playbook.assessment.run_report import RunReport
from easops.report.terminal.layout import wrapped
from easops.report.terminal.styled_line import Style, cut, joined, status_style
from easops.status import MAY_HAVE_CHANGED, NOT_PREDICTED, Status

_LABEL: Final = 12
"""Columns of the labels at the left of a report's end, at least."""


def lab_lines(lab: str | None) -> list[str]:
    """That it is about the built-in lab; none of real servers."""
    return [] if lab is None else wrapped(f"in the lab, scenario {lab}; times are by the clock of the lab", "")


def head_lines(title: str, run_id: str | None, lab: str | None, limit: str | None, *, checked: bool) -> list[str]:
    """What stands above the steps: what is run, the run's id, and whether anything can be changed."""
    lines = wrapped(joined((title, Style.STRONG)), "", "")
    if run_id is not None:
        lines.append(f"run {run_id}")
    lines += lab_lines(lab)
    if limit is not None:
        lines += wrapped(f"limited to {limit}", "")
    if checked:
        lines.append("check: everything is read, nothing is changed")
    return [*lines, ""]


@attrs.frozen
class Row:
    """A line at the end of a report: *text*, with a *label* at its left. A *command* is to be copied: it is not
    broken, however long."""

    label: str
    text: str
    style: Style | None = None
    command: bool = False


def rows_lines(rows: Sequence[Row]) -> list[str]:
    """The rows, their texts in one column; a label that is the same as above it stands only once."""
    width = max([_LABEL, *(len(row.label) for row in rows)])
    lines: list[str] = []
    before = ""
    for row in rows:
        label = "" if row.label == before and not row.command else row.label
        before = row.label
        left = joined((f"{label:<{width}}", row.style), "  ")
        if row.command:
            lines.append(joined(left, (row.text, Style.STRONG)))
            continue
        first, *rest = wrapped(row.text, " " * len(left), "  ")
        lines += [joined(left, cut(first, len(left))), *rest]
    return lines


def end_lines(report: RunReport, exit_code: int | None) -> list[str]:
    """What was changed, what that did to the fault, what is open, and what to type next. *exit_code* is None of a run
    that was stopped: its process has another one than the status says."""
    assessment = report.assessment
    status = "stopped" if report.stopped else report.status.replace("_", " ")
    code = "" if exit_code is None else f" (exit code {exit_code})"
    rows = [
        *(Row("would change" if report.checked else "changed", text) for text in _changes(report)),
        *assessment_rows(assessment),
        Row("status", joined((status, status_style(report.status)), code)),
        *command_rows(assessment),
    ]
    if report.run_id is not None and report.kind != "undo" and report.changed and not report.undoable:
        rows.append(Row("undo", "not applicable (what was changed cannot be undone)"))
    return ["", *rows_lines(rows)]


def assessment_rows(assessment: Assessment) -> list[Row]:
    """What is open, proved and not judged: what became of items first, then what that did to the fault, then what
    nobody looked at."""
    points = (*assessment.open, *assessment.not_judged)
    before = [_point_row(point) for point in points if point.label in _BEFORE_PROOF]
    after = [_point_row(point) for point in points if point.label not in (*_BEFORE_PROOF, "not checked")]
    return [
        *before,
        *(Row("proved", text, Style.GOOD) for text in assessment.proved),
        *after,
        *(Row("checked", text) for text in assessment.searched),
        *(_point_row(point) for point in points if point.label == "not checked"),
    ]


def command_rows(assessment: Assessment) -> list[Row]:
    """What to type next, in order, one command a line."""
    again = [Row(repeat.label, f"the same command {repeat.difference}", command=True) for repeat in assessment.repeats]
    return [*again, *(command_row(command) for command in assessment.next)]


def command_row(command: NextCommand) -> Row:
    return Row(command.label, command.command, command=True)


_BEFORE_PROOF: Final = ("error", "refused", "failed", "undo failed", "unreachable", "unknown", "not judged")
"""What became of items, and what could not be judged, stands above what was proved."""

_STYLES: Final = {
    "refused": Style.CARE,
    "awaiting approval": Style.CARE,
    "approved": Style.CARE,
    "denied": Style.CARE,
    "still open": Style.CARE,
    "possibly ongoing": Style.CARE,
    "not checked": Style.CARE,
    "not started": Style.CARE,
    "skipped": None,
    "unfinished": Style.CARE,
    "earlier run": Style.CARE,
}


def _point_row(point: Point) -> Row:
    return Row(point.label, point.text, _STYLES.get(point.label, Style.BAD))


def _changes(report: RunReport) -> list[str]:
    """What was changed, or would be, action by action in the order of their first."""
    wanted = {Status.WOULD_CHANGE} if report.checked else MAY_HAVE_CHANGED - {Status.UNKNOWN}
    by_subject: dict[str, list[str]] = {}
    for step in report.steps:
        items = [item.item for item in step.items if item.status in wanted]
        if items:
            by_subject.setdefault(f"{step.subject}: " if step.kind == "do" else "", []).extend(items)
    changes = [subject + ", ".join(dict.fromkeys(items)) for subject, items in by_subject.items()]
    return changes or ["not known" if report.checked and _not_known(report) else "nothing"]


def _not_known(report: RunReport) -> bool:
    """Whether a step was not started, or did not come to a judgement: what it would change nobody knows."""
    return any(step.status in NOT_PREDICTED for step in report.steps)
