"""A run in GitHub's Markdown, for the summary of a job: what was found, changed, proved, and how to put it back."""

from __future__ import annotations

import html
import re
from typing import Final

from easops.playbook.assessment.run_report import RunReport
from easops.report.format import Format
from easops.report.terminal.layout import difference
from easops.report.terminal.step import outcome_words
from easops.status import MAY_HAVE_CHANGED, Status
from easops.visible import visible_lines

LARGEST: Final = 1_048_576
"""Bytes that GitHub takes of a step."""

_CUT: Final = "\n\n(the rest is cut; `easops runs show` has it)\n"
_MARKDOWN: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|~@:])")


def run_summary(report: RunReport, exit_code: int, *, form: Format, room: int = LARGEST) -> str:
    """The Markdown, of at most *room* bytes; *form* is the text format, whose words stand in it as they are."""
    words = f"{report.status.replace('_', ' ')} (exit code {exit_code})"
    lines = [f"## {_plain(report.playbook)}: {words}", ""]
    facts = [f"run `{report.run_id}`"] if report.run_id is not None else ["check: nothing was changed"]
    facts += [f"in the lab, scenario {_plain(report.lab)}"] if report.lab is not None else []
    facts += [f"limited to {_plain(report.limit)}"] if report.limit is not None else []
    lines += [", ".join(facts), "", "| | step | hosts | outcome |", "| --- | --- | --- | --- |"]
    for step in report.steps:
        name = step.name if step.host is None else f"{step.name} ({step.host})"
        cells = (str(step.number), _plain(name), _plain(", ".join(step.hosts)), _plain(outcome_words(step)))
        lines.append(f"| {' | '.join(cells)} |")
    lines += _changes(report)
    lines += _next(report)
    lines += ["", _block(form.end(report, exit_code).strip("\n"))]
    evidence = [form.step(step, report.steps[:at], diff=False, verbose=False) for at, step in enumerate(report.steps)]
    shown = "<details open>" if report.status is Status.AWAITING_APPROVAL else "<details>"  # a reviewer is to read it
    lines += ["", f"{shown}<summary>All that was found and done</summary>", "", _block("\n".join(evidence))]
    return _fitted(visible_lines("\n".join([*lines, "", "</details>", ""])), room)


def _next(report: RunReport) -> list[str]:
    commands = report.assessment.next
    if not commands:
        return []
    return [
        "",
        "Next:",
        "",
        *(f"- {_plain(command.meaning)}: <code>{_plain(command.command)}</code>" for command in commands),
    ]


def _changes(report: RunReport) -> list[str]:
    rows = [
        f"| {_plain(item.item or item.target)} | {_plain(item.status.replace('_', ' '))} | "
        f"{'<br>'.join(map(_plain, difference(item.before, item.after)))} |"
        for step in report.steps
        for item in step.items
        if item.status in MAY_HAVE_CHANGED or item.status is Status.WOULD_CHANGE
    ]
    return ["", "| what | | before -> after |", "| --- | --- | --- |", *rows] if rows else []


def _plain(text: str) -> str:
    """*text* in a line of Markdown, with nothing in it that Markdown, HTML or GitHub would read as more."""
    return _MARKDOWN.sub(r"\\\1", html.escape(" ".join(text.split()), quote=False))


def _block(text: str) -> str:
    """*text* as it stands, whatever is in it; an empty line would end the block."""
    escaped = html.escape(text, quote=False)
    return "<pre>" + "\n".join(line or " " for line in escaped.splitlines()) + "</pre>"


def _fitted(text: str, room: int) -> str:
    data = text.encode("utf-8", "replace")
    if len(data) <= room:
        return data.decode("utf-8")
    kept = data[: max(room - len(_CUT.encode()) - len("</pre></details>"), 0)].decode("utf-8", "ignore")
    return f"{kept[: kept.rfind(chr(10)) + 1]}</pre></details>{_CUT}" if kept else ""
