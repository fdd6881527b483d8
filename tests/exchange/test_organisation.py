"""Which endpoint of the organisation is used: the newest version first, or that of the mailbox's own version."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from easops.clock import SystemClock
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
from easops.exchange import Organisation
from easops.inventory.host import Endpoint, Host, Version
from easops.remoting.command import Call, Command
from easops.remoting.result import Result


@attrs.define
class FakeSessions:
    """Servers: *fails* are the errors that each raises, and *asked* the calls that each got."""

    fails: dict[str, EasopsError] = attrs.field(factory=dict)
    asked: list[str] = attrs.field(factory=list)

    def open(self, host: Host, endpoint: str) -> Any:
        assert endpoint == "exchange"
        return OneSession(host.name, self)

    def close(self) -> None: ...


@attrs.frozen
class OneSession:
    """A session that knows its host."""

    host: str
    servers: FakeSessions

    def connect(self, *, deadline: float = 30.0) -> None:
        if self.host in self.servers.fails:
            raise self.servers.fails[self.host]

    def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
        self.servers.asked.append(self.host)
        self.connect()
        return Result((self.host,), ())


def away(*names: str) -> dict[str, EasopsError]:
    return {name: UnreachableHost(f"{name} cannot be reached") for name in names}


def host(name: str, version: Version, *, exchange: bool = True) -> Host:
    endpoint = Endpoint(f"https://{name}/PowerShell", "basic", None) if exchange else None
    return Host(name, "contoso", version, frozenset(("mailbox",)), exchange=endpoint)


HOSTS = (
    host("OLD1", "2010"),
    host("OLD2", "2010"),
    host("NEW1", "2016"),
    host("NEW2", "2016"),
    host("SHY", "2019", exchange=False),
)


def name(organisation: Organisation, version: Version | None = None) -> str:
    return organisation.session(version).host


def test_the_newest_version_is_asked_unless_the_caller_names_one() -> None:
    organisation = Organisation.of(HOSTS, FakeSessions(), SystemClock())
    assert (name(organisation), name(organisation, "2010"), name(organisation, "2016")) == ("NEW1", "OLD1", "NEW1")
    assert organisation.versions == ("2016", "2010")


def test_if_a_server_cannot_be_reached_the_next_one_of_the_version_is_used_from_then_on() -> None:
    organisation = Organisation.of(HOSTS, FakeSessions(away("NEW1", "NEW2", "OLD1")), SystemClock())
    assert (name(organisation), name(organisation, "2010")) == ("OLD2", "OLD2")
    with pytest.raises(UnreachableHost, match="NEW1"):
        organisation.session("2016")


def test_a_version_without_an_endpoint_in_the_inventory_is_refused_with_what_to_add() -> None:
    with pytest.raises(Refused, match="the inventory has no exchange endpoint of Exchange 2019") as refused:
        Organisation.of(HOSTS, FakeSessions(), SystemClock()).session("2019")
    assert "it has those of 2016, 2010" in str(refused.value)
    assert "to a host of version 2019" in str(refused.value)


def test_an_organisation_without_any_exchange_endpoint_is_a_bad_inventory() -> None:
    with pytest.raises(BadInput, match="no host of organisation 'contoso' has an exchange endpoint"):
        Organisation.of(HOSTS[-1:], FakeSessions(), SystemClock()).session("2010")


READ = Command("Get-Mailbox", {}, reads=True)
WRITE = Command("Set-CASMailbox", {})
REFUSED = AccessRefused("the logon was refused", reason="logon")


@pytest.mark.parametrize(
    ("call", "error", "asked", "outcome"),
    [
        (READ, UnreachableHost("away"), ["NEW1", "NEW2"], "NEW2"),
        (WRITE, UnreachableHost("away"), ["NEW1", "NEW2"], "NEW2"),
        (READ, OutcomeUnknown("lost"), ["NEW1", "NEW2"], "NEW2"),
        (WRITE, OutcomeUnknown("lost"), ["NEW1"], "lost"),
        (READ, Abandoned("too slow"), ["NEW1"], "too slow"),
        (READ, REFUSED, ["NEW1"], "the logon was refused"),
        (WRITE, CommandFailed("no"), ["NEW1"], "no"),
    ],
    ids=[
        "a read of a server that is away",
        "a change that was not sent",
        "a read whose answer was lost",
        "a change whose answer was lost",
        "a read that took too long",
        "a logon that is refused",
        "a command that is refused",
    ],
)
def test_a_call_moves_to_another_server_only_if_nothing_was_changed(
    call: Command, error: EasopsError, asked: list[str], outcome: str
) -> None:
    sessions = FakeSessions()
    session = Organisation.of(HOSTS, sessions, SystemClock()).session("2016")
    sessions.fails["NEW1"] = error

    try:
        answered = session.invoke(call).output[0]
    except EasopsError as raised:
        answered = raised.what

    assert (sessions.asked, answered) == (asked, outcome)


def test_the_server_that_answered_is_used_from_then_on_and_named_with_the_reason() -> None:
    sessions = FakeSessions()
    organisation = Organisation.of(HOSTS, sessions, SystemClock())
    session = organisation.session("2016")
    sessions.fails.update(away("NEW1"))
    session.invoke(READ)
    session.invoke(READ)
    assert sessions.asked == ["NEW1", "NEW2", "NEW2"]
    (move,) = organisation.moves
    assert move == "through the exchange endpoint of NEW2, because NEW1 stopped answering: NEW1 cannot be reached"


def test_a_change_moves_only_to_servers_of_its_own_version() -> None:
    sessions = FakeSessions()
    session = Organisation.of(HOSTS, sessions, SystemClock()).session("2010")
    sessions.fails.update(away("OLD1", "OLD2"))
    with pytest.raises(UnreachableHost, match="OLD1"):
        session.invoke(WRITE)
    assert sessions.asked == ["OLD1", "OLD2"]


def test_a_refused_logon_is_not_sent_to_a_third_server_either() -> None:
    sessions = FakeSessions()
    session = Organisation.of(HOSTS, sessions, SystemClock()).session()
    sessions.fails.update({**away("NEW1"), "NEW2": REFUSED})
    with pytest.raises(UnreachableHost, match="NEW1"):
        session.invoke(READ)
    assert sessions.asked == ["NEW1", "NEW2"]
