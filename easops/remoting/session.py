"""A session: one authenticated way in to one endpoint of one host."""

from __future__ import annotations

from typing import Literal, Protocol

from easops.remoting.command import Call
from easops.remoting.result import Result

EndpointName = Literal["exchange", "windows"]


class Session(Protocol):
    """One endpoint of one host. ``easops.remoting.psrp.PsrpSession`` is the real one.

    Not to be shared by threads: a session pool gives each its own.
    """

    @property
    def host(self) -> str:
        """The inventory's label of the host."""
        ...

    @property
    def endpoint(self) -> EndpointName: ...

    @property
    def lacks(self) -> set[str]:
        """The cmdlets and modules that the far side was found not to have: whoever meets that adds the name, so that
        it is asked once a session, and never guessed from a version."""
        ...

    def connect(self, *, deadline: float = 30.0) -> None:
        """Open the session now; nothing where it is open. Raises UnreachableHost, AccessRefused."""
        ...

    def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
        """Run *call* and give its output; *deadline* is in seconds, hard, and ours.

        Raises:
            UnreachableHost: nothing was sent (AccessRefused: and it never will be).
            CommandFailed: it ran and was refused, by a terminating or a non-terminating error record.
            OutcomeUnknown: sent, but no answer came within the deadline or the connection was lost.
        """
        ...

    def close(self) -> None: ...
