"""Names, agents and errors that others chose, in every form in which a run is given out."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from easops.actions.outcome import Done
from easops.detectors.finding import Undetermined
from easops.playbook.assessment.ending import Ending
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.steps.step_result import StepResult
from easops.readings import READINGS
from easops.readings.take import ReadingResult, Row
from easops.report import FORMATS
from easops.report.ci.github import of_run
from easops.report.ci.github_summary import run_summary
from easops.report.ci.junit import JUNIT
from easops.report.message import message_of
from easops.report.page.html import HTML
from easops.report.terminal.text import Text
from easops.status import Status
from tests.test_visible import obeyed

from .samples import ANNA, PHONE, REPORT, STORM, item, recorded

EVIL = "\x1b]0;mine\x07\x1b[2J\r\x7f\x85\x9b1m\u202e\u2067\u200f\u2028evil"
"""What a name may hold: a title, a cleared screen, an overwritten line, and a reversed one."""

PHONE_OF_A_STRANGER = attrs.evolve(PHONE, user_agent=EVIL, device_id=EVIL, device_type=EVIL)
FOUND = attrs.evolve(
    STORM,
    users=(attrs.evolve(ANNA, user=EVIL, evidence=EVIL, devices=(PHONE_OF_A_STRANGER,), samples=(EVIL,)),),
    undetermined=(Undetermined("user", EVIL, EVIL, True),),
    notes=(EVIL,),
)
LIMITED = Done(
    "limit_eas_usage",
    (item(EVIL, Status.CHANGED, before={"policy": EVIL}, after={"policy": f"{EVIL}2"}, reason=EVIL, effective=EVIL),),
)
STEPS = (
    StepResult(1, EVIL, "detect", "contact_sync_storm", Status.OK, EVIL, detection=FOUND, because=EVIL),
    StepResult(2, "Limit them", "do", "limit_eas_usage", Status.FAILED, EVIL, done=LIMITED, because=EVIL),
)
RUN = attrs.evolve(REPORT, steps=STEPS, playbook=EVIL, limit=EVIL, status=Status.FAILED)


def unpainted(text: str) -> str:
    """Without the sequences with which easops itself paints."""
    return re.sub(r"\x1b\[(?:1|2|32|35|1;31|0)m", "", text)


def text_of(form: Text) -> str:
    parts = [form.head(EVIL, "R", EVIL, EVIL, checked=False), form.end(RUN, 1)]
    parts += [form.step(step, STEPS[:at], diff=True, verbose=True) for at, step in enumerate(STEPS)]
    parts.append(form.detection(FOUND, Status.OK, 0, verbose=True))
    return "\n".join(parts)


def a_table_row(form: Text) -> str:
    reading = READINGS["throttling-policies"]
    return form.reading(ReadingResult(reading, (Row(None, (EVIL,) * len(reading.columns)),) * 2, ()))


def message(body: Any) -> str:
    sent = message_of(Ending(recorded(RUN)), "key")
    if body is None:
        return f"{sent.subject}\n{sent.text}"
    raw = sent.body(body).decode()
    texts: list[str] = []
    json.loads(raw, object_hook=lambda found: texts.extend(str(found[k]) for k in ("text",) if k in found))
    return "\n".join([raw, *texts])


def summary(report: RunReport) -> str:
    return run_summary(report, 1, form=FORMATS["text"])


FORMS: dict[str, Callable[[], str]] = {
    "text": lambda: text_of(Text(80)),
    "text in colour": lambda: unpainted(text_of(Text(80, colour=True))),
    "a table": lambda: a_table_row(Text(80)),
    "json": lambda: FORMATS["json"].end(RUN, 1),
    "junit": lambda: JUNIT.render(RUN),
    "page": lambda: HTML.render(RUN),
    "annotations": lambda: "\n".join(of_run(RUN)),
    "summary of a job": lambda: summary(RUN),
    "mail": lambda: message(None),
    "webhook, document": lambda: message("document"),
    "webhook, text": lambda: message("text"),
    "webhook, card": lambda: message("card"),
}


@pytest.mark.parametrize("name", FORMS)
def test_nothing_of_a_stranger_can_command_who_reads_it(name: str) -> None:
    text = FORMS[name]()
    assert "evil" in text
    assert {character for character in text if obeyed(character)} <= {"\n"}


@pytest.mark.parametrize("name", sorted(FORMS.keys() - {"json", "webhook, document"}))
def test_it_is_shown_for_what_it_is(name: str) -> None:
    assert r"\x1b]0;mine\x07" in FORMS[name]().replace("\\\\", "\\").replace(r"\]", "]")


def test_json_gives_programs_what_was_sent() -> None:
    document = json.loads(FORMATS["json"].end(RUN, 1))
    assert document["steps"][0]["detection"]["users"][0]["user"] == EVIL


def test_columns_stay_in_line() -> None:
    head, *rows = a_table_row(Text(None)).splitlines()
    assert len(rows) == 2
    assert rows[0] == rows[1]
    assert head.index(READINGS["throttling-policies"].columns[0].replace("_", " ")) == rows[0].index(r"\x1b")
