"""Carrying out a change, and deciding by reading what came of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from easops.actions.change import Change, ChangeOutcome, Comparison, State, WriteSkipped, drift
from easops.actions.state_words import state_words
from easops.clock import Waiting
from easops.context import Context
from easops.errors import Abandoned, CommandFailed, EasopsError, OutcomeUnknown, UnreachableHost
from easops.status import Status

SETTLE_READS: Final = 3
SETTLE_WAIT: Final = 4.0
"""Seconds between the reads that settle an outcome: the server may still be working on the command."""


def perform(
    change: Change, context: Context, *, resumed: bool = False, guard: Callable[[], None] = lambda: None
) -> ChangeOutcome:
    """Carry out *change*: read, write only what differs, read back, prove. Raises no EasopsError.

    Args:
        resumed: another process stored the intent. Finding *after* then means that it sent the change (``changed``);
            in the process that stored the intent itself, somebody else made the change (``ok``). Finding neither
            *before* nor *after* is drift, and refused.
        guard: is called just before the write; what it raises is not caught.
    """
    try:
        state = change.read(context)
    except EasopsError as error:
        return ChangeOutcome(_read_failed(error), str(error))
    comparison = change.compare(state)
    if comparison is Comparison.AFTER:
        if not resumed:
            return ChangeOutcome(Status.OK, "already as wanted", state)
        return _proved(change, context, state)
    if comparison is Comparison.NEITHER:
        return ChangeOutcome(Status.REFUSED, drift(change, state), state)
    guard()
    try:
        change.write(context)
    except WriteSkipped as reason:
        return ChangeOutcome(Status.SKIPPED, str(reason), state)
    except OutcomeUnknown as error:
        return _settled(change, context, error)
    except UnreachableHost as error:
        return ChangeOutcome(Status.UNREACHABLE, str(error), state)
    except CommandFailed as error:
        # A cmdlet that reports an error may have written before it did: only a read can decide.
        return _settled(change, context, error)
    except EasopsError as error:
        return ChangeOutcome(Status.FAILED, str(error), state)
    return _read_back(change, context)


def settle(change: Change, context: Context) -> ChangeOutcome:
    """Decide by reading whether a change of unknown outcome has happened: changed, failed, or still unknown."""
    try:
        state = change.read(context)
    except EasopsError as error:
        return ChangeOutcome(Status.UNKNOWN, str(error))
    comparison = change.compare(state)
    if comparison is Comparison.AFTER:
        return ChangeOutcome(Status.CHANGED, "a read shows that it was done", state)
    if comparison is Comparison.BEFORE:
        return ChangeOutcome(Status.FAILED, "not done: a read shows the state as before", state)
    return ChangeOutcome(Status.UNKNOWN, drift(change, state), state)


def conclude(change: Change, context: Context) -> ChangeOutcome:
    """As ``settle``; a change that has happened is proved once more."""
    outcome = settle(change, context)
    return _proved(change, context, outcome.found) if outcome.status is Status.CHANGED else outcome


def _read_failed(error: EasopsError) -> Status:
    # Nothing was sent yet, so a read without an answer leaves no outcome unknown.
    return Status.UNREACHABLE if isinstance(error, UnreachableHost | OutcomeUnknown) else Status.FAILED


def _settled(change: Change, context: Context, error: EasopsError) -> ChangeOutcome:
    """The outcome of a write that ended with *error*, by reading until it shows, or until it should have shown."""
    # A refused command is over: one read decides. A lost answer may belong to a command that the server still runs.
    refused = isinstance(error, CommandFailed)
    longest = 0.0 if refused else max(change.visible_within, SETTLE_WAIT * (SETTLE_READS - 1))
    ends = context.clock.monotonic() + longest
    while True:
        outcome = settle(change, context)
        if outcome.status is Status.CHANGED:
            return _proved(change, context, outcome.found)
        if context.clock.monotonic() >= ends:
            break
        context.clock.sleep(SETTLE_WAIT)
    if outcome.status is Status.FAILED and isinstance(error, Abandoned):
        # Abandoned: the call's deadline passed and it may still run, so "as before" is not yet "not done".
        return attrs.evolve(outcome, status=Status.UNKNOWN, reason=f"{error}; so far the state is as before")
    if outcome.status is Status.FAILED:
        return attrs.evolve(outcome, reason=str(error) if refused else f"{error}; {outcome.reason}")
    return attrs.evolve(outcome, reason=f"{error}; {outcome.reason}")


def _read_back(change: Change, context: Context) -> ChangeOutcome:
    began = context.clock.monotonic()
    ends = began + change.visible_within
    while True:
        try:
            state = change.read(context)
        except EasopsError as error:
            return ChangeOutcome(Status.UNKNOWN, f"written, but it could not be read back: {error}")
        if change.compare(state) is Comparison.AFTER:
            return _proved(change, context, state)
        if context.clock.monotonic() >= ends:
            break
        subject = f"waiting until {change.subject} shows the change"
        context.progress(Waiting(subject, context.clock.monotonic() - began, change.visible_within))
        context.clock.sleep(SETTLE_WAIT)
    reason = f"the server accepted it, but reads back {state_words(state)}"
    # A change that needs time to show may still show: it is not proved that it was not done.
    return ChangeOutcome(Status.VERIFY_FAILED if change.visible_within else Status.FAILED, reason, state)


def _proved(change: Change, context: Context, state: State) -> ChangeOutcome:
    try:
        missing = change.prove(context)
    except EasopsError as error:
        missing = f"done, but the proof could not be read: {error}"
    return ChangeOutcome(Status.VERIFY_FAILED if missing else Status.CHANGED, missing, state)
