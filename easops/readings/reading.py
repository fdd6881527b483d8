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

    *scope* says which endpoint it goes through: ``organisation`` (exchange, once) or ``server`` (windows, each host).
    *columns* name the attributes of a row in the order in which they are shown; *read* gives rows, frozen attrs
    values, for one host's label (None for the organisation).
    """

    name: str
    summary: str
    scope: Literal["organisation", "server"]
    columns: tuple[str, ...]
    read: Callable[[Mapping[str, Any], str | None, Context], Sequence[Any]]
    parameters: tuple[Parameter, ...] = ()
