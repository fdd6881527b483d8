"""That every format says the same of a run: what it proved, what is open, what was not judged, and what to type."""

from __future__ import annotations

import html
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any, Final, Literal
from xml.etree import ElementTree

import attrs
import pytest

from easops.actions.throttling_policy_change import AssociateThrottlingPolicy
from easops.detectors.finding import Undetermined
from easops.playbook.assessment.assessment import Assessment
from easops.playbook.assessment.ending import Ending
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.steps.approval_request import Approval
from easops.playbook.steps.step_result import StepResult
from easops.report import FILES, FORMATS
from easops.report.ci.github import of_run
from easops.report.ci.github_summary import run_summary
from easops.report.message import message_of
from easops.status import EXIT_CODES, NOT_JUDGED, STOPS_LATER_CHANGES, Status

from .samples import ANNA, ENDED, LIMITED, RECYCLED, REPORT, STORM, item, load, recorded

How = Literal["ended", "died", "stopped", "check"]
HOWS: Final[tuple[How, ...]] = ("ended", "died", "stopped", "check")
SENT = AssociateThrottlingPolicy(ANNA.user, "guid-1", None, "ours")
TEXT = FORMATS["text"]


@attrs.frozen
class Said:
    """What a format says; *open* with what was not judged."""

    commands: tuple[str, ...]
    repeats: tuple[str, ...]
    proved: tuple[str, ...]
    searched: tuple[str, ...]
    open: frozenset[str]


def meant(assessment: Assessment) -> Said:
    return Said(
        tuple(command.command for command in assessment.next),
        tuple(f"the same command {repeat.difference}" for repeat in assessment.repeats),
        assessment.proved,
        assessment.searched,
        frozenset(map(str, (*assessment.open, *assessment.not_judged))),
    )


def run_of(
    status: Status, how: How, *, open_change: bool, unfinished: bool, undetermined: bool, lab: bool
) -> RunReport:
    """A run that found two users and whose changing step ended as *status*."""
    seen = attrs.evolve(STORM, undetermined=(Undetermined("host", "EX2", "its log cannot be read", undetermined),))
    looked, why = (Status.UNDETERMINED, "EX2: its log") if undetermined else (Status.OK, "")
    done = attrs.evolve(LIMITED, items=(item(ANNA.user, status, reason="so it is", touched=status in NOT_JUDGED),))
    changing = StepResult(3, "Limit them", "do", "limit_eas_usage", status, done=done)
    if status is Status.AWAITING_APPROVAL:
        changing = StepResult(3, "Agree", "approval", "approval", status, approval=Approval("they flood", (), "d1ce"))
    steps = [
        StepResult(1, "Who floods", "detect", "contact_sync_storm", looked, why, detection=seen),
        StepResult(2, "How loaded", "detect", "sync_pool_cpu", Status.OK, hosts=("EX1",), detection=load(95.0)),
        attrs.evolve(changing, stops=status in STOPS_LATER_CHANGES),
        StepResult(4, "Recycle", "do", "recycle_app_pool", Status.NOT_STARTED, "the run stopped at 'Limit them'")
        if unfinished
        else StepResult(4, "Recycle", "do", "recycle_app_pool", Status.CHANGED, done=RECYCLED),
        StepResult(5, "It has ended", "verify", "contact_sync_storm", Status.OK, detection=ENDED),
        StepResult(6, "It breathes", "verify", "sync_pool_cpu", Status.OK, detection=load(12.0)),
    ]
    if how == "died":
        steps = steps[:3]
    report = attrs.evolve(
        REPORT, status=status, steps=tuple(steps), unfinished=unfinished, lab="contacts-storm" if lab else None
    )
    if how == "check":
        return attrs.evolve(report, run_id=None, checked=True, unfinished=False)
    without_end: dict[str, Any] = {"ended": None, "status": None, "unfinished": False}
    view = {"changes": ((SENT, None),) if open_change else ()}
    run = recorded(report, view=view, **({} if how == "ended" else without_end))
    return attrs.evolve(run, stopped=how == "stopped", unfinished=unfinished and how == "ended")


