"""A change: its intent, its write, its read-back, and how it is undone.

A change is a value that is stored before anything is sent, so that a run killed at any moment knows what it may have
done: whoever comes later reads the server and compares with *before* and *after*.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final, Protocol

import attrs

from easops.clock import Waiting, readable_time
from easops.context import Context
from easops.errors import Abandoned, CommandFailed, EasopsError, OutcomeUnknown, UnreachableHost
from easops.status import Status

State = Any
"""What a change reads of the world: a plain JSON value."""


class Standing(enum.Enum):
    """How the world stands to a change."""

    BEFORE = "before"
    AFTER = "after"
    OTHER = "other"


class LeftAlone(Exception):
    """Raised by a write that finds that it must not be done after all; the text says why. No failure."""


class Change(Protocol):
    """One change to one thing. Implementations are frozen attrs classes of JSON values, listed in CHANGES."""

    kind: ClassVar[str]

    @property
    def subject(self) -> str:
        """What is changed, in words: ``throttling policy of anna@contoso.example``."""
        ...

    @property
    def rests_on(self) -> str:
        """The subject of the change that this one rests on, in whichever run it was made: put back, it may be the last
        that did. Empty where it rests on none."""
        ...

    @property
    def before(self) -> State: ...

    @property
    def after(self) -> State: ...

    @property
    def undo(self) -> str:
        """``exact``, or ``none (why)``."""
        ...

    @property
    def patience(self) -> float:
        """Seconds that may go by until a write that was taken shows: 0 for a value, which reads back at once."""
        ...

    def read(self, context: Context) -> State:
        """What is there now; also the read that settles an unknown outcome. Changes nothing."""
        ...

    def standing(self, state: State) -> Standing: ...

    def write(self, context: Context) -> None:
        """Send it, once. Raises LeftAlone where the server shows that it must stay as it is."""
        ...

    def inverse(self) -> Change | None:
        """The change that puts *before* back; None where it cannot be undone."""
        ...

    def prove(self, context: Context) -> str:
        """What has to come about after it was read back, or a sentence on why it did not; empty when all is well."""
        ...


@attrs.frozen
class ChangeOutcome:
    """What came of one change; *found* is what the last read gave, *rule* is ``approval`` where it was refused for want
    of one."""

    status: Status
    reason: str = ""
    found: State = None
    rule: str = ""


SETTLE_READS: Final = 3
SETTLE_WAIT: Final = 4.0
"""Seconds between the reads that settle an outcome: the server may still be at it."""


def perform(
    change: Change, context: Context, *, resumed: bool = False, guard: Callable[[], None] = lambda: None
) -> ChangeOutcome:
    """Carry out *change*: read, write only what differs, read back, prove. Raises nothing of ``EasopsError``.

    *resumed* says that another process stored the intent: finding *after* then means that it was sent
    (``changed``), while in the process that stored it somebody else did it (``ok``). Finding neither *before* nor
    *after* is drift, and refused. *guard* is called just before the write; what it raises goes through.
    """
    try:
        state = change.read(context)
    except EasopsError as error:
        return ChangeOutcome(_read_failed(error), str(error))
    standing = change.standing(state)
    if standing is Standing.AFTER:
        if not resumed:
            return ChangeOutcome(Status.OK, "it is so already", state)
        return _proven(change, context, state)
    if standing is Standing.OTHER:
        return ChangeOutcome(Status.REFUSED, drift(change, state), state)
    guard()
    try:
        change.write(context)
    except LeftAlone as reason:
        return ChangeOutcome(Status.SKIPPED, str(reason), state)
    except OutcomeUnknown as error:
        return _settled(change, context, error)
    except UnreachableHost as error:
        return ChangeOutcome(Status.UNREACHABLE, str(error), state)
    except CommandFailed as error:
        # A cmdlet that failed may have written: only a read tells.
        return _settled(change, context, error)
    except EasopsError as error:
        return ChangeOutcome(Status.FAILED, str(error), state)
    return _read_back(change, context)


def settle(change: Change, context: Context) -> ChangeOutcome:
    """Decide by reading whether a change whose outcome is not known has happened."""
    try:
        state = change.read(context)
    except EasopsError as error:
        return ChangeOutcome(Status.UNKNOWN, str(error))
    standing = change.standing(state)
    if standing is Standing.AFTER:
        return ChangeOutcome(Status.CHANGED, "found by reading", state)
    if standing is Standing.BEFORE:
        return ChangeOutcome(Status.FAILED, "not done: it is as it was before", state)
    return ChangeOutcome(Status.UNKNOWN, drift(change, state), state)


def conclude(change: Change, context: Context) -> ChangeOutcome:
    """As ``settle``, and where it has happened, prove it once more."""
    outcome = settle(change, context)
    return _proven(change, context, outcome.found) if outcome.status is Status.CHANGED else outcome


def drift(change: Change, state: State) -> str:
    """The sentence on a state that is neither before nor after."""
    return f"{change.subject} is {words(state)}, neither {words(change.before)} nor {words(change.after)}"


def names(*states: Mapping[str, State]) -> list[str]:
    """The names of the values of *states*, in one order wherever they come from (a record has them sorted): the policy
    first, since the others are its own."""
    return sorted({name for state in states for name in state}, key=lambda name: (name != "policy", name))


def words(state: State) -> str:
    """A state as a person reads it."""
    if state is None:
        return "none"
    if isinstance(state, bool):
        return "on" if state else "off"
    if isinstance(state, dict):
        return ", ".join(f"{name} {words(state[name])}" for name in names(state) if state[name] is not None) or "none"
    if isinstance(state, list | tuple):
        return ", ".join(words(item) for item in state) or "none"
    return readable_time(state) if isinstance(state, str) else str(state)


def _read_failed(error: EasopsError) -> Status:
    # Nothing was sent yet, so even a read without an answer leaves nothing unknown.
    return Status.UNREACHABLE if isinstance(error, UnreachableHost | OutcomeUnknown) else Status.FAILED


def _settled(change: Change, context: Context, error: EasopsError) -> ChangeOutcome:
    refused = isinstance(error, CommandFailed)
    ends = context.clock.monotonic() + (0.0 if refused else max(change.patience, SETTLE_WAIT * (SETTLE_READS - 1)))
    while True:
        outcome = settle(change, context)
        if outcome.status is Status.CHANGED:
            return _proven(change, context, outcome.found)
        if context.clock.monotonic() >= ends:
            break
        context.clock.sleep(SETTLE_WAIT)
    if outcome.status is Status.FAILED and isinstance(error, Abandoned):
        return attrs.evolve(outcome, status=Status.UNKNOWN, reason=f"{error}; it is as it was before, so far")
    if outcome.status is Status.FAILED:
        return attrs.evolve(outcome, reason=str(error) if refused else f"{error}; {outcome.reason}")
    return attrs.evolve(outcome, reason=f"{error}; {outcome.reason}")


def _read_back(change: Change, context: Context) -> ChangeOutcome:
    began = context.clock.monotonic()
    ends = began + change.patience
    while True:
        try:
            state = change.read(context)
        except EasopsError as error:
            return ChangeOutcome(Status.UNKNOWN, f"written, but it could not be read back: {error}")
        if change.standing(state) is Standing.AFTER:
            return _proven(change, context, state)
        if context.clock.monotonic() >= ends:
            break
        told = f"waiting until {change.subject} shows the change"
        context.progress(Waiting(told, context.clock.monotonic() - began, change.patience))
        context.clock.sleep(SETTLE_WAIT)
    told = f"the server took it, and reads back {words(state)}"
    # What takes its time may still come about: it is not proven undone.
    return ChangeOutcome(Status.VERIFY_FAILED if change.patience else Status.FAILED, told, state)


def _proven(change: Change, context: Context, state: State) -> ChangeOutcome:
    try:
        missing = change.prove(context)
    except EasopsError as error:
        missing = f"done, but the proof could not be read: {error}"
    return ChangeOutcome(Status.VERIFY_FAILED if missing else Status.CHANGED, missing, state)
