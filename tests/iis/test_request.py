"""The requests that are being executed, from WebAdministration and from appcmd."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from easops.errors import CommandFailed
from easops.iis import ExecutingRequest, read_requests
from easops.logs.eas_query import EasQuery
from easops.remoting.command import Call
from easops.remoting.result import RemoteObject, Result
from easops.remoting.session import EndpointName

NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=dt.UTC)
POOL = "MSExchangeSyncAppPool"
URL = "/Microsoft-Server-ActiveSync/Proxy/default.eas?User=anna&DeviceId=A1&DeviceType=iPhone&Cmd=Ping"


@attrs.define
class Server:
    """A server with WebAdministration: *requests* by PID; a PID that has none there has just ended."""

    pids: list[int]
    requests: dict[int, list[dict[str, Any]]]
    denied: bool = False
    host: str = "EX1"
    endpoint: EndpointName = "windows"
    lacks: set[str] = attrs.field(factory=set)
    invoked: list[str] = attrs.field(factory=list)

    def connect(self, *, deadline: float = 30.0) -> None: ...

    def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
        self.invoked.append(str(call))
        if "Win32_Process" in str(call):
            pids, self.pids = self.pids, [pid for pid in self.pids if pid in self.requests]
            return Result((*map(_worker, pids), *_CLOCK))
        found = next((requests for pid, requests in self.requests.items() if f"-Process {pid} " in str(call)), None)
        if found is None or self.denied:
            raise CommandFailed("Get-WebRequest failed", "no such process")
        return Result(tuple(RemoteObject(("Selected.x",), request) for request in found))

    def close(self) -> None: ...


_CLOCK = (
    RemoteObject(("Win32_ComputerSystem",), {"NumberOfLogicalProcessors": 8}),
    RemoteObject(("Win32_OperatingSystem",), {"LocalDateTime": NOW}),
)


def _worker(pid: int) -> RemoteObject:
    properties = {
        "CommandLine": f'w3wp.exe -ap "{POOL}"',
        "ProcessId": pid,
        "CreationDate": NOW - dt.timedelta(days=20),
    }
    return RemoteObject(
        ("Win32_Process",), {**properties, "KernelModeTime": 1, "UserModeTime": 1, "PrivatePageCount": 1}
    )


def request(**more: Any) -> dict[str, Any]:
    properties = {
        "requestId": "f1",
        "timeElapsed": 1500,
        "siteId": 2,
        "verb": "POST",
        "url": URL,
        "clientIPAddr": "10.0.0.1",
    }
    return {**properties, **more}


PING = ExecutingRequest("f1", 4, dt.timedelta(seconds=1.5), "POST", URL, 2, "10.0.0.1")


def test_each_worker_process_is_asked_separately_and_only_for_what_is_needed() -> None:
    server = Server([4, 8], {4: [request()], 8: [request(requestId="f2", timeElapsed=9000)]})

    reading = read_requests(server, POOL)

    assert [(request.id, request.pid) for request in reading.requests] == [("f2", 8), ("f1", 4)]
    assert reading.requests[1] == PING
    assert reading.time == NOW
    assert server.invoked[1].startswith("Import-Module -Name WebAdministration; Get-WebRequest -Process 4 | Select-Obj")


def test_a_worker_process_that_ended_meanwhile_has_no_requests() -> None:
    assert read_requests(Server([4, 8], {4: [request()]}), POOL).requests == (PING,)


def test_a_living_worker_process_that_does_not_answer_is_an_error() -> None:
    with pytest.raises(CommandFailed, match="Get-WebRequest failed"):
        read_requests(Server([4], {4: [request()]}, denied=True), POOL)


@pytest.mark.parametrize("wrong", [{"requestId": None}, {"timeElapsed": None}, {"timeElapsed": "soon"}, {"siteId": []}])
def test_a_request_without_id_age_or_site_is_counted_and_spoils_no_other(wrong: dict[str, Any]) -> None:
    reading = read_requests(Server([4], {4: [request(**wrong), request()]}), POOL)
    assert (reading.requests, reading.unreadable) == ((PING,), 1)


def test_a_request_that_is_told_twice_is_one() -> None:
    assert read_requests(Server([4], {4: [request(), request()]}), POOL).requests == (PING,)


def test_a_pool_without_a_worker_process_has_no_requests() -> None:
    assert read_requests(Server([4], {4: [request()]}), "Other").requests == ()


def test_without_the_module_requests_are_read_with_appcmd(old_server: Callable[..., Any]) -> None:
    url = URL.replace("&", "&amp;")
    lines = (
        '<?xml version="1.0" encoding="UTF-8"?>',
        "<appcmd>",
        f'    <REQUEST REQUEST.NAME="f1" Url="{url}" Verb="POST" Time="1500" ClientIp="10.0.0.1" '
        f'Stage="ExecuteRequestHandler" ModuleName="x" SITE.ID="2" WP.NAME="4" APPPOOL.NAME="{POOL}" />',
        "</appcmd>",
    )
    worker = {**_worker(4).properties, "CreationDate": "20261104110000.000000+060"}
    session = old_server(
        {
            "Win32_Process": (worker,),
            "Win32_ComputerSystem": ({"NumberOfLogicalProcessors": 8},),
            "Win32_OperatingSystem": ({"LocalDateTime": "20261124110000.000000+060"},),
        },
        {("list", "requests", "/wp.name:4", "/xml"): (lines, 0)},
    )
    assert read_requests(session, POOL).requests == (PING,)


@pytest.mark.parametrize(
    ("url", "eas"),
    [
        (URL, EasQuery("Ping", "anna", "A1", "iPhone")),
        ("/microsoft-server-activesync/default.eas?oRIJBAhBUFBMMTIzNAQBAgMEBmlQaG9uZQ==", None),
        ("/owa/?bO=1", None),
        ("/Microsoft-Server-ActiveSync/default.eas", EasQuery()),
    ],
)
def test_the_query_says_what_an_activesync_request_is(url: str, eas: EasQuery | None) -> None:
    query = attrs.evolve(PING, url=url).eas
    if "oRIJ" in url:  # the base64 form, as devices send it to the front end
        assert query is not None
        assert (query.command, query.device_id, query.device_type) == ("Ping", "APPL1234", "iPhone")
    else:
        assert query == eas
