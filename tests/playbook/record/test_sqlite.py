"""The connections to the SQLite file of the state folder."""

from __future__ import annotations

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa

from easops.playbook.record import sqlite

pytestmark = pytest.mark.slow


def ask(path: Path, *statements: str) -> object:
    """The answer of the last statement, on a connection that SQLAlchemy makes as for anybody."""
    engine = sa.create_engine(f"sqlite:///{path.as_posix()}")
    try:
        with engine.begin() as connection:
            *first, last = statements
            for statement in first:
                connection.execute(sa.text(statement))
            return connection.execute(sa.text(last)).scalar()
    finally:
        engine.dispose()


@pytest.fixture
def adopted(tmp_path: Path) -> Path:
    path = tmp_path / "easops.sqlite"
    sqlite.adopt(f"sqlite:///{path.as_posix()}")
    return path


def is_now(seconds: object) -> bool:
    return isinstance(seconds, int | float) and abs(seconds - time.time()) < 60


def test_the_time_with_its_fraction_is_known_with_an_old_sqlite_too(adopted: Path) -> None:
    assert is_now(ask(adopted, "SELECT unixepoch('subsec')"))


def test_a_default_that_a_newer_python_wrote_into_a_table_works_on_this_one(adopted: Path) -> None:
    table = "CREATE TABLE t (name TEXT, at INTEGER NOT NULL DEFAULT (unixepoch('subsec') * 1000))"

    milliseconds = ask(adopted, table, "INSERT INTO t (name) VALUES ('a')", "SELECT at FROM t")

    assert isinstance(milliseconds, int)
    assert is_now(milliseconds / 1000)


@pytest.fixture
def old_sqlite(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite, "_knows_subseconds", lambda connection: False)


@pytest.mark.usefixtures("old_sqlite")
def test_another_time_than_the_one_supplied_is_an_error_and_not_a_guess(adopted: Path) -> None:
    assert is_now(ask(adopted, "SELECT unixepoch('subsec')"))
    with pytest.raises(sa.exc.OperationalError, match="user-defined function raised exception"):
        ask(adopted, "SELECT unixepoch('2026-01-01')")


@pytest.mark.usefixtures("old_sqlite")
def test_other_sqlite_files_of_the_process_are_left_alone(
    adopted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "_unixepoch", lambda value: "ours")

    assert ask(adopted, "SELECT unixepoch('subsec')") == "ours"
    assert ask(tmp_path / "other.sqlite", "SELECT strftime('%s', 'now') IS NOT NULL") == 1
    with sa.create_engine(f"sqlite:///{(tmp_path / 'other.sqlite').as_posix()}").connect() as connection:
        assert not isinstance(connection.connection.dbapi_connection, sqlite.Connection)


def journal_of(path: Path) -> object:
    return ask(path, "PRAGMA journal_mode")


def test_a_file_on_a_local_disk_keeps_a_write_ahead_log_and_one_elsewhere_does_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "easops.sqlite"
    modes = []
    for local in (True, False, True):
        monkeypatch.setattr(sqlite, "is_on_local_disk", lambda folder, local=local: local)
        sqlite.choose_journal(path)
        modes.append(journal_of(path))

    assert modes == ["wal", "delete", "wal"]


def test_a_file_that_is_in_use_keeps_its_journal_until_the_next_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "easops.sqlite"
    monkeypatch.setattr(sqlite, "is_on_local_disk", lambda folder: True)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("CREATE TABLE t (name TEXT)")
        other.execute("BEGIN IMMEDIATE")
        sqlite.choose_journal(path)
        assert journal_of(path) == "delete"
        other.execute("COMMIT")

    sqlite.choose_journal(path)

    assert journal_of(path) == "wal"


def test_a_commit_waits_until_the_data_is_on_the_disk(adopted: Path) -> None:
    sqlite.choose_journal(adopted)
    assert ask(adopted, "PRAGMA synchronous") == 2, "FULL"


def test_a_file_that_is_not_a_database_is_left_to_whoever_uses_it(tmp_path: Path) -> None:
    path = tmp_path / "easops.sqlite"
    path.write_text("something else" * 100, encoding="utf-8")

    sqlite.choose_journal(path)

    assert path.read_text(encoding="utf-8") == "something else" * 100
