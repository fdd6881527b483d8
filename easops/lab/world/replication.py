"""Domain controllers, and when the others see what is written on one of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import attrs

EVER: Final = float("-inf")
"""The time of a value that was always there."""


@attrs.frozen
class Write:
    """Values of one object, written at *time* (seconds since 1970) on domain controller *dc*."""

    time: float
    dc: str
    values: Mapping[str, Any] = attrs.field(factory=dict)


@attrs.frozen
class Replication:
    """The domain controllers (full names), and the *delay* in seconds until a write on one is on the others."""

    dcs: tuple[str, ...]
    delay: float

    def named(self, name: str) -> str | None:
        """The domain controller of that full or short name; None where there is none."""
        wanted = name.lower()
        return next((dc for dc in self.dcs if wanted in (dc, dc.partition(".")[0])), None)

    def seen(self, write: Write, dc: str, time: float) -> bool:
        """Whether *dc* has *write* at *time*."""
        return write.time + (0.0 if write.dc == dc else self.delay) <= time
