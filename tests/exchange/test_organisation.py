"""The way in: the newest version first, a mailbox's own version where it is asked for."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from easops.errors import BadInput, Refused, UnreachableHost
from easops.exchange import Organisation
from easops.inventory.host import Endpoint, Host, Version


@attrs.frozen
class Way:
    """A session that says whose it is."""

    host: str
    away: bool

    def connect(self) -> None:
        if self.away:
            raise UnreachableHost(f"{self.host} cannot be reached")


@attrs.frozen
class Ways:
    away: frozenset[str] = frozenset()

    def open(self, host: Host, endpoint: str) -> Any:
        assert endpoint == "exchange"
        return Way(host.name, host.name in self.away)

    def close(self) -> None: ...


def host(name: str, version: Version, *, exchange: bool = True) -> Host:
    way_in = Endpoint(f"https://{name}/PowerShell", "basic", None) if exchange else None
    return Host(name, "contoso", version, frozenset(("mailbox",)), exchange=way_in)


HOSTS = (
    host("OLD1", "2010"),
    host("OLD2", "2010"),
    host("NEW1", "2016"),
    host("NEW2", "2016"),
    host("SHY", "2019", exchange=False),
)


def name(organisation: Organisation, version: Version | None = None) -> str:
    return organisation.session(version).host


def test_the_newest_version_is_asked_unless_one_is_named() -> None:
    organisation = Organisation.of(HOSTS, Ways())
    assert (name(organisation), name(organisation, "2010"), name(organisation, "2016")) == ("NEW1", "OLD1", "NEW1")
    assert organisation.versions == ("2016", "2010")


def test_where_one_is_away_the_next_is_taken_and_kept_of_the_same_version_if_one_was_named() -> None:
    organisation = Organisation.of(HOSTS, Ways(frozenset(("NEW1", "NEW2", "OLD1"))))
    assert (name(organisation), name(organisation, "2010")) == ("OLD2", "OLD2")
    with pytest.raises(UnreachableHost, match="NEW1"):
        organisation.session("2016")


def test_a_version_whose_endpoint_is_not_in_the_inventory_is_refused_with_what_to_add() -> None:
    with pytest.raises(Refused, match="no exchange endpoint of Exchange 2019") as refused:
        Organisation.of(HOSTS, Ways()).session("2019")
    assert "it has those of 2016, 2010" in str(refused.value)
    assert "to a host of version 2019" in str(refused.value)


def test_an_organisation_without_any_is_a_bad_inventory() -> None:
    with pytest.raises(BadInput, match="no host of organisation 'contoso' has an exchange endpoint"):
        Organisation.of(HOSTS[-1:], Ways()).session("2010")
