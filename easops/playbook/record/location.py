"""Where the records are on this machine, and a quick list of the newest ones.

The list is for shell completion, which cannot wait for the libraries of the engine and of the database.
"""

from __future__ import annotations

import json
import os
import sqlite3
from contextlib import closing
from pathlib import Path, PurePath
from typing import Final

import attrs
import platformdirs

DATABASE: Final = "easops.sqlite"
VARIABLE: Final = "EASOPS_DATABASE_URL"
"""The environment variable with the URL of a PostgreSQL database, which is used instead of that file."""


def state_path() -> Path:
    """``EASOPS_STATE``, or the user's state folder of this platform. The folder may not exist yet."""
    path = os.environ.get("EASOPS_STATE")
    return Path(path) if path else platformdirs.user_state_path("easops", appauthor=False)


@attrs.frozen
class RecentRun:
    """A recorded run in short. *title* is its playbook or action. *status* is empty if the run has none: it has not
    ended, or it died."""

    run_id: str
    title: str
    status: str
    lab: bool


def recent_runs(limit: int) -> tuple[RecentRun, ...]:
    """The newest runs, at most *limit* of them, from the file on this machine. Only reads, and makes no file.

    Raises sqlite3.Error if there is no such file, or if it cannot be read.
    """
    uri = f"{(state_path() / DATABASE).absolute().as_uri()}?mode=ro"
    query = "SELECT run_id, kind, playbook, document, status, closed FROM easops_runs ORDER BY started DESC LIMIT ?"
    with closing(sqlite3.connect(uri, uri=True, timeout=0.1)) as database:
        return tuple(_recent_run(*row) for row in database.execute(query, (limit,)))


def _recent_run(run_id: str, kind: str, playbook: str, document: str, status: str | None, closed: str) -> RecentRun:
    values = json.loads(document)
    file_name = PurePath(str(values.get("source") or "")).stem if kind == "run" else ""
    short_status = closed.partition(" by ")[0] or status or ""
    return RecentRun(run_id, file_name or playbook, short_status, values.get("lab") is not None)
