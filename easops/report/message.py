"""A run's end as a message to people who were not there: a line, a text, and a document for programs.

Nothing of it is longer than a mail or a chat takes. What comes from a log or a directory (names, agents) is hostile: a
subject is one line, and a text for a chat has nothing in it that a chat reads commands or links out of.
"""

from __future__ import annotations

import datetime as dt
import importlib.metadata
import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import attrs

from easops.playbook.steps.step_result import StepResult
from easops.report.document.json import Document, on_one_line, run_document
from easops.report.terminal.error import three_lines
from easops.report.terminal.finding import host_lines
from easops.report.terminal.layout import moment, wrapped
from easops.report.terminal.step import step_lines
from easops.report.terminal.text import Text
from easops.status import STOPS_LATER_CHANGES, Status
from easops.visible import visible, visible_lines

if TYPE_CHECKING:
    from easops.playbook.assessment.ending import Ending

_SUBJECT: Final = 150
"""Characters of a subject."""

_TEXT: Final = 8000
_LINES: Final = 80
_LINE: Final = 300
"""Bytes of a text, its lines, and the characters of one. Microsoft Teams takes 28 kB, with the card around it."""

_DOCUMENT: Final = 256 * 1024
"""Bytes of a document; of a run with more the evidence is left out, and then the steps."""

_NAMED: Final = 10
"""Users that are named one by one."""


@attrs.frozen
class Message:
    """What is sent. *key* distinguishes it from every other message; *document* is JSON for programs."""

    key: str
    subject: str
    text: str
    document: Mapping[str, Any]

    def body(self, kind: Literal["document", "text", "card"]) -> bytes:
        """The JSON that a webhook is sent; of a document one line."""
        if kind == "document":
            body: Any = self.document
        elif kind == "text":
            body = {"text": _for_chat(f"{self.subject}\n\n{self.text}")}
        else:
            body = _card(self.subject, self.text)
        return on_one_line(body).encode("utf-8", "backslashreplace")


def message_of(ending: Ending, key: str) -> Message:
    """The message of a run's end: what was found, what was changed, what that did, and what to type next. *key*
    distinguishes that end from all others."""
    run, report = ending.run, ending.report
    word = "stopped" if report.stopped else report.status.replace("_", " ")
    subject = _one_line(f"[easops{' lab' if run.lab is not None else ''}] {word}: {run.playbook}, run {run.run_id}")
    text = _bounded("\n".join(_text(ending, word)))
    exit_code = None if report.stopped else report.exit_code
    document = {
        "subject": subject,
        "text": text,
        "event": ending.words[0],
        "moment": ending.moment,
        "by": run.document.get("by", "unknown"),
        "machine": run.document.get("machine", "unknown"),
        "error": None if ending.problem is None else _error(ending),
        **run_document(report, exit_code),
        "status": "stopped" if report.stopped else str(report.status),
    }
    return Message(key, subject, text, _without_excess(document))


def trial_message() -> Message:
    """The message of ``easops notify``: no run has ended."""
    now = dt.datetime.now(dt.UTC)
    subject = "[easops] test message: you will be notified of runs here"
    text = f"This is a test message, sent {moment(now)}. No run has ended, and nothing needs to be done."
    version = importlib.metadata.version("easops")
    document = {"subject": subject, "text": text, "event": "trial", "moment": "trial", "version": version}
    return Message(f"trial.{now:%Y%m%d%H%M%S%f}", subject, text, document)


def _text(ending: Ending, word: str) -> list[str]:
    run, report = ending.run, ending.report
    lines = wrapped(run.playbook, "", "")
    lines += [f"run {run.run_id}: {word}"]
    if run.lab is not None:
        lines += wrapped(f"in the lab, scenario {run.lab}: no real server was touched", "")
    if run.limit is not None:
        lines += wrapped(f"limited to {run.limit}", "")
    who = f"{run.document.get('by', 'unknown')} on {run.document.get('machine', 'unknown')}"
    ended = "" if report.ended is None else f", ended {moment(report.ended)}"
    lines += [f"by {who}, started {moment(run.started)}{ended}", ""]
    if ending.problem is not None:
        problem = ending.problem
        lines += [*three_lines(problem.what, problem.why, problem.next_step), ""]
    for step in report.steps:
        lines += _finding_lines(step)
    for number, step in enumerate(report.steps):
        lines += _approval_lines(step, report.steps[:number])
    for step in report.steps:
        if step.status not in STOPS_LATER_CHANGES or step.status is Status.AWAITING_APPROVAL or not step.reason:
            continue
        lines += wrapped(f"{step.name}: {step.status.replace('_', ' ')}: {step.reason}", "")
    return [*lines, Text().end(report, None if report.stopped else report.exit_code)]


