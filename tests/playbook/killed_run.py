"""Runs the shipped playbook and kills this process with SIGKILL at one moment of one change, or keeps it there.

    python killed_run.py MOMENT CHANGE INVENTORY STATE SPEED

The moments: before-intent, after-intent, acted (the server has acted, nobody has heard its answer), after-change; and
hang, which stays before the intent, alive and holding the target, until somebody else kills it.
The kill is in a wrapper around the engine's step function, here in the tests: the product has no hook for it.
"""

from __future__ import annotations

import datetime as dt
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from easops import find_playbook, load_inventory, run
from easops.actions.change import ChangeOutcome
from easops.clock import FastClock
from easops.playbook import engine
from easops.playbook import run as playbook_run
from easops.playbook.state import StateFolder

moment, wanted, inventory, state, speed = sys.argv[1:]
step = engine._step


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killing_step(name: str, call: Callable[[], Any]) -> Any:
    if moment == "before-intent" and name == f"{wanted}.intent":
        die()
    if moment == "hang" and name == f"{wanted}.intent":
        print("here", flush=True)
        signal.pause()
    if moment == "acted" and name == f"{wanted}.change":
        setattr(engine, "perform", acting)  # noqa: B010
    value = step(name, call)
    if (moment, name) in (("after-intent", f"{wanted}.intent"), ("after-change", f"{wanted}.change")):
        die()
    return value


def acting(change: Any, around: Any, **more: Any) -> ChangeOutcome:
    change.write(around)
    die()
    raise AssertionError("it is dead")


setattr(engine, "_step", killing_step)  # noqa: B010
setattr(playbook_run, "SystemClock", lambda: FastClock(dt.datetime.now(dt.UTC), float(speed)))  # noqa: B010
run(
    find_playbook("contacts-sync-storm"),
    load_inventory(inventory).hosts,
    confirm=lambda preview: True,
    state=StateFolder(Path(state)),
)
