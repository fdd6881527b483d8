"""Servers with logs and an organisation with mailboxes, as sessions to them would show them."""

from __future__ import annotations

import datetime as dt
import gzip
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from easops.context import Context
from easops.errors import CommandFailed, EasopsError, ErrorRecord, UnreachableHost
from easops.exchange.organisation import Organisation
from easops.inventory.host import Credential, Endpoint, Host
from easops.remoting.command import Call, Command, Script
from easops.remoting.result import RemoteObject, Result
from easops.remoting.session import EndpointName, Session

NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=dt.UTC)
HEADER = (
    "#Software: Microsoft Internet Information Services 10.0\r\n"
    "#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) "
    "sc-status sc-substatus sc-win32-status sc-bytes cs-bytes time-taken\r\n"
)
LOG_FOLDER = "C:\\logs\\W3SVC2"


@attrs.frozen
class Line:
    """A line of the back end's log; *started* seconds before NOW, *seconds* long."""

    started: float
    user: str = "CONTOSO\\laura"
    device: str = "APPL1"
    rpc: int = 3000
    client: int = 2500
    server: int = 0
    sync_type: str = "S"
    seconds: float = 40
    status: int = 200
    agent: str = "Apple-iPhone12C1/1801.402"
    folder: str = "Co"
    command: str = "Sync"

    @property
    def ended(self) -> dt.datetime:
        return NOW - dt.timedelta(seconds=self.started) + dt.timedelta(seconds=self.seconds)

    def __str__(self) -> str:
        log = (
            f"SC1:1_Ver1:161_FldrC1:1_Fid:9_Ty:{self.folder}_St:{self.sync_type}_Cli:{self.client}a0c0d0f0e0s0fs_"
            f"Srv:{self.server}a0c0d0s0e0r0A0sd_Fet:1_ActivityContextData:I32%3aRPC.C%5bEX1.DB1%5d%3d{self.rpc}_"
        )
        query = f"Cmd={self.command}&User=claimed&DeviceId={self.device}&DeviceType=iPhone&Log={log}"
        return (
            f"{self.ended:%Y-%m-%d %H:%M:%S} 10.0.0.1 POST /Microsoft-Server-ActiveSync/Proxy/default.eas {query} 444 "
            f"{self.user} 10.0.0.1 {self.agent} - {self.status} 0 0 900 700000 {self.seconds * 1000:.0f}\r\n"
        )


def quiet(started: float) -> Line:
    """A harmless line, which shows that the log goes on."""
    return Line(started, "CONTOSO\\carl", "CARL1", rpc=3, client=0, seconds=0, folder="Em")


def storm(
    user: str = "CONTOSO\\laura", device: str = "APPL1", *, every: float = 240, until: float = 60, **more: Any
) -> list[Line]:
    """A device that floods: a hit *every* so many seconds, the last *until* so many seconds before NOW."""
    return [Line(until + every * at, user, device, **more) for at in range(12)]


