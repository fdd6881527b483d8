"""The Exchange organisation as one run sees it: its way in, and one domain controller."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from easops.errors import AccessRefused, BadInput, Refused, UnreachableHost
from easops.inventory.host import VERSIONS, Host, Version
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
    _ways_in: dict[Version | None, Host] = attrs.field(factory=dict, init=False)

    @classmethod
    def of(cls, hosts: Sequence[Host], sessions: Sessions) -> Organisation:
        """The organisation that *hosts*, those of an inventory, belong to; nothing is asked yet."""
        return cls(tuple(hosts), sessions)

    @property
    def name(self) -> str:
        return self.hosts[0].organisation if self.hosts else ""

    @property
    def versions(self) -> tuple[Version, ...]:
        """The versions of the servers whose exchange endpoint is known, the newest first."""
        held = {host.version for host in self.hosts if host.exchange is not None}
        return tuple(version for version in reversed(VERSIONS) if version in held)

    def session(self, version: Version | None = None) -> Session:
        """A session to the organisation, through the first of its endpoints that can be reached: the newest version's
        first, since an older one may not read what a newer one wrote.

        With *version* only through a server of that version: a mailbox's policy is made by its own version's cmdlets.

        Raises BadInput where no host names an exchange endpoint, Refused where none of that version does, and the
        first's error where none can be reached. A refused logon is not tried elsewhere.
        """
        if version in self._ways_in:
            return self.sessions.open(self._ways_in[version], "exchange")
        away: UnreachableHost | None = None
        for host in self._endpoints(version):
            session = self.sessions.open(host, "exchange")
            try:
                session.connect()
            except AccessRefused as error:
                if error.reason == "logon":
                    raise
                away = away or error
            except UnreachableHost as error:
                away = away or error
            else:
                self._ways_in[version] = host
                return session
        assert away is not None
        raise away

    def _endpoints(self, version: Version | None) -> list[Host]:
        """The hosts with an exchange endpoint of *version*, or of any, newest first."""
        known = [host for host in self.hosts if host.exchange is not None]
        if not known:
            raise BadInput(
                f"no host of organisation {self.name!r} has an exchange endpoint",
                "users, policies and mailboxes are reached through http(s)://server/PowerShell",
                "add endpoints: {exchange: {url: ...}} to at least one host of the inventory",
            )
        wanted = [host for host in known if version is None or host.version == version]
        if not wanted:
            raise Refused(
                f"no exchange endpoint of Exchange {version} is in the inventory",
                f"it has those of {', '.join(self.versions)}, and a mailbox is changed through its own version; add "
                f"endpoints: {{exchange: {{url: ...}}}} to a host of version {version}",
                "then run it again",
                rule="endpoint of the mailbox's version",
            )
        return sorted(wanted, key=lambda host: VERSIONS.index(host.version), reverse=True)
