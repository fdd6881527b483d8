"""What an action is: it plans changes, and sends nothing itself."""

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
    """What planning found for one item, from reads alone.

    *status* is would_change with *changes*; or ok, skipped, refused, failed or unreachable, with the *reason*. *item*
    is the user's address or the host's label; *mailbox* is the Guid that is looked for in the protect list. *before*
    and *after* are for a person to read; *effective* says when the change takes effect, which may be later than when
    it is written. *instead* are the values with which the same action would not be refused. *pending* says that the
    item is as wanted, but not in force yet.
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
    pending: bool = False

    @property
    def undo(self) -> str:
        """``exact``, or why the first change that cannot be undone cannot."""
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
        """Read, and say what would be changed. *values* are already checked against ``parameters``; *host* is the label
        of a server action's host.

        Raises the errors of ``easops.errors``. A rule that forbids the change is not an error, but a refused Plan.
        """
        ...