@attrs.define
class Server:
    """A windows endpoint with one log, and the worker processes that the test sets."""

    host: str
    lines: list[Line] = attrs.field(factory=list)
    log: bytes | None = None
    unreachable: bool = False
    invoked: list[Call] = attrs.field(factory=list)
    processes: Iterator[Result] | None = None
    requests: Iterator[Result] | None = None
    pools: tuple[str, ...] = ()
    max_heartbeat: str | None = None
    endpoint: EndpointName = "windows"
    now: dt.datetime = NOW
    lacks: set[str] = attrs.field(factory=set)

    def connect(self, *, deadline: float = 30.0) -> None: ...

    def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
        assert call.reads
        if self.unreachable:
            raise UnreachableHost(f"{self.host} cannot be reached", "no answer")
        self.invoked.append(call)
        if isinstance(call, Script):
            return self._range(call.parameters)
        if "Win32_Process" in str(call):
            return worker_processes(self.now) if self.processes is None else next(self.processes)
        if "Get-WebRequest" in str(call):
            assert self.requests is not None
            return next(self.requests)
        if isinstance(call, Command) and call.parameters.get("LiteralPath") == LOG_FOLDER:
            path = f"{LOG_FOLDER}\\u_ex261124.log"
            listed = {"Name": "u_ex261124.log", "FullName": path, "Length": 1, "LastWriteTimeUtc": NOW}
            return Result((RemoteObject(("System.IO.FileInfo",), listed),) if self.data else ())
        if "MaxHeartbeatInterval" in str(call):
            return Result(() if self.max_heartbeat is None else (self.max_heartbeat,))
        if "AppPools" in str(call):
            return Result(tuple(RemoteObject(("x",), {"Name": pool, "State": "Started"}) for pool in self.pools))
        raise AssertionError(call)

    @property
    def data(self) -> bytes:
        if self.log is not None:
            return self.log
        lines = sorted(self.lines, key=lambda line: line.ended)
        return (HEADER + "".join(map(str, lines))).encode() if lines else b""

    def _range(self, parameters: Any) -> Result:
        offset, length = parameters["Offset"], parameters["Length"]
        wanted = self.data[offset : offset + length]
        chunks = [gzip.compress(wanted[at : at + 262_144], 1) for at in range(0, len(wanted), 262_144)]
        table = {
            "Length": len(self.data),
            "Offset": offset,
            "Time": f"{self.now:%Y-%m-%dT%H:%M:%S}.0000000Z",
            "Packed": True,
        }
        return Result((*chunks, table))

    def close(self) -> None: ...


def worker_processes(now: dt.datetime, *pids: int) -> Result:
    """The worker processes of the sync pool, as Win32_Process tells them; without *pids* there are none."""
    workers = [
        RemoteObject(
            ("Win32_Process",),
            {
                "ProcessId": pid,
                "CommandLine": 'w3wp.exe -ap "MSExchangeSyncAppPool"',
                "CreationDate": NOW - dt.timedelta(days=2),
                "KernelModeTime": 1,
                "UserModeTime": 1,
                "PrivatePageCount": 1,
            },
        )
        for pid in pids
    ]
    system = RemoteObject(("Win32_ComputerSystem",), {"NumberOfLogicalProcessors": 8})
    clock = RemoteObject(("Win32_OperatingSystem",), {"LocalDateTime": now})
    return Result((*workers, system, clock))


def executing(url: str, seconds: float) -> Result:
    """One request that is being executed for so many *seconds*."""
    request = {
        "requestId": "f1", "timeElapsed": round(seconds * 1000), "siteId": 2, "verb": "POST", "url": url,
        "clientIPAddr": "10.0.0.1",
    }  # fmt: skip
    return Result((RemoteObject(("Selected.x",), request),))


