"""What an action is: it plans changes and sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import attrs

from easops.actions.change import Change
from easops.context import Context
from easops.parameter import Parameter
from easops.status import Status

Scope = Literal["organisation", "server"]


@attrs.frozen
class Plan:
    """What planning gave for one item, from reads alone.

    *status* is would_change with *changes*, or ok, skipped, refused, failed, unreachable with the *reason*.
    *item* is the user's address or the host's label; *mailbox* the Guid that the protect list is held against.
    *before* and *after* are what a person reads; *effective* says when it takes effect, as against when written.
    *instead* are the values of the same action with which it would not be refused.
    """

    item: str
    status: Status
    reason: str = ""
    changes: tuple[Change, ...] = ()
    before: Any = None
    after: Any = None
    effective: str = ""
    mailbox: str | None = None
    health_mailbox: bool = False
    host: str | None = None
    instead: dict[str, str] = attrs.field(factory=dict)

    @property
    def undo(self) -> str:
        """``exact``, or the first reason why not."""
        return next((change.undo for change in self.changes if change.undo != "exact"), "exact")


class Action(Protocol):
    """One way to change something."""

    @property
    def name(self) -> str:
        """Its name in playbooks and on the command line."""
        ...

    @property
    def summary(self) -> str:
        """One line for help."""
        ...

    @property
    def scope(self) -> Scope:
        """``organisation``: once for each item, through an exchange endpoint. ``server``: on each host of the step's
        ``on:``, through its windows endpoint."""
        ...

    @property
    def one_way(self) -> bool:
        """Whether it cannot be undone. It then needs a reason (``because:``)."""
        ...

    @property
    def stronger(self) -> str:
        """The action for a user whom this one does not stop; empty if there is none."""
        ...

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The values that it takes (``with:``)."""
        ...

    def plan(self, values: Mapping[str, Any], host: str | None, context: Context) -> Plan:
        """Read, and say what would be changed; *host* is the label of a server action's host.

        Raises the errors of ``easops.errors``; a rule that forbids it is a refused Plan, no error.
        """
        ...
