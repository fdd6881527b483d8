"""The frame of a run, as lines: its head; and its end: what was changed, what that did to the fault, what to type."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final

from easops.clock import lasted
from easops.detectors import DETECTORS
from easops.detectors.finding import Detection, Device, Measurement
from easops.playbook.assessment.alternatives import onward
from easops.playbook.assessment.command import typed
from easops.playbook.assessment.ended_faults import ended_for
from easops.playbook.assessment.found import found_words
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.assessment.still_open import left_open, untouched
from easops.playbook.steps.step_result import StepResult
from easops.report.terminal.layout import wrapped
from easops.report.terminal.styled_line import Style, cut, joined, status_style
from easops.status import Status
from easops.wording import figure

_LABEL: Final = 12
"""Columns of the words at the left of a report's end."""


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


def end_lines(report: RunReport, exit_code: int, *, command: str) -> list[str]:
    """What was changed, what that did to the fault, and what to type next; the undo command is the last line.

    *command* is the playbook as it was named, or the run that an undo is of.
    """
    lines = [""]
    lines += labelled("would change" if report.checked else "changed", _changes(report))
    lines += labelled("refused", _items(report, Status.REFUSED), Style.CARE)
    for status in (Status.FAILED, Status.UNDO_FAILED, Status.UNREACHABLE):
        lines += labelled(status.replace("_", " "), _items(report, status), Style.BAD)
    lines += labelled("not known", _items(report, Status.UNKNOWN), Style.BAD)
    lines += labelled("not judged", _unjudged(report), Style.BAD)
    lines += labelled("proved", _proofs(report), Style.GOOD)
    lines += labelled("not proved", _unproved(report), Style.BAD)
    whole = untouched(report)
    backwards = [step for step in whole if _looks_back(step.subject)]
    lines += labelled(
        "still open", [*(_left(step) for step in whole if step not in backwards), *left_open(report)], Style.CARE
    )
    lines += labelled("may go on", [_left(step) for step in backwards], Style.CARE)
    lines += labelled("looked", _nothing(report))
    unlooked = _not_looked(report)
    lines += labelled(
        "not looked",
        [f"{step.name}: {step.reason}; a fault that it alone would show is not ruled out" for step in unlooked],
        Style.CARE,
    )
    if report.earlier is not None:
        held = report.earlier
        lines += labelled("open", [f"run {held.run_id} {held.state}; until it is settled this one is refused"])
        lines += to_type("look", f"easops runs show {held.run_id}")
    status_words = (report.status.replace("_", " "), status_style(report.status))
    lines += labelled("status", [joined(status_words, f" (exit code {exit_code})")])
    if report.lab is not None and report.kind == "run" and not report.exit_code:
        lines += to_type("for real", f"easops run {command} --inventory hosts.yml --check")
    elif report.checked and report.would_change:
        for_real = f"easops undo {command}" if report.kind == "undo" else "the same command without --check"
        lines += to_type("to do it", for_real)
    without = _without(report)
    if without:
        lines += to_type("without it", f"the same command with --limit {','.join(without)}")
    if report.status is Status.AWAITING_APPROVAL:
        lines += to_type("approve", f"easops approve {report.run_id}")
    for detector in dict.fromkeys(step.subject for step in backwards):
        lines += to_type("look again", f"easops detect {detector} since=20m")
    for step in unlooked:
        if command := typed("easops", "detect", step.subject, *step.given):
            lines += to_type("look too", command)
    for way in onward(report):
        lines += to_type(way.label, way.command)
    if report.owes:
        lines += to_type("go on", f"easops runs resume {report.run_id}")
    if report.run_id is not None:
        lines += _settling(report)
    if report.run_id is not None and report.kind != "undo" and (report.changed or report.undoable):
        if report.undoable:
            lines += to_type("undo", f"easops undo {report.run_id}")
        else:
            lines += labelled("undo", ["what was done has no undo"])
    return lines


def _settling(report: RunReport) -> list[str]:
    """What to type about changes whose outcome is not known, or not as it should be."""
    statuses = {item.status for step in report.steps for item in step.items}
    if Status.UNKNOWN in statuses:
        return to_type("settle", f"easops runs reconcile {report.run_id}")
    unproved = Status.VERIFY_FAILED in statuses or Status.UNDO_FAILED in statuses
    return to_type("look", f"easops runs show {report.run_id} --verbose") if unproved else []


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
    wanted = (Status.WOULD_CHANGE,) if report.checked else (Status.CHANGED, Status.UNDONE, Status.VERIFY_FAILED)
    by_subject: dict[str, list[str]] = {}
    for step in report.steps:
        items = [item.item for item in step.items if item.status in wanted]
        if items:
            by_subject.setdefault(f"{step.subject}: " if step.kind == "do" else "", []).extend(items)
    held = [subject + ", ".join(dict.fromkeys(items)) for subject, items in by_subject.items()]
    return held or ["not known" if report.checked and _left_open(report) else "nothing"]


