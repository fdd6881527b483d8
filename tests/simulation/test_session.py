"""A session in process gives what one over the wire gives: the same results, and the same errors."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from easops.errors import CommandFailed, EasopsError
from easops.exchange import (
    associate_throttling_policy,
    choose_domain_controller,
    count_contacts,
    find_group,
    find_mailbox,
    find_recipient,
    get_cas_mailbox,
    get_exchange_server,
    get_throttling_policy,
    list_exchange_servers,
    list_member_groups,
    list_member_recipients,
    list_throttling_policies,
    new_throttling_policy,
    remove_throttling_policy,
    require_mailbox,
    set_active_sync_enabled,
    set_throttling_policy,
)
from easops.exchange.eas_limits import EasBudget, EasLimits, EasPercentTime
from easops.exchange.throttling_policy import count_associations, get_default_limits
from easops.iis import (
    list_app_pools,
    list_sites,
    log_folder,
    read_requests,
    read_worker_processes,
    recycle_app_pool,
    shutdown_time_limit,
)
from easops.iis.appcmd import list_elements, run_appcmd
from easops.inventory import load_inventory
from easops.lab import server
from easops.lab.cmdlets import CMDLETS
from easops.lab.scripts import SCRIPTS
from easops.lab.world import World
from easops.lab.world.scenario import read_scenario
from easops.lab.world.state import Beginning, MemoryState
from easops.lab.world.world import Answer
from easops.logs.folder import list_logs
from easops.logs.source import RemoteLog
from easops.remoting.command import Call, Command, Pipeline, Script
from easops.remoting.pool import SessionPool
from easops.remoting.result import Result
from easops.remoting.session import EndpointName, Session
from tests.simulation.session import InProcessSession

START = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)
POOL = "MSExchangeSyncAppPool"
LAURA = "laura.brandt@contoso.example"

Open = Callable[[str, EndpointName], Session]
Ask = Callable[[Session], Any]


@pytest.fixture(scope="module", params=["contacts-storm-mixed", "contacts-storm-2010", "contacts-storm-groups"])
def two_ways(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Open, Open]]:
    """Sessions to two worlds that are the same: over the wire, and in process. Their clocks stand."""
    scenario, folder = request.param, tmp_path_factory.mktemp("lab")
    with server.start(folder / "wire", scenario=scenario, speed=0, begin=START) as lab, SessionPool() as pool:
        hosts = {host.name: host for host in load_inventory(lab.inventory).hosts}
        answers: dict[str, Answer] = {**CMDLETS, **SCRIPTS}
        beginning = Beginning(scenario, read_scenario(scenario), 1, START.timestamp(), 0.0)
        world = World(MemoryState(), beginning, answers, read_only=False)
        kept: dict[tuple[str, EndpointName], Session] = {}

        def in_process(name: str, endpoint: EndpointName) -> Session:
            return kept.setdefault((name, endpoint), InProcessSession(world, name, endpoint))

        yield lambda name, endpoint: pool.open(hosts[name], endpoint), in_process
        world.close()


class Recorded:
    """A session that keeps what each call gave: its result, or the records of its error."""

    def __init__(self, session: Session) -> None:
        self.host, self.endpoint, self.lacks = session.host, session.endpoint, session.lacks
        self.given: list[Any] = []
        self._session = session

    def connect(self, *, deadline: float = 30.0) -> None:
        self._session.connect(deadline=deadline)

    def close(self) -> None:
        self._session.close()

    def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
        try:
            result = self._session.invoke(call, deadline=deadline)
        except CommandFailed as failed:
            self.given.append((str(failed), failed.records))
            raise
        self.given.append(result)
        return result


def asked(session: Session, asks: Iterable[Ask]) -> list[Any]:
    """What the server gave to each call of *asks*, and what easops made of it."""
    recorded = Recorded(session)
    for ask in asks:
        try:
            value = ask(recorded)
        except EasopsError as error:
            value = (type(error), str(error))
        recorded.given.append(value)
    return recorded.given


def eas(session: Session, value: int) -> EasLimits:
    """Limits of the model of the server's version."""
    return EasPercentTime(value) if "CAS" in session.host else EasBudget(recharge_rate=value * 3_000_000_000)


def group_members(session: Session) -> Any:
    group = find_group(session, "Executives")
    assert group is not None
    return list_member_recipients(session, group), list_member_groups(session, group)


