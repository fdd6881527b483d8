"""The kill matrix, cell by cell, and the documentation that shows it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from easops.playbook.record.postgresql import postgresql_url
from easops.status import Status

from .kill_matrix import COLUMNS, HEAD, ROWS, WORLD, Row, cell
from .killing import MOMENTS
from .stage import Stage, new_stage

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is needed to kill a run"),
    pytest.mark.slow,
]

DOCUMENT = Path(__file__).parents[2] / "docs" / "explanation" / "tested-promises.md"
ON_POSTGRESQL = "limit_eas_usage: the association"
"""The row that each run of the tests executes on PostgreSQL too; ``-m postgres_matrix`` executes the others."""

CELLS = [
    pytest.param(
        database,
        row,
        moment,
        id=f"{database}: {row.name} killed {moment}",
        marks=[pytest.mark.postgres_matrix] if database == "postgresql" and row.name != ON_POSTGRESQL else [],
    )
    for database in ("sqlite", "postgresql")
    for row in ROWS
    for moment in COLUMNS
]


def shown() -> list[str]:
    lines = DOCUMENT.read_text(encoding="utf-8").splitlines()
    start = lines.index(HEAD[0])
    assert lines[start + 1] == HEAD[1]
    return [line for line in lines[start + 2 :] if line.startswith("|")]


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One lab and one database for all cells: each undoes what it did."""
    database = None
    if request.param == "postgresql":
        server = request.getfixturevalue("postgres")
        database = postgresql_url(server.url(server.new_database(request.getfixturevalue("prepared_database"))))
    with new_stage(tmp_path_factory.mktemp("matrix"), WORLD, database=database) as on:
        yield on


@pytest.mark.parametrize(("stage", "row", "moment"), CELLS, indirect=["stage"])
def test_a_killed_run_that_is_resumed_has_made_each_change_once_and_is_undone(
    stage: Stage, row: Row, moment: str
) -> None:
    seen = cell(stage, row, moment)

    assert seen.resumed.status is Status.CHANGED
    assert seen.made_in_all == row.expected
    if seen.recorded == "no intent":
        assert not any(made.startswith(row.cmdlet) for made in seen.made)
    assert seen.restored
    assert seen.line in shown()


def test_the_row_on_postgresql_is_one_of_the_matrix() -> None:
    assert ON_POSTGRESQL in [row.name for row in ROWS]


def test_the_documented_table_has_a_row_for_each_cell_and_no_other() -> None:
    cells = [(row.name, MOMENTS[moment]) for row in ROWS for moment in COLUMNS]
    assert [tuple(line.strip("| ").split(" | ")[:2]) for line in shown()] == cells
