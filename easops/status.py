"""The statuses of steps, items and runs, and the exit codes: one table, frozen.

Source: the meaning of each is in docs/reference/exit-codes.md, which is generated from this table.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from typing import Final


class Status(enum.StrEnum):
    """How a step, an item of a step, or a whole run ended. Order within the class: the later is worse."""

    SKIPPED = "skipped"
    OK = "ok"
    CHANGED = "changed"
    UNDONE = "undone"
    WOULD_CHANGE = "would_change"
    NOT_STARTED = "not_started"
    AWAITING_APPROVAL = "awaiting_approval"
    REFUSED = "refused"
    FAILED = "failed"
    UNDO_FAILED = "undo_failed"
    UNREACHABLE = "unreachable"
    UNDETERMINED = "undetermined"
    VERIFY_FAILED = "verify_failed"
    UNKNOWN = "unknown"


EXIT_CODES: Final[dict[Status, int]] = {
    Status.SKIPPED: 0,
    Status.OK: 0,
    Status.CHANGED: 0,
    Status.UNDONE: 0,
    Status.WOULD_CHANGE: 0,
    Status.NOT_STARTED: 0,
    Status.AWAITING_APPROVAL: 3,
    Status.REFUSED: 3,
    Status.FAILED: 4,
    Status.UNDO_FAILED: 4,
    Status.UNREACHABLE: 5,
    Status.UNDETERMINED: 6,
    Status.VERIFY_FAILED: 6,
    Status.UNKNOWN: 6,
}

EXIT_USAGE: Final = 1
EXIT_PENDING: Final = 2
EXIT_REFUSED: Final = 3
EXIT_FAILED: Final = 4
EXIT_UNREACHABLE: Final = 5
EXIT_UNPROVEN: Final = 6
EXIT_BUG: Final = 70
EXIT_INTERRUPTED: Final = 130
EXIT_TERMINATED: Final = 143

_ORDER: Final = {status: position for position, status in enumerate(Status)}


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of *statuses*: the highest exit code, and within a code the later in the table. Of none: ok."""
    return max(statuses, key=lambda status: (EXIT_CODES[status], _ORDER[status]), default=Status.OK)
