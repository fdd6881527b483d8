"""What a cmdlet of the lab is: between the engine, which binds its parameters by the law, and the world."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import attrs

from easops.lab.call import Call, Endpoint
from easops.lab.world import World

__all__ = ["Call", "Cmdlet", "ScriptTwin"]


@attrs.frozen
class Cmdlet:
    """A cmdlet that the lab answers. Its signature is the law's; here is only what it does.

    *run* gives output values, Warning_ and NonTerminating in order, and raises CmdletFailed.
    *changes* says that it changes the world: a read-only lab refuses it, and an accepted one is kept.
    """

    name: str
    endpoint: Endpoint
    run: Callable[[World, Call], Iterable[Any]]
    changes: bool = False

    def is_change(self, call: Call) -> bool:
        return self.changes


@attrs.frozen
class ScriptTwin:
    """What the Python engine does in place of one of the scripts it knows: *digest* is the SHA-256 (hexadecimal) of
    its LF-normalised UTF-8 text; *is_change* says whether a call changes the world, as ``Cmdlet.changes``."""

    endpoint: ClassVar[Endpoint] = "windows"

    name: str
    digest: str
    run: Callable[[World, Call], Iterable[Any]]
    is_change: Callable[[Call], bool] = lambda call: False
