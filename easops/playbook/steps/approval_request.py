"""What an approval step asks for: the planned changes, their digest, and how they differ from other plans."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from easops.actions.state_words import state_words, value_names
from easops.identity import Person
from easops.playbook.language.model import By
from easops.playbook.steps.codec import dumps, to_json

RULE: Final = "approval"
"""The rule that refuses what is not approved, or no longer approved."""


@attrs.frozen
class PlannedChange:
    """One item that a step will change.

    *step* is the number of the step, *host* the host of its ``each_host``. *target* is the host or the organisation, as
    people call it, *subject* says in words what is changed. *mailbox* is a Guid. *undo* is ``exact``, or why it cannot
    be undone. *effective* says when the change takes effect and what it may mean for a user; it is not in the digest.
    """

    step: int
    host: str | None
    action: str
    target: str
    item: str
    subject: str
    mailbox: str | None
    before: Any
    after: Any
    undo: str
    effective: str = ""

    @property
    def place(self) -> tuple[int, str | None, str, str, str, str]:
        """What it changes, without the values."""
        return (self.step, self.host, self.action, self.target, self.item, self.subject)


@attrs.frozen
class Foreseen:
    """What the steps after an approval would change, up to the next approval. *problem* says why they cannot be planned
    completely; *status* is then the status of the step that cannot."""

    changes: tuple[PlannedChange, ...]
    problem: str = ""
    status: str = ""


@attrs.frozen
class Approval:
    """What an approval step asks for, and who approved it, if somebody has.

    *told* is the text that the approver reads. *until* is the time until which it can be approved; after that, the time
    until which the approval stays valid. *told* and the times are not in the *digest*.
    """

    told: str
    changes: tuple[PlannedChange, ...]
    digest: str
    by: By = "anyone"
    expires: dt.timedelta = dt.timedelta()
    asked_by: tuple[Person, ...] = ()
    until: dt.datetime | None = None
    approved_by: Person | None = None


@attrs.frozen
class Verdict:
    """The answer to a request. *approved_by* is None where there is no valid approval; if one was given and is not
    valid, *void* says why."""

    until: dt.datetime
    asked_by: tuple[Person, ...]
    approved_by: Person | None = None
    void: str = ""


def digest_of(changes: Iterable[PlannedChange]) -> str:
    """SHA-256 (hexadecimal) of the canonical JSON of the changes. They are sorted, since the order of the items depends
    on their hits, and an approver agrees to changes, not to their order."""
    text = "\n".join(sorted(_canonical(change) for change in changes))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def unapproved_changes(changes: Sequence[PlannedChange], approved: Sequence[PlannedChange]) -> dict[str, str]:
    """The *changes* that are not among *approved*: by item, how each of them differs, in words."""
    known = {_canonical(change) for change in approved}
    by_place = {change.place: change for change in approved}
    return {
        change.item: _difference(change, by_place.get(change.place))
        for change in changes
        if _canonical(change) not in known
    }


def differences(changes: Sequence[PlannedChange], approved: Sequence[PlannedChange]) -> str:
    """How a plan differs from the approved one, in words; empty where it does not."""
    texts = [f"{item}: {how}" for item, how in unapproved_changes(changes, approved).items()]
    planned = {change.place for change in changes}
    texts += [f"{change.item}: no longer planned" for change in approved if change.place not in planned]
    return "; ".join(texts)


def _canonical(change: PlannedChange) -> str:
    return dumps({name: value for name, value in to_json(change).items() if name != "effective"})


def _difference(change: PlannedChange, approved: PlannedChange | None) -> str:
    if approved is None:
        return f"was not in the approved plan ({change.action})"
    if change.mailbox != approved.mailbox:
        return "is not the mailbox that was approved"
    return f"is planned as {_change_words(change, approved)}; approved was {_change_words(approved, change)}"


def _change_words(change: PlannedChange, other: PlannedChange) -> str:
    """``policy Other -> ours``; where there are several values, only those in which the two plans differ."""
    before, after = change.before, change.after
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        differ = [
            name
            for name in value_names(before)
            if before[name] != _at(other.before, name) or after.get(name) != _at(other.after, name)
        ]
        before, after = ({name: values.get(name) for name in differ or values} for values in (before, after))
    return f"{state_words(before)} -> {state_words(after)}"


def _at(values: Any, name: str) -> Any:
    return values.get(name) if isinstance(values, Mapping) else None
