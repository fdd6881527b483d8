"""What an approval is asked for: the planned changes, their digest, and how they differ from others."""

from __future__ import annotations

import datetime as dt
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from easops.actions.state_words import state_words, value_names
from easops.playbook.language.model import By
from easops.playbook.steps.codec import dumps, to_json
from easops.playbook.steps.identity import Person

RULE: Final = "approval"
"""The rule that refuses what was not approved, or is not any more."""


@attrs.frozen
class PlannedChange:
    """One item that a step is to change: *step* is its number, *host* that of its ``each_host``, *target* the host or
    the organisation as people call it, *subject* what is changed, in words, *mailbox* a Guid; *undo* is ``exact``, or
    why there is none. *effective* says when it takes effect, and what that may do to a user: words, and no part of
    the digest."""

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
        """What it changes, whatever is there."""
        return (self.step, self.host, self.action, self.target, self.item, self.subject)


@attrs.frozen
class Foreseen:
    """What the steps behind an approval would change, up to the next one; *problem* is why that cannot be told whole,
    with the status of the step that it comes from."""

    changes: tuple[PlannedChange, ...]
    problem: str = ""
    status: str = ""


@attrs.frozen
class Approval:
    """What an approval step asks for, and who agreed to it, where somebody has.

    *told* is what the approver is told. *until* is the time until when it may be approved; once it is, until when
    that stands. Neither *told* nor a time is in the *digest*.
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
    """What is known of an approval: *approved_by* is None where none stands; *void* says why one that was given does
    not, or is empty."""

    until: dt.datetime
    asked_by: tuple[Person, ...]
    approved_by: Person | None = None
    void: str = ""


def digest_of(changes: Iterable[PlannedChange]) -> str:
    """SHA-256 (hexadecimal) over the canonical JSON of the changes, sorted: a step takes its items most hits first, and
    who comes first is no part of the plan."""
    text = "\n".join(sorted(_canonical(change) for change in changes))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def others(changes: Sequence[PlannedChange], approved: Sequence[PlannedChange]) -> dict[str, str]:
    """Of *changes* those that are not among *approved*: by item, how each differs, in words."""
    known = {_canonical(change) for change in approved}
    by_place = {change.place: change for change in approved}
    return {
        change.item: _difference(change, by_place.get(change.place))
        for change in changes
        if _canonical(change) not in known
    }


def differences(changes: Sequence[PlannedChange], approved: Sequence[PlannedChange]) -> str:
    """How a plan differs from the approved one, in words; empty where it does not."""
    told = [f"{item}: {how}" for item, how in others(changes, approved).items()]
    left = {change.place for change in changes}
    told += [f"{change.item}: not planned any more" for change in approved if change.place not in left]
    return "; ".join(told)


def _canonical(change: PlannedChange) -> str:
    return dumps({name: value for name, value in to_json(change).items() if name != "effective"})


def _difference(change: PlannedChange, approved: PlannedChange | None) -> str:
    if approved is None:
        return f"was not in the plan that was approved ({change.action})"
    if change.mailbox != approved.mailbox:
        return "is another mailbox than the one that was approved"
    return f"is planned as {_said(change, approved)}; approved was {_said(approved, change)}"


def _said(change: PlannedChange, other: PlannedChange) -> str:
    """``policy Other -> ours``: of several values those that the two plans do not share."""
    before, after = change.before, change.after
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        differ = [
            name
            for name in value_names(before)
            if before[name] != _at(other.before, name) or after.get(name) != _at(other.after, name)
        ]
        before, after = ({name: held.get(name) for name in differ or held} for held in (before, after))
    return f"{state_words(before)} -> {state_words(after)}"


def _at(held: Any, name: str) -> Any:
    return held.get(name) if isinstance(held, Mapping) else None
