"""What the detector was asked."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import attrs

from easops.detectors.duration_words import minutes


@attrs.frozen
class Criteria:
    """The parameters of ``contact_sync_storm``, typed. *users* is None for everybody in the logs; *verifies* says that
    ``after`` was given."""

    threshold: int
    since: dt.timedelta
    users: tuple[str, ...] | None
    verifies: bool
    intervals: int
    attempts: int = 3

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Criteria:
        """The criteria of the detector's checked *values*."""
        users = None if values["users"] is None else tuple(map(str, values["users"]))
        verifies = values["after"] is not None
        return cls(values["threshold"], values["since"], users, verifies, values["intervals"], values["attempts"])

    @property
    def within(self) -> str:
        """``in 60 min``, for evidence."""
        return f"in {minutes(self.since)}"
