"""Runs the shipped playbook and kills this process with SIGKILL at one moment of one change, or keeps it there.

    python killed_run.py MOMENT CHANGE INVENTORY STATE

The moments are those of ``killing.MOMENTS``; and hang, which stays before the intent, alive and holding the target,
until somebody else kills it.
"""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from unittest.mock import patch

from easops import find_playbook, load_inventory, run
from easops.playbook.record.state_folder import StateFolder

sys.path[0] = str(Path(__file__).parents[2])  # it is run as a script

from tests.playbook.killing import die, killed_at  # noqa: E402


def hang() -> None:
    print("here", flush=True)
    signal.pause()


moment, change, inventory, state = sys.argv[1:]
moment, end = ("before-intent", hang) if moment == "hang" else (moment, die)
with killed_at(moment, change, end), patch("easops.playbook.steps.verify_step._FIRST_WAIT", 240.0):
    run(
        find_playbook("contacts-sync-storm"),
        load_inventory(inventory).hosts,
        confirm=lambda preview: True,
        state=StateFolder(Path(state)),
    )
