"""Written-out tables of named things: ``ACTIONS = table(BlockUser, RecycleAppPool)``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar

from easops.document import suggestion
from easops.errors import BadInput


class Named(Protocol):
    """Anything with a ``name``."""

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)
T = TypeVar("T")


def table(*entries: N) -> Mapping[str, N]:
    """The entries by name, read-only. Two of one name are a ``ValueError``: a dict would drop one in silence."""
    found: dict[str, N] = {}
    for entry in entries:
        if entry.name in found:
            raise ValueError(f"two entries are called {entry.name!r}")
        found[entry.name] = entry
    return MappingProxyType(found)


def entry_of(table: Mapping[str, T], name: str, kind: str) -> T:
    """The entry of that name; *kind* is what a person calls it. Raises BadInput with the names that there are."""
    if name not in table:
        raise BadInput(
            f"there is no {kind} {name!r}",
            f"there are {', '.join(table)}",
            suggestion(name, table) or "Correct the name",
        )
    return table[name]
