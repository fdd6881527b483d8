"""Waiting for the end of a run, while its lock, its database and a request to stop it are watched."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable
from typing import Final

import attrs

from easops.clock import Waiting
from easops.errors import EasopsError
from easops.playbook.execution.execution import Execution
from easops.playbook.execution.interrupted import Interrupted
from easops.playbook.record import database
from easops.playbook.record.database import DATABASE_GONE, DatabaseAway

_TICK: Final = 0.1
"""Seconds until a request to stop is noticed. Nothing is asked of the database that often."""


def wait_for_end(execution: Execution, result: Callable[[], object]) -> None:
    """Wait until *result*, which blocks until the run's workflow has ended, returns. What it raises is raised here.

    Raises Interrupted if the run was stopped, or if its lock or its database is gone; before that a write in flight
    gets ``waits.finish`` seconds to end.
    """
    ended = threading.Event()
    raised: list[BaseException] = []

    def wait_for_result() -> None:
        try:
            with database.asked_by_engine(execution.state.database_url):
                result()
        except BaseException as error:
            raised.append(error)
        ended.set()

    threading.Thread(target=wait_for_result, name="easops-run", daemon=True).start()
    watch = _Watch(execution)
    while not ended.wait(_TICK):
        if execution.stop.is_set():
            raise watch.interrupted()
        watch.look()
    if raised and isinstance(raised[0], Interrupted) and execution.why is None:
        # The workflow met the stop at a boundary before this thread noticed it, so nothing is under way.
        unmarked = _mark_stopped(execution, finished=True) if watch.away_since is None else None
        raise Interrupted(True, None, unmarked)
    if raised and isinstance(raised[0], DATABASE_GONE):
        raise Interrupted(False, raised[0])
    if raised:
        raise raised[0]


@attrs.define
class _Watch:
    """Looks at the run's lock and database. *away_since* is when the database stopped answering, None while it does."""

    execution: Execution
    away_since: float | None = None
    _began: float = attrs.field(factory=time.monotonic)
    _looked: float = attrs.field(factory=time.monotonic)

    def look(self) -> None:
        """Stop the run if its lock is lost, or if its database takes nothing more, or has been away for too long."""
        execution, now = self.execution, time.monotonic()
        if now - self._looked < execution.waits.lock:
            return
        self._looked = now
        failure = database.failure_since(execution.state.database_url, self._began)
        if isinstance(failure, EasopsError):
            execution.why = execution.why or (failure if execution.state.is_there else execution.lock_lost())
            execution.stop.set()
            return
        try:
            if not execution.lock.held():
                execution.why = execution.lock_lost()
                execution.stop.set()
            self.away_since = None
        except DatabaseAway as error:
            # DBOS waits for its database without a limit. The run does not.
            self.away_since = now if self.away_since is None else self.away_since
            away, patience = now - self.away_since, database.PATIENCE
            execution.observer.progress(Waiting(f"{error.what}; waiting for it", away, patience))
            if away > patience:
                execution.why = error
                execution.stop.set()

    def interrupted(self) -> Interrupted:
        """The end of a run that has to stop, once the write in flight has ended, or has had its time."""
        execution = self.execution
        ends = time.monotonic() + execution.waits.finish
        while execution.writes_in_flight and time.monotonic() < ends:
            time.sleep(_TICK / 2)
        finished = not execution.writes_in_flight and not isinstance(execution.why, DATABASE_GONE)
        stopped_by_somebody = execution.why is None and self.away_since is None
        unmarked = _mark_stopped(execution, finished=finished) if stopped_by_somebody else None
        return Interrupted(finished, execution.why, unmarked)


def _mark_stopped(execution: Execution, *, finished: bool) -> EasopsError | None:
    """Record that somebody stopped the run. Returns the error if the database does not take it within
    ``waits.mark`` seconds: the process should end even so."""
    results: list[EasopsError | None] = []

    def write() -> None:
        try:
            time_ = dt.datetime.now(dt.UTC).isoformat()
            execution.store.write(execution.run_id, "stopped", time_, {"finished": finished})
            results.append(None)
        except EasopsError as error:
            results.append(error)

    # In a thread, because a database that another program has locked may block for much longer.
    writer = threading.Thread(target=write, name="easops-mark", daemon=True)
    writer.start()
    writer.join(execution.waits.mark)
    if results:
        return results[0]
    return EasopsError(
        f"the database did not record it within {execution.waits.mark:g} s", "another program may have it locked"
    )
