"""What makes an attempt of a run durable: its steps, each done once, and the changes of its targets."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, Protocol

from easops.playbook.steps.codec import Json

PROTOCOL: Final = 1
"""Recorded with each run, and raised whenever the order, the name or the value of a journal's step changes."""


class Journal(Protocol):
    """The journal of an attempt, or of a child of it, which changes one target.

    An attempt whose process died is continued by interpreting its steps again, with the same journal. What the journal
    has is not done again, so the decisions are the same, and go on where the process died.
    """

    def step(self, name: str, call: Callable[[], Json]) -> Json:
        """The value of *call*, which is called and recorded the first time only. What it raises is not recorded."""
        ...

    def begin(self, child_id: str, target: str, job: Json) -> str:
        """Have *job* done by the child of that id, if no other child claims *target* now. The claim lasts until the
        child has ended. Returns the id of the child that has the claim."""
        ...

    def result(self, child_id: str) -> Json:
        """The value of a child that was begun, once it has ended."""
        ...
