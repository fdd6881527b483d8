"""What a detector found, as lines."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from easops.detectors.finding import Detection, Device, Looked, Measurement, UserFinding
from easops.duration import format_duration
from easops.remoting.unreachable import Unreachable
from easops.report.terminal.layout import INDENT, moment, wrapped
from easops.report.terminal.styled_line import Style, joined
from easops.wording import counted, figure, figure_and_limit

MOST_FLOODS = 10
"""How many floods of other kinds are shown."""


def detection_lines(
    detection: Detection, *, known_notes: Collection[str] = (), verbose: bool = False, indent: str = INDENT
) -> list[str]:
    """Who and what, with the evidence; then what is to be watched, what could not be judged, and what to know.

    *known_notes* were shown already; *verbose* adds each device's figures and sample lines of the log.
    """
    lines: list[str] = []
    for user in detection.users:
        lines += _user_lines(user, verbose, indent)
    for user in detection.unresolved:
        lines += _user_lines(user, verbose, indent)
    for flood in detection.floods[:MOST_FLOODS]:
        lines += wrapped(f"another flood, not treated: {flood.user or 'no user'}: {flood.evidence}", indent)
    if len(detection.floods) > MOST_FLOODS:
        lines += wrapped(f"{counted(len(detection.floods) - MOST_FLOODS, 'more flood')} of other kinds", indent)
    for sentence in host_lines(detection, verbose=verbose):
        lines += wrapped(sentence, indent)
    for user in detection.watch:
        lines += wrapped(f"to watch, not acted on: {user.user}: {user.evidence}", indent)
    for unreachable in detection.unreachable:
        lines += unreachable_lines(unreachable, indent)
    for unjudged in detection.undetermined:
        label = ("not judged", Style.BAD if unjudged.required else None)
        lines += wrapped(joined(label, f": {unjudged.subject}: {unjudged.why}"), indent)
    for note in detection.notes:
        if note not in known_notes:
            lines += wrapped(f"note: {note}", indent)
    if verbose or not detection.users:
        for looked in detection.looked:
            lines += wrapped(f"read: {looked_words(looked)}", indent)
    return lines


def looked_words(looked: Looked) -> str:
    """``EX1: 12,400 lines of 2 files, 2,300 of ActiveSync, 2026-11-24 08:00:01Z to 2026-11-24 09:59:59Z``."""
    words = f"{looked.source}: {looked.lines:,} lines of {counted(looked.files, 'file')}"
    words += f", {looked.activesync:,} of ActiveSync"
    if looked.first is not None and looked.last is not None:
        words += f", {moment(looked.first)} to {moment(looked.last)}"
    return words


def host_lines(detection: Detection, hosts: Collection[str] | None = None, *, verbose: bool = False) -> list[str]:
    """What was measured on each host, or on each of *hosts*: its sentence, or else its figures; with *verbose* both."""
    chosen = {*detection.sentences, *(one.host for one in detection.measurements)} if hosts is None else set(hosts)
    lines = [f"{host}: {sentence}" for host, sentence in detection.sentences.items() if host in chosen]
    for measurement in (one for one in detection.measurements if one.host in chosen):
        if verbose or measurement.host not in detection.sentences:  # the sentence has the figures
            lines.append(measured_words(measurement, verbose=verbose))
    return lines


def unreachable_lines(unreachable: Unreachable, indent: str) -> list[str]:
    """A host that gave no answer: what, why, and what to do about it."""
    words = ": ".join(part for part in (unreachable.what, unreachable.why) if part)
    lines = wrapped(joined(("unreachable", Style.BAD), f": {words}"), indent)
    return lines + (wrapped(f"next: {unreachable.next_step}", indent + "  ") if unreachable.next_step else [])


def _user_lines(user: UserFinding, verbose: bool, indent: str) -> list[str]:
    name = user.user if user.resolved else f"{user.user} (as logged, not resolved to a mailbox)"
    lines: list[str] = [joined(indent, (name, Style.STRONG))]
    lines += wrapped(user.evidence, indent + "  ", "")
    if verbose or len(user.devices) > 1:
        for device in user.devices:
            lines += wrapped(_device_words(device), indent + "  ", "  ")
    if verbose:
        lines += [f"{indent}  | {sample}" for sample in user.samples]
    return lines


def _device_words(device: Device) -> str:
    parts = [
        f"{device.device_type} {device.device_id}: {counted(device.hits, 'sync')}",
        f"{device.rpc_max:,} RPC at most, {device.rpc_sum:,} in all",
        f"{device.contacts_sent:,} contacts sent",
        f"longest {device.time_taken / 1000:,.0f} s",
    ]
    if device.interval is not None:
        parts.append(("every " if device.regular else "about every ") + _interval(device.interval))
    parts.append(f"{moment(device.first_seen)} to {moment(device.last_seen)}")
    parts.append(f"on {', '.join(device.hosts)}")
    return ", ".join(parts)


def _interval(seconds: float) -> str:
    return format_duration(dt.timedelta(seconds=round(seconds)))


def measured_words(measurement: Measurement, *, verbose: bool = False) -> str:
    """``EX1: MSExchangeSyncAppPool 95.0 percent (limit 60.0)``."""
    text = f"{measurement.host}: {measurement.name.replace('_', ' ')} {figure_words(measurement)}"
    return f"{text}; {measurement.evidence}" if verbose and measurement.evidence else text


def figure_words(measurement: Measurement) -> str:
    """``95.0 percent (limit 60.0)``."""
    if measurement.limit is None:
        return f"{figure(measurement.value, measurement.decimals)} {measurement.unit}"
    value, limit = figure_and_limit(measurement.value, measurement.limit, measurement.decimals)
    return f"{value} {measurement.unit} (limit {limit})"
