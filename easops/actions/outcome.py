"""The result of a changing step: one item for each thing that it acts on."""

from __future__ import annotations

import datetime as dt
from typing import Any

import attrs

from easops.status import AS_WANTED, CHANGED_OR_PLANNED, PROBLEMS, Status, worst


@attrs.frozen
class ItemOutcome:
    """The outcome of one *item* (a user, or the pool of a host).

    *target* is the organisation, or the address of the server, that it belongs to. *status* is how it ended, *reason*
    why. *before* and *after* are the states that were read, as plain JSON values; *undo* is ``exact`` if the change can
    be undone, else the reason why not. *effective* says when the change takes effect, which may be later than when it
    is written. *ended* is when the item ended, by the host's own clock. *certain* is False for a prediction that
    depends on an earlier step. *touched* says that at least one of its changes was made, or may have been: a failed
    item may be half done. *rule* is ``approval`` if it was refused because it is not approved; *instead* are the values
    with which the same action would not be refused. *pending* says that it is as wanted, but not in force yet.
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
    pending: bool = False


@attrs.frozen
class Done:
    """The result of a ``do`` step, as expressions see it: the *action* and its *items*; empty if the step was skipped
    or not started.

    *ended* says for each host when the step ended there, by that host's own clock; *finished* is when all of it had
    ended, which counts for the hosts that it did not act on.
    """

    action: str
    items: tuple[ItemOutcome, ...] = ()
    ended: dict[str, dt.datetime] = attrs.field(factory=dict)
    finished: dt.datetime | None = None

    @property
    def status(self) -> Status:
        """The status of the worst item."""
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
        """The items that are as wanted now: ok, changed, or would be changed."""
        return tuple(item.item for item in self.items if item.status in AS_WANTED)

    @property
    def pending(self) -> tuple[str, ...]:
        """The items that are in force only after a recycle of the application pools that serve them: those that were
        changed, or would be, and those that somebody changed before."""
        return tuple(item.item for item in self.items if item.pending or item.status in CHANGED_OR_PLANNED)

    @property
    def refused(self) -> tuple[str, ...]:
        """The items that a rule forbids to change."""
        return tuple(item.item for item in self.items if item.status is Status.REFUSED)

    @property
    def stopped(self) -> bool:
        """Whether any item failed, was unreachable or is unknown."""
        return any(item.status in PROBLEMS for item in self.items)
