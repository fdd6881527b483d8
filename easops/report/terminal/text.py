"""Reports as text for a person: prose for 80 columns, tables fitted to the terminal. Pure: values in, text out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from easops.actions.change import Change, ChangeOutcome
from easops.detectors.finding import Detection
from easops.detectors.why import Explanation
from easops.playbook.assessment.found import found_words
from easops.playbook.assessment.next_commands import begin
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.record.notice import Notice
from easops.playbook.steps.step_result import StepResult
from easops.readings.take import ReadingResult
from easops.report.terminal.approval import asked_lines, decided_lines
from easops.report.terminal.finding import detection_lines, unreachable_lines
from easops.report.terminal.head_and_end import Row, end_lines, head_lines, lab_lines, rows_lines
from easops.report.terminal.layout import INDENT, cell, difference, effective_lines, table, wrapped
from easops.report.terminal.runs import notice_lines, reconciled_lines, run_view_lines, runs_lines
from easops.report.terminal.step import item_words, step_lines
from easops.report.terminal.styled_line import Painted, Style, joined, printed
from easops.status import Status
from easops.wording import counted

if TYPE_CHECKING:
    from easops.playbook.record.approval import PendingApproval
    from easops.playbook.record.decision import Decision
    from easops.playbook.record.run_view import RunView
    from easops.playbook.steps.effects import Preview


def preview_lines(preview: Preview) -> list[str]:
    """What a person is asked about: who, what, before -> after, and what that may do to them; then the later steps, the
    hosts and the limits."""
    lines = wrapped(joined((preview.step, Style.STRONG), ":"), "")
    for plan in preview.plans:
        lines += wrapped(item_words(plan.item, plan.status, plan.reason))
        if plan.status is Status.WOULD_CHANGE:
            for entry in difference(plan.before, plan.after):
                lines += wrapped(entry, INDENT + "  ", "  ")
            lines += wrapped(f"undo: {plan.undo}", INDENT + "  ", "  ")
    wanted = [plan.effective for plan in preview.plans if plan.status is Status.WOULD_CHANGE]
    lines += effective_lines(wanted)
    rows = [Row("then", step) for step in preview.later]
    rows += [Row("hosts", ", ".join(preview.hosts))] if preview.hosts else []
    at_once = counted(preview.hosts_at_once, "host")
    rows.append(Row("limits", f"{counted(preview.changes_limit, 'change')} a step, {at_once} at a time"))
    return lines + rows_lines(rows)


def detection_alone(detection: Detection, *, verbose: bool = False) -> list[str]:
    """What a detector found by itself, outside of a run."""
    found = (found_words(detection), Style.CARE if detection.found else None)
    lines: list[str] = [joined((detection.detector, Style.STRONG), ": ", found)]
    if detection.judged:
        lines += wrapped(f"judged: {', '.join(detection.judged)}")
    return [*lines, *detection_lines(detection, verbose=verbose)]


def explained_lines(explanations: Sequence[Explanation]) -> list[str]:
    """Why somebody is a finding, or is none: the reason, each test, and what would make it one."""
    lines: list[str] = []
    for one in explanations:
        verdict = ("a finding", Style.CARE) if one.found else ("not a finding", None)
        lines.append(joined((one.detector, Style.STRONG), f": {one.subject} is ", verdict))
        lines += wrapped(one.reason)
        for check in one.checks:
            mark = ("yes", None) if check.passed else ("no ", Style.CARE)
            lines += wrapped(joined(mark, f"  {check.what}: {check.there}; needed: {check.needed}"), INDENT, "     ")
        if one.change:
            lines += wrapped(f"it would be a finding with {one.change}")
    return lines


def reading_lines(result: ReadingResult, width: int | None = None) -> list[str]:
    """The rows of a reading, the host first where each host has its own; a single row that is wider than *width*, a
    value a line."""
    per_host = result.reading.scope == "server"
    columns = ("host", *result.reading.columns) if per_host else result.reading.columns
    rows = [_readable(columns, (row.host, *row.values) if per_host else row.values) for row in result.rows]
    lines = table(columns, rows, width) if rows else [] if result.unreachable or result.not_read else ["nothing"]
    if len(rows) == 1 and len(lines) > 2:
        left = max(map(len, columns))
        lines = [f"{name.replace('_', ' '):<{left}}  {cell(value)}" for name, value in zip(columns, *rows, strict=True)]
    for unreachable in result.unreachable:
        lines += unreachable_lines(unreachable, "")
    for part in result.not_read:
        lines += wrapped(f"not read: {part.why}" if part.host is None else f"not read: {part.host}: {part.why}", "")
    return lines


def _readable(columns: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
    """The values of a row, bytes in MiB."""
    return tuple(
        f"{value / 2**20:,.0f} MiB" if name.endswith("_bytes") and value is not None else value
        for name, value in zip(columns, values, strict=True)
    )


@attrs.frozen
class Text:
    """The text format. *width* is that of a terminal, which tables are fitted to; None, off one: a row is one line,
    for grep. *colour* paints what stands out, for a terminal."""

    width: int | None = None
    colour: bool = False
    name: ClassVar[str] = "text"

    def _painted(self, lines: Iterable[str]) -> Painted:
        return printed(lines, colour=self.colour)

    def head(self, title: str, run_id: str | None, lab: str | None, limit: str | None, *, checked: bool) -> str:
        return self._painted(head_lines(title, run_id, lab, limit, checked=checked))

    def step(self, step: StepResult, earlier: Sequence[StepResult], *, diff: bool, verbose: bool) -> str:
        return self._painted(step_lines(step, earlier, diff=diff, verbose=verbose))

    def end(self, report: RunReport, exit_code: int | None) -> str:
        return self._painted(end_lines(report, exit_code))

    def detection(
        self, detection: Detection, status: Status, exit_code: int, *, lab: str | None = None, verbose: bool
    ) -> str:
        return self._painted([*lab_lines(lab), *detection_alone(detection, verbose=verbose)])

    def explained(self, explanations: Sequence[Explanation]) -> str:
        return self._painted(explained_lines(explanations))

    def reading(self, result: ReadingResult, *, lab: str | None = None) -> str:
        return self._painted([*lab_lines(lab), *reading_lines(result, self.width)])

    def runs(self, views: Sequence[RunView]) -> str:
        return self._painted(runs_lines(views, self.width))

    def run_view(self, view: RunView, report: RunReport, *, diff: bool, verbose: bool) -> str:
        return self._painted(run_view_lines(view, report, diff=diff, verbose=verbose))

    def submitted(self, run_id: str) -> str:
        return f"run {run_id} is recorded and waits; to execute it, type\n  {begin(run_id).command}"

    def served(self, runs: Sequence[tuple[RunView, RunReport, int]], exit_code: int) -> str:
        return Painted("\n\n".join(self._painted(run_view_lines(view, report)) for view, report, _ in runs))

    def asked(self, asked: PendingApproval, exit_code: int) -> str:
        return self._painted(asked_lines(asked))

    def decided(self, asked: PendingApproval, decision: Decision) -> str:
        return self._painted(decided_lines(asked, decision))

    def notices(self, notices: Sequence[Notice], status: Status, exit_code: int) -> str:
        return self._painted(notice_lines(notices, ""))

    def reconciled(
        self,
        run_id: str,
        found: Sequence[tuple[Change, ChangeOutcome]],
        status: Status,
        exit_code: int,
        *,
        closed: bool,
    ) -> str:
        return self._painted(reconciled_lines(run_id, found, closed=closed))
