"""Runs whose record and engine are on either database."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from easops.actions import ACTIONS
from easops.detectors import DETECTORS
from easops.errors import BadInput, EasopsError, Refused
from easops.playbook.execution.caller import always
from easops.playbook.execution.journal import PROTOCOL
from easops.playbook.language.load import load_playbook_text
from easops.playbook.language.model import Playbook
from easops.playbook.record.database import DatabaseAway
from easops.playbook.record.postgresql import postgresql_url
from easops.playbook.record.run import Run
from easops.playbook.record.run_store import RunStore
from easops.playbook.record.run_view import list_runs, show_run
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.resume import resume
from easops.playbook.run import run
from easops.playbook.undo import undo
from easops.status import Status
from tests.postgresql import PostgresServer

from ..gate import Gate
from ..processes import BLOCKS, USERS, easops, environment_of, wait_until

pytestmark = pytest.mark.slow

Start = Callable[..., Any]


def playbook() -> Playbook:
    return load_playbook_text(BLOCKS, "blocks.yml", actions=ACTIONS, detectors=DETECTORS)


@pytest.fixture
def server(postgres: PostgresServer) -> Iterator[PostgresServer]:
    """The server, which the test may stop: it runs again afterwards."""
    yield postgres
    postgres.start()


@pytest.fixture
def state(server: PostgresServer, prepared_database: str, tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state", postgresql_url(server.url(server.new_database(prepared_database))))


def test_a_run_is_recorded_and_undone_on_either_database(rig: Start, database: StateFolder) -> None:
    lab = rig("contacts-storm", state=database)

    report = run(playbook(), lab.hosts, {"users": USERS}, confirm=always, state=database)
    undone = undo(str(report.run_id), confirm=always, state=database)

    assert (report.status, undone.status) == (Status.CHANGED, Status.UNDONE)
    views = [show_run(view.run.run_id, database) for view in list_runs(database)]
    assert [view.status for view in views] == ["undone", f"undone by {undone.run_id}"]
    assert all(outcome is not None for view in views for _, outcome in view.changes)
    assert (database.path / "easops.sqlite").exists() == (database.database is None)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_run_goes_on_when_its_database_starts_again_in_the_middle_of_a_write(
    rig: Start, server: PostgresServer, state: StateFolder, mode: str
) -> None:
    lab = rig("contacts-storm", state=state)

    def restart() -> None:
        server.stop(mode)
        server.start()
        gate.open()

    gate = Gate(lab.lab, number=2, at=restart)

    report = run(playbook(), lab.hosts, {"users": USERS}, confirm=always, state=state)

    assert report.status is Status.CHANGED
    assert gate.users == list(USERS)
    view = show_run(str(report.run_id), state)
    assert [outcome and outcome.status for _, outcome in view.changes] == [Status.CHANGED] * len(USERS)
    assert undo(str(report.run_id), confirm=always, state=state).status is Status.UNDONE


def test_an_intent_that_cannot_be_stored_means_that_nothing_is_sent(
    rig: Start, server: PostgresServer, state: StateFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = rig("contacts-storm", state=state)
    gate = Gate(lab.lab, number=2, at=server.stop)
    (lab.lab.folder / "blocks.yml").write_text(BLOCKS, encoding="utf-8")
    script = Path(__file__).parents[1] / "stopped_run.py"
    words = ["run", str(lab.lab.folder / "blocks.yml"), "--yes", "--input", f"users={','.join(USERS)}", "-i"]
    with subprocess.Popen(
        [sys.executable, str(script), "1", *words, str(lab.lab.inventory)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment_of(state),
    ) as child:
        assert gate.reached.wait(60)
        gate.open()
        said = child.communicate()[0]
    server.start()

    assert child.returncode == 5, said
    assert "the outcome of the last operation is unknown" in said
    assert "cannot be reached" in said
    assert server.password not in said
    assert gate.users == list(USERS[:2])
    (view,) = list_runs(state)
    assert len(show_run(view.run.run_id, state).open) == 1
    with pytest.raises(Refused, match="when the database server ended less than a minute ago"):
        resume(view.run.run_id, confirm=always, state=state)
    monkeypatch.setattr("easops.playbook.record.database.PATIENCE", 0.0)  # the minute is over

    report = resume(view.run.run_id, confirm=always, state=state)

    assert report.status is Status.CHANGED
    assert gate.users == list(USERS)


URLS = {
    "mysql://u:hunter2@h/d": "is not the URL of a PostgreSQL database",
    "hunter2": "is not the URL of a PostgreSQL database",
    "postgresql://u:hunter2@h": "names no database",
    "postgresql://u:hunter2@x@h/d": "cannot be read",
    "postgresql://u:hunter2@h:port/d": "cannot be read",
    "postgresql://u:hunter2@h/d?sslmod=require": "has an option that PostgreSQL does not know",
}


@pytest.mark.parametrize(("url", "what"), URLS.items())
def test_a_url_that_cannot_be_used_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str, what: str
) -> None:
    monkeypatch.setenv("EASOPS_DATABASE_URL", url)
    with pytest.raises(BadInput, match=what) as told:
        StateFolder.default()
    assert "hunter2" not in f"{told.value} {told.value.next_step} {told.value.__cause__}"


def test_a_password_is_shown_nowhere_and_read_as_it_was_written() -> None:
    url = postgresql_url("postgres://u:hunter%3A2@db.example:5433/easops?sslmode=require")
    state = StateFolder(Path("x"), url)
    assert "hunter" not in repr(state)
    assert "hunter" not in str(state)
    assert "hunter%3A2" in state.database_url
    assert "sslmode=require" in state.database_url


@pytest.mark.parametrize("why", ["unreachable", "no such database", "wrong password"])
def test_a_database_that_does_not_let_us_in_is_told_at_once(postgres: PostgresServer, why: str) -> None:
    url = postgres.url("postgres")
    if why == "unreachable":
        url = url.replace(f":{postgres.port}/", ":1/")
    elif why == "no such database":
        url = postgres.url("nowhere")
    else:
        url = url.replace(postgres.password, "hunter2")
    with pytest.raises(DatabaseAway) as told:
        RunStore(postgresql_url(url).reveal())
    shown = f"{told.value} {told.value.next_step} {told.value.__cause__}"
    assert "EASOPS_DATABASE_URL" in shown
    assert postgres.password not in shown
    assert "hunter2" not in shown


def test_two_processes_that_write_at_once_write_one_entry(database: StateFolder) -> None:
    url = database.prepared().database_url
    records = [RunStore(url) for _ in range(4)]
    records[0].add(Run("r", "run", "p", {}, (), dt.datetime.now(dt.UTC)))
    with ThreadPoolExecutor(4) as pool:
        for key in map(str, range(10)):
            for kind in ("intent", "outcome"):
                written = [pool.submit(store.write, "r", kind, key, {"by": id(store)}) for store in records]
                assert [future.result() for future in written] == [None] * 4
    assert len(records[0].entries("r", "intent")) == len(records[0].entries("r", "outcome")) == 10
    assert records[0].get("r").run_id == "r"
    for store in records:
        store.close()


def test_processes_that_are_the_first_on_a_database_make_its_tables_once(postgres: PostgresServer) -> None:
    url = postgresql_url(postgres.url(postgres.new_database())).reveal()
    with ThreadPoolExecutor(4) as pool:
        for store in list(pool.map(lambda _: RunStore(url), range(4))):
            assert store.runs() == ()
            store.close()


def test_a_lab_run_of_another_machine_says_where_its_world_is(rig: Start, database: StateFolder) -> None:
    store = RunStore(database.prepared().database_url)
    document = {"lab": "contacts-storm", "machine": "ops-07", "protocol": PROTOCOL}
    store.add(Run("lab-run", "run", "p", document, (), dt.datetime.now(dt.UTC)))
    store.close()
    with pytest.raises(BadInput, match="it is kept on ops-07"):
        resume("lab-run", state=database)


def test_a_run_that_is_not_ours_any_more_sends_nothing_further(
    rig: Start, server: PostgresServer, state: StateFolder
) -> None:
    lab = rig("contacts-storm", state=state)

    def take_over() -> None:
        other = state.lock(list_runs(state)[0].run.run_id)

        def taken() -> bool:
            server.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")
            return other.take()

        assert wait_until(taken)
        other.release()
        gate.open()

    gate = Gate(lab.lab, number=2, at=take_over)
    path = lab.lab.folder / "blocks.yml"
    path.write_text(BLOCKS, encoding="utf-8")
    words = ["run", str(path), "--yes", "--input", f"users={','.join(USERS)}", "-i", str(lab.lab.inventory)]
    with easops(state, *words) as child:
        said = child.communicate()[0]

    assert child.returncode == 3, said
    assert "its lock is gone: another process may have resumed the run since" in said
    assert gate.users == list(USERS[:2])


@pytest.mark.parametrize("words", [["runs", "list"], ["run", "contacts-sync-storm", "--lab"]])
def test_an_unreachable_database_is_exit_5_in_three_lines(tmp_path: Path, words: list[str]) -> None:
    state = StateFolder(tmp_path, postgresql_url("postgresql://u:hunter2@127.0.0.1:1/easops"))
    with easops(state, *words, "--json") as child:
        said = child.communicate()[0]
    assert child.returncode == 5
    assert "the database easops at 127.0.0.1:1 cannot be reached" in said
    assert "Traceback" not in said
    assert "hunter2" not in said


def test_a_state_folder_whose_database_is_no_database_is_told(tmp_path: Path) -> None:
    (tmp_path / "easops.sqlite").write_bytes(b"this is something else entirely")
    with pytest.raises(EasopsError, match="cannot be used: file is not a database"):
        list_runs(StateFolder(tmp_path))
