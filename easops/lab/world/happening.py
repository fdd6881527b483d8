"""What others do while an incident is treated, as scenarios list it: a colleague's change, a storm that begins or ends,
a server that goes down."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import attrs

_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

KINDS: Final[Mapping[str, frozenset[str]]] = {
    "associate_policy": frozenset({"policy"}),
    "edit_policy": frozenset({"values"}),
    "remove_policy": frozenset(),
    "block_user": frozenset(),
    "unblock_user": frozenset(),
    "recycle_pool": frozenset({"pool"}),
    "begin_storm": frozenset({"contacts", "interval", "rpc", "kind"}),
    "fix_device": frozenset(),
    "server_down": frozenset({"for"}),
    "jump_clock": frozenset({"by"}),
}
"""What may happen, and the keys that it has beside ``at``, ``what`` and ``whom``."""

_NEEDED: Final[Mapping[str, frozenset[str]]] = {
    "associate_policy": frozenset({"policy"}),
    "edit_policy": frozenset({"values"}),
    "jump_clock": frozenset({"by"}),
}
_OF_A_SERVER: Final = frozenset({"recycle_pool", "server_down", "jump_clock"})
_OF_A_POLICY: Final = frozenset({"edit_policy", "remove_policy"})
_MEASURES: Final[Mapping[str, Callable[[Any], Any]]] = {
    "contacts": int,
    "interval": float,
    "rpc": lambda value: (int(value[0]), int(value[1])),
    "kind": str,
    "values": dict,
    "for": lambda value: seconds(value),
    "by": lambda value: offset(value),
}


@attrs.frozen
class Happening:
    """Something happens *at* so many seconds after the start to *whom*: a user, a policy or a server, by its name.

    *what* is one of ``KINDS``; *details* are its other keys.
    """

    at: float
    what: str
    whom: str
    details: Mapping[str, Any] = attrs.field(factory=dict)

    @property
    def user(self) -> str | None:
        """The user that it concerns, if any."""
        return None if self.what in _OF_A_SERVER | _OF_A_POLICY else self.whom

    @property
    def server(self) -> str | None:
        """The server that it concerns, if any."""
        return self.whom if self.what in _OF_A_SERVER else None


def seconds(value: Any) -> float:
    """A number of seconds, or a text such as ``90s``, ``5m``, ``2h`` or ``1d``. Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        found = float(value)
    elif match := re.fullmatch(r"(\d+)([smhd])", str(value)):
        found = float(match[1]) * _UNITS[match[2]]
    else:
        raise ValueError(f"{value!r} is not a duration such as 90s, 5m or 2h")
    if found < 0:
        raise ValueError(f"{value!r} is before the start")
    return found


def offset(value: Any) -> float:
    """How far a clock is off: seconds, or a text such as ``90s`` (ahead) or ``-2m`` (behind). Raises ValueError."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    text = str(value)
    return -seconds(text[1:]) if text.startswith("-") else seconds(text.removeprefix("+"))


def read_happening(data: Mapping[str, Any]) -> Happening:
    """One entry of ``happenings``. Raises ValueError, which says what is wrong with it."""
    if missing := {"at", "what", "whom"} - set(data):
        raise ValueError(f"{', '.join(sorted(missing))} is missing")
    what = str(data["what"])
    if what not in KINDS:
        raise ValueError(f"{what!r} cannot happen; there are {', '.join(sorted(KINDS))}")
    details = {key: value for key, value in data.items() if key not in ("at", "what", "whom")}
    if unknown := set(details) - KINDS[what]:
        raise ValueError(f"{what} has no {', '.join(sorted(unknown))}")
    if needed := _NEEDED.get(what, frozenset()) - set(details):
        raise ValueError(f"{what} needs {', '.join(sorted(needed))}")
    try:
        read = {key: _MEASURES.get(key, str)(value) for key, value in details.items()}
    except (TypeError, IndexError) as error:
        raise ValueError(f"{what} has a value of a wrong kind: {error}") from None
    return Happening(seconds(data["at"]), what, str(data["whom"]), read)


@attrs.frozen
class Change:
    """A colleague's change: a cmdlet with its parameters, on the server of that name."""

    server: str
    cmdlet: str
    parameters: Mapping[str, Any]


def change_of(happening: Happening, server: str) -> Change | None:
    """The change that a colleague makes on *server*; None for what is no change by a cmdlet."""
    whom, details = happening.whom, happening.details
    calls: dict[str, tuple[str, dict[str, Any]]] = {
        "associate_policy": (
            "Set-ThrottlingPolicyAssociation",
            {"Identity": whom, "ThrottlingPolicy": details.get("policy")},
        ),
        "edit_policy": ("Set-ThrottlingPolicy", {"Identity": whom, **_texts(details.get("values", {}))}),
        "remove_policy": ("Remove-ThrottlingPolicy", {"Identity": whom}),
        "block_user": ("Set-CASMailbox", {"Identity": whom, "ActiveSyncEnabled": False}),
        "unblock_user": ("Set-CASMailbox", {"Identity": whom, "ActiveSyncEnabled": True}),
        "recycle_pool": ("Restart-WebAppPool", {"Name": details.get("pool", "MSExchangeSyncAppPool")}),
    }
    found = calls.get(happening.what)
    return None if found is None else Change(server, *found)


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(value) for name, value in values.items()}
