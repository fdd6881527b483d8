"""Application pools: their state, and a recycle."""

from __future__ import annotations

import datetime as dt
from typing import Final

import attrs

from easops.errors import UnexpectedAnswer
from easops.remoting.command import Command, Pipeline
from easops.remoting.result import RemoteObject
from easops.remoting.session import Session

SYNC_APP_POOL: Final = "MSExchangeSyncAppPool"

_IMPORT: Final = Command("Import-Module", {"Name": "WebAdministration"}, reads=True)
_DRIVE: Final = "IIS:\\AppPools"


@attrs.frozen
class AppPool:
    """One application pool. *state* is Started, Stopped, Starting or Stopping."""

    name: str
    state: str


def list_app_pools(session: Session) -> tuple[AppPool, ...]:
    """All application pools of the server, by name (windows endpoint).

    Raises UnreachableHost, CommandFailed, OutcomeUnknown. Source: the IIS: drive of the WebAdministration module.
    """
    answer = session.invoke(Pipeline.of(_IMPORT, Command("Get-ChildItem", {"LiteralPath": _DRIVE}, reads=True)))
    pools = (_app_pool(item) for item in answer.objects())
    return tuple(sorted(pools, key=lambda pool: pool.name.lower()))


def shutdown_time_limit(session: Session, name: str) -> dt.timedelta:
    """How long an old worker process may drain beside its successor after a recycle (90 s unless set otherwise).

    Raises CommandFailed where there is no such pool. Source: processModel.shutdownTimeLimit.
    """
    read = {"LiteralPath": f"{_DRIVE}\\{name}", "Name": "processModel.shutdownTimeLimit"}
    answer = session.invoke(Pipeline.of(_IMPORT, Command("Get-ItemProperty", read, reads=True)))
    for item in answer.output:
        value = item.get("Value") if isinstance(item, RemoteObject) else item
        if isinstance(value, dt.timedelta):
            return value
    raise UnexpectedAnswer(
        f"{session.host}: the shutdown time limit of {name} cannot be read", repr(answer.output)[:200], "report it"
    )


def recycle_app_pool(session: Session, name: str) -> None:
    """Recycle a pool: a new worker process takes over, the old one drains and ends.

    Not idempotent: two are not one. It has happened when the pool has a worker process that it had not before, or
    all that it had are gone; see ``easops.actions.recycle_app_pool`` for the proof.

    Raises CommandFailed (no such pool, or a stopped one), UnreachableHost, OutcomeUnknown (look at the workers).
    Source: Restart-WebAppPool, WebAdministration (IIS 7.5 and later).
    """
    session.invoke(Pipeline.of(_IMPORT, Command("Restart-WebAppPool", {"Name": name})))


def _app_pool(item: RemoteObject) -> AppPool:
    name, state = item.get("Name"), item.get("State")
    if not isinstance(name, str) or state is None:
        raise UnexpectedAnswer("an application pool has no name or no state", repr(item)[:200], "report it")
    return AppPool(name, str(state))
