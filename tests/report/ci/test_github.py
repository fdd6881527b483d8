"""A run on GitHub: its annotations, and its part of a job's summary."""

from __future__ import annotations

from pathlib import Path

import attrs
import pytest

from easops.document import DocumentError, Problem
from easops.errors import BadInput, Refused
from easops.playbook.steps.step_result import StepResult
from easops.report import FORMATS
from easops.report.ci.github import of_error, of_run
from easops.report.ci.github_summary import LARGEST, run_summary
from easops.status import Status

from ..samples import LIMITED, REPORT, item

UNDO = "easops undo 20261124-170000-abcd"


def summary(report: object = REPORT, **more: int) -> str:
    return run_summary(report, 3, form=FORMATS["text"], **more)  # type: ignore[arg-type]


def test_what_stopped_or_failed_is_annotated_with_what_to_type() -> None:
    assert of_run(REPORT) == [f"::error title=3 Limit them%3A bob@contoso.example%3A refused::protected. {UNDO}"]


def test_an_approval_that_is_waited_for_is_a_notice() -> None:
    step = StepResult(1, "Somebody agrees", "do", "x", Status.AWAITING_APPROVAL, "2 changes")
    report = attrs.evolve(REPORT, steps=(step,), status=Status.AWAITING_APPROVAL, unfinished=True)
    assert of_run(report) == [
        "::notice title=1 Somebody agrees%3A awaiting approval::2 changes. easops approve 20261124-170000-abcd"
    ]


@pytest.mark.parametrize(
    ("error", "lines"),
    [
        (Refused("an earlier run is open", "it died", "type x", rule="r"),
         ["::error title=an earlier run is open::it died. type x"]),
        (BadInput("a\n::error::b"), ["::error title=a %3A%3Aerror%3A%3Ab::a%0A::error::b"]),
        (DocumentError([Problem("a.yml", 2, 3, "x"), Problem("a.yml", 1, 1, "y", "z")]),
         ["::error file=a.yml,line=1,col=1,title=y::z", "::error file=a.yml,line=2,col=3,title=x::x"]),
    ],
)  # fmt: skip
def test_what_ended_a_command_is_annotated(error: BadInput, lines: list[str]) -> None:
    assert of_error(error, Path()) == lines


def test_the_summary_says_what_was_found_changed_proved_and_how_to_undo_it() -> None:
    text = summary()
    assert text.startswith("## Cure a storm: refused (exit code 3)\n\nrun `20261124-170000-abcd`\n\n| | step |")
    assert "| 1 | Who floods | EX1 | 2 users found |" in text
    assert "| anna\\@contoso\\.example | changed | policy none \\-\\> ours |" not in text  # > is HTML's
    assert "| anna\\@contoso\\.example | changed | policy none \\-&gt; ours |" in text
    assert "Next:\n\n- put back what this run set: <code>easops undo 20261124\\-170000\\-abcd</code>\n" in text
    assert "15 contact syncs over 2000 RPC" in text
    assert "95.0 -&gt; 12.0 percent" in text


def test_no_text_is_read_as_markdown_or_html() -> None:
    hostile = "<script>|`x`|\n\n# [a](javascript:b) ![i](u) </pre></details> @team ::error::"
    done = attrs.evolve(LIMITED, items=(item(hostile, Status.CHANGED, before={"a": hostile}, after={"a": 1}),))
    step = StepResult(1, hostile, "do", "x", Status.CHANGED, hostile, done=done)
    text = summary(attrs.evolve(REPORT, playbook=hostile, steps=(step,)))
    assert "<script" not in text
    assert text.count("</pre>") == text.count("<pre>") == 2
    assert text.count("</details>") == 1
    table = [line for line in text.splitlines() if line.startswith("| ")]
    assert all(line.replace("\\|", "").count("|") in (4, 5) for line in table)
    assert "\\[a\\]\\(javascript\\:b\\)" in text
    assert "\n\n# " not in text


@pytest.mark.parametrize("room", [0, 10, 700, LARGEST])
def test_it_is_never_larger_than_github_takes(room: int) -> None:
    long = attrs.evolve(REPORT.steps[0], reason="why " * 15_000, detection=None)
    text = summary(attrs.evolve(REPORT, steps=(*REPORT.steps, *[long] * 20)), room=room)
    assert len(text.encode()) <= room
    assert not text or "the rest is cut" in text
