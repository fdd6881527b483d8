"""The Exchange organisation of a run: which of its endpoints is used, and which domain controller."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import attrs

from easops.clock import Clock
from easops.errors import (
    Abandoned,
    AccessRefused,
    BadInput,
    CommandFailed,
    EasopsError,
    OutcomeUnknown,
    Refused,
    UnreachableHost,
)
from easops.exchange.server import find_domain_controller
from easops.inventory.host import VERSIONS, Host, Version
from easops.remoting.command import Call, pipeline
from easops.remoting.pool import Sessions
from easops.remoting.result import Result
from easops.remoting.session import DEADLINE, EndpointName, Session

T = TypeVar("T")


@attrs.define
class Organisation:
    """One organisation, reached through the exchange endpoints of *hosts*, with *sessions*.

    *domain_controller* is named (``-DomainController``) by every read and write of a run. It is None until
    ``exchange.server.choose_domain_controller`` has found one; then Exchange chooses. *moves* are sentences, one for
    each time that another endpoint was taken because the one in use stopped answering. *served_by* names the servers
    that took part in the last call, where they say so. *sleep* waits between the tries to reach one.
    """

    hosts: tuple[Host, ...]
    sessions: Sessions
    domain_controller: str | None = None
    sleep: Callable[[float], None] = time.sleep
    moves: list[str] = attrs.field(factory=list, init=False)
    served_by: str = attrs.field(default="", init=False)
    _controllers: dict[str, str] = attrs.field(factory=dict, init=False)
    _reached: dict[Version | None, Host] = attrs.field(factory=dict, init=False)

    @classmethod
    def of(cls, hosts: Sequence[Host], sessions: Sessions, clock: Clock) -> Organisation:
        """The organisation of *hosts*, those of an inventory; *clock* is waited by. No server is asked yet."""
        return cls(tuple(hosts), sessions, sleep=clock.sleep)

    @property
    def name(self) -> str:
        """Its name in the inventory; empty without hosts."""
        return self.hosts[0].organisation if self.hosts else ""

    def controller_of(self, domain: str) -> str | None:
        """The domain controller to name for a user of *domain* (``Mailbox.domain``): the run's, if it is one of that
        domain or the domain is not known, else one of the user's own. A domain controller writes only its own domain.

        Raises UnexpectedAnswer, UnreachableHost, CommandFailed, OutcomeUnknown.
        """
        own = self.domain_controller
        if own is None or not domain or own.lower().partition(".")[2] in ("", domain):
            return own
        if domain not in self._controllers:
            self._controllers[domain] = find_domain_controller(self.session(), domain)
        return self._controllers[domain]

    @property
    def versions(self) -> tuple[Version, ...]:
        """The versions of the servers that have an exchange endpoint in the inventory, the newest first."""
        known = {host.version for host in self.hosts if host.exchange is not None}
        return tuple(version for version in reversed(VERSIONS) if version in known)

    def session(self, version: Version | None = None) -> Session:
        """A session to the organisation, through an endpoint that can be reached (``OrganisationSession``).

        The endpoints of the newest version are tried first, because an older version may not be able to read what a
        newer one wrote. With *version*, only those of that version are tried: the throttling policy of a mailbox must
        be made with the cmdlets of its own version.

        Raises:
            BadInput: no host has an exchange endpoint.
            Refused: no host of *version* has one.
            UnreachableHost: none can be reached; this is the error of the first. A refused logon (AccessRefused) is not
                tried on another server.
        """
        endpoints = self._endpoints(version)
        chosen = self._reached.get(version)
        if chosen is None:
            from easops.remoting.retry import (
                retrying,  # tenacity takes time to load, and completion connects to nothing
            )

            chosen = retrying(lambda: self._first_reached(endpoints), reads=True, sleep=self.sleep)
            self._reached[version] = chosen
        return OrganisationSession(self, version, tuple(endpoints))

    def reached(self, version: Version | None) -> Host:
        """The host through whose endpoint the organisation is reached now, for *version*."""
        return self._reached[version]

    def move(self, version: Version | None, host: Host, why: EasopsError) -> None:
        """Reach the organisation through *host* from now on, because of the error of the endpoint so far."""
        before = self._reached[version].name
        self._reached[version] = host
        self.moves.append(f"through the exchange endpoint of {host.name}, because {before} stopped answering: {why}")

    def _first_reached(self, endpoints: Sequence[Host]) -> Host:
        first_error: UnreachableHost | None = None
        for host in endpoints:
            try:
                self.sessions.open(host, "exchange").connect()
            except AccessRefused as error:
                if error.reason == "logon":
                    raise
                first_error = first_error or error
            except UnreachableHost as error:
                first_error = first_error or error
            else:
                return host
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


@attrs.frozen
class OrganisationSession:
    """A session to the organisation that takes another endpoint when the one in use stops answering.

    A call moves on only if nothing was sent (UnreachableHost), or if it only reads. It never does where access was
    refused, because the credential would be refused again, nor after the whole deadline: the domain controller may be
    what does not answer. *endpoints* are those that serve as well.
    """

    organisation: Organisation
    version: Version | None
    endpoints: tuple[Host, ...]
    endpoint: EndpointName = "exchange"

    @property
    def host(self) -> str:
        return self.organisation.reached(self.version).name

    @property
    def lacks(self) -> set[str]:
        return self._session(self.organisation.reached(self.version)).lacks

    def connect(self, *, deadline: float = 30.0) -> None:
        self._first_answer(lambda session: session.connect(deadline=deadline), (UnreachableHost,))

    def invoke(self, call: Call, *, deadline: float = DEADLINE) -> Result:
        moves_on = (UnreachableHost, OutcomeUnknown) if pipeline(call).reads else (UnreachableHost,)
        self.organisation.served_by = ""
        try:
            answer = self._first_answer(lambda session: session.invoke(call, deadline=deadline), moves_on)
        except CommandFailed as error:
            self.organisation.served_by = error.served_by
            raise
        self.organisation.served_by = answer.served_by
        return answer

    def close(self) -> None:
        self._session(self.organisation.reached(self.version)).close()

    def _session(self, host: Host) -> Session:
        return self.organisation.sessions.open(host, "exchange")

    def _first_answer(
        self, send: Callable[[Session], T], moves_on: tuple[type[UnreachableHost | OutcomeUnknown], ...]
    ) -> T:
        """What *send* returns for the first endpoint that answers, beginning with the one in use. Raises the error of
        that one if none does."""
        in_use = self.organisation.reached(self.version)
        first_error: UnreachableHost | OutcomeUnknown | None = None
        for host in (in_use, *(host for host in self.endpoints if host.name != in_use.name)):
            try:
                answer = send(self._session(host))
            except moves_on as error:
                if isinstance(error, AccessRefused | Abandoned):
                    raise first_error or error from None
                first_error = first_error or error
                continue
            if first_error is not None:
                self.organisation.move(self.version, host, first_error)
            return answer
        assert first_error is not None
        raise first_error
