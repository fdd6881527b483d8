"""Waiting where a server asks for it: a fault that names how long it accepts no further request.

The refused message had no effect, so the same message is sent again after that time. Without the wait each try would be
refused, and Exchange may count it against the account.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

from easops.remoting.answer import wait_for
from easops.remoting.failure import answer_of


def wait_out_load_quotas(
    wsman: Any, time_left: Callable[[], float], sleep: Callable[[float], None] = time.sleep
) -> None:
    """Let *wsman*, a connection of pypsrp, wait for as long as the server asks, if that ends within *time_left*
    seconds. If it does not, the fault is raised."""
    invoke = wsman.invoke

    @functools.wraps(invoke)
    def invoking(*arguments: Any, **options: Any) -> Any:
        while True:
            try:
                return invoke(*arguments, **options)
            except Exception as error:
                seconds = _asked(error)
                if seconds is None or seconds >= time_left():
                    raise
            sleep(seconds)

    wsman.invoke = invoking


def _asked(error: Exception) -> float | None:
    """The seconds that the server asks to wait; None where it does not ask. Never zero: it would be asked at once."""
    answer = answer_of(error)
    seconds = None if answer is None else wait_for(answer)
    return None if seconds is None else max(seconds, 0.1)
