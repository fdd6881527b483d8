"""The engine on a SQLite that lacks what it asks for: supplied where that can be done, else refused before a run is
recorded."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import sqlalchemy as sa
from dbos import DBOS
from dbos._migration import sqlite_migrations

import easops
from easops.errors import BadInput
from easops.playbook.execution.maintenance import check_engine
from easops.playbook.record import sqlite
from easops.playbook.record.run_store import RunStore
from easops.playbook.record.run_view import list_runs, show_run
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.run import submit
from easops.status import Status

Start = Callable[..., Any]
USER = "laura.brandt@contoso.example"
OLD_DEFAULT = "(strftime('%s','now') * 1000)"
NEW_DEFAULT = "(unixepoch('subsec') * 1000)"


@pytest.fixture
def newer_python(monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine asks and writes as it does on Python 3.12 and later."""
    monkeypatch.setattr("dbos._sys_db.sys", SimpleNamespace(version_info=(3, 12), maxsize=sys.maxsize))
    newer = [migration.replace(OLD_DEFAULT, NEW_DEFAULT) for migration in sqlite_migrations]
    assert any(NEW_DEFAULT in migration for migration in newer)
    monkeypatch.setattr("dbos._sys_db_sqlite.sqlite_migrations", newer)


@pytest.fixture
def unmended(newer_python: None, monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The engine as on Python 3.12, on a SQLite before 3.42, and nothing supplied: the answer is NULL."""
    monkeypatch.setattr(sqlite, "_knows_subseconds", lambda connection: False)
    monkeypatch.setattr(sqlite, "_unixepoch", lambda value: None)
    return monkeypatch


def block(rig: Any, **more: Any) -> Any:
    return easops.do("block_user", rig.hosts, {"user": USER}, confirm=True, state=rig.state, **more)


@pytest.mark.usefixtures("newer_python")
def test_a_run_and_its_undo_work_as_on_a_newer_python_with_an_old_sqlite(rig: Start) -> None:
    lab = rig("contacts-storm")

    report = block(lab)

    assert report.status is Status.CHANGED
    assert easops.undo(report.run_id, confirm=True, state=lab.state).status is Status.UNDONE


def test_a_database_that_a_newer_python_made_works_on_an_older_one(rig: Start) -> None:
    lab = rig("contacts-storm")
    with pytest.MonkeyPatch.context() as patch:
        newer = [migration.replace(OLD_DEFAULT, NEW_DEFAULT) for migration in sqlite_migrations]
        patch.setattr("dbos._sys_db_sqlite.sqlite_migrations", newer)
        DBOS.migrate(lab.state.prepared().database_url)

    assert block(lab).status is Status.CHANGED


def test_a_run_that_died_of_it_before_is_resumed(rig: Start, unmended: pytest.MonkeyPatch) -> None:
    lab = rig("contacts-storm")
    with unmended.context() as unchecked:
        unchecked.setattr("easops.playbook.execution.dbos_engine.check_engine", lambda state: None)
        with pytest.raises(sa.exc.IntegrityError):
            block(lab)
    (died,) = list_runs(lab.state)
    assert died.state == "died"
    unmended.undo()

    report = easops.resume(died.run.run_id, confirm=True, state=lab.state)

    assert report.status is Status.CHANGED
    assert len(lab.sent()) == 1


def test_a_database_that_the_engine_cannot_use_is_refused_before_anything_is_recorded(
    rig: Start, unmended: pytest.MonkeyPatch
) -> None:
    lab = rig("contacts-storm")
    playbook = easops.find_playbook("contacts-sync-storm")
    for attempt in (
        lambda: block(lab),
        lambda: submit(playbook, lab.hosts, state=lab.state),
        lambda: block(lab, check=True),
    ):
        with pytest.raises(BadInput, match="the engine cannot use SQLite") as error:
            attempt()
        assert "NOT NULL constraint failed" in error.value.why
        assert error.value.next_step.startswith("use a Python that has SQLite 3.42 or later, or a PostgreSQL database")
    assert list_runs(lab.state) == ()
    assert lab.sent(changing=False) == []


@pytest.mark.usefixtures("unmended")
def test_under_check_it_is_refused_too_and_no_state_folder_is_made(rig: Start) -> None:
    lab = rig("contacts-storm")

    with pytest.raises(BadInput, match="the engine cannot use SQLite"):
        block(lab, check=True)

    assert not lab.state.path.exists()


def test_neither_resume_nor_undo_touches_the_record_of_a_run_on_such_a_database(rig: Start, newer_python: None) -> None:
    lab = rig("contacts-storm")
    run_id = block(lab).run_id
    before = show_run(run_id, lab.state)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sqlite, "_knows_subseconds", lambda connection: False)
        patch.setattr(sqlite, "_unixepoch", lambda value: None)
        for command in (easops.undo, easops.resume):
            with pytest.raises(BadInput, match="the engine cannot use SQLite"):
                command(run_id, confirm=True, state=lab.state)

    assert show_run(run_id, lab.state) == before
    assert len(list_runs(lab.state)) == 1


def test_a_file_that_is_not_a_database_is_named_in_the_error(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    (tmp_path / "easops.sqlite").write_text("something else" * 100, encoding="utf-8")

    with pytest.raises(easops.EasopsError, match=r"easops\.sqlite cannot be used: file is not a database"):
        check_engine(state)


def test_the_check_leaves_nothing_in_the_database(database: StateFolder) -> None:
    RunStore(database.prepared().database_url).close()  # else there is no file, and a temporary one is tried

    check_engine(database)

    engine = sa.create_engine(database.database_url)
    schema = "" if database.database is None else "dbos."
    with engine.connect() as connection:
        assert connection.execute(sa.text(f"select count(*) from {schema}application_versions")).scalar() == 0
    engine.dispose()
