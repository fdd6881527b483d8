"""One call of a cmdlet or a known script, as it comes to the world."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import attrs

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