def associations(session: Session) -> Any:
    policy = get_throttling_policy(session, "low")
    return policy and count_associations(session, policy)


EXCHANGE: list[Ask] = [
    list_exchange_servers,
    choose_domain_controller,
    lambda session: get_exchange_server(session, session.host),
    lambda session: get_exchange_server(session, "nobody"),
    lambda session: find_mailbox(session, LAURA),
    lambda session: find_mailbox(session, "Jürgen_x000A_\n\"'<&>"),
    lambda session: require_mailbox(session, "nobody"),
    lambda session: count_contacts(session, LAURA),
    lambda session: get_cas_mailbox(session, LAURA),
    lambda session: find_recipient(session, "nobody"),
    group_members,
    list_throttling_policies,
    get_default_limits,
    lambda session: get_throttling_policy(session, "nobody"),
    lambda session: new_throttling_policy(session, "low", eas(session, 25), copied={"EwsMaxConcurrency": "Unlimited"}),
    lambda session: new_throttling_policy(session, "low", eas(session, 25)),  # there is one now
    lambda session: set_throttling_policy(session, "low", eas(session, 30)),
    lambda session: set_throttling_policy(session, "nobody", eas(session, 30)),
    lambda session: get_throttling_policy(session, "low", explicit="CAS" not in session.host),
    lambda session: associate_throttling_policy(session, LAURA, "low"),
    lambda session: associate_throttling_policy(session, "nobody", "low"),
    associations,
    lambda session: remove_throttling_policy(session, "low"),  # a user has it
    lambda session: associate_throttling_policy(session, LAURA, None),
    lambda session: remove_throttling_policy(session, "low"),
    lambda session: set_active_sync_enabled(session, LAURA, False),
    lambda session: set_active_sync_enabled(session, LAURA, True),
    lambda session: session.invoke(Command("Get-Nothing", reads=True)),
    lambda session: session.invoke(Script("x.ps1", "1 + 1", reads=True)),
]

WINDOWS: list[Ask] = [
    list_sites,
    lambda session: log_folder(session, 1),
    list_app_pools,
    lambda session: shutdown_time_limit(session, POOL),
    read_worker_processes,
    lambda session: read_requests(session, POOL),
    lambda session: list_logs(session, rf"{LOGS}\W3SVC1"),
    lambda session: list_logs(session, r"C:\nothing"),
    lambda session: RemoteLog(session, rf"{LOGS}\W3SVC1\u_ex261124.log").read(1000, 50_000),
    lambda session: RemoteLog(session, r"C:\nothing.log").read(0, 10),
    lambda session: list_elements(session, "list", "apppool"),
    lambda session: run_appcmd(session, "list", "apppool", "nothing", reads=True),
    lambda session: run_appcmd(session, "recycle", "apppool", POOL, reads=False),
    lambda session: recycle_app_pool(session, POOL),
    lambda session: recycle_app_pool(session, "nothing"),
    read_worker_processes,
    lambda session: session.invoke(Pipeline.of(Command("Get-Date", reads=True), Command("Get-Nothing", reads=True))),
    lambda session: session.invoke(Command("Get-CimInstance", {"ClassName": "Win32_Nothing"}, reads=True)),
]

LOGS = r"C:\inetpub\logs\LogFiles"
"""Where IIS keeps the logs of its sites."""


def test_exchange_answers_the_same(two_ways: tuple[Open, Open]) -> None:
    wire, in_process = two_ways
    for name in servers_of(wire):
        expected = asked(wire(name, "exchange"), EXCHANGE)
        assert asked(in_process(name, "exchange"), EXCHANGE) == expected


def test_windows_answers_the_same(two_ways: tuple[Open, Open]) -> None:
    wire, in_process = two_ways
    for name in servers_of(wire):
        expected = asked(wire(name, "windows"), WINDOWS)
        assert asked(in_process(name, "windows"), WINDOWS) == expected


def servers_of(open_: Open) -> list[str]:
    """The servers that have the endpoint of Exchange, one of each version."""
    names = ("AMS-CAS01", "AMS-CAS02", "AMS-EX01")
    found = []
    for name in names:
        with contextlib.suppress(KeyError):
            found.append(open_(name, "windows").host)
    return found
