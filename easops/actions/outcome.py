"""What came of a changing step: one item for each thing acted on, and their sum."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs

from easops.status import AS_WANTED, PROBLEMS, Status, worst


@attrs.frozen
class ItemOutcome:
    """The outcome of one *item* (a user, or a host's pool).

    *target* is the organisation, or the address of the server, that it belongs to. *status* is how it ended, *reason*
    why. *undo* is ``exact`` if it can be undone, else the reason why not. *before* and *after* are what was read, as
    plain JSON values. *effective* says when it takes effect, as against when it was written. *ended* is when it ended
    by the host's own clock. *certain* is False for a prediction that depends on an earlier step. *touched* says that at
    least one of its changes was made, or may have been: a failed item may be half done. *rule* is ``approval`` where it
    was refused for want of one; *instead* are the values of the same action with which it would not be.
    """

    item: str
    target: str
    status: Status
    reason: str = ""
    before: Any = None
    after: Any = None
    effective: str = ""
    undo: str = ""
    certain: bool = True
    ended: dt.datetime | None = None
    touched: bool = False
    rule: str = ""
    instead: dict[str, str] = attrs.field(factory=dict)


@attrs.frozen
class Done:
    """The result of a ``do`` step, also for expressions: the *action* and its *items*; empty if it did not start.

    *ended* says, per host, when it ended by that host's own clock; *finished* is when the step ended, for the hosts
    that it did not touch.
    """

    action: str
    items: tuple[ItemOutcome, ...] = ()
    ended: dict[str, dt.datetime] = attrs.field(factory=dict)
    finished: dt.datetime | None = None

    @property
    def status(self) -> Status:
        """The worst item's."""
        return worst(item.status for item in self.items)

    @property
    def count(self) -> int:
        """How many items were changed, or would be."""
        return sum(item.status in (Status.CHANGED, Status.WOULD_CHANGE) for item in self.items)

    @property
    def changed(self) -> bool:
        """Whether any item was changed, or would be."""
        return self.count > 0

    @property
    def treated(self) -> tuple[str, ...]:
        """The items that are as wanted now: ok, changed, or would be."""
        return tuple(item.item for item in self.items if item.status in AS_WANTED)

    @property
    def refused(self) -> tuple[str, ...]:
        """The items that a rule forbids."""
        return tuple(item.item for item in self.items if item.status is Status.REFUSED)

    @property
    def stopped(self) -> bool:
        """Whether any item failed, was unreachable or is unknown."""
        return any(item.status in PROBLEMS for item in self.items)
