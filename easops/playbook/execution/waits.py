"""How long the engine waits, and for what. A test may replace ``WAITS`` with shorter ones."""

from __future__ import annotations

import time
from collections.abc import Callable

import attrs


@attrs.frozen
class Waits:
    """Seconds.

    *finish* is what a write in flight gets to end and be read back when the run is stopped. *mark* is what the database
    gets to record that the run was stopped: somebody waits for the process to end. *lock* is the time between two
    checks of the run's lock (it is also checked before each write). *claim* is the time between two tries to claim a
    target that another live run holds. *database* is the time between two looks in the database for the end of a
    workflow of this process, whose end is otherwise signalled inside the process. *monotonic* and *sleep* are the clock
    of claims: this machine's, in a lab too, since other processes do not see the lab's.
    """

    finish: float = 10.0
    mark: float = 3.0
    lock: float = 1.0
    claim: float = 1.0
    database: float = 5.0
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


WAITS = Waits()
