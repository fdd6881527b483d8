"""Writes that break at any message: what easops claims is held against what the servers did, and no shell is left."""

from __future__ import annotations

import functools
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import pytest

from easops.errors import CommandFailed, OutcomeUnknown, UnreachableHost
from easops.inventory.host import Host
from easops.inventory.load import load_inventory
from easops.lab import server
from easops.lab.faults import Break, Reply, Verb
from easops.lab.wsman.service import Service
from easops.lab.wsman.shell import Shell
from easops.lab.wsman.soap import NS, Request
from easops.remoting.command import Call, Command, Pipeline
from easops.remoting.pool import SessionPool
from easops.remoting.retry import retrying
from easops.remoting.session import EndpointName, Session

pytestmark = pytest.mark.slow

LAURA: Final = "laura.brandt@contoso.example"
MODULE: Final = Command("Import-Module", {"Name": "WebAdministration"}, reads=True)
WRITES: Final[dict[str, tuple[EndpointName, Call]]] = {
    "Set-CASMailbox": ("exchange", Command("Set-CASMailbox", {"Identity": LAURA, "ActiveSyncEnabled": True})),
    "Set-ThrottlingPolicyAssociation": (
        "exchange",
        Command("Set-ThrottlingPolicyAssociation", {"Identity": LAURA, "ThrottlingPolicy": None, "Confirm": False}),
    ),
    "Restart-WebAppPool": (
        "windows",
        Pipeline.of(MODULE, Command("Restart-WebAppPool", {"Name": "MSExchangeSyncAppPool"})),
    ),
}
READS: Final[dict[EndpointName, Call]] = {
    "exchange": Command("Get-CASMailbox", {"Identity": LAURA}, reads=True),
    "windows": Command("Get-Date", reads=True),
}


@attrs.frozen
class Fault:
    """What happens to a message: *effect* says whether the server has acted on it by then."""

    what: Break
    effect: bool


UNREADABLE: Final = Reply(200, '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Bod')
LOAD: Final = "The next request from this user will not be approved for at least 120 milliseconds."
FAULTS: Final = {
    "reset before": Fault("reset", False),
    "reset after": Fault("reset", True),
    "closed before": Fault("close", False),
    "closed after": Fault("close", True),
    "502 before": Fault(Reply(502), False),
    "502 after": Fault(Reply(502), True),
    "504 after": Fault(Reply(504, "Gateway Time-out"), True),
    "503": Fault(Reply(503, "Service Unavailable"), False),
    "500 of IIS after": Fault(Reply(500, "Server Error"), True),
    "an answer that cannot be read": Fault(UNREADABLE, True),
    "a page": Fault(Reply(200, "<html>Welcome</html>"), True),
    "a redirect": Fault(Reply(302, headers=(("Location", "/owa"),)), False),
    "401": Fault(Reply(401, headers=(("WWW-Authenticate", 'Basic realm="x"'),)), False),
    "refused": Fault(Reply(500, "Access is denied.", 5), False),
    "a quota": Fault(Reply(500, "This user is allowed a maximum of 18 concurrent shells", 2150859173), False),
    "a load quota": Fault(Reply(500, LOAD, 2150859175), False),
    "a load quota beyond the deadline": Fault(Reply(500, LOAD.replace("120", "1769808"), 2150859175), False),
    "too many operations": Fault(Reply(500, "a maximum number of 15 concurrent operations", 2150859174), False),
    "a lost shell": Fault(Reply(500, "the shell was not found on the server", 2150858843), False),
    "a fault without a text": Fault(Reply(500, "", 2150858770), False),
    "too late before": Fault(1.0, False),
    "too late after": Fault(1.0, True),
}
POINTS: Final[dict[str, tuple[Verb, int]]] = {
    "create shell": ("Create", 0),
    "receive of the shell": ("Receive", 0),
    "create pipeline": ("Command", 0),
    "receive": ("Receive", 1),
    "signal": ("Signal", 0),
    "delete": ("Delete", 0),
}


@pytest.fixture(scope="module", params=["contacts-storm"])
def started(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Lab]:
    with server.start(tmp_path_factory.mktemp("lab"), scenario=request.param, speed=0) as lab:
        yield lab


