"""What a cmdlet of the lab is: between the engine, which binds its parameters by the law, and the world."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs

if TYPE_CHECKING:
    from easops.lab.world import World

Endpoint = Literal["exchange", "windows"]


@attrs.frozen
class Call:
    """One bound call: *parameters* by canonical name, converted to the type that the law names.

    *server* is the short name of the server whose endpoint got it, *user* the authenticated user, *input* what
    came down the pipe.
    """

    server: str
    user: str
    cmdlet: str
    parameters: Mapping[str, Any]
    input: tuple[Any, ...] = ()


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


@attrs.frozen
class ScriptTwin:
    """What the Python engine does in place of one of the scripts it knows: *digest* is the SHA-256 (hexadecimal) of
    its LF-normalised UTF-8 text."""

    name: str
    digest: str
    run: Callable[[World, Call], Iterable[Any]]
