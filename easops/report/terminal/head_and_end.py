"""The head and the end of a run, as lines: what it is; what was changed, what is open, and what to type."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from easops.playbook.assessment.assessment import Assessment
from easops.playbook.assessment.point import Point
from easops.playbook.assessment.run_report import RunReport
from easops.report.terminal.layout import wrapped
from easops.report.terminal.styled_line import Style, cut, joined, status_style
from easops.status import MAY_HAVE_CHANGED, NOT_JUDGED, Status

_LABEL: Final = 12
"""Columns of the words at the left of a report's end; a longer one pushes its own line to the right."""


def head_lines(title: str, run_id: str | None, lab: str | None, limit: str | None, *, checked: bool) -> list[str]:
    """What stands above the steps: what is run, the run's id, and whether anything is at stake."""
    lines = wrapped(joined((title, Style.STRONG)), "", "")
    if run_id is not None:
        lines.append(f"run {run_id}")
    if lab is not None:
        lines += wrapped(f"in the lab, scenario {lab}; times are by its fast clock", "")
    if limit is not None:
        lines += wrapped(f"limited to {limit}", "")
    if checked:
        lines.append("check: everything is read, nothing is changed")
    return [*lines, ""]


def end_lines(report: RunReport, exit_code: int) -> list[str]:
    """What was changed, what that did to the fault, what is open, and what to type next."""
    assessment = report.assessment
    lines = ["", *labelled("would change" if report.checked else "changed", _changes(report))]
    points = [*assessment.open, *assessment.not_judged]
    for label in dict.fromkeys(point.label for point in points if point.label in _DONE_BY_STEPS):
        lines += _points(label, points)
    lines += labelled("proved", assessment.proved, Style.GOOD)
    for label in dict.fromkeys(point.label for point in points if point.label not in _DONE_BY_STEPS):
        lines += _points(label, points)
    lines += labelled("checked", assessment.searched)
    status_words = (report.status.replace("_", " "), status_style(report.status))
    lines += labelled("status", [joined(status_words, f" (exit code {exit_code})")])
    lines += command_lines(assessment)
    if report.run_id is not None and report.kind != "undo" and report.changed and not report.undoable:
        lines += labelled("undo", ["not applicable (what was changed cannot be undone)"])
    return lines


def command_lines(assessment: Assessment) -> list[str]:
    """What to type next, in order, one command a line."""
    lines: list[str] = []
    for repeat in assessment.repeats:
        lines += to_type(repeat.label, f"the same command {repeat.difference}")
    for command in assessment.next:
        lines += to_type(command.label, command.command)
    return lines


_DONE_BY_STEPS: Final = ("error", "refused", "failed", "undo failed", "unreachable", "unknown")
"""What became of items stands above what was proved of them."""

_STYLES: Final = {
    "refused": Style.CARE,
    "awaiting approval": Style.CARE,
    "still open": Style.CARE,
    "possibly ongoing": Style.CARE,
    "not checked": Style.CARE,
    "unfinished": Style.CARE,
    "earlier run": Style.CARE,
}


def _points(label: str, points: Sequence[Point]) -> list[str]:
    texts = [point.text for point in points if point.label == label]
    return labelled(label, texts, _STYLES.get(label, Style.BAD))


def labelled(label: str, entries: Sequence[str], style: Style | None = None) -> list[str]:
    lines: list[str] = []
    for number, entry in enumerate(entries):
        left = joined((f"{label if number == 0 else '':<{_LABEL}}", style), "  ")
        first, *rest = wrapped(entry, " " * len(left), "  ")
        lines += [joined(left, cut(first, len(left))), *rest]
    return lines


def to_type(label: str, text: str) -> list[str]:
    """A command on a line of its own, whole however long: it is to be copied."""
    return [joined(f"{label:<{_LABEL}}  ", (text, Style.STRONG))]


def _changes(report: RunReport) -> list[str]:
    """What was changed, or would be, action by action in the order of their first."""
    wanted = {Status.WOULD_CHANGE} if report.checked else MAY_HAVE_CHANGED - {Status.UNKNOWN}
    by_subject: dict[str, list[str]] = {}
    for step in report.steps:
        items = [item.item for item in step.items if item.status in wanted]
        if items:
            by_subject.setdefault(f"{step.subject}: " if step.kind == "do" else "", []).extend(items)
    held = [subject + ", ".join(dict.fromkeys(items)) for subject, items in by_subject.items()]
    return held or ["not known" if report.checked and _not_known(report) else "nothing"]


def _not_known(report: RunReport) -> bool:
    """Whether a step was not started, or did not come to a judgement: what it would change nobody knows."""
    return any(
        step.status in NOT_JUDGED or step.status in (Status.NOT_STARTED, Status.UNKNOWN) for step in report.steps
    )
