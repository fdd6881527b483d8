"""A storm over time, as numbers: where each bar, tick and mark stands in its plot. ``timeline.jinja`` draws them.

What was not observed is a gap, never a zero.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Final

import attrs

from easops.actions.outcome import ItemOutcome
from easops.detectors.finding import Series
from easops.detectors.series import MOST, STEPS
from easops.playbook.assessment.run_report import RunReport
from easops.wording import counted

_LABEL: Final = 6.0
"""Percent of a plot that the number of a mark takes where the plot is narrowest."""

_TICKS: Final = 6
_TICK_STEPS: Final = (60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 604_800)


@attrs.frozen
class Mark:
    """A moment of a change: *number* is that of its step among the changing ones, *host* None of a change to the
    organisation; *what* are the items, in words."""

    number: int
    step: str
    time: dt.datetime
    host: str | None
    what: str


@attrs.frozen
class Span:
    """A part of a plot, from *left* on, both in percent of its width; *value* None was not observed. *height* is in
    percent of the plot's; *after* says that it began after the last change there."""

    left: float
    width: float
    start: dt.datetime
    value: int | None
    height: float = 0.0
    after: bool = False


@attrs.frozen
class Plot:
    """One host's. *marks* are pairs of a position in percent and a mark; *summary* is the plot in a sentence."""

    host: str
    spans: tuple[Span, ...]
    marks: tuple[tuple[float, Mark], ...]
    summary: str


@attrs.frozen
class Timeline:
    """A figure over time, a plot for each host, all of one scale: 0 to *top*, *ticks* as pairs of a position and a
    text."""

    title: str
    unit: str
    per: str
    begin: dt.datetime
    end: dt.datetime
    top: int
    ticks: tuple[tuple[float, str], ...]
    plots: tuple[Plot, ...]


def marks(report: RunReport) -> tuple[Mark, ...]:
    """The moments of the changes, by the servers' own clocks where they told them; in order."""
    found: list[Mark] = []
    numbers: dict[int, int] = {}
    for step in report.steps:
        moved = step.changed_items
        if report.checked or step.done is None or not moved:
            continue
        number = numbers.setdefault(step.number, len(numbers) + 1)
        on_hosts = [item for item in moved if item.ended is not None]
        for item in on_hosts:
            assert item.ended is not None
            found.append(Mark(number, step.name, item.ended, item.item, _told([item])))
        others = [item for item in moved if item.ended is None]
        if others and step.done.finished is not None:
            found.append(Mark(number, step.name, step.done.finished, None, _told(others)))
    return tuple(sorted(found, key=lambda mark: mark.time))


def _told(items: Sequence[ItemOutcome]) -> str:
    return ", ".join(f"{item.item} {item.status.replace('_', ' ')}" for item in items)


def timelines(report: RunReport) -> tuple[Timeline, ...]:
    """The series of all detect and verify steps, those of one figure laid together; of one minute the later reading
    counts. A figure that was zero all the time is left out."""
    figures: dict[tuple[str, str], list[Series]] = {}
    for step in report.steps:
        for held in step.detection.series if step.detection is not None else ():
            figures.setdefault((held.name, held.unit), []).append(held)
    made = marks(report)
    return tuple(
        _timeline(name, unit, series, made)
        for (name, unit), series in figures.items()
        if any(any(held.values) for held in series)
    )


def quiet(report: RunReport) -> tuple[str, ...]:
    """A sentence on each figure that was zero all the time that was observed."""
    zero: dict[str, list[Series]] = {}
    for step in report.steps:
        for held in step.detection.series if step.detection is not None else ():
            zero.setdefault(held.name, []).append(held)
    return tuple(
        f"{name}: none on {', '.join(dict.fromkeys(held.host for held in series))}"
        for name, series in zero.items()
        if not any(any(held.values) for held in series)
    )


def _timeline(name: str, unit: str, series: Sequence[Series], made: Sequence[Mark]) -> Timeline:
    hosts = sorted({held.host for held in series})
    made = [mark for mark in made if mark.host is None or mark.host in hosts]
    moments = [mark.time for mark in made]
    begin = min([held.start for held in series] + moments)
    end = max([held.start + dt.timedelta(seconds=held.step * len(held.values)) for held in series] + moments)
    step = max(held.step for held in series)
    seconds = (end - begin).total_seconds()
    step = next((wider for wider in STEPS if wider >= step and seconds / wider <= MOST), STEPS[-1])
    first, last = int(begin.timestamp()) // step, -int(-end.timestamp() // step)
    values = {host: _laid((held for held in series if held.host == host), step) for host in hosts}
    top = _rounded_up(max(max(held.values(), default=0) for held in values.values()))
    plots = tuple(_plot(host, values[host], made, first, last, step, top) for host in hosts)
    return Timeline(
        name, unit, _per(step), _moment(first, step), _moment(last, step), top, _ticks(first * step, last * step), plots
    )


