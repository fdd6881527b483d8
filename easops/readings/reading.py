"""What a reading is: something to look at, that judges nothing and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import attrs

from easops.context import Context
from easops.parameter import Parameter


@attrs.frozen
class Reading:
    """One thing that ``easops show`` shows.

    *name* is its name on the command line, *summary* one line for help, *parameters* the values that it takes. *scope*
    says which endpoint it reads: ``organisation`` (exchange, once) or ``server`` (windows, each host). *columns* are
    the attributes of a row in the order in which they are shown. *read* returns the rows, frozen attrs values, for the
    name of a host (None for the organisation).
    """

    name: str
    summary: str
    scope: Literal["organisation", "server"]
    columns: tuple[str, ...]
    read: Callable[[Mapping[str, Any], str | None, Context], Sequence[Any]]
    parameters: tuple[Parameter, ...] = ()
