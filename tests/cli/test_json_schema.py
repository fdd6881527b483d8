"""What the commands print with --json is what ``easops schema report`` says."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.main import get_command

from easops.cli.app import app
from easops.detectors import DETECTORS
from easops.readings import READINGS
from easops.report.document.json_schema import report_schema

from .conftest import Answer, Easops

pytestmark = pytest.mark.slow

USER = "victoria.chen@contoso.example"
MORE = {"cas-mailbox": [USER]}
ABOVE = {"pool_memory": ["above=60"]}
QUICK = sorted(set(DETECTORS) - {"sync_pool_cpu"})
"""Without the one that measures for ten seconds: its document is that of the other figure."""


def closed(schema: Any) -> Any:
    """The schema, with no room for keys that it does not name: what it forgets is found so."""
    if isinstance(schema, list):
        return [closed(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    narrowed = {key: closed(part) for key, part in schema.items()}
    if isinstance(narrowed.get("properties"), dict) and "required" in narrowed:
        narrowed.setdefault("additionalProperties", False)
    return narrowed


SCHEMA = report_schema(READINGS)
CLOSED = closed(SCHEMA)


def document(answer: Answer, name: str) -> dict[str, Any]:
    """What a command printed, checked against the schema of that document."""
    printed: dict[str, Any] = json.loads(answer.out)
    checker = Draft202012Validator({**CLOSED, "anyOf": [{"$ref": f"#/$defs/{name}"}]})
    wrong = [f"{fault.json_path}: {fault.message}" for error in checker.iter_errors(printed) for fault in leaves(error)]
    assert wrong == [], answer
    assert printed["exit_code"] in (answer.code, None)
    return printed


def leaves(error: Any) -> list[Any]:
    return [leaf for part in error.context for leaf in leaves(part)] if error.context else [error]


def test_the_schema_is_one() -> None:
    Draft202012Validator.check_schema(SCHEMA)


def test_every_command_that_prints_json_is_named_with_its_document() -> None:
    def printing(command: Any, path: str) -> Iterator[str]:
        for name, inner in getattr(command, "commands", {}).items():
            yield from printing(inner, f"{path} {name}".strip())
        if any("--json" in parameter.opts for parameter in command.params):
            yield path

    descriptions = " ".join(SCHEMA["$defs"][one["$ref"].rpartition("/")[2]]["description"] for one in SCHEMA["anyOf"])
    assert [path for path in printing(get_command(app), "") if f"`{path}`" not in descriptions] == []


def test_an_unknown_key_and_a_missing_one_are_found() -> None:
    printed = {"status": "waiting", "run_id": "R", "next": "", "exit_code": 0}
    assert document(Answer(0, json.dumps(printed), ""), "submitted_run")
    for wrong in ({**printed, "new": 1}, {"status": "waiting"}, {**printed, "run_id": 1}):
        with pytest.raises(AssertionError):
            document(Answer(0, json.dumps({"exit_code": 0, **wrong}), ""), "submitted_run")


@pytest.mark.parametrize("name", sorted(READINGS))
def test_a_reading(easops: Easops, calm: Path, name: str) -> None:
    assert document(easops("show", name, *MORE.get(name, []), "-i", calm, "--json"), "reading")["rows"]


@pytest.mark.parametrize("name", QUICK)
def test_a_detection(easops: Easops, lab: Path, name: str) -> None:
    printed = document(easops("detect", name, *ABOVE.get(name, []), "-i", lab, "--json"), "detection")
    assert printed["judged"]


def test_an_explanation(easops: Easops, lab: Path) -> None:
    printed = document(easops("why", "sync_pool_cpu", "AMS-EX01", "above=60", "-i", lab, "--json"), "explanations")
    assert printed["explanations"][0]["found"]


def test_a_run_from_its_check_to_its_undo(
    easops: Easops, lab: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    notifications = tmp_path / "notify.yml"
    notifications.write_text("easops: 1\nnotifications: [{name: log, file: runs.jsonl}]\n")
    monkeypatch.setenv("EASOPS_NOTIFY", str(notifications))
    assert document(easops("notify", "--json"), "trial")["status"] == "ok"
    change = ("do", "limit_eas_usage", USER, "--because", "a test", "-i", lab, "--json")
    assert document(easops(*change, "--check"), "run")["would_change"]
    run = document(easops(*change, "--yes"), "run")
    assert run["changed"], run
    assert [notice["status"] for notice in run["notices"]] == ["sent"]
    assert document(easops("runs", "list", "--json"), "runs")["runs"][0]["run_id"] == run["run_id"]
    assert document(easops("runs", "show", run["run_id"], "--json"), "recorded_run")["changes"]
    assert document(easops("undo", run["run_id"], "--yes", "--json"), "run")["status"] == "undone"


def test_a_run_that_is_submitted_and_served(process: Easops, calm: Path, tmp_path: Path) -> None:
    playbook = tmp_path / "look.yml"
    playbook.write_text(
        "easops: 1\nname: Look\nhosts: runs=activesync\nsteps:\n"
        "  - {name: Storm, detect: contact_sync_storm, as: storm}\n"
        "  - {name: Over, verify: stranded_pings}\n"
    )
    words = ("run", playbook, "-i", calm, "--submit", "--yes", "--json")
    waiting = document(process(*words), "submitted_run")["run_id"]
    served = document(process("worker", waiting, "--json"), "served_runs")
    assert [step["kind"] for step in served["runs"][0]["steps"]] == ["detect", "verify"]
    waiting = document(process(*words), "submitted_run")["run_id"]
    assert document(process("runs", "abandon", waiting, "--json"), "settled_run")["changes"] == []


def test_an_error_and_the_problems_of_a_file(easops: Easops, tmp_path: Path) -> None:
    (tmp_path / "bad.yml").write_text("easops: 1\nname: Bad\nhosts: all\nsteps: [{do: nothing}]\n")
    printed = document(easops("run", tmp_path / "bad.yml", "--lab", "--scenario", "calm", "--json"), "error")
    assert printed["problems"][0]["line"] == 4
    assert document(easops("runs", "show", "none", "--json"), "error")["error"]["next"]
    assert document(easops("run", "--no-such-option", "--json"), "error")["status"] == "bad_input"