def _finding_lines(step: StepResult) -> list[str]:
    """What a detect step found, with the evidence."""
    detection = step.detection
    if step.kind != "detect" or detection is None or not detection.found:
        return []
    lines = wrapped(f"{step.name}:", "")
    for user in detection.users[:_NAMED]:
        lines += wrapped(f"{user.user}: {user.evidence}", "  ")
    if len(detection.users) > _NAMED:
        lines.append(f"  and {len(detection.users) - _NAMED} more")
    sentences = host_lines(detection, detection.hosts)
    for sentence in sentences[:_NAMED]:
        lines += wrapped(sentence, "  ")
    if not detection.users and not sentences:
        lines += wrapped(f"found on {', '.join(detection.hosts)}", "  ")
    return lines


def _approval_lines(step: StepResult, earlier: Sequence[StepResult]) -> list[str]:
    """What is to be approved: the planned changes, before -> after, until when, and by whom."""
    approval = step.approval
    if step.status is not Status.AWAITING_APPROVAL or approval is None:
        return []
    lines = ["", *step_lines(step, earlier, diff=False, verbose=False)]
    until = "" if approval.until is None else f" until {moment(approval.until)}"
    whose = ", by somebody other than the requester" if approval.by == "somebody_else" else ""
    return lines + wrapped(f"to be approved{until}{whose}")


def _error(ending: Ending) -> Document:
    assert ending.problem is not None
    return {"what": ending.problem.what, "why": ending.problem.why, "next": ending.problem.next_step}


def _without_excess(document: Document) -> Document:
    """The document, without what makes it too large: ``left_out`` names it."""
    steps: Sequence[Document] = document["steps"]
    bare = [{**step, "detection": None} for step in steps]
    for fitted in (
        {**document, "left_out": []},
        {**document, "findings": [], "steps": bare, "left_out": ["findings", "steps.detection"]},
        {**document, "findings": [], "steps": [], "left_out": ["findings", "steps"]},
    ):
        if len(json.dumps(fitted, ensure_ascii=False).encode("utf-8", "backslashreplace")) <= _DOCUMENT:
            return fitted
    return fitted


def _one_line(text: str) -> str:
    """On one line, control characters visible: a header of a mail ends at the first."""
    words = visible(" ".join(_printable(text).split()))
    return words if len(words) <= _SUBJECT else f"{words[: _SUBJECT - 3]}..."


def _bounded(text: str) -> str:
    """The text, its middle left out where it is too long: what to type stands at the end."""
    lines = [_printable(line)[:_LINE].rstrip() for line in visible_lines(text).split("\n")]
    first = _first_lines(lines, _LINES, _TEXT)
    if len(first) == len(lines):
        return "\n".join(lines).strip("\n")
    last = _first_lines(lines[::-1], _LINES // 2, _TEXT // 2)[::-1]
    first = _first_lines(lines, _LINES // 2, _TEXT // 2)
    return "\n".join([*first, "  ...", *last]).strip("\n")


def _printable(text: str) -> str:
    """*text* with control characters visible, and blanks for what else has no shape (e.g. half a character)."""
    return "".join(c if c.isprintable() else " " for c in visible_lines(text))


def _first_lines(lines: Sequence[str], most: int, size: int) -> Sequence[str]:
    """The first of *lines*, at most so many, that have no more than *size* bytes together."""
    for number, line in enumerate(lines):
        size -= len(line.encode("utf-8", "backslashreplace")) + 1
        if number >= most or size < 0:
            return lines[:number]
    return lines


def _for_chat(text: str) -> str:
    """As a block of code, in which no chat looks for links, mentions and commands; of Slack's own, which it reads there
    too, the brackets are taken."""
    text = text.replace("->", "\N{RIGHTWARDS ARROW}").replace("<", "\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK}")
    text = text.replace(">", "\N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}").replace("```", "'''")
    return f"```\n{text}\n```"


def _card(subject: str, text: str) -> Document:
    """A card of text runs, in which no Markdown is read. Source: Adaptive Cards 1.2, RichTextBlock."""

    def block(text: str, **more: Any) -> Document:
        return {"type": "RichTextBlock", "inlines": [{"type": "TextRun", "text": text or " ", **more}]}

    lines = [block(line, fontType="Monospace", size="Small") for line in text.splitlines()]
    content = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.2",
        "body": [block(subject, weight="Bolder"), *({**line, "spacing": "None"} for line in lines)],
    }
    return {
        "type": "message",
        "attachments": [{"contentType": "application/vnd.microsoft.card.adaptive", "content": content}],
    }
