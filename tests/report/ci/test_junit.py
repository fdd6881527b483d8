"""A run as a JUnit file."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import attrs
import pytest
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as st

from easops.errors import (
    AccessRefused,
    BadInput,
    CommandFailed,
    EasopsError,
    OutcomeUnknown,
    Refused,
    UnreachableHost,
)
from easops.playbook.steps.step_result import StepResult
from easops.report.ci.junit import JUNIT, start_failure
from easops.report.ci.test_case import OUTCOMES
from easops.status import EXIT_CODES, Status

from ..samples import LOST, REPORT

SCHEMA = xmlschema.XMLSchema(Path(__file__).parents[2] / "data" / "schemas" / "junit-10.xsd")
HOSTILE = "]]> <x a='\"'> & \x00\x1b[31m \ud800 \ufffe \U0001f4f1"


def suite(text: str) -> ElementTree.Element:
    """The one suite of a file that the schema takes."""
    text.encode("utf-8")
    root = ElementTree.fromstring(text)
    SCHEMA.validate(root)
    found = root.find("testsuite")
    assert found is not None
    return found


def cases(text: str) -> dict[str, str | None]:
    """Each case, with the message of what it is where it did not pass."""
    found = {}
    for case in suite(text).findall("testcase"):
        part = [child for child in case if child.tag != "system-out"]
        assert len(part) <= 1
        found[case.attrib["name"]] = f"{part[0].tag}: {part[0].attrib['message']}" if part else None
    return found


def test_steps_and_the_items_of_changing_steps_are_cases() -> None:
    assert cases(JUNIT.render(REPORT)) == {
        "1 Who floods": None,
        "2 How loaded": None,
        "3 Limit them: anna@contoso.example": None,
        "3 Limit them: bob@contoso.example": "failure: refused: protected",
        "4 Recycle: EX1": None,
        "5 It has ended": None,
        "6 It breathes": None,
    }


def test_the_totals_count_what_is_there_and_the_evidence_is_there() -> None:
    found = suite(JUNIT.render(REPORT))
    counted = {name: found.attrib[name] for name in ("tests", "failures", "errors", "skipped", "time", "timestamp")}
    assert counted == {
        "tests": "7",
        "failures": "1",
        "errors": "0",
        "skipped": "0",
        "time": "3.000",
        "timestamp": "2026-11-24T17:00:00+00:00",
    }
    assert "15 contact syncs over 2000 RPC" in (found.findtext("testcase/system-out") or "")
    properties = [(known.attrib["name"], known.attrib["value"]) for known in found.findall("properties/property")]
    assert properties == [
        ("run", REPORT.run_id),
        ("status", "refused"),
        ("verdict", "Refused: A rule forbids part of it; that part was not sent."),
        ("proved", "It has ended: no more hits of anna@contoso.example"),
        ("proved", "It breathes: EX1 95.0 -> 12.0 percent"),
        ("open", "refused: bob@contoso.example: protected"),
        ("open", "still open: bob@contoso.example: refused; not checked again"),
        ("next", REPORT.next),
    ]


def test_every_status_with_an_exit_code_is_a_failure_or_an_error() -> None:
    for status, code in EXIT_CODES.items():
        if status is not Status.AWAITING_APPROVAL:
            assert (OUTCOMES[status] in ("failure", "error")) == (code != 0), status


@pytest.mark.parametrize(
    ("step", "message"),
    [
        (StepResult(1, "Look", "detect", "x", Status.UNREACHABLE, detection=LOST),
         "error: unreachable: EX2: EX2 is not there: no route"),
        (StepResult(1, "Look", "do", "x", Status.NOT_STARTED, "behind step 1"), "skipped: not started: behind step 1"),
        (StepResult(1, "Look", "verify", "x", Status.VERIFY_FAILED), "failure: verify failed"),
        (StepResult(1, "Look", "do", "x", Status.AWAITING_APPROVAL), "skipped: awaiting approval"),
    ],
)  # fmt: skip
def test_what_did_not_pass_says_why(step: StepResult, message: str) -> None:
    assert cases(JUNIT.render(attrs.evolve(REPORT, steps=(step,)))) == {"1 Look": message}


def test_what_ended_a_run_is_a_case_too() -> None:
    lost = UnreachableHost("EX1 is not there", "no route")
    report = attrs.evolve(REPORT, steps=())
    assert cases(JUNIT.render(attrs.evolve(report, problem=lost))) == {
        "the run": "error: unreachable: EX1 is not there: no route"
    }
    assert cases(JUNIT.render(attrs.evolve(report, stopped=True))) == {
        "the run": "error: stopped: it was stopped before its end"
    }
    assert cases(start_failure("storm", lost)) == {"the run": "error: unreachable: EX1 is not there: no route"}


@pytest.mark.parametrize(
    ("problem", "case"),
    [
        (Refused("R is open", rule="x"), "failure: refused: R is open"),
        (AccessRefused("no logon", reason="logon"), "error: unreachable: no logon"),
        (BadInput("no such host"), "error: bad input: no such host"),
        (OutcomeUnknown("no answer"), "error: unknown: no answer"),
        (CommandFailed("no such policy"), "error: failed: no such policy"),
    ],
)
def test_a_run_that_could_not_begin_says_of_which_kind_that_is(problem: EasopsError, case: str) -> None:
    assert cases(start_failure("storm", problem)) == {"the run": case}


@settings(deadline=None)
@given(st.text(st.characters(codec=None)) | st.just(HOSTILE))
def test_no_text_makes_it_anything_but_xml(text: str) -> None:
    step = StepResult(1, f"x{text}", "do", "x", Status.FAILED, text, because=text)  # a name is never blank
    (case,) = suite(JUNIT.render(attrs.evolve(REPORT, playbook=text, steps=(step,), lab=text))).iter("testcase")
    assert case.attrib["name"].startswith("1 ")
    cases(start_failure(text, UnreachableHost(text, text, text)))
