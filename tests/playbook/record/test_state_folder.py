"""A run's lock: who executes it now, on either database."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import attrs
import pytest

from easops.playbook.execution.claim import claim_answer
from easops.playbook.execution.execution import Execution
from easops.playbook.execution.journal import PROTOCOL
from easops.playbook.execution.waits import Waits
from easops.playbook.record.database import DatabaseAway
from easops.playbook.record.database_lock import DatabaseLock
from easops.playbook.record.open_runs import find_open_run
from easops.playbook.record.postgresql import postgresql_url
from easops.playbook.record.run import Run
from easops.playbook.record.run_store import RunStore
from easops.playbook.record.run_view import list_runs
from easops.playbook.record.state_folder import StateFolder
from tests.postgresql import PostgresServer

from ..processes import environment_of, wait_until

pytestmark = pytest.mark.slow


@pytest.fixture
def state(database: StateFolder) -> StateFolder:
    """With its tables."""
    RunStore(database.prepared().database_url).close()
    return database


def test_a_lock_is_taken_once_and_given_back(state: StateFolder) -> None:
    mine, other = state.lock("20261124-101010-abcd"), state.lock("20261124-101010-abcd")
    assert not other.is_alive()
    assert mine.take()
    assert mine.held()
    assert other.is_alive()
    assert not other.take()
    assert not other.held()
    assert state.lock("20261124-101010-abce").take()
    mine.release()
    assert not mine.held()
    assert other.take()


def test_it_ends_with_the_process_that_holds_it(state: StateFolder) -> None:
    code = (
        "import sys; from pathlib import Path\n"
        "from easops.playbook.record.state_folder import StateFolder\n"
        "lock = StateFolder.default().lock('dying')\n"
        "assert lock.take()\n"
        "print('here', flush=True); sys.stdin.read()\n"
    )
    environment = environment_of(state)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        assert state.lock("dying").is_alive()
        process.kill()
        process.wait()
    mine = state.lock("dying")
    assert wait_until(mine.take)  # the server ends the session a moment after the process


def test_looking_whether_a_run_is_alive_keeps_nobody_from_taking_it(state: StateFolder) -> None:
    done = threading.Event()
    looker = state.lock("looked-at")

    def look() -> None:
        while not done.is_set():
            looker.is_alive()

    threads = [threading.Thread(target=look) for _ in range(2)]
    for thread in threads:
        thread.start()
    for _ in range(10):
        lock = state.lock("looked-at")
        assert lock.take()
        lock.release()
    done.set()
    for thread in threads:
        thread.join()


@pytest.fixture
def server_state(postgres: PostgresServer, prepared_database: str, tmp_path: Path) -> StateFolder:
    return StateFolder(tmp_path / "state", postgresql_url(postgres.url(postgres.new_database(prepared_database))))


def test_a_server_that_starts_again_gives_the_lock_back_to_its_holder(
    postgres: PostgresServer, server_state: StateFolder
) -> None:
    lock = server_state.lock("restarted")
    assert lock.take()
    postgres.stop("immediate")
    with pytest.raises(DatabaseAway, match="cannot be reached"):
        lock.held()
    postgres.start()
    # Its holder has not come back yet: it is not taken for dead, as one is whose end the server has seen.
    assert not server_state.lock("never taken").is_alive()
    assert server_state.lock("restarted").is_alive()
    assert not server_state.lock("restarted").take()
    assert lock.held()
    assert not server_state.lock("restarted").take()
    lock.release()
    assert wait_until(lambda: not server_state.lock("restarted").is_alive())


def test_one_that_was_given_back_before_the_server_ended_is_free_when_it_starts_again(
    postgres: PostgresServer, server_state: StateFolder
) -> None:
    lock = server_state.lock("given back")
    assert lock.take()
    lock.release()
    postgres.stop("immediate")
    postgres.start()
    assert not server_state.lock("given back").is_alive()
    assert server_state.lock("given back").take()


def test_a_lock_that_another_process_has_had_since_is_lost_for_good(
    postgres: PostgresServer, server_state: StateFolder
) -> None:
    lock, other = server_state.lock("lost"), server_state.lock("lost")
    assert lock.take()
    postgres.execute("select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory'")
    assert other.take()
    assert not lock.held()
    other.release()
    assert not lock.held()
    assert lock.take()


def test_an_earlier_session_that_the_server_has_not_ended_yet_is_waited_for(
    postgres: PostgresServer, server_state: StateFolder
) -> None:
    lock = server_state.lock("ghost")
    assert lock.take()
    assert isinstance(lock, DatabaseLock)
    ghost, lock._session = lock._session, None  # the network broke: we know it, the server does not
    with pytest.raises(DatabaseAway, match="does not give the run's lock back"):
        lock.held()
    assert ghost is not None
    ghost.close()
    assert wait_until(lock.held)


def test_a_run_that_ends_while_it_is_looked_at_has_not_died(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = StateFolder(tmp_path).prepared()
    store = RunStore(state.database_url)
    began = dt.datetime.now(dt.UTC)
    held = Run("R", "run", "cure", {"protocol": PROTOCOL}, ("ex01",), began)
    store.add(held)
    new = attrs.evolve(held, run_id="S")
    lock = state.lock("R")
    assert lock.take()
    assert [view.status for view in list_runs(state)] == ["running"]

    def ends_just_now(_: object) -> bool:
        store.end("R", "changed", dt.datetime.now(dt.UTC), unfinished=False)
        lock.release()
        return False

    monkeypatch.setattr(type(lock), "is_alive", ends_just_now)

    assert find_open_run(store, state, new, anew=False) is None
    store.update("R", ended=None, status=None)
    assert [view.status for view in list_runs(state)] == ["changed"]
    store.update("R", ended=None, status=None)
    nobody: Any = None
    execution = Execution(
        "S", "S", store, state, lock, nobody, nobody, nobody, dt.timedelta(minutes=1), nobody, "", Waits()
    )
    assert claim_answer(execution, "R", 0.0) == "ask again"
    monkeypatch.setattr(type(lock), "is_alive", lambda _: False)
    store.update("R", ended=None, status=None)
    assert "R, whose process ended unexpectedly" in claim_answer(execution, "R", 0.0)
    assert find_open_run(store, state, new, anew=False) is not None
    store.close()
