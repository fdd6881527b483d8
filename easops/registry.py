"""Written-out tables of named things: ``ACTIONS = table(BlockUser, RecycleAppPool)``."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Protocol, TypeVar


class Named(Protocol):
    """Anything with a ``name``."""

    @property
    def name(self) -> str: ...


N = TypeVar("N", bound=Named)


def table(*entries: N) -> Mapping[str, N]:
    """The entries by name, read-only. Two of one name are a ``ValueError``: a dict would drop one in silence."""
    found: dict[str, N] = {}
    for entry in entries:
        if entry.name in found:
            raise ValueError(f"two entries are called {entry.name!r}")
        found[entry.name] = entry
    return MappingProxyType(found)
