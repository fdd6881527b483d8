from __future__ import annotations

import pytest

from easops.errors import UnexpectedAnswer
from easops.exchange.server import (
    CAPABILITIES,
    list_exchange_servers,
    parse_version,
    read_directory_use,
    server_version,
)
from easops.inventory.host import VERSIONS
from easops.remoting.command import Command
from easops.remoting.result import RemoteObject
from tests.exchange.scripted import Scripted


def server(name: str, version: str) -> RemoteObject:
    return RemoteObject((), {"Name": name, "AdminDisplayVersion": version})


@pytest.mark.parametrize(
    ("display", "version", "build"),
    [
        ("Version 6.5 (Build 7638.2)", "2003", "6.5.7638.2"),
        ("Version 6.5 (Build 7638.2: Service Pack 2)", "2003", "6.5.7638.2"),
        ("6.5 (Build 7638.2: Service Pack 2)", "2003", "6.5.7638.2"),
        ("Version 8.3 (Build 83.6)", "2007", "8.3.83.6"),
        ("Version 14.3 (Build 123.4)", "2010", "14.3.123.4"),
        ("Version 15.0 (Build 1497.2)", "2013", "15.0.1497.2"),
        ("Version 15.1 (Build 2507.6)", "2016", "15.1.2507.6"),
        ("Version 15.2 (Build 1544.4)", "2019", "15.2.1544.4"),
        ("Version 15.2 (Build 2562.17)", "SE", "15.2.2562.17"),
    ],
)
def test_a_version_is_read_from_what_the_server_prints(display: str, version: str, build: str) -> None:
    assert parse_version(display) == (version, build)


@pytest.mark.parametrize("display", ["", "Version 16.0 (Build 1.1)", "15.1.2507.6", "Version 8.9 (Build 1.1)"])
def test_an_unknown_version_is_an_error_and_not_a_guess(display: str) -> None:
    with pytest.raises(UnexpectedAnswer):
        parse_version(display)


def test_one_odd_server_does_not_hide_the_others() -> None:
    session = Scripted([server("B", "Version 15.1 (Build 2507.6)"), server("A", "Version 99.0 (Build 1.2)")])

    odd, known = list_exchange_servers(session)

    assert (odd.name, odd.version, odd.build) == ("A", None, "Version 99.0 (Build 1.2)")
    assert (known.name, known.version) == ("B", "2016")


def test_nothing_is_changed_on_a_server_of_an_unknown_version() -> None:
    with pytest.raises(UnexpectedAnswer, match="does not know the version"):
        server_version(Scripted([server("A", "Version 99.0 (Build 1.2)")]), "A")


@pytest.mark.parametrize(
    ("controllers", "found"),
    [(("DC01.contoso.com", "dc02.contoso.com"), ("dc01.contoso.com", "dc02.contoso.com")), (None, ())],
)
def test_the_domain_controllers_in_use_are_those_that_the_server_names(
    controllers: object, found: tuple[str, ...]
) -> None:
    session = Scripted([RemoteObject((), {"CurrentDomainControllers": controllers})])

    assert read_directory_use(session, "A", domain_controller="dc09").domain_controllers == found
    assert session.asked == [
        Command("Get-ExchangeServer", {"Identity": "A", "Status": True, "DomainController": "dc09"}, reads=True)
    ]


def test_every_version_has_its_capabilities() -> None:
    assert set(CAPABILITIES) == set(VERSIONS)
