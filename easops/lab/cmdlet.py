"""What the lab answers with: cmdlets, and the twins of scripts."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

import attrs

from easops.lab.call import Call, Endpoint
from easops.lab.world import World

__all__ = ["Call", "Cmdlet", "ScriptTwin"]


@attrs.frozen
class Cmdlet:
    """A cmdlet that the lab answers. Its parameters are in ``easops/lab/signatures``; this is what it does.

    *run* gets the bound call. It gives output values, Warning_ and NonTerminating in order, and raises CmdletFailed.
    *changes*: it changes the world. A read-only lab refuses it; any other stores it, and replays it after a restart.
    """

    name: str
    endpoint: Endpoint
    run: Callable[[World, Call], Iterable[Any]]
    changes: bool = False

    def is_change(self, call: Call) -> bool:
        return self.changes


@attrs.frozen
class ScriptTwin:
    """What the lab does in Python in place of one of easops' scripts.

    *name* is the path of the script below ``easops/``. *digest* is the SHA-256 (hexadecimal) of its LF-normalised UTF-8
    text. *run* and *is_change* are as in ``Cmdlet``.
    """

    endpoint: ClassVar[Endpoint] = "windows"

    name: str
    digest: str
    run: Callable[[World, Call], Iterable[Any]]
    is_change: Callable[[Call], bool] = lambda call: False
