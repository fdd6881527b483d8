"""Tables of named things, written out in full: ``ACTIONS = table(BlockUser, RecycleAppPool)``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar

from easops.document import suggestion
from easops.errors import BadInput


class Named(Protocol):
    """Anything with a ``name``."""

    @property
    def name(self) -> str:
        """What it is called in a playbook and on the command line."""
        ...


N = TypeVar("N", bound=Named)
T = TypeVar("T")


def table(*entries: N) -> Mapping[str, N]:
    """The entries by name, read-only. Raises ValueError if two have the same name: a dict would silently drop one."""
    by_name: dict[str, N] = {}
    for entry in entries:
        if entry.name in by_name:
            raise ValueError(f"two entries are called {entry.name!r}")
        by_name[entry.name] = entry
    return MappingProxyType(by_name)


def entry_of(table: Mapping[str, T], name: str, kind: str) -> T:
    """The entry called *name*. *kind* is the word for it in the error: ``action``. Raises BadInput with all names."""
    if name not in table:
        raise BadInput(
            f"there is no {kind} {name!r}",
            f"there are {', '.join(table)}",
            suggestion(name, table) or "Correct the name",
        )
    return table[name]
