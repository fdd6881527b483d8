"""Reports as text for a person, readable at 80 columns. Pure: values in, text out."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Final

from easops.actions.change import Change, ChangeOutcome, words
from easops.detectors.finding import Detection, Measurement
from easops.playbook.outcome import RunReport, StepResult
from easops.playbook.runs import RunView
from easops.playbook.walk import Preview
from easops.readings.take import Taken
from easops.report.finding import detection_lines, found_words
from easops.report.layout import INDENT, WIDTH, cell, counted, difference, figure, moment, table, wrapped
from easops.report.step import item_words, step_lines
from easops.status import Status

_LABEL: Final = 12
"""Columns of the words at the left of a report's end."""


def head_lines(title: str, run_id: str | None, lab: str | None, limit: str | None, *, checked: bool) -> list[str]:
    """What stands above the steps: what is run, the run's id, and whether anything is at stake."""
    lines = [title]
    if run_id is not None:
        lines.append(f"run {run_id}")
    if lab is not None:
        lines += wrapped(f"in the lab, scenario {lab}; times are by its clock, which runs fast", "")
    if limit is not None:
        lines.append(f"limited to {limit}")
    if checked:
        lines.append("check: everything is read, nothing is changed")
    return [*lines, ""]


def end_lines(report: RunReport, exit_code: int, *, command: str) -> list[str]:
    """What was changed, what that did to the fault, and what to type next; the undo command is the last line."""
    lines = [""]
    lines += _labelled("would change" if report.checked else "changed", _changes(report))
    lines += _labelled("refused", _items(report, Status.REFUSED))
    for status in (Status.FAILED, Status.UNDO_FAILED, Status.UNREACHABLE):
        lines += _labelled(status.replace("_", " "), _items(report, status))
    lines += _labelled("not known", _items(report, Status.UNKNOWN))
    lines += _labelled("proved", _proofs(report))
    lines += _labelled("not proved", _unproved(report))
    if report.earlier is not None:
        held = report.earlier
        lines += _labelled("open", [f"run {held.run_id} {held.state}; until it is settled this one is refused"])
        lines += _labelled("look", [f"easops runs show {held.run_id}"])
    lines += _labelled("status", [f"{report.status.replace('_', ' ')} (exit code {exit_code})"])
    if report.lab is not None and report.kind == "run":
        lines += _labelled("for real", [f"easops run {command} --inventory hosts.yml --check"])
    if report.owes:
        lines += _labelled("go on", [f"easops runs resume {report.run_id}"])
    if report.run_id is not None and report.kind != "undo" and (report.changed or report.undoable):
        lines += _labelled("undo", [f"easops undo {report.run_id}" if report.undoable else "what was done has no undo"])
    return lines


def _labelled(label: str, entries: Sequence[str]) -> list[str]:
    lines: list[str] = []
    for number, entry in enumerate(entries):
        left = f"{label if number == 0 else '':<{_LABEL}}  "
        held = wrapped(entry, " " * len(left), "  ")
        lines += [left + held[0].lstrip(), *held[1:]]
    return lines


def _changes(report: RunReport) -> list[str]:
    wanted = (Status.WOULD_CHANGE,) if report.checked else (Status.CHANGED, Status.UNDONE, Status.VERIFY_FAILED)
    lines = []
    for step in report.steps:
        items = [item.item for item in step.items if item.status in wanted]
        if items:
            lines.append(f"{step.subject}: {', '.join(items)}" if step.kind == "do" else ", ".join(items))
    return lines or ["nothing"]


def _items(report: RunReport, status: Status) -> list[str]:
    return [
        f"{item.item}: {item.reason}" if item.reason else item.item
        for step in report.steps
        for item in step.items
        if item.status is status
    ]


def _proofs(report: RunReport) -> list[str]:
    """What the verify steps that passed say about the fault: who is no longer found, and figures before -> after."""
    lines = []
    for number, step in enumerate(report.steps):
        if step.kind != "verify" or step.status is not Status.OK or step.detection is None:
            continue
        earlier = report.steps[:number]
        treated = {item for before in earlier if before.done is not None for item in before.done.treated}
        gone = [user for user in _found(earlier, step.subject) if user in treated]
        figures = _figures(step, earlier)
        what = "; ".join([*figures, *([f"no more hits of {', '.join(gone)}"] if gone else [])])
        lines.append(f"{step.name}: {what}" if what else step.name)
    return lines


def _unproved(report: RunReport) -> list[str]:
    open_ = (Status.VERIFY_FAILED, Status.UNDETERMINED, Status.UNREACHABLE)
    return [
        f"{step.name}: {step.reason or step.status.replace('_', ' ')}"
        for step in report.steps
        if step.kind == "verify" and step.status in open_
    ]


