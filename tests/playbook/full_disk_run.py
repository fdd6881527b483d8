"""The command line, on whose disk there is no room for a row as long as a file exists: full_disk_run.py FILE WORD…"""

from __future__ import annotations

import sqlite3
import sys
from pathlib import Path
from typing import Any

from easops.cli.app import main
from easops.playbook.record import sqlite

FULL = Path(sys.argv[1])


class Cursor(sqlite3.Cursor):
    def execute(self, sql: str, *parameters: Any) -> Any:
        if FULL.exists() and sql.split(None, 1)[0].upper() in ("INSERT", "UPDATE", "DELETE"):
            raise sqlite3.OperationalError("database or disk is full")
        return super().execute(sql, *parameters)


class Connection(sqlite.Connection):
    def cursor(self, factory: Any = Cursor) -> Any:
        return super().cursor(factory)


setattr(sqlite, "Connection", Connection)  # noqa: B010
main(sys.argv[2:])
