"""What is sent again: the only module that imports tenacity."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import tenacity
from tenacity.stop import stop_base

from easops.errors import AccessRefused, OutcomeUnknown, UnreachableHost

T = TypeVar("T")


def retrying(send: Callable[[], T], *, reads: bool, attempts: int = 3, wait_max: float = 2.0) -> T:
    """*send*, again after an UnreachableHost (nothing was sent), and for a call that only reads also after an
    OutcomeUnknown; at most *attempts* times, waiting up to *wait_max* seconds between them.

    AccessRefused is never tried again, and neither is a changing call whose outcome is unknown: it may have
    happened, and two are not one.
    """
    again: tuple[type[Exception], ...] = (UnreachableHost, OutcomeUnknown) if reads else (UnreachableHost,)
    worth_it = tenacity.retry_if_exception_type(again) & tenacity.retry_if_not_exception_type(AccessRefused)
    retryer = tenacity.Retrying(
        retry=worth_it,
        stop=tenacity.stop_after_attempt(attempts),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=wait_max),
        reraise=True,
    )
    return retryer(send)


def retry_for(
    call: Callable[[], T],
    *,
    on: type[Exception],
    seconds: float,
    wait_max: float = 2.0,
    stop: threading.Event | None = None,
) -> T:
    """*call*, again and again while it raises *on*: for *seconds* at most, or until *stop* is set; then that error."""
    ends: stop_base = tenacity.stop_before_delay(seconds)
    retryer = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(on),
        stop=ends if stop is None else tenacity.stop_any(ends, tenacity.stop_when_event_set(stop)),
        wait=tenacity.wait_random_exponential(multiplier=0.2, max=wait_max),
        sleep=tenacity.nap.sleep if stop is None else tenacity.sleep_using_event(stop),
        reraise=True,
    )
    return retryer(call)
