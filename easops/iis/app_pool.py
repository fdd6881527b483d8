"""Application pools: their state, and a recycle."""

from __future__ import annotations

import datetime as dt
import re
from typing import Final

import attrs

from easops.errors import UnexpectedAnswer
from easops.iis.appcmd import list_elements, run_appcmd
from easops.iis.web_administration import change_with_module, has_module, read_with_module
from easops.remoting.command import Command
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

SYNC_APP_POOL: Final = "MSExchangeSyncAppPool"

_DRIVE: Final = "IIS:\\AppPools"
_LIMIT = re.compile(r'shutdownTimeLimit:"(?:(\d+)\.)?(\d+):(\d\d):(\d\d)"$')


@attrs.frozen
class AppPool:
    """One application pool. *state* is Started, Stopped, Starting or Stopping."""

    name: str
    state: str


def list_app_pools(session: Session) -> tuple[AppPool, ...]:
    """All application pools of the server, by name (windows endpoint).

    Raises UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer.
    Source: the IIS: drive of the WebAdministration module; appcmd list apppool where that is missing.
    """
    answer = read_with_module(session, Command("Get-ChildItem", {"LiteralPath": _DRIVE}, reads=True))
    if answer is None:
        held = list_elements(session, "apppool")
        pools = [_pool(item.get("APPPOOL.NAME"), item.get("state"), item) for item in held]
    else:
        pools = [_pool(item.get("Name"), item.get("State"), item) for item in answer.objects()]
    return tuple(sorted(pools, key=lambda pool: pool.name.lower()))


def shutdown_time_limit(session: Session, name: str) -> dt.timedelta:
    """How long an old worker process may drain beside its successor after a recycle (90 s unless set otherwise).

    Raises CommandFailed where there is no such pool. Source: processModel.shutdownTimeLimit.
    """
    read = {"LiteralPath": f"{_DRIVE}\\{name}", "Name": "processModel.shutdownTimeLimit"}
    answer = read_with_module(session, Command("Get-ItemProperty", read, reads=True))
    told: object
    if answer is None:
        lines = run_appcmd(session, "list", "apppool", name, "/text:*", reads=True)
        limits = [_LIMIT.match(line) for line in lines]
        for found in limits:
            if found is not None:
                days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
                return dt.timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        told = lines
    else:
        for item in answer.output:
            value = item.get("Value") if isinstance(item, RemoteObject) else item
            if isinstance(value, dt.timedelta):
                return value
        told = answer.output
    raise UnexpectedAnswer(
        f"{session.host}: the shutdown time limit of {name} cannot be read", repr(told)[:200], "report it"
    )


def recycle_app_pool(session: Session, name: str) -> None:
    """Recycle a pool: a new worker process takes over, the old one drains and ends.

    Not idempotent: two are not one. It has happened when the pool has a worker process that it had not before, or
    all that it had are gone; see ``easops.actions.recycle_app_pool`` for the proof.

    Raises CommandFailed (no such pool, or a stopped one), UnreachableHost, OutcomeUnknown (look at the workers).
    Source: Restart-WebAppPool, WebAdministration (IIS 7.5 and later); appcmd recycle apppool where that is missing.
    """
    if has_module(session):
        change_with_module(session, Command("Restart-WebAppPool", {"Name": name}))
    else:
        run_appcmd(session, "recycle", "apppool", f"/apppool.name:{name}", reads=False)


def _pool(name: object, state: object, item: object) -> AppPool:
    if not isinstance(name, str) or state is None:
        raise UnexpectedAnswer("an application pool has no name or no state", repr(item)[:200], "report it")
    return AppPool(name, str(state))
