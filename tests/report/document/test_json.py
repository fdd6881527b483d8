from __future__ import annotations

import json

import attrs

from easops.actions.outcome import Done
from easops.playbook.assessment.run_facts import OpenRun
from easops.playbook.record.run import Run
from easops.playbook.record.run_view import RunView
from easops.report import FORMATS
from easops.report.document.json import run_document, run_view_document, runs_document, step_data

from ..samples import AT, LIMITED, REPORT, STEPS, STORM


def test_a_run_has_the_keys_that_are_promised() -> None:
    document = run_document(REPORT, 3)
    assert {key: document[key] for key in ("status", "changed", "would_change", "run_id", "next", "exit_code")} == {
        "status": "refused",
        "changed": True,
        "would_change": False,
        "run_id": "20261124-170000-abcd",
        "next": "easops undo 20261124-170000-abcd",
        "exit_code": 3,
    }
    assert [(found["step"], found["found"]) for found in document["findings"]] == [
        ("Who floods", True),
        ("How loaded", True),
    ]


def test_an_open_run_stands_in_the_document_of_a_check() -> None:
    checked = attrs.evolve(REPORT, checked=True, earlier=OpenRun("R", "died", ended=False))
    assert run_document(checked, 0)["earlier"] == {"run_id": "R", "state": "died", "ended": False}
    assert run_document(REPORT, 3)["earlier"] is None


def test_before_and_after_are_of_the_item_or_a_list_of_the_items() -> None:
    assert (step_data(STEPS[3])["before"], step_data(STEPS[3])["after"]) == ({"workers": ["1"]}, None)
    assert step_data(STEPS[2])["before"] == [{"policy": None}, None]
    assert step_data(attrs.evolve(STEPS[2], done=Done("limit_eas_usage")))["before"] is None
    assert len(LIMITED.items) == len(step_data(STEPS[2])["items"])


def test_a_target_is_what_was_acted_on_or_the_hosts_or_nothing() -> None:
    assert [step_data(step)["target"] for step in STEPS[2:5]] == ["organisation contoso", "ex1.contoso.example", None]
    assert step_data(STEPS[0])["target"] == "EX1"


def test_a_document_is_json_whole_and_in_one_piece() -> None:
    form = FORMATS["json"]
    assert form.head("Cure a storm", "R", None, None, checked=False) == ""
    assert form.step(STEPS[0], (), diff=True, verbose=True) == ""
    assert json.loads(form.end(REPORT, 3)) == run_document(REPORT, 3)


def test_a_detection_keeps_all_that_was_found() -> None:
    from easops.status import Status

    document = json.loads(FORMATS["json"].detection(STORM, Status.OK, 2, verbose=False))
    assert (document["status"], document["found"], document["exit_code"]) == ("ok", True, 2)
    assert document["users"][0]["devices"][0]["rpc_max"] == 6412
    assert document["times"] == {"EX1": "2026-11-24T17:00:00+00:00"}


def test_a_recorded_runs_status_is_one_word_unfinished_or_closed() -> None:
    run = Run("R", "run", "storm", {"source": "storm.yml"}, (), AT, AT, "awaiting_approval", unfinished=True)
    died = attrs.evolve(run, ended=None, status=None, unfinished=False, closed="abandoned")
    views = [RunView(one, False, (), ()) for one in (run, attrs.evolve(run, closed="undone by S"), died)]
    listed = [(run["status"], run["owes"], run["closed"]) for run in runs_document(views)["runs"]]
    assert listed == [
        ("awaiting_approval", True, ""),
        ("awaiting_approval", True, "undone by S"),
        ("died", False, "abandoned"),
    ]
    assert run_view_document(views[0], REPORT)["status"] == "awaiting_approval"
    assert views[0].status == "awaiting_approval, unfinished"
