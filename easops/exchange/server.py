"""Exchange servers: which version each is, and what that version can do."""

from __future__ import annotations

import re

import attrs

from easops.errors import CommandFailed, OutcomeUnknown, UnexpectedAnswer
from easops.exchange.directory import directory_read
from easops.exchange.eas_limits import Model
from easops.exchange.properties import required, text
from easops.inventory.host import Version
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

_VERSION = re.compile(r"Version (\d+)\.(\d+) \(Build (\d+)\.(\d+)\)")


@attrs.frozen
class Capabilities:
    """What a version can do.

    *throttling* is the model of its throttling policies: ``percent`` (EASPercentTimeInCAS and its like, 2010),
    ``budget`` (EasMaxBurst, EasRechargeRate, EasCutoffBalance, from 2013 on), None where there are none.
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
    """One server of the organisation. *build* is e.g. ``15.1.2507.6``, *roles* as Exchange prints them."""

    name: str
    fqdn: str
    version: Version
    build: str
    roles: tuple[str, ...]
    site: str
    domain_controller: str


def parse_version(display: str) -> tuple[Version, str]:
    """``Version 15.1 (Build 2507.6)`` as ("2016", "15.1.2507.6"). Raises UnexpectedAnswer for an unknown one."""
    found = _VERSION.search(display)
    if found:
        major, minor, build, revision = (int(part) for part in found.groups())
        named = _named(major, minor, build)
        if named is not None:
            return named, f"{major}.{minor}.{build}.{revision}"
    raise UnexpectedAnswer(
        f"{display!r} is no version of Exchange that easops knows",
        "it knows 2003 (6.5) to Subscription Edition (15.2 from build 2562 on)",
        "report it with this text; nothing is guessed for an unknown version",
    )


def _named(major: int, minor: int, build: int) -> Version | None:
    if (major, minor) == (15, 2):
        return "SE" if build >= 2562 else "2019"
    by_number: dict[tuple[int, int], Version] = {
        (6, 5): "2003", (8, 0): "2007", (8, 1): "2007", (8, 2): "2007", (8, 3): "2007",
        (14, 0): "2010", (14, 1): "2010", (14, 2): "2010", (14, 3): "2010", (15, 0): "2013", (15, 1): "2016",
    }  # fmt: skip
    return by_number.get((major, minor))


def list_exchange_servers(session: Session, *, domain_controller: str | None = None) -> tuple[ExchangeServer, ...]:
    """All servers of the organisation, by name.

    Raises UnreachableHost, CommandFailed, OutcomeUnknown, and UnexpectedAnswer for an unknown version.
    Source: Get-ExchangeServer (2010 to SE).
    """
    answer = session.invoke(directory_read("Get-ExchangeServer", {}, domain_controller))
    return tuple(sorted((_server(item) for item in answer.objects()), key=lambda server: server.name.lower()))


def get_exchange_server(session: Session, identity: str, *, domain_controller: str | None = None) -> ExchangeServer:
    """One server by its name. Raises CommandFailed where there is none, UnexpectedAnswer where several came back."""
    answer = session.invoke(directory_read("Get-ExchangeServer", {"Identity": identity}, domain_controller))
    found = answer.objects()
    if len(found) != 1:
        raise UnexpectedAnswer(f"asked for one server, {identity!r}", f"the server gave {len(found)}", "report it")
    return _server(found[0])


def choose_domain_controller(session: Session, held: str | None = None) -> str | None:
    """The domain controller to name in all that follows: *held* while it answers, else the one that answers a first
    read.

    A write on one and a read on another is a false drift, a false failure, and "couldn't find" for what was just
    made. None where the server names none. Source: OriginatingServer of Get-ExchangeServer's objects.
    """
    if held is not None:
        try:
            session.invoke(directory_read("Get-ExchangeServer", {}, held))
        except (CommandFailed, OutcomeUnknown):
            pass  # it is gone, or starting; where it is not that, the read without its name fails too
        else:
            return held
    answer = session.invoke(directory_read("Get-ExchangeServer", {}, None))
    return next((found for item in answer.objects() if (found := text(item, "OriginatingServer"))), None)


def _server(item: RemoteObject) -> ExchangeServer:
    version, build = parse_version(required(item, "AdminDisplayVersion"))
    return ExchangeServer(
        name=required(item, "Name"),
        fqdn=text(item, "Fqdn"),
        version=version,
        build=build,
        roles=tuple(part.strip() for part in text(item, "ServerRole").split(",") if part.strip()),
        site=text(item, "Site").rpartition("/")[2],
        domain_controller=text(item, "OriginatingServer"),
    )
