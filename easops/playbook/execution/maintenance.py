"""The engine's database outside of a run: checking that the engine can use it, and removing what is not needed."""

from __future__ import annotations

import datetime as dt
import logging
import secrets
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from dbos import DBOS, DBOSClient, error

from easops.errors import BadInput
from easops.playbook.execution.json_serializer import JsonSerializer
from easops.playbook.record.database import Database, asked_by_engine
from easops.playbook.record.run import Run
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.run_store import KEPT
from easops.playbook.record.state_folder import StateFolder

_WORLDS_KEPT_DAYS = 7


def check_engine(state: StateFolder) -> None:
    """Check that the engine can use the database: make its tables, and insert a row and roll back.

    To be called before a run is recorded. What fails after that leaves a dead run, because of which the next one is
    refused. If there is no state folder yet, none is made, and a temporary one is checked instead: what this Python's
    SQLite lacks, it lacks there, too. Raises BadInput, DatabaseAway; DatabaseUnusable if the file cannot be read or
    written.
    """
    if state.is_new:
        with tempfile.TemporaryDirectory(prefix="easops-check-", ignore_cleanup_errors=True) as folder:
            _check(StateFolder(Path(folder)))
    else:
        _check(state)


def _check(state: StateFolder) -> None:
    with closing(Database(state.database_url)) as database:
        _migrate(state, database)
        token = f"check-{secrets.token_hex(8)}"
        database.try_row("dbos", "application_versions", {"version_id": token, "version_name": token})


def _migrate(state: StateFolder, database: Database) -> None:
    """Make the engine's tables, or update those of an older version."""
    logging.getLogger("dbos").setLevel(logging.CRITICAL)
    with database.trying():
        try:
            DBOS.migrate(state.database_url)
        except error.DBOSException as refused:
            raise BadInput(
                f"the engine cannot use {database.name}",
                str(refused).strip().partition("\n")[0],
                "name another state folder in EASOPS_STATE, or another database in EASOPS_DATABASE_URL",
            ) from None


@contextmanager
def _client(state: StateFolder) -> Iterator[DBOSClient]:
    with closing(Database(state.database_url)) as database:
        _migrate(state, database)  # a run that never began may be the only one: then there are no tables yet
    client = DBOSClient(system_database_url=state.database_url, serializer=JsonSerializer())
    try:
        with asked_by_engine(state.database_url):
            yield client
    finally:
        client.destroy()


def cancel(state: StateFolder, attempt_ids: Sequence[str]) -> None:
    """Cancel the workflows of a dead run with their children, which releases the targets that they claim."""
    with _client(state) as client:
        known = [workflow.workflow_id for workflow in client.list_workflows(workflow_ids=list(attempt_ids))]
        if known:
            client.cancel_workflows(known, cancel_children=True)


def forget(state: StateFolder, runs: Sequence[Run]) -> None:
    """Delete what the engine keeps of runs: their workflows with their children, and their versions."""
    with _client(state) as client:
        wanted = [attempt_id for run in runs for attempt_id in run.attempt_ids]
        known = [workflow.workflow_id for workflow in client.list_workflows(workflow_ids=wanted)]
        if known:
            client.delete_workflows(known, delete_children=True)
    versions = [version_of(run.document["protocol"], run.run_id) for run in runs]
    with closing(Database(state.database_url)) as database:
        database.delete_rows("dbos", "application_versions", "version_name", versions)


def prune(store: RunRecord, state: StateFolder) -> None:
    """Delete records, with what the engine keeps beside them, after 400 days, and the labs of runs after 7 days."""
    now = dt.datetime.now(dt.UTC)
    old = [run for run in store.runs() if now - run.started > KEPT]
    if old:
        forget(state, old)
        store.forget([run.run_id for run in old])
    for folder in state.labs.iterdir():
        too_old = now.timestamp() - folder.stat().st_mtime > _WORLDS_KEPT_DAYS * 86400
        if too_old and not state.lock(folder.name).is_alive():
            shutil.rmtree(folder, ignore_errors=True)


def version_of(protocol: int, run_id: str) -> str:
    """The application version under which DBOS executes a run. A process executes whatever is enqueued under its
    version: each run has its own, so that only the process that holds its lock does."""
    return f"{protocol}/{run_id}"
