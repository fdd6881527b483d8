"""Exchange servers: the version of each, and what that version can do."""

from __future__ import annotations

import re

import attrs

from easops.errors import CommandFailed, OutcomeUnknown, UnexpectedAnswer
from easops.exchange.directory import directory_read
from easops.exchange.eas_limits import Model
from easops.exchange.properties import required, text
from easops.inventory.host import Version
from easops.remoting.command import Command
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

_VERSION = re.compile(r"(?:Version )?(\d+)\.(\d+) \(Build (\d+)\.(\d+)[^)]*\)")
"""2003 has its service pack in it: ``6.5 (Build 7638.2: Service Pack 2)``."""


@attrs.frozen
class Capabilities:
    """What a version can do.

    *throttling* is the model of its throttling policies: ``percent`` (EASPercentTimeInCAS and the like, 2010),
    ``budget`` (EasMaxBurst, EasRechargeRate, EasCutoffBalance, 2013 and later), or None if it has no policies.
    """

    throttling: Model | None


CAPABILITIES: dict[Version, Capabilities] = {
    "2003": Capabilities(None),
    "2007": Capabilities(None),
    "2010": Capabilities("percent"),
    **dict.fromkeys(("2013", "2016", "2019", "SE"), Capabilities("budget")),
}


@attrs.frozen
class ExchangeServer:
    """One server of the organisation.

    *name* is its short name, *fqdn* its full one, *version* that of Exchange, *build* for instance ``15.1.2507.6``. For
    a version that easops does not know, *version* is None and *build* is what the server says.
    *roles* are Exchange's words (``Mailbox``, ``ClientAccess``). *site* is its Active Directory site.
    *domain_controller* is the one that this answer came from; empty if the server does not say.
    """

    name: str
    fqdn: str
    version: Version | None
    build: str
    roles: tuple[str, ...]
    site: str
    domain_controller: str


def parse_version(display: str) -> tuple[Version, str]:
    """``Version 15.1 (Build 2507.6)`` as ("2016", "15.1.2507.6"). Raises UnexpectedAnswer for an unknown version."""
    match = _VERSION.search(display)
    if match:
        major, minor, build, revision = (int(part) for part in match.groups())
        version = _version(major, minor, build)
        if version is not None:
            return version, f"{major}.{minor}.{build}.{revision}"
    raise UnexpectedAnswer(
        f"easops does not know the version {display!r} of Exchange",
        "it knows 2003 (6.5) to Subscription Edition (15.2 from build 2562 on)",
        "report it with this text; nothing is guessed for an unknown version",
    )


def _version(major: int, minor: int, build: int) -> Version | None:
    if (major, minor) == (15, 2):
        return "SE" if build >= 2562 else "2019"
    by_number: dict[tuple[int, int], Version] = {
        (6, 5): "2003", (8, 0): "2007", (8, 1): "2007", (8, 2): "2007", (8, 3): "2007",
        (14, 0): "2010", (14, 1): "2010", (14, 2): "2010", (14, 3): "2010", (15, 0): "2013", (15, 1): "2016",
    }  # fmt: skip
    return by_number.get((major, minor))


def list_exchange_servers(session: Session, *, domain_controller: str | None = None) -> tuple[ExchangeServer, ...]:
    """All servers of the organisation, in the order of their names.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer.
    Source: Get-ExchangeServer (2010 to SE).
    """
    answer = session.invoke(directory_read("Get-ExchangeServer", {}, domain_controller))
    return tuple(sorted((_server(item) for item in answer.objects()), key=lambda server: server.name.lower()))


def server_version(session: Session, identity: str, *, domain_controller: str | None = None) -> Version:
    """The version of Exchange of one server, by its name. Raises as ``get_exchange_server``, and UnexpectedAnswer for a
    version that easops does not know: nothing may be changed by guessing."""
    server = get_exchange_server(session, identity, domain_controller=domain_controller)
    return parse_version(server.build)[0] if server.version is None else server.version


