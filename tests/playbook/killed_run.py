"""Runs the shipped playbook and kills this process with SIGKILL at one moment of one change, or keeps it there.

    python killed_run.py MOMENT CHANGE INVENTORY STATE SPEED

The moments are those of ``killing.MOMENTS``; and hang, which stays before the intent, alive and holding the target,
until somebody else kills it.
"""

from __future__ import annotations

import datetime as dt
import signal
import sys
import time
from pathlib import Path
from unittest.mock import patch

import attrs

from easops import find_playbook, load_inventory, run
from easops.playbook.record.state_folder import StateFolder

sys.path[0] = str(Path(__file__).parents[2])  # it is run as a script

from tests.playbook.killing import die, killed_at  # noqa: E402


@attrs.frozen
class FastClock:
    """The clock of a lab that runs *speed* times as fast as ours."""

    start: dt.datetime
    speed: float
    origin: float = attrs.field(factory=time.monotonic)

    def now(self) -> dt.datetime:
        return self.start + dt.timedelta(seconds=self.monotonic())

    def monotonic(self) -> float:
        return (time.monotonic() - self.origin) * self.speed

    def sleep(self, seconds: float) -> None:
        time.sleep(max(0.0, seconds) / self.speed)


def hang() -> None:
    print("here", flush=True)
    signal.pause()


moment, change, inventory, state, speed = sys.argv[1:]
moment, end = ("before-intent", hang) if moment == "hang" else (moment, die)
clock = FastClock(dt.datetime.now(dt.UTC), float(speed))
with killed_at(moment, change, end), patch("easops.playbook.run.SystemClock", lambda: clock):
    run(
        find_playbook("contacts-sync-storm"),
        load_inventory(inventory).hosts,
        confirm=lambda preview: True,
        state=StateFolder(Path(state)),
    )
