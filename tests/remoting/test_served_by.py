"""Which servers took part in a call is kept with its result and with its errors."""

from __future__ import annotations

from collections.abc import Iterator

import attrs
import pytest
from aiohttp import web

from easops.clock import SystemClock
from easops.errors import CommandFailed, ErrorRecord
from easops.exchange.organisation import Organisation
from easops.exchange.server import DirectoryUse, read_directory_use
from easops.inventory.host import Host
from easops.inventory.load import load_inventory
from easops.lab import server
from easops.lab.wsman.front import _Handler
from easops.remoting.command import Command
from easops.remoting.pool import SessionPool
from easops.remoting.served_by import ServedBy, executed_on, of_headers

READ = Command("Get-Mailbox", {"Identity": "laura.brandt@contoso.example"}, reads=True)
NOBODY = Command("Get-Mailbox", {"Identity": "nobody"}, reads=True)


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Lab]:
    with server.start(tmp_path_factory.mktemp("lab"), scenario="contacts-storm", speed=0) as lab:
        lab.faults.execute_elsewhere("AMS-EX01", "AMS-EX02")
        yield lab


@pytest.fixture
def host(lab: server.Lab) -> Host:
    return load_inventory(lab.inventory).hosts[0]


def test_a_result_names_the_front_end_and_the_back_end(host: Host) -> None:
    with SessionPool() as pool:
        result = pool.open(host, "exchange").invoke(READ)

    assert result.served_by == "front end AMS-EX01, back end ams-ex02.contoso.example"


def test_an_error_names_the_server_that_executed_the_cmdlet(host: Host) -> None:
    with SessionPool() as pool, pytest.raises(CommandFailed) as failed:
        pool.open(host, "exchange").invoke(NOBODY)

    assert failed.value.served_by == ("front end AMS-EX01, back end ams-ex02.contoso.example, executed on AMS-EX02")


def test_the_version_of_the_client_is_sent_with_the_url(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    paths: list[str] = []
    answer = _Handler.__call__

    async def noting(handler: _Handler, request: web.BaseRequest) -> web.StreamResponse:
        paths.append(request.path_qs)
        return await answer(handler, request)

    monkeypatch.setattr(_Handler, "__call__", noting)
    assert host.exchange is not None
    settings = attrs.evolve(host.exchange, url=f"{host.exchange.url}?ExchClientVer=15.0.1497.2")
    with SessionPool() as pool:
        pool.open(attrs.evolve(host, exchange=settings), "exchange").invoke(READ)

    assert set(paths) == {"/PowerShell?ExchClientVer=15.0.1497.2"}


def test_windows_names_none(host: Host) -> None:
    with SessionPool() as pool:
        assert pool.open(host, "windows").invoke(Command("Get-Date", reads=True)).served_by == ""


def test_the_organisation_has_what_its_last_call_named(host: Host) -> None:
    with SessionPool() as pool:
        organisation = Organisation.of([host], pool, SystemClock())
        session = organisation.session()
        session.invoke(READ)
        after_read = organisation.served_by
        with pytest.raises(CommandFailed):
            session.invoke(NOBODY)

    assert after_read.endswith("back end ams-ex02.contoso.example")
    assert organisation.served_by.endswith("executed on AMS-EX02")


def test_the_domain_controllers_of_a_server_are_those_that_it_names_whoever_executes_the_session(host: Host) -> None:
    with SessionPool() as pool:
        session = pool.open(host, "exchange")
        assert read_directory_use(session, "AMS-EX01") == DirectoryUse(("dc01.contoso.example",), "AMS")


@pytest.mark.parametrize(
    ("fqid", "name"),
    [
        ("[Server=EX2,RequestId=1,TimeStamp=x] [FailureCategory=Cmdlet-X] 5F,Get-Mailbox", "EX2"),
        ("6B6149EC,Microsoft.Exchange.Management", ""),
    ],
)
def test_the_server_is_read_from_the_error_id(fqid: str, name: str) -> None:
    assert executed_on((ErrorRecord("no", fqid=fqid),)) == name


def test_headers_name_what_they_name() -> None:
    assert str(of_headers({"X-FEServer": "EX1"})) == "front end EX1"
    assert of_headers({}) == ServedBy()
    assert str(ServedBy()) == ""
