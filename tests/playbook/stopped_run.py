"""The command line, with less time for a write in flight to end, and for a database to come back or to take a mark:
stopped_run.py SECONDS WORD…"""

from __future__ import annotations

import sys

from easops.cli.app import main
from easops.playbook.execution import waits
from easops.playbook.record import database

seconds = float(sys.argv[1])
waits.WAITS = waits.Waits(finish=seconds, mark=seconds)
setattr(database, "PATIENCE", seconds)  # noqa: B010
main(sys.argv[2:])