@pytest.fixture
def lab(started: server.Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[server.Lab]:
    monkeypatch.setattr("easops.remoting.psrp.GRACE", 0.3)
    monkeypatch.setattr("easops.remoting.psrp.retrying", functools.partial(retrying, sleep=lambda seconds: None))
    yield started
    started.faults.clear()
    started.faults.expire_shells()


def done(lab: server.Lab, cmdlet: str) -> int:
    """How often the servers of the lab have carried out *cmdlet*."""
    calls = map(json.loads, (lab.folder / "calls.jsonl").read_text(encoding="utf-8").splitlines())
    return sum(call["cmdlet"] == cmdlet for call in calls)


def claim(session: Session, call: Call, *, deadline: float) -> str:
    """What easops says of a write: done, not sent, refused or unknown."""
    try:
        session.invoke(call, deadline=deadline)
        session.close()
    except UnreachableHost:
        return "not sent"
    except CommandFailed:
        return "refused"
    except OutcomeUnknown:
        return "unknown"
    return "done"


CASES: Final = [
    (point, fault)
    for point in POINTS
    for fault in FAULTS
    if (point, fault) != ("delete", "a lost shell")  # no server says so of a shell that it has
]


@pytest.mark.parametrize("cmdlet", WRITES)
@pytest.mark.parametrize(("point", "name"), CASES)
def test_no_claim_is_wrong_and_no_shell_is_left(lab: server.Lab, cmdlet: str, point: str, name: str) -> None:
    break_it(lab, cmdlet, point, name)


@pytest.mark.parametrize("started", ["contacts-storm-2010"], indirect=True)
@pytest.mark.parametrize("name", ["reset before", "reset after", "too late after"])
@pytest.mark.parametrize("point", [point for point in POINTS if point != "create shell"])
def test_no_shell_is_left_on_a_server_that_chooses_its_id(lab: server.Lab, point: str, name: str) -> None:
    break_it(lab, "Restart-WebAppPool", point, name)


def test_a_command_is_stopped_by_the_id_that_the_server_gave_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[bool] = []
    signal = Service._signal

    async def signalled(service: Service, shell: Shell, request: Request) -> bytes:
        (named,) = request.body.iterfind("rsp:Signal", NS)
        known.append((named.get("CommandId") or "").upper() in shell.commands)
        return await signal(service, shell, request)

    def slow(*arguments: Any) -> list[Any]:
        time.sleep(2.5)
        return []

    monkeypatch.setattr(Service, "_signal", signalled)
    with server.start(tmp_path / "lab", scenario="contacts-storm-2010", speed=0) as lab, SessionPool() as pool:
        monkeypatch.setattr(lab.world, "perform", slow)
        session = pool.open(load_inventory(lab.inventory).hosts[0], "exchange")
        with pytest.raises(OutcomeUnknown):
            session.invoke(WRITES["Set-CASMailbox"][1], deadline=0.8)
    assert known[:1] == [True]


def break_it(lab: server.Lab, cmdlet: str, point: str, name: str) -> None:
    fault = FAULTS[name]
    endpoint, call = WRITES[cmdlet]
    verb, skip = POINTS[point]
    host: Host = load_inventory(lab.inventory).hosts[0]
    late = isinstance(fault.what, float)
    before = done(lab, cmdlet)
    with SessionPool() as pool:
        session = pool.open(host, endpoint)
        lab.faults.at_message(verb, fault.what, effect=fault.effect, skip=skip)

        claimed = claim(session, call, deadline=0.4 if late else 20.0)

        if late:
            time.sleep(0.8)  # the server gets to it
        times = done(lab, cmdlet) - before
        told: dict[str, Any] = {"done": (1,), "not sent": (0,), "refused": (0,), "unknown": (0, 1)}
        assert times in told[claimed], f"{claimed}, but done {times} times"
        lab.faults.clear()
        if name != "401":  # a refused logon is never tried again
            session.invoke(READS[endpoint])
            assert sum(lab.open_shells().values()) == 1
    if name != "401":
        assert sum(lab.open_shells().values()) == 0