@attrs.define
class Directory:
    """The exchange endpoint: mailboxes by their names, in lower case."""

    mailboxes: dict[str, tuple[str, ...]] = attrs.field(factory=dict)
    contacts: dict[str, int] = attrs.field(factory=dict)
    unreachable: bool = False
    broken: bool = False
    broken_names: set[str] = attrs.field(factory=set)
    linked: list[tuple[str, str]] | EasopsError = attrs.field(factory=list)
    asked: list[str] = attrs.field(factory=list)
    host: str = "EX1"
    endpoint: EndpointName = "exchange"
    lacks: set[str] = attrs.field(factory=set)

    def connect(self, *, deadline: float = 30.0) -> None: ...

    def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
        assert call.reads
        if self.unreachable:
            raise UnreachableHost("EX1 cannot be reached", "no answer")
        if "LinkedMasterAccount" in str(call):
            if isinstance(self.linked, EasopsError):
                raise self.linked
            return Result(
                tuple(
                    RemoteObject(("Selected.x",), {"LinkedMasterAccount": account, "Guid": f"guid-of-{name}"})
                    for account, name in self.linked
                )
            )
        assert isinstance(call, Command)
        if self.broken:
            raise CommandFailed("Get-Mailbox failed", "the directory is busy")
        if call.name == "Set-ADServerSettings":
            raise CommandFailed("Set-ADServerSettings failed", "the account has no role for it")
        identity = str(call.parameters["Identity"])
        if identity.lower() in self.broken_names:
            raise CommandFailed("Get-Mailbox failed", "the directory is busy")
        if call.name == "Get-MailboxFolderStatistics":
            return Result((RemoteObject(("x",), {"ItemsInFolder": self.contacts.get(identity, 0)}),))
        assert call.name == "Get-Mailbox"
        self.asked.append(identity)
        found = self.mailboxes.get(identity.lower(), ())
        if not found:
            record = ErrorRecord(f"{identity} couldn't be found", exception="ManagementObjectNotFoundException")
            raise CommandFailed("Get-Mailbox failed", record.message, records=(record,))
        return Result(tuple(self._mailbox(name) for name in found))

    def _mailbox(self, name: str) -> RemoteObject:
        properties = {
            "Guid": f"guid-of-{name}",
            "Name": name,
            "SamAccountName": name,
            "Alias": name,
            "PrimarySmtpAddress": f"{name}@contoso.example",
            "UserPrincipalName": f"{name}@contoso.example",
            "ServerName": "EX1",
            "Database": "DB1",
        }
        return RemoteObject(("Microsoft.Exchange.Data.Directory.Management.Mailbox",), properties)

    def close(self) -> None: ...


@attrs.define
class FakeClock:
    """A clock that moves only when somebody sleeps."""

    seconds: float = 0.0

    def now(self) -> dt.datetime:
        return NOW + dt.timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


@attrs.define
class Estate:
    """Servers and an organisation; ``hosts`` and ``context`` are what a detector takes."""

    servers: dict[str, Server] = attrs.field(factory=dict)
    directory: Directory = attrs.field(factory=Directory)
    clock: FakeClock = attrs.field(factory=FakeClock)

    def add(self, name: str, *lines: Line) -> Server:
        self.servers[name] = Server(name, list(lines))
        return self.servers[name]

    def mailbox(self, name: str, *, contacts: int = 0) -> None:
        for identity in (name, f"contoso\\{name}", f"{name}@contoso.example"):
            self.directory.mailboxes[identity] = (name,)
        self.directory.contacts[f"guid-of-{name}"] = contacts

    @property
    def hosts(self) -> list[Host]:
        way_in = Endpoint("https://ex1/PowerShell", "basic", Credential("admin", "admin", "env", "PASSWORD"))
        return [
            Host(
                name, "contoso", "2016", frozenset({"mailbox"}), exchange=way_in, windows=way_in, log_folder=LOG_FOLDER
            )
            for name in self.servers
        ]

    @property
    def context(self) -> Context:
        return Context(self, Organisation.of(self.hosts, self, self.clock), self.clock)

    def open(self, host: Host, endpoint: EndpointName) -> Session:
        return self.directory if endpoint == "exchange" else self.servers[host.name]

    def close(self) -> None: ...


@pytest.fixture
def estate() -> Estate:
    estate = Estate()
    estate.mailbox("laura", contacts=5204)
    estate.mailbox("marco", contacts=6388)
    return estate


@pytest.fixture
def line() -> type[Line]:
    return Line


@pytest.fixture
def flood() -> Callable[..., list[Line]]:
    return storm


@pytest.fixture
def moving() -> Callable[[float], Line]:
    return quiet


@pytest.fixture
def in_flight() -> Callable[[Server, str, float], None]:
    """Sets what a server's sync pool is executing."""

    def set_it(server: Server, url: str, seconds: float) -> None:
        server.processes = itertools.repeat(worker_processes(server.now, 4))
        server.requests = itertools.repeat(executing(url, seconds))

    return set_it


@pytest.fixture(scope="session")
def sample_logs() -> Path:
    return Path(__file__).parents[1] / "data" / "logs"
