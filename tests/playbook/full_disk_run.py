"""The command line, on whose disk there is no room for a row as long as a file exists: full_disk_run.py FILE WORD…

With the file ``queue`` there is no room for what the engine's queue writes, in a thread that tells nobody.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from pathlib import Path
from typing import Any

from easops.cli.app import main
from easops.playbook.record import sqlite

FULL = Path(sys.argv[1])


def has_room() -> bool:
    of_queue = threading.current_thread().name.startswith("queue-worker")
    return not FULL.exists() or (FULL.name == "queue" and not of_queue)


class Cursor(sqlite3.Cursor):
    def execute(self, sql: str, *parameters: Any) -> Any:
        if sql.split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE") and not has_room():
            error = sqlite3.OperationalError("database or disk is full")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return super().execute(sql, *parameters)


class Connection(sqlite.Connection):
    def cursor(self, factory: Any = Cursor) -> Any:
        return super().cursor(factory)


setattr(sqlite, "Connection", Connection)  # noqa: B010
main(sys.argv[2:])