def rows(text: str) -> Iterator[tuple[str, str]]:
    """The labels and texts of the last block of a text, broken texts whole again."""
    block = text.strip("\n").rpartition("\n\n")[2].splitlines()
    (width,) = {found.end() for line in block if (found := re.match(r"\S+(?: \S+)* {2,}", line))}
    label, words = "", ""
    for line in block:
        if line[:width].strip() or line[width] != " ":
            if words:
                yield label, words
            label, words = line[:width].strip() or label, line[width:]
        else:
            words += f" {line.strip()}"
    yield label, words


def of_text(text: str) -> Said:
    found = list(rows(text))
    own = ("changed", "would change", "status", "proved", "checked", "decided", "undo")
    commands = [words for _, words in found if words.startswith("easops ")]
    repeats = [words for _, words in found if words.startswith("the same command ")]
    points = {f"{label}: {words}" for label, words in found if label not in own and words not in (*commands, *repeats)}
    return Said(
        tuple(commands),
        tuple(repeats),
        tuple(words for label, words in found if label == "proved"),
        tuple(words for label, words in found if label == "checked"),
        frozenset(points),
    )


class Sections(HTMLParser):
    """The texts of a page's list items, paragraphs and commands, by the id of their section."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.texts: dict[tuple[str, str], list[str]] = {}
        self._section, self._into = "", ""
        self.feed(page)

    def of(self, section: str, tag: str) -> list[str]:
        return [" ".join(text.split()) for text in self.texts.get((section, tag), [])]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        known = dict(attrs)
        if tag == "section":
            self._section = str(known["id"])
        if tag in ("li", "p", "code"):
            self._into = f"{tag}.{known['class']}" if tag == "li" and self._section == "proof" else tag
            self._into = "searched" if known.get("class") == "searched" else self._into
            self.texts.setdefault((self._section, self._into), []).append("")
        elif tag == "small":
            self._into = ""

    def handle_endtag(self, tag: str) -> None:
        if tag in ("li", "p", "code", "ul"):
            self._into = ""

    def handle_data(self, data: str) -> None:
        if self._into:
            self.texts[self._section, self._into][-1] += data


def small(text: str) -> str:
    return text[:1].lower() + text[1:]


def of_page(page: str) -> Said:
    sections = Sections(page)
    again = [text for text in sections.of("next", "p") if ": the same command " in text]
    return Said(
        tuple(sections.of("next", "code")),
        tuple(text.partition(": ")[2] for text in again),
        tuple(text.replace("\N{RIGHTWARDS ARROW}", "->") for text in sections.of("proof", "li.good")),
        tuple(sections.of("found", "searched")),
        frozenset(small(text) for text in sections.of("open", "li")),
    )


def of_json(assessment: Mapping[str, Any]) -> Said:
    return Said(
        tuple(command["command"] for command in assessment["next"]),
        tuple(f"the same command {repeat['difference']}" for repeat in assessment["repeats"]),
        tuple(assessment["proved"]),
        tuple(assessment["searched"]),
        frozenset([*assessment["open"], *assessment["not_judged"]]),
    )


def of_junit(text: str) -> Said:
    properties = [(one.attrib["name"], one.attrib["value"]) for one in ElementTree.fromstring(text).iter("property")]

    def called(*names: str) -> tuple[str, ...]:
        return tuple(value for name, value in properties if name in names)

    points = frozenset(called("open", "not_judged"))
    return Said(called("next"), called("repeat"), called("proved"), called("searched"), points)


def of_summary(text: str) -> Said:
    block = html.unescape(text.partition("<pre>")[2].partition("</pre>")[0])
    said = of_text("\n\n" + block)
    listed = re.findall(r"^- .*: <code>(.*)</code>$", text, re.M)
    assert tuple(html.unescape(re.sub(r"\\(.)", r"\1", command)) for command in listed) == said.commands
    return said


def answers(report: RunReport) -> Iterator[tuple[str, Said]]:
    """What each format says of a run."""
    code = EXIT_CODES[report.status]
    yield "text", of_text(TEXT.end(report, code))
    yield "page", of_page(FILES["html"].render(report))
    yield "JUnit", of_junit(FILES["junit"].render(report))
    yield "summary", of_summary(run_summary(report, code, form=TEXT))
    yield "JSON", of_json(json.loads(FORMATS["json"].end(report, code))["assessment"])
    if report.record is not None:
        shown = attrs.evolve(report, stopped=False, record=attrs.evolve(report.record, stopped=report.stopped))
        assert meant(shown.assessment) == meant(report.assessment), "what is shown later is what was said at the end"
        yield "runs show", of_text(TEXT.run_view(shown.record, shown, diff=False, verbose=False))  # type: ignore[arg-type]
        document = json.loads(FORMATS["json"].run_view(shown.record, shown, diff=False, verbose=False))  # type: ignore[arg-type]
        yield "runs show --json", of_json(document["assessment"])
        message = message_of(Ending(report), "R.end")
        yield "message", of_text(message.text)
        yield "message's document", of_json(message.document["assessment"])


@pytest.mark.parametrize("how", HOWS)
@pytest.mark.parametrize("status", list(Status))
def test_every_format_says_the_same(status: Status, how: How) -> None:
    for open_change, unfinished, undetermined, lab in itertools.product((False, True), repeat=4):
        case = {"open_change": open_change, "unfinished": unfinished, "undetermined": undetermined, "lab": lab}
        report = run_of(status, how, **case)
        expected = meant(report.assessment)
        for form, said in answers(report):
            assert said == expected, (form, case)
        first = next(iter(expected.commands), "")
        assert (report.next, json.loads(FORMATS["json"].end(report, 0))["next"]) == (first, first)
        for line in of_run(report):
            assert line.endswith(first), (line, case)


@pytest.mark.parametrize("how", ["ended", "died", "stopped"])
@pytest.mark.parametrize("unfinished", [False, True])
def test_what_is_unknown_is_reconciled_first(how: How, unfinished: bool) -> None:
    for status, open_change in [(Status.UNKNOWN, False), (Status.UNKNOWN, True), (Status.CHANGED, True)]:
        report = run_of(status, how, open_change=open_change, unfinished=unfinished, undetermined=False, lab=False)
        assert report.next == f"easops runs reconcile {report.run_id}"
        for form, said in answers(report):
            assert said.commands[0] == report.next, form
        assert report.assessment.verdict.word == {"ended": "Unknown", "died": "Died", "stopped": "Stopped"}[how]


@pytest.mark.parametrize("status", sorted(STOPS_LATER_CHANGES))
def test_an_unfinished_run_can_be_closed_for_good(status: Status) -> None:
    report = run_of(status, "ended", open_change=False, unfinished=True, undetermined=False, lab=False)
    for form, said in answers(report):
        assert f"easops runs abandon {report.run_id}" in said.commands, form
    meanings = [command.meaning for command in report.assessment.next if command.label == "close"]
    assert meanings == ["close it for good; what it set stays"]


def test_what_detect_steps_alone_have_found_is_open_for_a_program_too() -> None:
    steps = (
        StepResult(1, "Who floods", "detect", "contact_sync_storm", Status.OK, detection=STORM),
        StepResult(2, "How loaded", "detect", "sync_pool_cpu", Status.OK, hosts=("EX1",), detection=load(95.0)),
    )
    report = recorded(attrs.evolve(REPORT, steps=steps, status=Status.OK))
    document = json.loads(FORMATS["json"].end(report, 0))
    assert (document["status"], document["exit_code"]) == ("ok", 0)
    assert [sentence.partition(";")[0] for sentence in document["assessment"]["open"]] == [
        "still open: How loaded: found on 1 host",
        "possibly ongoing: Who floods: 2 users found, the last hit 0.0 s before the look (17:00 UTC",
    ]
    for form, said in answers(report):
        assert said == meant(report.assessment), form


@pytest.mark.parametrize("closed", ["abandoned", "undone by 20261125-080000-beef"])
def test_a_closed_run_is_over_in_every_format(closed: str) -> None:
    report = recorded(closed=closed)
    assert report.assessment.over
    for form, said in answers(report):
        assert said == meant(report.assessment), form


def test_what_found_nothing_says_everywhere_where_it_looked() -> None:
    steps = (
        StepResult(1, "Who", "detect", "contact_sync_storm", Status.OK, detection=ENDED, given=("since=1h",)),
        StepResult(2, "How loaded", "detect", "sync_pool_cpu", Status.SKIPPED, "no hosts"),
    )
    report = recorded(attrs.evolve(REPORT, steps=steps, status=Status.OK))
    assert meant(report.assessment).searched == ("Who, since=1h: nothing found on EX1",)
    for form, said in answers(report):
        assert said == meant(report.assessment), form
