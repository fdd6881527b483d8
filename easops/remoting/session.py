"""A session: an authenticated connection to one endpoint of one host."""

from __future__ import annotations

from typing import Final, Literal, Protocol

from easops.remoting.command import Call
from easops.remoting.result import Result

EndpointName = Literal["exchange", "windows"]
"""``exchange`` reaches the organisation, ``windows`` one server."""

DEADLINE: Final = 60.0
"""Seconds that a call may take, all its attempts together, if the caller sets nothing else. No changing call does."""

GRACE: Final = 5.0
"""Seconds by which a call may exceed its deadline, while the remote pipeline is stopped."""

CONNECT: Final = 10
"""Seconds to wait for a connection."""


class Session(Protocol):
    """A session to one endpoint of one host, as ``SessionPool.open`` returns it.

    It makes one call after another; any thread may use it. ``easops.remoting.psrp.PsrpSession`` is the real one; a test
    may pass any object that has these methods.
    """

    @property
    def host(self) -> str:
        """The name of the host in the inventory."""
        ...

    @property
    def endpoint(self) -> EndpointName:
        """Which endpoint of the host it is."""
        ...

    @property
    def lacks(self) -> set[str]:
        """The cmdlets and modules that the server turned out not to have. Whoever finds out adds the name, so that each
        is tried once in a session, and never guessed from a version."""
        ...

    def connect(self, *, deadline: float = 30.0) -> None:
        """Open the session now; does nothing if it is open. *deadline* is in seconds.

        Raises UnreachableHost, AccessRefused.
        """
        ...

    def invoke(self, call: Call, *, deadline: float = DEADLINE) -> Result:
        """Run *call* and return its output.

        Args:
            call: a Command, a Script or a Pipeline. If it only reads, it is repeated after a failure that may pass.
            deadline: seconds for all attempts together. easops enforces it, whatever the server does.

        Raises:
            UnreachableHost: nothing was sent. AccessRefused: and trying again will not help.
            CommandFailed: the server refused it, with an error record, whether that ended the pipeline or not.
            OutcomeUnknown: it was sent, but no answer came within the deadline, or the connection was lost.
        """
        ...

    def close(self) -> None:
        """Close the session on the server, if the server can be reached. A later call opens it again."""
        ...