def _found(steps: Sequence[StepResult], subject: str) -> list[str]:
    held = [step.detection for step in steps if step.kind == "detect" and step.subject == subject]
    return list(dict.fromkeys(user.user for detection in held if detection is not None for user in detection.users))


def _figures(step: StepResult, earlier: Sequence[StepResult]) -> list[str]:
    """Each host's first figure in *step* with the first one of that host and name above it; where there is none above
    it, the host's sentence."""
    assert step.detection is not None
    before = {
        (measurement.host, measurement.name): measurement.value
        for held in reversed(earlier)
        if held.kind == "detect" and held.subject == step.subject and held.detection is not None
        for measurement in held.detection.measurements
    }
    first: dict[str, Measurement] = {}
    for measurement in step.detection.measurements:
        first.setdefault(measurement.host, measurement)
    lines = []
    for host, measurement in first.items():
        unit = measurement.unit
        was = before.get((host, measurement.name))
        now = f"{figure(measurement.value, unit)} {unit}"
        if was is not None:
            lines.append(f"{host} {figure(was, unit)} -> {now}")
        else:
            lines.append(f"{host} {step.detection.sentences.get(host, now)}")
    return lines


def preview_lines(preview: Preview) -> list[str]:
    """What a person is asked about: who, what, before -> after; then the later steps, the hosts and the limits."""
    lines = [f"{preview.step}:"]
    for plan in preview.plans:
        lines += wrapped(item_words(plan.item, plan.status, plan.reason))
        if plan.status is Status.WOULD_CHANGE:
            for entry in difference(plan.before, plan.after):
                lines += wrapped(entry, INDENT + "  ", "  ")
            lines += wrapped(f"undo: {plan.undo}", INDENT + "  ", "  ")
    lines += _labelled("then", list(preview.later))
    lines += _labelled("hosts", [", ".join(preview.hosts)] if preview.hosts else [])
    at_once = counted(preview.hosts_at_once, "host")
    lines += _labelled("limits", [f"{counted(preview.changes_limit, 'change')} a step, {at_once} at a time"])
    return lines


def detection_text(detection: Detection, *, verbose: bool = False) -> str:
    lines = [f"{detection.detector}: {found_words(detection)}"]
    if detection.judged:
        lines += wrapped(f"judged: {', '.join(detection.judged)}")
    return "\n".join([*lines, *detection_lines(detection, verbose=verbose)])


def taken_text(taken: Taken) -> str:
    """The rows of a reading, the host first where each host has its own; a single row that is too wide, a value a
    line."""
    per_host = taken.reading.scope == "server"
    columns = ("host", *taken.reading.columns) if per_host else taken.reading.columns
    rows = [_readable(columns, (row.host, *row.values) if per_host else row.values) for row in taken.rows]
    lines = table(columns, rows) if rows else [] if taken.unreachable else ["nothing"]
    if len(rows) == 1 and max(map(len, lines)) > WIDTH:
        width = max(map(len, columns))
        lines = [
            f"{name.replace('_', ' '):<{width}}  {cell(value)}" for name, value in zip(columns, *rows, strict=True)
        ]
    for unreachable in taken.unreachable:
        lines += wrapped(f"unreachable: {unreachable.what}: {unreachable.why}", "")
    return "\n".join(lines)


def _readable(columns: Sequence[str], values: Sequence[Any]) -> tuple[Any, ...]:
    """The values of a row, bytes in MiB."""
    return tuple(
        f"{value / 2**20:,.0f} MiB" if name.endswith("_bytes") and value is not None else value
        for name, value in zip(columns, values, strict=True)
    )


def runs_text(views: Sequence[RunView]) -> str:
    """All runs, the newest first: which, when (UTC), how it ended, whether it was in the lab, whether it owes its later
    steps, and what it was."""
    if not views:
        return "no run is recorded"
    columns = ("run", "started UTC", "status", "")
    rows = [
        (
            view.run.run_id,
            f"{view.run.started:%m-%d %H:%M}",
            # R of `undone by R` is told by runs show; what it owes is marked
            view.status.partition(" by ")[0].partition(",")[0],
            " ".join(["lab"] * (view.run.lab is not None) + ["owes"] * view.run.owes),
        )
        for view in views
    ]
    left = table(columns, rows)
    start = max(map(len, left)) + 2
    what = ["what", *(_what(view) for view in views)]
    lines: list[str] = []
    for held, words_ in zip(left, what, strict=True):
        first, *rest = wrapped(words_, " " * start, "")
        lines += [f"{held:<{start}}{first.lstrip()}", *rest]
    return "\n".join(lines)


