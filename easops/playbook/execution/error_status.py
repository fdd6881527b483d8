"""The status of what an error prevented."""

from __future__ import annotations

from easops.errors import EasopsError, OutcomeUnknown, Refused, UnreachableHost
from easops.status import Status


def status_of(error: EasopsError) -> Status:
    """The status of a run, or of an item, whose reads failed with *error*.

    A read changes nothing, so the missing answer of an ``OutcomeUnknown`` is no worse than an unreachable server.
    """
    if isinstance(error, Refused):
        return Status.REFUSED
    return Status.UNREACHABLE if isinstance(error, UnreachableHost | OutcomeUnknown) else Status.FAILED
