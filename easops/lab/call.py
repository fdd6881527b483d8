"""One call of a cmdlet or a known script, as the world gets it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

Endpoint = Literal["exchange", "windows"]


@attrs.frozen
class Call:
    """One bound call: *parameters* by canonical name, converted to the types of the cmdlet's signature.

    *server* is the short name of the server that was asked, *user* the authenticated user, *input* the objects from
    the pipe. *settings* are those of the session; a cmdlet may change them.
    """

    server: str
    user: str
    cmdlet: str
    parameters: Mapping[str, Any]
    input: tuple[Any, ...] = ()
    settings: dict[str, Any] = attrs.field(factory=dict)
