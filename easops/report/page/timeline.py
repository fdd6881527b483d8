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
    """The moments of the changes, by the servers' own clocks where those are known; in order."""
    found: list[Mark] = []
    numbers: dict[int, int] = {}
    for step in report.steps:
        changed = step.changed_items
        if report.checked or step.done is None or not changed:
            continue
        number = numbers.setdefault(step.number, len(numbers) + 1)
        on_hosts = [item for item in changed if item.ended is not None]
        for item in on_hosts:
            assert item.ended is not None
            found.append(Mark(number, step.name, item.ended, item.item, _items_words([item])))
        others = [item for item in changed if item.ended is None]
        if others and step.done.finished is not None:
            found.append(Mark(number, step.name, step.done.finished, None, _items_words(others)))
    return tuple(sorted(found, key=lambda mark: mark.time))


def _items_words(items: Sequence[ItemOutcome]) -> str:
    return ", ".join(f"{item.item} {item.status.replace('_', ' ')}" for item in items)


def timelines(report: RunReport) -> tuple[Timeline, ...]:
    """The series of all detect and verify steps, those of one figure put together; of one minute the later reading
    counts. A figure that was zero all the time is left out."""
    figures: dict[tuple[str, str], list[Series]] = {}
    for step in report.steps:
        for series in step.detection.series if step.detection is not None else ():
            figures.setdefault((series.name, series.unit), []).append(series)
    changes = marks(report)
    return tuple(
        _timeline(name, unit, figure, changes)
        for (name, unit), figure in figures.items()
        if any(any(series.values) for series in figure)
    )


def always_zero(report: RunReport) -> tuple[str, ...]:
    """A sentence on each figure that was zero all the time that was observed."""
    figures: dict[str, list[Series]] = {}
    for step in report.steps:
        for series in step.detection.series if step.detection is not None else ():
            figures.setdefault(series.name, []).append(series)
    return tuple(
        f"{name}: none on {', '.join(dict.fromkeys(series.host for series in figure))}"
        for name, figure in figures.items()
        if not any(any(series.values) for series in figure)
    )


def _timeline(name: str, unit: str, figure: Sequence[Series], changes: Sequence[Mark]) -> Timeline:
    hosts = sorted({series.host for series in figure})
    changes = [mark for mark in changes if mark.host is None or mark.host in hosts]
    moments = [mark.time for mark in changes]
    begin = min([series.start for series in figure] + moments)
    end = max([series.start + dt.timedelta(seconds=series.step * len(series.values)) for series in figure] + moments)
    step = max(series.step for series in figure)
    seconds = (end - begin).total_seconds()
    step = next((wider for wider in STEPS if wider >= step and seconds / wider <= MOST), STEPS[-1])
    first, last = int(begin.timestamp()) // step, -int(-end.timestamp() // step)
    values = {host: _by_span((series for series in figure if series.host == host), step) for host in hosts}
    top = _rounded_up(max(max(by_span.values(), default=0) for by_span in values.values()))
    plots = tuple(_plot(host, values[host], changes, first, last, step, top) for host in hosts)
    return Timeline(
        name, unit, _per(step), _moment(first, step), _moment(last, step), top, _ticks(first * step, last * step), plots
    )


def _by_span(figure: Iterable[Series], step: int) -> dict[int, int]:
    """The values by the number of their span of *step* seconds; a span that was observed in part has none."""
    by_span: dict[int, int] = {}
    for series in figure:
        many, first = step // series.step, int(series.start.timestamp()) // series.step
        spans: dict[int, list[int]] = {}
        for at, value in enumerate(series.values):
            spans.setdefault((first + at) // many, []).append(value)
        by_span |= {at: sum(parts) for at, parts in spans.items() if len(parts) == many}
    return by_span


def _plot(
    host: str, values: Mapping[int, int], changes: Sequence[Mark], first: int, last: int, step: int, top: int
) -> Plot:
    here = [mark for mark in changes if mark.host in (None, host)]
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
    words = f"{mean:,.0f}" if mean >= 100 or mean == 0 else f"{mean:.1f}"
    return f"{words} {_per(step)} ({counted(round(len(values) * step / 60), 'minute')} observed)"


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
    for at, mark in sorted(plot.marks, key=lambda placed: placed[0]):
        if groups and at - groups[-1][-1][0] < _LABEL:
            groups[-1].append((at, mark))
        else:
            groups.append([(at, mark)])
    return tuple(
        (sum(at for at, _ in group) / len(group), " ".join(dict.fromkeys(str(mark.number) for _, mark in group)))
        for group in groups
    )


def gaps(plot: Plot) -> tuple[tuple[float, float], ...]:
    """Where nothing was observed: pairs of a position and a width, neighbours as one."""
    return tuple((left, width) for left, width, kind in _runs(plot) if kind is None)


def observed(plot: Plot) -> tuple[tuple[float, float, bool], ...]:
    """Where something was, zero or more: a position, a width, and whether that is after the last change."""
    return tuple((left, width, kind) for left, width, kind in _runs(plot) if kind is not None)


def _runs(plot: Plot) -> Iterable[tuple[float, float, bool | None]]:
    """Neighbouring spans of one kind as one: a position, a width, and the kind (None: not observed)."""
    for kind, spans in groupby(plot.spans, lambda span: None if span.value is None else span.after):
        neighbours = list(spans)
        first, last = neighbours[0], neighbours[-1]
        yield first.left, last.left + last.width - first.left, kind
