"""What the rest of easops asks of the record of runs, wherever it is kept."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, Protocol

from easops.playbook.record.run import Entry, EntryKind, Run
from easops.playbook.steps.codec import Json


class RunRecord(Protocol):
    """The runs, with what is recorded of each. ``run_store.RunStore`` keeps them in a database.

    Entries are written under a key, so that writing one again changes nothing. Its methods raise ``DatabaseAway`` if
    what keeps the record does not answer, and ``EasopsError`` if it cannot be used.
    """

    def close(self) -> None: ...

    def add(self, run: Run) -> None:
        """Record a run that has not ended. One of its id that is there already stays as it is."""
        ...

    def update(self, run_id: str, **values: Any) -> None:
        """Set attributes of a run: ended, status, unfinished, closed, attempts, document, targets. A time is given in
        ISO format, *document* and *targets* as JSON text."""
        ...

    def end(self, run_id: str, status: str, ended: dt.datetime, *, unfinished: bool) -> None:
        """Record that a run has ended, at the time *ended*."""
        ...

    def get(self, run_id: str) -> Run:
        """The run of that id, or the only run whose id begins so. Raises BadInput."""
        ...

    def runs(self) -> tuple[Run, ...]:
        """All runs, the newest first."""
        ...

    def write(self, run_id: str, kind: EntryKind, key: str, body: Json) -> None:
        """Write an entry. It replaces one of the same kind and key; but an intent (to change something, or to send a
        notice) stays as it was first written."""
        ...

    def entries(self, run_id: str, *kinds: EntryKind) -> tuple[Entry, ...]:
        """The run's entries of these kinds (without *kinds*: all), in the order in which they were first written."""
        ...

    def keep_steps(self, run_id: str, keys: Sequence[str]) -> None:
        """Delete the results of all steps but those of these keys."""
        ...

    def forget(self, run_ids: list[str]) -> None:
        """Delete runs with their entries."""
        ...