def _what(view: RunView) -> str:
    """A run of a playbook by the name of its file; an undo and a single action are called what they are."""
    named = PurePath(view.run.document["source"]).stem if view.run.kind == "run" else ""
    return named or view.run.playbook


def run_view_text(view: RunView, report: RunReport, *, diff: bool = False, verbose: bool = False) -> str:
    """One run, whole: what was done, what is not known, and what to type."""
    run = view.run
    lines = head_lines(run.playbook, run.run_id, run.lab, run.limit, checked=False)[:-1]
    begun = "submitted" if run.waits else "started"
    lines += [f"{view.status}; {begun} {moment(run.started)}" + (f", ended {moment(run.ended)}" if run.ended else "")]
    lines += [f"targets {', '.join(run.targets)}", ""]
    for number, step in enumerate(view.steps):
        lines += step_lines(step, view.steps[:number], diff=diff, verbose=verbose)
    if view.changes:
        lines += ["", "Changes, in the order of their intents:"]
    for change, outcome in view.changes:
        lines += _change_lines(change, outcome)
    ways = ways_out(view, report)
    return "\n".join([*lines, "", *ways] if ways else lines)


def _change_lines(change: Change, outcome: ChangeOutcome | None) -> list[str]:
    status = Status.UNKNOWN if outcome is None else outcome.status
    reason = "no outcome is recorded" if outcome is None else outcome.reason
    lines = wrapped(item_words(change.subject, status, reason))
    return [*lines, *wrapped(f"{words(change.before)} -> {words(change.after)}", INDENT + "  ", "  ")]


def ways_out(view: RunView, report: RunReport) -> list[str]:
    """The commands that lead on from here, one a line; none where nothing is left to do."""
    run = view.run
    if run.closed or view.alive:
        return []
    if run.waits:
        ways = _labelled("begin", [f"easops worker {run.run_id}"])
        return [*ways, *_labelled("close", [f"easops runs abandon {run.run_id}"])]
    dead = run.ended is None
    lines = []
    if view.open:
        lines += _labelled("settle", [f"easops runs reconcile {run.run_id}"])
    if dead or run.owes:
        lines += _labelled("go on", [f"easops runs resume {run.run_id}"])
        lines += _labelled("close", [f"easops runs abandon {run.run_id}"])
    if run.kind != "undo" and (dead or report.undoable):
        lines += _labelled("undo", [f"easops undo {run.run_id}"])
    return lines


def settled_text(run_id: str, found: Sequence[tuple[Change, ChangeOutcome]], *, closed: bool) -> str:
    """What reading the servers decided about the changes whose outcome was not known."""
    lines = [f"run {run_id}: " + (f"{counted(len(found), 'open change')} read" if found else "no change was open")]
    for change, outcome in found:
        lines += _change_lines(change, outcome)
    if closed:
        lines.append(f"run {run_id} is abandoned: its targets are free, and it owes nothing")
    return "\n".join(lines)


class _Text:
    name = "text"

    def head(self, title: str, run_id: str | None, lab: str | None, limit: str | None, *, checked: bool) -> str:
        return "\n".join(head_lines(title, run_id, lab, limit, checked=checked))

    def step(self, step: StepResult, earlier: Sequence[StepResult], *, diff: bool, verbose: bool) -> str:
        return "\n".join(step_lines(step, earlier, diff=diff, verbose=verbose))

    def end(self, report: RunReport, exit_code: int, *, command: str) -> str:
        return "\n".join(end_lines(report, exit_code, command=command))

    def detection(self, detection: Detection, status: Status, exit_code: int, *, verbose: bool) -> str:
        return detection_text(detection, verbose=verbose)

    def taken(self, taken: Taken) -> str:
        return taken_text(taken)

    def runs(self, views: Sequence[RunView]) -> str:
        return runs_text(views)

    def run_view(self, view: RunView, report: RunReport, *, diff: bool, verbose: bool) -> str:
        return run_view_text(view, report, diff=diff, verbose=verbose)

    def submitted(self, run_id: str) -> str:
        return f"run {run_id} is recorded and waits; to execute it, type\n  easops worker {run_id}"

    def served(self, runs: Sequence[tuple[RunView, RunReport, int]], exit_code: int) -> str:
        return "\n\n".join(run_view_text(view, report) for view, report, _ in runs)

    def settled(
        self,
        run_id: str,
        found: Sequence[tuple[Change, ChangeOutcome]],
        status: Status,
        exit_code: int,
        *,
        closed: bool,
    ) -> str:
        return settled_text(run_id, found, closed=closed)


TEXT = _Text()
