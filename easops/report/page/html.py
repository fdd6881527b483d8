"""A run as one page for a browser: nothing is fetched, nothing is executed.

The page's text is in ``html.jinja``, its look in ``html.css``; here is what they are made from.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from easops.actions.change import Change, ChangeOutcome
from easops.actions.outcome import ItemOutcome
from easops.actions.state_words import value_names
from easops.clock import lasted
from easops.detectors import DETECTORS
from easops.duration import format_duration
from easops.playbook.assessment.proved import proof_words
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.assessment.verdict import Tone
from easops.playbook.steps.approval_request import PlannedChange
from easops.playbook.steps.step_result import StepResult
from easops.report.page.before_after import bar_charts
from easops.report.page.timeline import always_zero, gaps, labels, marks, observed, timelines
from easops.report.terminal.approval import decision_words
from easops.report.terminal.finding import figure_words, host_lines
from easops.report.terminal.layout import moment, value_words
from easops.report.terminal.step import notes_of, outcome_words, step_lines
from easops.status import NOT_TRIED, Status
from easops.visible import visible_lines
from easops.wording import counted

if TYPE_CHECKING:
    from easops.playbook.record.decision import Decision
    from easops.playbook.record.run import Run


@attrs.frozen
class Difference:
    """One line of a before -> after; *name* is empty of a value without parts."""

    name: str
    before: str
    after: str


def _differences(changed: ItemOutcome | Change | PlannedChange) -> list[Difference]:
    before, after = changed.before, changed.after
    if not isinstance(before, Mapping) or not isinstance(after, Mapping):
        return [] if before == after else [Difference("", value_words(before), value_words(after))]
    return [
        Difference(name.replace("_", " "), value_words(before.get(name)), value_words(after.get(name)))
        for name in value_names(before, after)
        if before.get(name) != after.get(name)
    ]


def _changes(report: RunReport) -> list[tuple[StepResult, list[ItemOutcome]]]:
    """The steps that changed something, may have, or would, with those items."""
    found = []
    for step in report.steps:
        items = list(step.changed_items) or [item for item in step.items if item.status is Status.WOULD_CHANGE]
        if items:
            found.append((step, items))
    return found


def _approvals(report: RunReport) -> list[tuple[StepResult, Decision | None]]:
    """The approval steps that asked, each with what was decided, where the run still hangs on it."""
    asked = None if report.record is None else report.record.pending
    return [
        (step, asked.decision if asked is not None and asked.step.key == step.key else None)
        for step in report.steps
        if step.approval is not None
    ]


def _recorded(report: RunReport) -> tuple[tuple[Change, ChangeOutcome | None], ...]:
    """The changes as the record has them, where the steps do not have them all: the run has not ended, or something in
    it is not known."""
    view = report.record
    return view.changes if view is not None and (view.run.ended is None or view.open) else ()


@attrs.frozen
class Proof:
    """A verify *step*, *words* on what it proved (as in the assessment), and the *evidence* that it read."""

    step: StepResult
    words: str
    evidence: tuple[str, ...]

    @property
    def tone(self) -> Tone:
        """As that of a verdict: plain of a step that was skipped, or not started."""
        if self.step.status in NOT_TRIED:
            return "plain"
        return "good" if self.step.status is Status.OK else "bad"


def _proofs(report: RunReport) -> list[Proof]:
    """The verify steps; of their evidence not the notes that a step before had."""
    proofs = []
    for at, step in enumerate(report.steps):
        if step.kind != "verify":
            continue
        earlier = report.steps[:at]
        evidence: list[str] = []
        if step.detection is not None:
            known = notes_of(earlier)
            evidence += host_lines(step.detection)
            evidence += [note for note in step.detection.notes if note not in known]
        # "->" would break at the end of a line
        words = proof_words(step, earlier).replace("->", "\N{RIGHTWARDS ARROW}")
        proofs.append(Proof(step, words, tuple(evidence)))
    return proofs


def _because(step: StepResult, found: Sequence[str]) -> str:
    """Why a step was done; empty where that is only the evidence that was *found*, which stands above."""
    rest = step.because
    for evidence in found:
        rest = rest.replace(evidence, "")
    return step.because if rest.strip("; ") else ""


def _marks(report: RunReport) -> list[tuple[int, str]]:
    """The numbers on the charts, each with its step, and when it ended where."""
    by_number: dict[int, list[str]] = {}
    for mark in marks(report):
        words = by_number.setdefault(mark.number, [mark.step])
        where = f"{mark.host} " if mark.host else ""
        ours = mark.host is None and report.lab is None
        words.append(f"{where}{moment(mark.time)}{' by the clock of the machine that ran easops' if ours else ''}")
    return [(number, f"{words[0]}: {', '.join(words[1:])}") for number, words in sorted(by_number.items())]


def _origin(run: Run) -> list[tuple[str, str]]:
    """Who ran it, with what, on what: as recorded; what the record does not have is left out."""
    document = run.document
    inputs = [f"{name}={value_words(value)}" for name, value in document.get("inputs", {}).items()]
    by = [document[name] for name in ("by", "machine") if name in document]
    facts = [
        ("Run by", " on ".join(by)),
        ("easops", document.get("version", "")),
        ("Playbook", document.get("source", "")),
        ("Inputs", ", ".join(inputs) or "the playbook's defaults" if run.kind == "run" else ", ".join(inputs)),
        ("Servers", ", ".join(f"{host['name']} ({host['version']})" for host in document.get("hosts", ()))),
        ("Targets", ", ".join(run.targets)),
    ]
    return [(label, text) for label, text in facts if text]


def _every(seconds: float) -> str:
    return format_duration(dt.timedelta(seconds=round(seconds)))


_PAGES: Final = Environment(
    loader=FileSystemLoader(Path(__file__).parent),
    autoescape=True,  # a user agent is what a client sent: all text is hostile
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_PAGES.filters.update(
    moment=moment,
    minute=lambda value: f"{value.astimezone(dt.UTC):%Y-%m-%d %H:%M}",
    clock=lambda value: f"{value.astimezone(dt.UTC):%H:%M}",
    number=lambda value: f"{value:,}",
    percent=lambda value: f"{value:.3f}".rstrip("0").rstrip("."),
    lasted=lasted,
    every=_every,
    figure_words=figure_words,
    counted=counted,
    words=lambda value: value.replace("_", " "),
    outcome=outcome_words,
    decision=decision_words,
    differences=_differences,
    gaps=gaps,
    observed=observed,
    labels=labels,
    capital=lambda text: text[:1].upper() + text[1:],
)


class _Html:
    name = "html"

    def render(self, report: RunReport) -> str:
        view = report.record
        evidence = [user.evidence for found in report.findings for user in found.users]
        page = _PAGES.get_template("html.jinja").render(
            report=report,
            assessment=report.assessment,
            detects=[step for step in report.steps if step.kind == "detect"],
            proofs=_proofs(report),
            verifies=[step for step in report.steps if step.kind == "verify"],
            marks=_marks(report),
            timelines=timelines(report),
            always_zero=always_zero(report),
            bar_charts=bar_charts(report),
            summaries={name: detector.summary for name, detector in DETECTORS.items()},
            changes=[(step, _because(step, evidence), items) for step, items in _changes(report)],
            approvals=_approvals(report),
            recorded=_recorded(report),
            origin=[] if view is None else _origin(view.run),
            playbook="" if view is None else view.run.document.get("text", ""),
            steps=[
                "\n".join(step_lines(step, report.steps[:at], diff=True, verbose=True))
                for at, step in enumerate(report.steps)
            ],
        )
        return visible_lines(page)


HTML = _Html()
