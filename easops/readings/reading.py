"""What a reading is: a table of what there is. It judges nothing and changes nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import attrs

from easops.context import Context
from easops.parameter import Parameter


@attrs.frozen
class Rows:
    """The *rows* of a reading of which a part could not be read; *unread* says which, and why."""

    rows: Sequence[Any]
    unread: str


@attrs.frozen
class Reading:
    """One thing that ``easops show`` shows.

    *name* is its name on the command line, *summary* one line for help, *parameters* the values that it takes. *scope*
    says which endpoint it uses: ``organisation`` (exchange, once) or ``server`` (windows, on each host). *columns* are
    the names of a row's attributes, in the order in which they are shown. *read* takes the checked values, the host's
    label (None for the organisation) and the context, and gives the rows, frozen attrs values; Rows, if a part is
    missing.
    """

    name: str
    summary: str
    scope: Literal["organisation", "server"]
    columns: tuple[str, ...]
    read: Callable[[Mapping[str, Any], str | None, Context], Sequence[Any] | Rows]
    parameters: tuple[Parameter, ...] = ()