def _left_open(report: RunReport) -> bool:
    """Whether a step was not started, or did not come to a judgement: what it would change nobody knows."""
    open_ = (Status.NOT_STARTED, Status.UNREACHABLE, Status.UNDETERMINED, Status.UNKNOWN)
    return any(step.status in open_ for step in report.steps)


def _without(report: RunReport) -> list[str]:
    """The hosts that answered, of a check that came to no end since others did not."""
    if not report.checked or report.kind != "run" or report.status is not Status.UNREACHABLE:
        return []
    looks = [step.detection for step in report.steps if step.detection is not None]
    lost = {held.host for look in looks for held in look.unreachable}
    answered = dict.fromkeys(host for look in looks for host in look.judged if host not in lost)
    return list(answered) if lost else []


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
        gone = ended_for(step, earlier)
        figures = _figures(step, earlier)
        what = "; ".join([*figures, *([f"no more hits of {', '.join(gone)}"] if gone else [])])
        lines.append(f"{step.name}: {what}" if what else step.name)
    return lines


def _unproved(report: RunReport) -> list[str]:
    """The verify steps that did not pass: who is still found, whose evidence stands above; else why."""
    open_ = (Status.VERIFY_FAILED, Status.UNDETERMINED, Status.UNREACHABLE)
    lines = []
    for step in report.steps:
        if step.kind == "verify" and step.status in open_:
            users = [user.user for user in step.detection.users] if step.detection is not None else []
            why = f"still found: {', '.join(users)}" if users else step.reason or step.status.replace("_", " ")
            lines.append(f"{step.name}: {why}")
    return lines


def _unjudged(report: RunReport) -> list[str]:
    """The detect steps that met hosts which they could not judge, and why; whether that stopped the changes or not."""
    open_ = (Status.OK, Status.UNDETERMINED, Status.UNREACHABLE)
    return [
        f"{step.name}: {step.reason}"
        for step in report.steps
        if step.kind == "detect" and step.status in open_ and step.reason
    ]


def _nothing(report: RunReport) -> list[str]:
    """Where nothing was found, and what was read for it: of a run that did well, and found nothing anywhere."""
    if report.kind != "run" or report.status is not Status.OK or any(held.found for held in report.findings):
        return []
    return [
        f"{', '.join((step.name, *step.given))}: {found_words(step.detection)} on {', '.join(step.detection.judged)}"
        for step in report.steps
        if step.kind == "detect" and step.detection is not None and step.detection.judged
    ]


def _not_looked(report: RunReport) -> list[StepResult]:
    """The detect steps of such a run that did not look: another cause than the one that was looked for is not seen."""
    skipped = [step for step in report.steps if step.kind == "detect" and step.status is Status.SKIPPED]
    return skipped if _nothing(report) else []


def _left(step: StepResult) -> str:
    """What a step found that nothing was done about; of what was read in a log also how long ago it was last seen."""
    assert step.detection is not None
    told = f"{step.name}: {found_words(step.detection)}{_last_hit(step.detection)}"
    return f"{told}; nothing was changed, and no step looked whether it has ended"


def _last_hit(detection: Detection) -> str:
    """How long before the look the last hit of anybody ended, by the server's clock, and how often that device's come:
    of a flood that a cure has just ended the hits before it are found, too, and nobody else can tell the two apart."""
    last: tuple[float, Device] | None = None
    for device in (device for user in detection.users for device in user.devices):
        times = [detection.times[host] for host in device.hosts if host in detection.times]
        ago = max((max(times) - device.last_seen).total_seconds(), 0.0) if times else None
        if ago is not None and (last is None or ago < last[0]):
            last = ago, device
    if last is None:
        return ""
    ago, device = last
    every = "" if device.interval is None else f"; one came every {lasted(device.interval)}"
    return f", the last hit {lasted(ago)} before the look ({device.last_seen.astimezone(dt.UTC):%H:%M} UTC{every})"


def _looks_back(detector: str) -> bool:
    """Whether it reads what was before: then it finds for a while what has ended already."""
    held = DETECTORS.get(detector)
    return held is not None and any(parameter.name == "since" for parameter in held.parameters)


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