def _laid(series: Iterable[Series], step: int) -> dict[int, int]:
    """The values by the number of their span of *step* seconds; a span that was observed in part has none."""
    laid: dict[int, int] = {}
    for held in series:
        many, first = step // held.step, int(held.start.timestamp()) // held.step
        spans: dict[int, list[int]] = {}
        for at, value in enumerate(held.values):
            spans.setdefault((first + at) // many, []).append(value)
        laid |= {at: sum(parts) for at, parts in spans.items() if len(parts) == many}
    return laid


def _plot(
    host: str, values: Mapping[int, int], made: Sequence[Mark], first: int, last: int, step: int, top: int
) -> Plot:
    here = [mark for mark in made if mark.host in (None, host)]
    changed = max((mark.time for mark in here), default=None)
    width = 100 / (last - first)
    spans = []
    for at in range(first, last):
        value, start = values.get(at), _moment(at, step)
        after = changed is not None and start >= changed
        spans.append(Span((at - first) * width, width, start, value, 100 * (value or 0) / top, after))
    positions = tuple((100 * (mark.time.timestamp() / step - first) / (last - first), mark) for mark in here)
    return Plot(host, tuple(spans), positions, _summary(spans, step, changed is not None))


def _summary(spans: Sequence[Span], step: int, changed: bool) -> str:
    seen = [span for span in spans if span.value is not None]
    before = [span.value or 0 for span in seen if not span.after]
    after = [span.value or 0 for span in seen if span.after]
    if not changed:
        return f"{_mean(before, step)}, at most {max(before, default=0):,}"
    if not after:
        return f"{_mean(before, step)} before the last change; after it nothing was observed"
    return f"{_mean(before, step)} before the last change, {_mean(after, step)} after it"


def _mean(values: Sequence[int], step: int) -> str:
    if not values:
        return "not observed"
    mean = sum(values) / len(values)
    told = f"{mean:,.0f}" if mean >= 100 or mean == 0 else f"{mean:.1f}"
    return f"{told} {_per(step)} ({counted(round(len(values) * step / 60), 'minute')} observed)"


def _per(step: int) -> str:
    hours, minutes = divmod(step // 60, 60)
    if step == 86_400:
        return "a day"
    if hours:
        return "an hour" if hours == 1 else f"in {hours} hours"
    return "a minute" if minutes == 1 else f"in {minutes} minutes"


def _moment(at: int, step: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(at * step, dt.UTC)


def _rounded_up(value: float) -> int:
    """The top of a scale: the next of 1, 2, 3, 4, 5, 6, 8 and 10 times a power of ten."""
    power = 1
    while value > 10 * power:
        power *= 10
    return next(digit * power for digit in (1, 2, 3, 4, 5, 6, 8, 10) if value <= digit * power)


def _ticks(begin: int, end: int) -> tuple[tuple[float, str], ...]:
    step = next((step for step in _TICK_STEPS if (end - begin) / step <= _TICKS), _TICK_STEPS[-1])
    form = "%d %b" if step >= 86_400 else "%H:%M"
    moments = range(-(-begin // step) * step, end + 1, step)
    return tuple(
        (100 * (at - begin) / (end - begin), dt.datetime.fromtimestamp(at, dt.UTC).strftime(form)) for at in moments
    )


def labels(plot: Plot) -> tuple[tuple[float, str], ...]:
    """The numbers of the marks, each over its mark, and together where they would cover each other: pairs of a position
    and a text."""
    groups: list[list[tuple[float, Mark]]] = []
    for at, mark in sorted(plot.marks, key=lambda held: held[0]):
        if groups and at - groups[-1][-1][0] < _LABEL:
            groups[-1].append((at, mark))
        else:
            groups.append([(at, mark)])
    return tuple(
        (sum(at for at, _ in held) / len(held), " ".join(dict.fromkeys(str(mark.number) for _, mark in held)))
        for held in groups
    )


def gaps(plot: Plot) -> tuple[tuple[float, float], ...]:
    """Where nothing was observed: pairs of a position and a width, neighbours as one."""
    return tuple((left, width) for left, width, kind in _runs(plot) if kind is None)


def observed(plot: Plot) -> tuple[tuple[float, float, bool], ...]:
    """Where something was, zero or more: a position, a width, and whether that is after the last change."""
    return tuple((left, width, kind) for left, width, kind in _runs(plot) if kind is not None)


def _runs(plot: Plot) -> Iterable[tuple[float, float, bool | None]]:
    """Neighbouring spans of one kind as one: a position, a width, and the kind (None: not observed)."""
    for kind, spans in groupby(plot.spans, lambda held: None if held.value is None else held.after):
        held = list(spans)
        yield held[0].left, held[-1].left + held[-1].width - held[0].left, kind