def get_exchange_server(session: Session, identity: str, *, domain_controller: str | None = None) -> ExchangeServer:
    """One server, by its name.

    Raises:
        CommandFailed: there is no such server.
        UnexpectedAnswer: the server returned several.
        UnreachableHost, OutcomeUnknown: as any reading.
    """
    answer = session.invoke(directory_read("Get-ExchangeServer", {"Identity": identity}, domain_controller))
    items = answer.objects()
    if len(items) != 1:
        raise UnexpectedAnswer(f"{identity!r} is not one server", f"the answer has {len(items)}")
    return _server(items[0])


def choose_domain_controller(session: Session, current: str | None = None) -> str | None:
    """The domain controller to name in all later commands: *current* if it answers, else one that does. None if the
    server does not say which one answered.

    All commands should use the same one. Otherwise a value that was just written may seem to be missing or changed,
    because another domain controller does not have it yet.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown.
    Source: OriginatingServer of the objects of Get-ExchangeServer.
    """
    if current is not None:
        try:
            session.invoke(directory_read("Get-ExchangeServer", {}, current))
        except (CommandFailed, OutcomeUnknown):
            pass  # It is gone, or just starting. If something else is wrong, the read below fails, too.
        else:
            return current
    answer = session.invoke(directory_read("Get-ExchangeServer", {}, None))
    return next((name for item in answer.objects() if (name := text(item, "OriginatingServer"))), None)


@attrs.frozen
class DirectoryUse:
    """The full names of the *domain_controllers* that a server uses now, in lower case (empty if it does not say), and
    its Active Directory *site*."""

    domain_controllers: tuple[str, ...]
    site: str


def read_directory_use(session: Session, identity: str, *, domain_controller: str | None = None) -> DirectoryUse:
    """Which domain controllers the server *identity* uses now.

    *session* may be one to any server: from 2013 on, the server that executes a session is not always the one whose
    endpoint was called, so what a session reads by itself says nothing about a certain server.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown.
    Source: CurrentDomainControllers of Get-ExchangeServer -Status (2010 to SE; empty without -Status).
    """
    parameters = {"Identity": identity, "Status": True}
    answer = session.invoke(directory_read("Get-ExchangeServer", parameters, domain_controller))
    names: dict[str, None] = {}
    site = ""
    for item in answer.objects():
        value = item.get("CurrentDomainControllers")
        names |= dict.fromkeys(str(name).lower() for name in (value if isinstance(value, tuple) else ()) if name)
        site = site or text(item, "Site").rpartition("/")[2]
    return DirectoryUse(tuple(names), site)


@attrs.frozen
class DomainController:
    """A domain controller: its full *name*, in lower case, and its Active Directory *site*; empty if it is not said."""

    name: str
    site: str


def list_domain_controllers(session: Session, domain: str) -> tuple[DomainController, ...]:
    """The domain controllers of *domain*, in the order of their names.

    Raises UnexpectedAnswer if the server names none, and UnreachableHost, CommandFailed, OutcomeUnknown.
    Source: Get-DomainController -DomainName (2010 to SE).
    """
    answer = session.invoke(Command("Get-DomainController", {"DomainName": domain}, reads=True))
    named = sorted(
        (name.lower(), text(item, "ADSite").rpartition("/")[2])
        for item in answer.objects()
        if (name := text(item, "DnsHostName"))
    )
    if not named:
        raise UnexpectedAnswer(
            f"no domain controller of {domain} is known",
            "a user is read and changed on one of his own domain",
            "check Get-DomainController -DomainName with this account",
        )
    return tuple(DomainController(name, site) for name, site in named)


def find_domain_controller(session: Session, domain: str) -> str:
    """The full name of a domain controller of *domain*: always the same one, so a later read sees an earlier write.

    Raises as ``list_domain_controllers``.
    """
    return list_domain_controllers(session, domain)[0].name


def _server(item: RemoteObject) -> ExchangeServer:
    display = text(item, "AdminDisplayVersion")
    version: Version | None
    try:
        version, build = parse_version(display)
    except UnexpectedAnswer:
        version, build = None, display  # an odd server does not hide the others
    return ExchangeServer(
        name=required(item, "Name"),
        fqdn=text(item, "Fqdn"),
        version=version,
        build=build,
        roles=tuple(part.strip() for part in text(item, "ServerRole").split(",") if part.strip()),
        site=text(item, "Site").rpartition("/")[2],
        domain_controller=text(item, "OriginatingServer"),
    )
