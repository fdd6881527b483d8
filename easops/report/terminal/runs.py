"""Recorded runs, as lines: the list of them, one whole, and what a reconcile found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import TYPE_CHECKING

from easops.actions.change import Change, ChangeOutcome
from easops.actions.state_words import state_words
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.record.notice import Notice
from easops.report.terminal.approval import decision_words
from easops.report.terminal.head_and_end import Row, assessment_rows, command_rows, head_lines, rows_lines
from easops.report.terminal.layout import INDENT, moment, table, wrapped
from easops.report.terminal.step import item_words, step_lines
from easops.status import Status
from easops.wording import counted

if TYPE_CHECKING:
    from easops.playbook.record.run_view import RunView


def runs_lines(views: Sequence[RunView], width: int | None = None) -> list[str]:
    """All runs, the newest first: which, when (UTC), how it ended, whether it was in the lab, whether it has unfinished
    steps, and what it was."""
    if not views:
        return ["no run is recorded"]
    columns = ("run", "started UTC", "status", "")
    rows = [
        (
            view.run.run_id,
            f"{view.run.started:%m-%d %H:%M}",
            # runs show has the R of `undone by R`; that it is unfinished stands beside it
            view.status.partition(" by ")[0].partition(",")[0].replace("_", " "),
            " ".join(["lab"] * (view.run.lab is not None) + ["unfinished"] * view.run.unfinished),
        )
        for view in views
    ]
    left = table(columns, rows, width)
    start = max(map(len, left)) + 2
    what = ["what", *(_what(view) for view in views)]
    lines: list[str] = []
    for line, name in zip(left, what, strict=True):
        whole = f"{line:<{start}}{name}"
        first, *rest = [whole] if width is None or len(whole) <= width else wrapped(name, " " * start, "")
        lines += [f"{line:<{start}}{first[start:]}", *rest]
    return lines


def _what(view: RunView) -> str:
    """The name of a playbook's file, for a run of one; an undo and a single action have names of their own."""
    named = PurePath(view.run.document["source"]).stem if view.run.kind == "run" else ""
    return named or view.run.playbook


def run_view_lines(view: RunView, report: RunReport, *, diff: bool = False, verbose: bool = False) -> list[str]:
    """One run, whole: what was done, what is not known, and what to type."""
    run = view.run
    lines = head_lines(run.playbook, run.run_id, run.lab, run.limit, checked=False)[:-1]
    begun = "submitted" if run.waits else "started"
    ended = f", ended {moment(run.ended)}" if run.ended else ""
    lines += wrapped(f"{view.status.replace('_', ' ')}; {begun} {moment(run.started)}{ended}", "")
    lines += [*wrapped(f"targets {', '.join(run.targets)}", ""), ""]
    for number, step in enumerate(view.steps):
        lines += step_lines(step, view.steps[:number], diff=diff, verbose=verbose)
    if view.changes:
        lines += ["", "Changes, in the order in which they were recorded:"]
    for change, outcome in view.changes:
        lines += _change_lines(change, outcome)
    if view.notices:
        lines += ["", "Notified of its end:", *notice_lines(view.notices)]
    assessment = report.assessment
    rows = assessment_rows(assessment)
    if view.pending is not None and view.pending.decision is not None:
        rows.append(Row("decided", decision_words(view.pending.decision)))
    rows += command_rows(assessment)
    return [*lines, "", *rows_lines(rows)] if rows else lines


def notice_lines(notices: Sequence[Notice], indent: str = INDENT) -> list[str]:
    """Who was notified of a run's end, and when; or who was not, and why."""
    lines = []
    for notice in notices:
        why = f": {notice.reason}" if notice.reason else ""
        lines += wrapped(f"{notice.channel}: {notice.status} {moment(notice.at)}{why}", indent)
    return lines


def _change_lines(change: Change, outcome: ChangeOutcome | None) -> list[str]:
    status = Status.UNKNOWN if outcome is None else outcome.status
    reason = "no outcome is recorded" if outcome is None else outcome.reason
    lines = wrapped(item_words(change.subject, status, reason))
    return [*lines, *wrapped(f"{state_words(change.before)} -> {state_words(change.after)}", INDENT + "  ", "  ")]


def reconciled_lines(run_id: str, found: Sequence[tuple[Change, ChangeOutcome]], *, closed: bool) -> list[str]:
    """What reading the servers decided about the changes whose outcome was not known."""
    lines = [f"run {run_id}: " + (f"{counted(len(found), 'open change')} read" if found else "no change was open")]
    for change, outcome in found:
        lines += _change_lines(change, outcome)
    if closed:
        lines += wrapped(f"run {run_id} is abandoned: its targets are released", "")
    return lines
