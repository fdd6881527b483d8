"""Application pools: their state, and how to recycle one."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

import attrs

from easops.errors import OutcomeUnknown, UnexpectedAnswer, UnreachableHost
from easops.iis.appcmd import list_elements, run_appcmd
from easops.iis.web_administration import POOLS, change_with_module, has_module, read_with_module
from easops.remoting.command import Command
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

SYNC_APP_POOL: Final = "MSExchangeSyncAppPool"
"""The application pool of ActiveSync."""

_LIMIT = re.compile(r'shutdownTimeLimit:"(?:(\d+)\.)?(\d+):(\d\d):(\d\d)"$')


@attrs.frozen
class AppPool:
    """One application pool: its *name*, and its *state*, which is Started, Stopped, Starting or Stopping;
    Unknown if it cannot be read."""

    name: str
    state: str


def list_app_pools(session: Session) -> tuple[AppPool, ...]:
    """All application pools of the server, in the order of their names (windows endpoint).

    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer.
    Source: the IIS: drive of the WebAdministration module; appcmd list apppool if the server does not have it.
    """
    answer = read_with_module(session, Command("Get-ChildItem", {"LiteralPath": POOLS}, reads=True))
    if answer is None:
        elements = list_elements(session, "apppool")
        pools = [_pool(element.get("APPPOOL.NAME"), element.get("state"), element) for element in elements]
    else:
        pools = [_pool(item.get("Name"), item.get("State"), item) for item in answer.objects()]
    return tuple(sorted(pools, key=lambda pool: pool.name.lower()))


def shutdown_time_limit(session: Session, name: str) -> dt.timedelta:
    """How long the old worker process may take to end its requests after a recycle, beside the new one: 90 s by default
    (windows endpoint).

    Raises:
        CommandFailed: there is no such pool.
        UnreachableHost, OutcomeUnknown, UnexpectedAnswer: as any reading.

    Source: processModel.shutdownTimeLimit.
    """
    parameters = {"LiteralPath": f"{POOLS}\\{name}", "Name": "processModel.shutdownTimeLimit"}
    answer = read_with_module(session, Command("Get-ItemProperty", parameters, reads=True))
    output: object
    if answer is None:
        output = lines = run_appcmd(session, "list", "apppool", name, "/text:*", reads=True)
        for match in map(_LIMIT.match, lines):
            if match is not None:
                days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
                return dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
    else:
        output = answer.output
        for item in answer.output:
            value = item.get("Value") if isinstance(item, RemoteObject) else item
            if isinstance(value, dt.timedelta):
                return value
    raise UnexpectedAnswer(f"{session.host}: the shutdown time limit of {name} cannot be read", repr(output)[:200])


def recycle_app_pool(session: Session, name: str) -> None:
    """Recycle a pool: a new worker process takes over, and the old one finishes its requests and ends (windows
    endpoint).

    Do not send it twice to be sure: that is two recycles. It has happened if the pool has a new worker process, or none
    of the old ones; ``easops.actions.recycle_app_pool`` proves it that way.

    Raises:
        CommandFailed: there is no such pool, or it is stopped.
        UnreachableHost: nothing was sent.
        OutcomeUnknown: it may have happened; read the worker processes.

    Source: Restart-WebAppPool, WebAdministration (IIS 7.5 and later); appcmd recycle apppool if the server does not
    have it.
    """
    try:
        with_module = has_module(session)
    except OutcomeUnknown as error:  # of a read: the recycle was not sent
        raise UnreachableHost(error.what, error.why, "the recycle was not sent") from error
    if with_module:
        change_with_module(session, Command("Restart-WebAppPool", {"Name": name}))
    else:
        run_appcmd(session, "recycle", "apppool", f"/apppool.name:{name}", reads=False)


def _pool(name: object, state: object, item: object) -> AppPool:
    if not isinstance(name, str):
        raise UnexpectedAnswer("an application pool has no name", repr(item)[:200])
    return AppPool(name, "Unknown" if state is None else str(state))
