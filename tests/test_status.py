"""Statuses and exit codes: frozen."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import easops.status
from easops.status import EXIT_CODES, PROBLEMS, STOPS_LATER_CHANGES, Severity, Status, severity, worst


def test_the_exit_codes_are_unchanged() -> None:
    assert {str(status): code for status, code in EXIT_CODES.items()} == {
        "skipped": 0,
        "ok": 0,
        "changed": 0,
        "undone": 0,
        "would_change": 0,
        "not_started": 0,
        "awaiting_approval": 3,
        "refused": 3,
        "failed": 4,
        "undo_failed": 4,
        "unreachable": 5,
        "undetermined": 6,
        "verify_failed": 6,
        "unknown": 6,
    }


@given(st.lists(st.sampled_from(Status), min_size=1))
def test_the_worst_has_the_highest_exit_code_and_is_the_later_row_within_it(statuses: list[Status]) -> None:
    found = worst(statuses)
    rows = list(Status)
    assert found in statuses
    assert all((EXIT_CODES[other], rows.index(other)) <= (EXIT_CODES[found], rows.index(found)) for other in statuses)


def test_no_status_at_all_is_ok() -> None:
    assert worst([]) is Status.OK


def test_the_sets_and_the_severity_agree_with_the_exit_codes() -> None:
    """Exit codes are for whoever calls the program; rules ask the sets. They must not say different things."""
    assert {status for status, code in EXIT_CODES.items() if code >= 4} == PROBLEMS
    assert {status for status, code in EXIT_CODES.items() if code >= 3} == STOPS_LATER_CHANGES
    assert {status for status in Status if severity(status) is Severity.GOOD} == set(Status) - STOPS_LATER_CHANGES
    assert list(EXIT_CODES.values()) == sorted(EXIT_CODES.values()), "a later status is a worse one"


@pytest.mark.parametrize("folder", ["report", "playbook"])
def test_no_set_of_statuses_and_no_rule_on_exit_codes_is_written_out_elsewhere(folder: str) -> None:
    root = Path(easops.status.__file__).parent
    for path in sorted((root / folder).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Tuple | ast.List | ast.Set):
                statuses = [one for one in node.elts if ast.unparse(one).startswith("Status.")]
                assert len(statuses) < 2, f"{path.relative_to(root)}:{node.lineno}: {ast.unparse(node)}"
            if isinstance(node, ast.Compare):
                assert "EXIT_" not in ast.unparse(node), f"{path.relative_to(root)}:{node.lineno}: {ast.unparse(node)}"
