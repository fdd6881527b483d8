"""What was measured at a moment, before and after: a bar for each figure. ``before_after.jinja`` draws them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Literal

import attrs

from easops.detectors.duration_words import span
from easops.detectors.finding import Detection, Measurement
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.steps.step_result import StepResult
from easops.wording import figure_and_limit

When = Literal["before", "after", "measured"]


@attrs.frozen
class Bar:
    """One measurement; *width* and *limit_at* are in percent of the scale, None where there is nothing to draw."""

    host: str
    when: When
    step: str
    words: str
    width: float | None
    limit: str = ""
    limit_at: float | None = None
    over: bool = False


@attrs.frozen
class BarChart:
    """A figure of one moment, measured on each host before and after; *bars* in the order of hosts, then of time."""

    title: str
    detector: str
    bars: tuple[Bar, ...]


def bar_charts(report: RunReport) -> tuple[BarChart, ...]:
    """What the detect and verify steps measured against a limit, a chart for each figure."""
    groups: dict[tuple[str, str, str], dict[str, list[Bar]]] = {}
    tops: dict[tuple[str, str, str], float] = {}
    ever = {host for step in report.steps for host in _changed_on(step)}
    changed: set[str | None] = set()
    for step in report.steps:
        changed |= _changed_on(step)
        if step.detection is None:
            continue
        for measurement in step.detection.measurements:
            if measurement.limit is None:
                continue
            key = (step.subject, measurement.name, measurement.unit)
            tops[key] = max(tops.get(key, 0.0), measurement.value, measurement.limit)
            value, limit = _words(measurement, measurement.limit)
            bar = Bar(
                measurement.host,
                _when(measurement.host, changed, ever),
                step.name,
                value,
                measurement.value,
                limit,
                measurement.limit or None,
                measurement.value > measurement.limit,
            )
            groups.setdefault(key, {}).setdefault(measurement.host, []).append(bar)
        for (detector, name, unit), hosts in groups.items():
            for host in hosts if detector == step.subject else ():
                if host in step.hosts and not _has(step.detection, host, name, unit):
                    there = host in step.detection.judged
                    when = _when(host, changed, ever)
                    hosts[host].append(Bar(host, when, step.name, "none" if there else "not measured", None))
    return tuple(
        BarChart(
            f"{name}, {unit}",
            detector,
            tuple(_scaled(bar, 100.0 if unit == "percent" else tops[detector, name, unit]) for bar in _in_order(hosts)),
        )
        for (detector, name, unit), hosts in groups.items()
    )


def _changed_on(step: StepResult) -> set[str | None]:
    """The hosts on which the step changed anything, or may have; None among them is the organisation."""
    return {item.item if item.item in step.hosts else None for item in step.changed_items}


def _when(host: str, changed: Collection[str | None], ever: Collection[str | None]) -> When:
    if host not in ever and None not in ever:
        return "measured"
    return "after" if host in changed or None in changed else "before"


def _words(measurement: Measurement, limit: float) -> tuple[str, str]:
    if measurement.unit == "minutes":
        return span(dt.timedelta(minutes=measurement.value)), span(dt.timedelta(minutes=limit))
    value, least = figure_and_limit(measurement.value, limit, measurement.decimals)
    return f"{value} {measurement.unit}", f"{least} {measurement.unit}"


def _has(detection: Detection, host: str, name: str, unit: str) -> bool:
    return any((one.host, one.name, one.unit) == (host, name, unit) for one in detection.measurements)


def _in_order(hosts: Mapping[str, Sequence[Bar]]) -> Iterable[Bar]:
    for host in sorted(hosts):
        yield from hosts[host]


def _scaled(bar: Bar, top: float) -> Bar:
    if bar.width is None or top <= 0:
        return attrs.evolve(bar, width=None if bar.width is None else 0.0, limit_at=None)
    limit = None if bar.limit_at is None else 100 * bar.limit_at / top
    return attrs.evolve(bar, width=100 * bar.width / top, limit_at=limit)
