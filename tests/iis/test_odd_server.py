"""Servers whose module works only in part: each oddity spoils only its own row."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from easops.errors import CommandFailed, ErrorRecord, UnexpectedAnswer
from easops.iis import AppPool, Site, list_app_pools, list_sites, recycle_app_pool
from easops.iis.site import eas_site
from easops.inventory.host import Host, Version
from easops.remoting.command import Call, Script, pipeline
from easops.remoting.result import RemoteObject, Result
from easops.remoting.session import EndpointName

NO_DRIVE = ErrorRecord(
    "Cannot find drive. A drive with the name 'IIS' does not exist.",
    "ObjectNotFound",
    "DriveNotFound,Microsoft.PowerShell.Commands.GetChildItemCommand",
    "DriveNotFoundException",
)
NO_PATH = ErrorRecord(
    "Cannot find path 'IIS:\\AppPools' because it does not exist.",
    "ObjectNotFound",
    "PathNotFound,Microsoft.PowerShell.Commands.GetChildItemCommand",
    "ItemNotFoundException",
)
POOLS = '<appcmd><APPPOOL APPPOOL.NAME="MSExchangeSyncAppPool" state="Started" /></appcmd>'


@attrs.define
class Server:
    """Has the module; each cmdlet gives its objects, or fails with its record. *asked* are the cmdlets and appcmds."""

    answers: dict[str, ErrorRecord | list[dict[str, Any]]]
    asked: list[str] = attrs.field(factory=list)
    host: str = "EX1"
    endpoint: EndpointName = "windows"
    lacks: set[str] = attrs.field(factory=set)

    def connect(self, *, deadline: float = 30.0) -> None: ...

    def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
        output: list[Any] = []
        for (command,) in pipeline(call).statements:
            if isinstance(command, Script):
                self.asked.append(" ".join(command.parameters["Arguments"]))
                output += [POOLS, {"ExitCode": 0}]
                continue
            self.asked.append(command.name)
            answer = self.answers.get(command.name, [])
            if isinstance(answer, ErrorRecord):
                raise CommandFailed("refused", answer.message, records=(answer,))
            output += [RemoteObject((), properties) for properties in answer]
        return Result(tuple(output))

    def close(self) -> None: ...


@pytest.mark.parametrize("record", [NO_DRIVE, NO_PATH])
def test_without_the_drive_the_pools_are_listed_by_appcmd(record: ErrorRecord) -> None:
    server = Server({"Get-ChildItem": record})

    assert list_app_pools(server) == (AppPool("MSExchangeSyncAppPool", "Started"),)


@pytest.mark.parametrize("record", [NO_DRIVE, NO_PATH])
def test_without_the_drive_a_pool_is_recycled_by_appcmd(record: ErrorRecord) -> None:
    server = Server({"Get-ChildItem": record})

    recycle_app_pool(server, "MSExchangeSyncAppPool")

    assert server.asked[-1] == "recycle apppool /apppool.name:MSExchangeSyncAppPool"
    assert "Restart-WebAppPool" not in server.asked


def test_any_other_error_of_the_module_is_raised() -> None:
    with pytest.raises(CommandFailed):
        list_app_pools(Server({"Get-ChildItem": attrs.evolve(NO_PATH, fqid="UnauthorizedAccess")}))


def test_one_pool_without_a_state_does_not_hide_the_others() -> None:
    server = Server({"Get-ChildItem": [{"Name": "A", "State": None}, {"Name": "B", "State": "Started"}]})

    assert list_app_pools(server) == (AppPool("A", "Unknown"), AppPool("B", "Started"))


def test_one_site_without_a_state_does_not_hide_the_others() -> None:
    server = Server(
        {"Get-Website": [{"Id": 1, "Name": "A", "State": None}, {"Id": 2, "Name": "B", "State": "Started"}]}
    )

    assert list_sites(server) == (Site(1, "A", "Unknown"), Site(2, "B", "Started"))


def host(version: Version) -> Host:
    return Host("EX1", "contoso", version, frozenset({"mailbox"}))


@pytest.mark.parametrize(
    ("version", "sites", "found"),
    [
        ("2016", [{"Id": 1, "Name": "Default Web Site"}, {"Id": 5, "Name": "exchange back end"}], 5),
        ("2016", [{"Id": 1, "Name": "Default Web Site"}, {"Id": 2, "Name": "Renamed"}], 2),
        ("2016", ErrorRecord("no", "", "x", ""), 2),
        ("2010", [{"Id": 5, "Name": "Exchange Back End"}], 1),
    ],
    ids=["by its name", "by its number", "it cannot be listed", "2010 has no back end"],
)
def test_the_site_of_the_back_end_is_found_by_its_name(
    version: Version, sites: ErrorRecord | list[dict[str, Any]], found: int
) -> None:
    assert eas_site(Server({"Get-Website": sites}), host(version)) == found


def test_a_pool_without_a_name_is_an_unexpected_answer() -> None:
    with pytest.raises(UnexpectedAnswer, match="has no name"):
        list_app_pools(Server({"Get-ChildItem": [{"Name": None, "State": "Started"}]}))
