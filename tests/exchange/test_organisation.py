"""Which endpoint of the organisation is used: the newest version first, or that of the mailbox's own version."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from easops.errors import BadInput, Refused, UnreachableHost
from easops.exchange import Organisation
from easops.inventory.host import Endpoint, Host, Version


@attrs.frozen
class OneSession:
    """A session that knows its host."""

    host: str
    away: bool

    def connect(self) -> None:
        if self.away:
            raise UnreachableHost(f"{self.host} cannot be reached")


@attrs.frozen
class FakeSessions:
    away: frozenset[str] = frozenset()

    def open(self, host: Host, endpoint: str) -> Any:
        assert endpoint == "exchange"
        return OneSession(host.name, host.name in self.away)

    def close(self) -> None: ...


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
    organisation = Organisation.of(HOSTS, FakeSessions())
    assert (name(organisation), name(organisation, "2010"), name(organisation, "2016")) == ("NEW1", "OLD1", "NEW1")
    assert organisation.versions == ("2016", "2010")


def test_if_a_server_cannot_be_reached_the_next_one_of_the_version_is_used_from_then_on() -> None:
    organisation = Organisation.of(HOSTS, FakeSessions(frozenset(("NEW1", "NEW2", "OLD1"))))
    assert (name(organisation), name(organisation, "2010")) == ("OLD2", "OLD2")
    with pytest.raises(UnreachableHost, match="NEW1"):
        organisation.session("2016")


def test_a_version_without_an_endpoint_in_the_inventory_is_refused_with_what_to_add() -> None:
    with pytest.raises(Refused, match="the inventory has no exchange endpoint of Exchange 2019") as refused:
        Organisation.of(HOSTS, FakeSessions()).session("2019")
    assert "it has those of 2016, 2010" in str(refused.value)
    assert "to a host of version 2019" in str(refused.value)


def test_an_organisation_without_any_exchange_endpoint_is_a_bad_inventory() -> None:
    with pytest.raises(BadInput, match="no host of organisation 'contoso' has an exchange endpoint"):
        Organisation.of(HOSTS[-1:], FakeSessions()).session("2010")
