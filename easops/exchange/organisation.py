"""The Exchange organisation as one run sees it: its way in, and one domain controller."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from easops.errors import BadInput
from easops.inventory.host import Host
from easops.remoting.pool import Sessions
from easops.remoting.session import Session


@attrs.define
class Organisation:
    """One organisation, reached through the exchange endpoints of *hosts*.

    *domain_controller* is the one that every read and write of the run names (``-DomainController``); None until
    ``exchange.server.choose_domain_controller`` has asked for it, and for a caller who does not mind.
    """

    hosts: tuple[Host, ...]
    sessions: Sessions
    domain_controller: str | None = None

    @classmethod
    def of(cls, hosts: Sequence[Host], sessions: Sessions) -> Organisation:
        return cls(tuple(hosts), sessions)

    @property
    def name(self) -> str:
        return self.hosts[0].organisation if self.hosts else ""

    def session(self) -> Session:
        """A session to the organisation. Raises BadInput where no host names an exchange endpoint."""
        for host in self.hosts:
            if host.exchange is not None:
                return self.sessions.open(host, "exchange")
        raise BadInput(
            f"no host of organisation {self.name!r} has an exchange endpoint",
            "users, policies and mailboxes are reached through http(s)://server/PowerShell",
            "add endpoints: {exchange: {url: ...}} to at least one host of the inventory",
        )
