"""The Exchange organisation as one run sees it: its way in, and one domain controller."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from easops.errors import AccessRefused, BadInput, UnreachableHost
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
    _way_in: Host | None = attrs.field(default=None, init=False)

    @classmethod
    def of(cls, hosts: Sequence[Host], sessions: Sessions) -> Organisation:
        return cls(tuple(hosts), sessions)

    @property
    def name(self) -> str:
        return self.hosts[0].organisation if self.hosts else ""

    def session(self) -> Session:
        """A session to the organisation, through the first of its endpoints that can be reached.

        Raises BadInput where no host names an exchange endpoint, and the first's error where none can be reached. A
        refused logon is not tried elsewhere.
        """
        hosts = [host for host in self.hosts if host.exchange is not None] if self._way_in is None else [self._way_in]
        away: UnreachableHost | None = None
        for host in hosts:
            session = self.sessions.open(host, "exchange")
            try:
                if self._way_in is None:
                    session.connect()
            except AccessRefused as error:
                if error.reason == "logon":
                    raise
                away = away or error
            except UnreachableHost as error:
                away = away or error
            else:
                self._way_in = host
                return session
        if away is not None:
            raise away
        raise BadInput(
            f"no host of organisation {self.name!r} has an exchange endpoint",
            "users, policies and mailboxes are reached through http(s)://server/PowerShell",
            "add endpoints: {exchange: {url: ...}} to at least one host of the inventory",
        )
