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


class Severity(enum.IntEnum):
    """How much a status asks of whoever reads it."""

    GOOD = 0
    ATTENTION = 1
    """A rule or a person stands in the way; nothing went wrong."""
    BAD = 2


MAY_HAVE_CHANGED: Final = frozenset({Status.CHANGED, Status.UNDONE, Status.VERIFY_FAILED, Status.UNKNOWN})
"""Something was changed, or may have been. An item that failed half way is not here: it is ``touched``."""

CHANGED_OR_UNSURE: Final = MAY_HAVE_CHANGED - {Status.UNDONE}
"""The change was made, or may have been, and has not been put back."""

OPEN: Final = frozenset({Status.VERIFY_FAILED, Status.UNKNOWN})
"""Sent, and not known to have come about: the server is read before anything is sent again."""

UNCONFIRMED: Final = frozenset({Status.VERIFY_FAILED, Status.UNDO_FAILED})
"""Sent, and read back as something else than it should be."""

AS_WANTED: Final = frozenset({Status.OK, Status.CHANGED, Status.WOULD_CHANGE})
"""An item that is as the action wants it, or will be."""

FINISHED_WELL: Final = frozenset({Status.SKIPPED, Status.OK, Status.CHANGED, Status.UNDONE})
"""A step that a resumed run does not do again."""

NOT_JUDGED: Final = frozenset({Status.UNREACHABLE, Status.UNDETERMINED})
"""A look that came to no verdict."""

NOT_DONE: Final = frozenset({Status.FAILED, Status.UNREACHABLE, Status.UNDETERMINED, Status.UNKNOWN})
"""An item that is not known to be as wanted, by no decision of a rule or a person: a resumed run tries it again."""

PROVEN_NOT_DONE: Final = frozenset({Status.FAILED, Status.UNDO_FAILED, Status.UNREACHABLE})
"""It went wrong, and it is known that it was not done, or not put back."""

NOT_TRIED: Final = frozenset({Status.SKIPPED, Status.NOT_STARTED})
"""Nothing was read or sent for it."""

CHANGED_OR_PLANNED: Final = frozenset({Status.CHANGED, Status.WOULD_CHANGE})
"""A change that was made, or would be without ``--check``."""

NOT_PREDICTED: Final = NOT_JUDGED | {Status.NOT_STARTED, Status.UNKNOWN}
"""A step of a check that does not say what would be changed."""

PROBLEMS: Final = frozenset(
    {
        Status.FAILED,
        Status.UNDO_FAILED,
        Status.UNREACHABLE,
        Status.UNDETERMINED,
        Status.VERIFY_FAILED,
        Status.UNKNOWN,
    }
)
"""Something went wrong."""

STOPS_LATER_CHANGES: Final = PROBLEMS | {Status.REFUSED, Status.AWAITING_APPROVAL}
"""After a step of this status no later step changes anything, unless the playbook says otherwise."""

UNDO_FAILS: Final = frozenset({Status.FAILED, Status.UNREACHABLE, Status.VERIFY_FAILED})
"""An undo that ends so has not put the item back: it is ``undo_failed``."""

ITEM_STOPS: Final = PROBLEMS - {Status.UNDETERMINED}
"""After an item of a loop of this status no later step changes anything. An item that could not be judged does not stop
the steps that follow the others."""

_ORDER: Final = {status: position for position, status in enumerate(Status)}


def severity(status: Status) -> Severity:
    """How much *status* asks of whoever reads it."""
    if status in PROBLEMS:
        return Severity.BAD
    return Severity.ATTENTION if status in STOPS_LATER_CHANGES else Severity.GOOD


def worst(statuses: Iterable[Status]) -> Status:
    """The worst of *statuses*: the last in the table, so that its exit code is the highest. Of none: ok."""
    return max(statuses, key=_ORDER.__getitem__, default=Status.OK)
