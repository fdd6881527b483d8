"""Sessions per host and endpoint, opened when first used and closed together."""

from __future__ import annotations

from typing import Protocol

from easops.inventory.host import Host
from easops.remoting.session import EndpointName, Session


class Sessions(Protocol):
    """Gives each thread its own session to an endpoint of a host."""

    def open(self, host: Host, endpoint: EndpointName) -> Session:
        """The calling thread's session; connects at its first call.

        Raises BadInput where the inventory names no such endpoint for the host.
        """
        ...

    def close(self) -> None: ...
