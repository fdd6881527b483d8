"""The Exchange organisation of a run: which of its endpoints is used, and which domain controller."""

from __future__ import annotations

from collections.abc import Sequence

import attrs

from easops.errors import AccessRefused, BadInput, Refused, UnreachableHost
from easops.inventory.host import VERSIONS, Host, Version
from easops.remoting.pool import Sessions
from easops.remoting.session import Session


@attrs.define
class Organisation:
    """One organisation, reached through the exchange endpoints of *hosts*, with *sessions*.

    *domain_controller* is named (``-DomainController``) by every read and write of a run. It is None until
    ``exchange.server.choose_domain_controller`` has found one; then Exchange chooses.
    """

    hosts: tuple[Host, ...]
    sessions: Sessions
    domain_controller: str | None = None
    _reached: dict[Version | None, Host] = attrs.field(factory=dict, init=False)

    @classmethod
    def of(cls, hosts: Sequence[Host], sessions: Sessions) -> Organisation:
        """The organisation of *hosts*, those of an inventory. No server is asked yet."""
        return cls(tuple(hosts), sessions)

    @property
    def name(self) -> str:
        """Its name in the inventory; empty without hosts."""
        return self.hosts[0].organisation if self.hosts else ""

    @property
    def versions(self) -> tuple[Version, ...]:
        """The versions of the servers that have an exchange endpoint in the inventory, the newest first."""
        known = {host.version for host in self.hosts if host.exchange is not None}
        return tuple(version for version in reversed(VERSIONS) if version in known)

    def session(self, version: Version | None = None) -> Session:
        """A session to the organisation, through the first of its endpoints that can be reached.

        The endpoints of the newest version are tried first, because an older version may not be able to read what a
        newer one wrote. With *version*, only those of that version are tried: the throttling policy of a mailbox must
        be made with the cmdlets of its own version.

        Raises:
            BadInput: no host has an exchange endpoint.
            Refused: no host of *version* has one.
            UnreachableHost: none can be reached; this is the error of the first. A refused logon (AccessRefused) is not
                tried on another server.
        """
        if version in self._reached:
            return self.sessions.open(self._reached[version], "exchange")
        first_error: UnreachableHost | None = None
        for host in self._endpoints(version):
            session = self.sessions.open(host, "exchange")
            try:
                session.connect()
            except AccessRefused as error:
                if error.reason == "logon":
                    raise
                first_error = first_error or error
            except UnreachableHost as error:
                first_error = first_error or error
            else:
                self._reached[version] = host
                return session
        assert first_error is not None
        raise first_error

    def _endpoints(self, version: Version | None) -> list[Host]:
        """The hosts of *version* (None: of any) that have an exchange endpoint, the newest version first."""
        known = [host for host in self.hosts if host.exchange is not None]
        if not known:
            raise BadInput(
                f"no host of organisation {self.name!r} has an exchange endpoint",
                "users, policies and mailboxes are reached through http(s)://server/PowerShell",
                "add endpoints: {exchange: {url: …}} to at least one host in the inventory",
            )
        suitable = [host for host in known if version is None or host.version == version]
        if not suitable:
            raise Refused(
                f"the inventory has no exchange endpoint of Exchange {version}",
                f"it has those of {', '.join(self.versions)}, but a mailbox is changed through its own version; add "
                f"endpoints: {{exchange: {{url: …}}}} to a host of version {version}",
                "then run it again",
                rule="endpoint of the mailbox's version",
            )
        return sorted(suitable, key=lambda host: VERSIONS.index(host.version), reverse=True)
