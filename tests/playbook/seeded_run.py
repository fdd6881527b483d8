"""Runs a shipped playbook on the built-in lab whose world begins at a fixed moment, undoes it, and prints both reports
as JSON and each change that the lab's servers made; the runs' ids are left out.

    python seeded_run.py PLAYBOOK STATE
"""

from __future__ import annotations

import datetime as dt
import functools
import sys
from pathlib import Path
from unittest.mock import patch

from easops import find_playbook, run
from easops.lab_process import start_lab
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.undo import undo
from easops.report import FORMATS

playbook, state = sys.argv[1], StateFolder(Path(sys.argv[2]))
begin = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)
with patch("easops.playbook.run.start_lab", functools.partial(start_lab, begin=begin)):
    report = run(find_playbook(playbook), lab=True, state=state)
assert report.run_id is not None
undone = undo(report.run_id, confirm=True, state=state)
assert undone.run_id is not None
printed = [FORMATS["json"].end(done, done.exit_code) for done in (report, undone)]
printed += [(state.lab(report.run_id) / name).read_text(encoding="utf-8") for name in ("changes.jsonl", "clock.json")]
print("\n".join(printed).replace(report.run_id, "RUN").replace(undone.run_id, "UNDO"))
