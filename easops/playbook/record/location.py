"""Where the records are kept on this machine, and the newest of them told quickly: for a Tab, which cannot wait for the
libraries of the engine and of its database."""

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
"""Names a PostgreSQL database that stands in place of that file."""


def state_path() -> Path:
    """``EASOPS_STATE``, or the user's state folder of this platform; it need not be there."""
    held = os.environ.get("EASOPS_STATE")
    return Path(held) if held else platformdirs.user_state_path("easops", appauthor=False)


@attrs.frozen
class Recent:
    """A recorded run in short: *what* it was, and how it stands (*status* is empty while it is under way, or when it
    died)."""

    run_id: str
    what: str
    status: str
    lab: bool


def recent_runs(most: int) -> tuple[Recent, ...]:
    """The newest runs, at most so many, from the file on this machine alone; reads, and makes no file.

    Raises sqlite3.Error where there is none, or it cannot be read.
    """
    uri = f"{(state_path() / DATABASE).absolute().as_uri()}?mode=ro"
    wanted = "SELECT run_id, kind, playbook, document, status, closed FROM easops_runs ORDER BY started DESC LIMIT ?"
    with closing(sqlite3.connect(uri, uri=True, timeout=0.1)) as database:
        return tuple(_recent(*row) for row in database.execute(wanted, (most,)))


def _recent(run_id: str, kind: str, playbook: str, document: str, status: str | None, closed: str) -> Recent:
    held = json.loads(document)
    named = PurePath(str(held.get("source") or "")).stem if kind == "run" else ""
    return Recent(run_id, named or playbook, closed.partition(" by ")[0] or status or "", held.get("lab") is not None)
