"""The command line, with less time for a write in flight to end, and for a database to come back or to take a mark:
stopped_run.py SECONDS WORD…"""

from __future__ import annotations

import sys

from easops.cli.app import main
from easops.playbook.execution import dbos_engine as engine
from easops.playbook.record.database import Database

seconds = float(sys.argv[1])
setattr(engine, "_FINISH_IN", seconds)  # noqa: B010
setattr(engine, "_MARK_IN", seconds)  # noqa: B010
setattr(engine, "PATIENCE", seconds)  # noqa: B010
setattr(Database.transact, "__kwdefaults__", {"patience": seconds})  # noqa: B010
main(sys.argv[2:])
