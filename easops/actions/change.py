"""A change: what it writes, how its state is read back and compared, and how it is undone.

A change is a value that is stored before anything is sent. A run that was killed at any moment therefore knows what it
may have done: whoever continues reads the server and compares the state with *before* and *after*.
"""

from __future__ import annotations

import enum
from typing import Any, ClassVar, Protocol

import attrs

from easops.actions.state_words import state_words
from easops.context import Context
from easops.status import Status

State = Any
"""What a change reads from a server: a plain JSON value."""


class Comparison(enum.Enum):
    """Which state of a change a server is in: the one before, the one after, or neither."""

    BEFORE = "before"
    AFTER = "after"
    NEITHER = "neither"


class WriteSkipped(Exception):
    """Raised by a write that finds that it must not be done after all; the text says why. It is not a failure."""


class Change(Protocol):
    """One change to one thing. Implementations are frozen attrs classes of JSON values, listed in CHANGES."""

    kind: ClassVar[str]

    @property
    def subject(self) -> str:
        """What is changed, in words: ``throttling policy of anna@contoso.example``."""
        ...

    @property
    def depends_on(self) -> str:
        """The subject of the change that this one depends on, whichever run made that one; empty if on none.

        When this change is undone, it may have been the last that needed the other one.
        """
        ...

    @property
    def before(self) -> State:
        """The state that was read before the change. An undo restores it."""
        ...

    @property
    def after(self) -> State:
        """The state that the change writes."""
        ...

    @property
    def undo(self) -> str:
        """``exact``, or why it cannot be undone."""
        ...

    @property
    def waits_for_recycle(self) -> bool:
        """Whether it is in force only after a recycle of the application pools that serve the user."""
        ...

    @property
    def visible_within(self) -> float:
        """Seconds until an accepted write can be read back, at most: 0 for a value, which is visible at once."""
        ...

    def read(self, context: Context) -> State:
        """The current state; also the read that settles an unknown outcome. Changes nothing."""
        ...

    def compare(self, state: State) -> Comparison:
        """Which state of this change *state* is."""
        ...

    def write(self, context: Context) -> None:
        """Send it, once. Raises WriteSkipped if the server shows that it must stay as it is."""
        ...

    def inverse(self) -> Change | None:
        """The change that restores *before*; None if it cannot be undone."""
        ...

    def prove(self, context: Context) -> str:
        """Check, after the read-back, that the change has its effect. Empty if it has, else a sentence that says why
        it has not."""
        ...


@attrs.frozen
class ChangeOutcome:
    """The outcome of one change.

    *found* is the state that was read last; *rule* is ``approval`` if it was refused because it is not approved.
    *served_by* names the servers that took part in the write, where they say so.
    """

    status: Status
    reason: str = ""
    found: State = None
    rule: str = ""
    served_by: str = ""


def drift(change: Change, state: State) -> str:
    """The sentence for a state that is neither before nor after."""
    return (
        f"{change.subject} is {state_words(state)}, "
        f"neither {state_words(change.before)} nor {state_words(change.after)}"
    )
