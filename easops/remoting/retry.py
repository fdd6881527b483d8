"""What is sent again, and how often. The only module that imports tenacity."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import TypeVar

import tenacity
from tenacity.stop import stop_base

from easops.errors import AccessRefused, OutcomeUnknown, UnreachableHost

T = TypeVar("T")


def retrying(
    send: Callable[[], T],
    *,
    reads: bool,
    attempts: int = 3,
    wait_max: float = 2.0,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """The value of *send*, repeated after an UnreachableHost (nothing was sent), and after an OutcomeUnknown if it only
    *reads*: at most *attempts* times, with up to *wait_max* seconds of *sleep* in between.

    An AccessRefused is never tried again, as it would be refused again and could lock the account. Nor is what the
    server refuses for a time that it names: that was waited for already if it was short enough. A changing call
    whose outcome is unknown is not sent again either: it may have run, and would then run twice.
    """
    retried: tuple[type[Exception], ...] = (UnreachableHost, OutcomeUnknown) if reads else (UnreachableHost,)
    retryer = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(retried) & tenacity.retry_if_exception(_may_be_accepted),
        stop=tenacity.stop_after_attempt(attempts),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=wait_max),
        sleep=sleep,
        reraise=True,
    )
    return retryer(send)


def _may_be_accepted(error: BaseException) -> bool:
    return not (isinstance(error, AccessRefused) or (isinstance(error, UnreachableHost) and error.wait > 0))


def retry_for(
    call: Callable[[], T],
    *,
    on: type[Exception],
    seconds: float,
    wait_max: float = 2.0,
    stop: threading.Event | None = None,
) -> T:
    """The value of *call*, repeated while it raises *on*, for at most *seconds* or until *stop* is set. Then it raises
    that error."""
    ends: stop_base = tenacity.stop_before_delay(seconds)
    retryer = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(on),
        stop=ends if stop is None else tenacity.stop_any(ends, tenacity.stop_when_event_set(stop)),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=wait_max),
        sleep=tenacity.nap.sleep if stop is None else tenacity.sleep_using_event(stop),
        reraise=True,
    )
    return retryer(call)
