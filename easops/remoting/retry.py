"""What is sent again: the only module that imports tenacity."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import tenacity

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
