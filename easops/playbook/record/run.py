"""A run as it is recorded, and the entries of its record."""

from __future__ import annotations

import datetime as dt
import secrets
from typing import Literal

import attrs

from easops.playbook.steps.codec import Json

RunKind = Literal["run", "do", "undo"]

EntryKind = Literal[
    "facts",
    "step",
    "intent",
    "sent",
    "outcome",
    "answer",
    "undone",
    "approval",
    "resumed",
    "stopped",
    "notice",
    "told",
]
"""``sent`` is written just before a change is sent, with the key of its intent; ``told`` is the outcome of a
``notice``. These words are in records, so they stay."""


def new_run_id() -> str:
    """An id that sorts by time and is easy to type: ``20261124-170000-abcd``."""
    return f"{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"


@attrs.frozen
class Run:
    """One execution of a playbook, as it is recorded.

    *document* is plain JSON: the playbook's text and source, the inputs, hosts, limit and lab, and the protocol and
    version of the engine. *targets* are the names that the run claims while it changes them. *status* is None until the
    run has ended. *unfinished* says that it ended with changing steps that were not done. *closed* is empty,
    ``abandoned``, ``undone by R``, or ``undone by R, abandoned before``.

    An attempt is one execution of its steps, and a workflow of the engine. *attempts* counts them: 0 for a run that was
    submitted and not started; each resume of a run that had ended adds one.
    """

    run_id: str
    kind: RunKind
    playbook: str
    document: Json
    targets: tuple[str, ...]
    started: dt.datetime
    ended: dt.datetime | None = None
    status: str | None = None
    unfinished: bool = False
    closed: str = ""
    attempts: int = 1

    @property
    def attempt_ids(self) -> tuple[str, ...]:
        """The ids of its attempts' workflows, the newest last."""
        return (self.run_id, *(f"{self.run_id}.{number}" for number in range(2, self.attempts + 1)))

    @property
    def waits(self) -> bool:
        """Whether it was submitted and not started yet."""
        return self.attempts == 0

    @property
    def lab(self) -> str | None:
        """The scenario, if it is a run in the built-in lab."""
        scenario = self.document.get("lab")
        return None if scenario is None else str(scenario)

    @property
    def inventory(self) -> str | None:
        """The inventory file that its hosts are from, where it is known."""
        hosts = self.document.get("hosts") or [{}]
        path = hosts[0].get("inventory")
        return None if path is None else str(path)

    @property
    def limit(self) -> str | None:
        """The selector that narrowed the playbook's hosts."""
        limit = self.document.get("limit")
        return None if limit is None else str(limit)


@attrs.frozen
class Entry:
    """One entry of a run's record. *key* tells it from the others of its kind."""

    kind: EntryKind
    key: str
    body: Json
    at: dt.datetime
