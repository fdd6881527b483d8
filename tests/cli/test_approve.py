"""A gated cure by the command line, in the lab: run, look, approve, go on, undo."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from .conftest import Answer, Easops
from .test_json_schema import document

pytestmark = pytest.mark.slow

PLAYBOOK = Path(__file__).parents[2] / "examples" / "playbooks" / "approved-cure.yml"


def labelled(answer: Answer, label: str) -> str:
    return next(line.partition(label)[2].strip() for line in answer.out.splitlines() if line.startswith(label))


def at_terminal(monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    """Somebody sits there, and types that."""
    typed = io.StringIO(f"{answer}\n")
    monkeypatch.setattr(typed, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdin", typed)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)


def test_the_gated_cure_of_the_examples_goes_on_when_it_is_approved(
    process: Easops, easops: Easops, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = process("run", PLAYBOOK, "--lab")
    assert run.code == 3, run
    words = labelled(run, "approve ").split()
    assert words[:2] == ["easops", "approve"]
    run_id = words[2]
    assert labelled(run, "resume") == f"easops runs resume {run_id}"
    assert "? Wait for an approval" in run.out
    assert "policy none -> easops-eas-r900000-b240000" in run.out

    asked = process("approve", run_id)
    assert asked.code == 3
    assert "6 planned changes:" in asked.out
    assert "there is no terminal to ask for confirmation" in asked.err
    digest = labelled(asked, "digest")
    assert f"easops approve {run_id} --yes --digest {digest}" in asked.err
    assert f"easops approve {run_id} --deny --yes --digest {digest}" in process("approve", run_id, "--deny").err
    request = document(process("approve", run_id, "--json"), "approval_of_run")
    assert (request["status"], request["step"]["approval"]["digest"]) == ("awaiting_approval", digest)
    assert process("approve", run_id, "--yes", "--digest", "0" * 64).code == 3
    at_terminal(monkeypatch, "n")
    no = easops("approve", run_id)
    assert (no.code, "6 planned changes:" in no.out) == (3, True)
    assert "Approve these changes? [y/N]" in no.err
    assert "you did not confirm" in no.err

    at_terminal(monkeypatch, "y")
    approved = document(easops("approve", run_id, "--digest", digest, "--json"), "approval_of_run")
    assert (approved["status"], approved["next"]) == ("approved", f"easops runs resume {run_id}")
    assert labelled(process("runs", "show", run_id), "decided").startswith("approved by ")

    resumed = process("runs", "resume", run_id)
    assert resumed.code == 0, resumed
    assert "approved by " in resumed.out
    assert "= Check that the floods have ended" in resumed.out
    undone = document(process("undo", run_id, "--yes", "--json"), "run")
    assert undone["status"] == "undone"


def test_what_asks_for_nothing_can_be_neither_approved_nor_resumed(process: Easops, lab: Path, tmp_path: Path) -> None:
    done = process("do", "block_user", "nina.okafor@contoso.example", "--because", "a test", "-i", lab, "--yes", "-q")
    assert done.code == 0, done
    run_id = labelled(done, "undo").split()[-1]
    answer = process("approve", run_id, "--yes")
    assert answer.code == 3
    assert "waits for no approval" in answer.err
    junit = tmp_path / "resumed.xml"
    assert process("runs", "resume", run_id, "--junit", junit).code == 3
    assert "has no unfinished steps" in junit.read_text(encoding="utf-8"), "a forge would show nothing of it"
    assert process("undo", run_id, "--yes", "-q").code == 0
    assert process("approve", "nothing", "--yes").code == 1
