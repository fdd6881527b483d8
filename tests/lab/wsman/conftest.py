"""A front in a thread of its own, before a small world that the tests can look into; and unmodified pypsrp clients."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from easops.lab.call import Endpoint
from easops.lab.certificate import make_certificate
from easops.lab.signatures.table import SignatureTable
from easops.lab.value import CmdletFailed, Enum, ErrorInfo, NonTerminating, Obj, Warning_
from easops.lab.wsman.account import User
from easops.lab.wsman.front import Front, Site

PASSWORD = "correct horse"
NOT_FOUND = ErrorInfo(
    message="The operation couldn't be performed because object 'nobody' couldn't be found on 'dc'.",
    exception="Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
    fqid="[Server=EX1,RequestId=0] [FailureCategory=Cmdlet-ManagementObjectNotFoundException] 5FAD4A9,Get-Mailbox",
    category="NotSpecified",
    activity="Get-Mailbox",
)


NO_MODULE = ErrorInfo(
    message="The specified module 'WebAdministration' was not loaded because no valid module file was found.",
    exception="System.IO.FileNotFoundException",
    fqid="Modules_ModuleNotFound,Microsoft.PowerShell.Commands.ImportModuleCommand",
    category="ResourceUnavailable",
    activity="Import-Module",
    target="WebAdministration",
)


class SmallWorld:
    """Answers a handful of cmdlets; *calls* are those that it got, *lacks_modules* fails any import."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Endpoint, str, str, dict[str, Any], tuple[Any, ...]]] = []
        self.lacks_modules = False
        self.waiting = threading.Event()
        self.go_on = threading.Event()

    def commands(self, endpoint: Endpoint) -> Collection[str]:
        if endpoint == "exchange":
            return {"Get-Mailbox", "Get-CASMailbox", "Set-CASMailbox", "Remove-MobileDevice", "Remove-ThrottlingPolicy"}
        return {"Get-CimInstance", "Restart-WebAppPool", "Get-Content", "Get-ItemProperty", "Import-Module"}

    def new_pipeline(self) -> SmallWorld:
        return self

    def is_down(self, server: str) -> bool:
        return False

    def invoke(
        self,
        server: str,
        endpoint: Endpoint,
        user: str,
        cmdlet: str,
        parameters: Mapping[str, Any],
        input: tuple[Any, ...],
        settings: dict[str, Any],
    ) -> Iterable[Any]:
        self.calls.append((server, endpoint, user, cmdlet, dict(parameters), input))
        match cmdlet, parameters.get("Identity"):
            case "Get-Mailbox", "nobody":
                raise CmdletFailed(NOT_FOUND)
            case "Get-Mailbox", "half":
                return [mailbox("half"), NonTerminating(NOT_FOUND), mailbox("other")]
            case "Get-Mailbox", "many":
                return [mailbox(f"user{number}") for number in range(3000)]
            case "Get-Mailbox", "broken":
                raise ZeroDivisionError("a fault of the world")
            case "Get-Mailbox", "slow":
                return self._slowly()
            case "Get-Mailbox", name:
                return [Warning_("There are more results."), mailbox(str(name))]
            case "Get-CASMailbox", name:
                return [len(str(name))]
            case "Get-Content", _:
                return [b"x" * 200_000 for _ in range(20)]
            case "Import-Module", _ if self.lacks_modules:
                return [NonTerminating(NO_MODULE)]
            case "Get-CimInstance", _:
                return [Obj(types=("Microsoft.Management.Infrastructure.CimInstance",), properties={"ProcessId": 7})]
        return []

    def _slowly(self) -> Iterator[Any]:
        yield "first"
        self.waiting.set()
        self.go_on.wait(20)
        yield "second"

    def script(self, server: str, user: str, digest: str, parameters: Mapping[str, Any]) -> Iterable[Any]:
        self.calls.append((server, "windows", user, digest, dict(parameters), ()))
        return [digest]


def mailbox(name: str) -> Obj:
    return Obj(
        types=("Microsoft.Exchange.Data.Directory.Management.Mailbox", "System.Object"),
        properties={"Name": name, "Kind": Enum("Microsoft.Exchange.RecipientType", "UserMailbox", 1), "Size": 5},
        notes={"RunspaceId": None},
        text=name,
    )


class RunningFront:
    """*ports* by server name; ``pool`` opens pypsrp's pools on them."""

    def __init__(self, front: Front, world: SmallWorld, ports: Mapping[str, int], authority: Path) -> None:
        self.front = front
        self.world = world
        self.ports = ports
        self.authority = authority

    def wsman(self, **changes: Any) -> WSMan:
        ports = self.ports if changes.get("ssl", True) else self.front.plain_ports
        settings: dict[str, Any] = {
            "port": ports[changes.pop("at", "EX1")],
            "ssl": True,
            "auth": "basic",
            "path": "PowerShell",
            "username": "LAB\\admin",
            "password": PASSWORD,
            "cert_validation": str(self.authority),
            "operation_timeout": 20,
            "no_proxy": True,
        }
        return WSMan("127.0.0.1", **{**settings, **changes})

    @contextmanager
    def pool(self, **changes: Any) -> Iterator[RunspacePool]:
        """The Exchange endpoint."""
        settings = {"configuration_name": changes.pop("configuration_name", "Microsoft.Exchange")}
        for name in ("host", "max_runspaces"):
            if name in changes:
                settings[name] = changes.pop(name)
        with self.wsman(**changes) as connection, RunspacePool(connection, **settings) as pool:
            yield pool

    @staticmethod
    def ask(pool: RunspacePool, *commands: tuple[str, Mapping[str, Any]]) -> PowerShell:
        """Invoke one pipe of commands; the PowerShell has the output, the streams and the state."""
        powershell = PowerShell(pool)
        for name, parameters in commands:
            powershell.add_cmdlet(name).add_parameters(dict(parameters))
        powershell.invoke()
        return powershell

    @contextmanager
    def windows(self, **changes: Any) -> Iterator[RunspacePool]:
        with self.wsman(path="wsman", **changes) as connection, RunspacePool(connection) as pool:
            yield pool


@pytest.fixture
def front(tmp_path: Path) -> Iterator[RunningFront]:
    with running_front(tmp_path) as running:
        yield running


@contextmanager
def running_front(folder: Path) -> Iterator[RunningFront]:
    """Two servers, EX1 (2016) and EX2 (2010)."""
    world, front, loop = SmallWorld(), Front(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    certificate = make_certificate(["ex1.lab.example"])
    authority = folder / "ca.pem"
    certificate.write_authority(authority)
    users = {"LAB\\admin": User(PASSWORD), "LAB\\nobody": User(PASSWORD, roles=frozenset())}
    sites = [Site("EX1", SignatureTable("2016")), Site("EX2", SignatureTable("2010"))]
    try:
        start = front.start(sites, world, users, certificate)
        ports = asyncio.run_coroutine_threadsafe(start, loop).result(20)
        yield RunningFront(front, world, ports, authority)
    finally:
        world.go_on.set()
        asyncio.run_coroutine_threadsafe(front.stop(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()
