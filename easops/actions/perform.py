"""Carrying out a change, and deciding by reading what came of one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from easops.actions.change import Change, ChangeOutcome, Comparison, State, WriteSkipped, drift
from easops.actions.sent import LANDS_WITHIN, Sent
from easops.actions.state_words import state_words
from easops.clock import Waiting
from easops.context import Context
from easops.errors import Abandoned, CommandFailed, EasopsError, OutcomeUnknown, UnreachableHost
from easops.status import Status

SETTLE_WAIT: Final = 4.0
"""Seconds between the reads that settle an outcome: the server may still be working on the command."""

_NO_ANSWER: Final = "found as wanted after no answer had come; somebody else may have done the same"
_SENT_EARLIER: Final = "found as wanted after the process that sent it had ended; somebody else may have done the same"


def perform(
    change: Change, context: Context, *, sent: Sent | None = None, guard: Callable[[], None] = lambda: None
) -> ChangeOutcome:
    """Carry out *change*: read, write only what differs, read back, prove. Raises no EasopsError.

    Args:
        sent: the same change as an earlier process of this run sent it, or may have sent it; None if none did. It is
            read until it shows, or is over: only then it may be sent again, and what cannot be read is ``unknown``.
            Without it, finding *after* means that somebody else made the change (``ok``), and finding neither *before*
            nor *after* is drift, and refused.
        guard: is called just before the write; what it raises is not caught.
    """
    if sent is not None:
        earlier = conclude(change, context, sent)
        if earlier.status is not Status.FAILED:
            return attrs.evolve(earlier, reason=earlier.reason or _SENT_EARLIER)
        return _written(change, context, earlier.found, guard)
    try:
        state = change.read(context)
    except EasopsError as error:
        return ChangeOutcome(_read_failed(error), error.with_next_step)
    comparison = change.compare(state)
    if comparison is Comparison.AFTER:
        return ChangeOutcome(Status.OK, "already as wanted", state)
    if comparison is Comparison.NEITHER:
        return ChangeOutcome(Status.REFUSED, drift(change, state), state)
    return _written(change, context, state, guard)


def settle(change: Change, context: Context, sent: Sent) -> ChangeOutcome:
    """Decide by reading whether a change that was sent has happened: changed, failed (not done), or still unknown.

    Reads until it shows. As long as it may still be carried out, the state as before does not mean "not done".
    """
    return _read_until_over(change, context, sent.may_show_for(change.visible_within, context.clock))


def conclude(change: Change, context: Context, sent: Sent) -> ChangeOutcome:
    """As ``settle``; a change that has happened is proved once more, and then has no reason."""
    outcome = settle(change, context, sent)
    return _proved(change, context, outcome.found) if outcome.status is Status.CHANGED else outcome


def _written(change: Change, context: Context, state: State, guard: Callable[[], None]) -> ChangeOutcome:
    """Write *change*, whose *state* was just read as it was before."""
    guard()
    served_by: list[str] = []
    outcome = _write(change, context, state, served_by)
    return attrs.evolve(outcome, served_by="".join(served_by))


def _write(change: Change, context: Context, state: State, served_by: list[str]) -> ChangeOutcome:
    began = context.clock.monotonic()
    try:
        try:
            change.write(context)
        finally:
            if not hasattr(change, "host"):  # the other changes are made through the organisation
                served_by.append(context.organisation.served_by)
    except WriteSkipped as reason:
        return ChangeOutcome(Status.SKIPPED, str(reason), state)
    except UnreachableHost as error:
        return ChangeOutcome(Status.UNREACHABLE, error.with_next_step, state)
    except CommandFailed as error:
        # A cmdlet that reports an error may have written before it did: only a read can decide. But it is over.
        return _after_error(change, context, error, 0.0)
    except OutcomeUnknown as error:
        # An attempt that reached nobody is repeated: what broke may have been sent just now. A call that was given up
        # at its deadline stays unknown anyway, if no effect shows.
        passed = context.clock.monotonic() - began if isinstance(error, Abandoned) else 0.0
        return _after_error(change, context, error, LANDS_WITHIN + change.visible_within - passed)
    except EasopsError as error:
        return ChangeOutcome(Status.FAILED, error.with_next_step, state)
    return _read_back(change, context)


def _read_failed(error: EasopsError) -> Status:
    # Nothing was sent yet, so a read without an answer leaves no outcome unknown.
    return Status.UNREACHABLE if isinstance(error, UnreachableHost | OutcomeUnknown) else Status.FAILED


def _after_error(change: Change, context: Context, error: EasopsError, seconds: float) -> ChangeOutcome:
    """The outcome of a write that ended with *error*, and that may show for *seconds* more."""
    outcome = _read_until_over(change, context, seconds)
    if outcome.status is Status.CHANGED:
        proved = _proved(change, context, outcome.found)
        return proved if isinstance(error, CommandFailed) else attrs.evolve(proved, reason=proved.reason or _NO_ANSWER)
    if outcome.status is Status.FAILED and isinstance(error, Abandoned):
        # Abandoned: the server took longer than the deadline, and may still get to it.
        return attrs.evolve(outcome, status=Status.UNKNOWN, reason=f"{error}; so far the state is as before")
    if outcome.status is Status.FAILED and isinstance(error, CommandFailed):
        return attrs.evolve(outcome, reason=str(error))
    return attrs.evolve(outcome, reason=f"{error}; {outcome.reason}")


def _read_until_over(change: Change, context: Context, seconds: float) -> ChangeOutcome:
    """What reads show of a change that was sent: changed as soon as it shows; failed or unknown after *seconds*."""
    clock = context.clock
    began = clock.monotonic()
    while True:
        passed = clock.monotonic() - began  # before the read: only one that begins afterwards shows that it is not done
        outcome = _shown(change, context)
        if outcome.status is Status.CHANGED or passed >= seconds:
            return outcome
        context.progress(Waiting(f"waiting until {change.subject} shows what became of the change", passed, seconds))
        clock.sleep(min(SETTLE_WAIT, seconds - passed))


def _shown(change: Change, context: Context) -> ChangeOutcome:
    """What one read shows of a change that was sent."""
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
    # It was written: somebody may have changed it since, or another domain controller has answered.
    return ChangeOutcome(Status.VERIFY_FAILED, reason, state)


def _proved(change: Change, context: Context, state: State) -> ChangeOutcome:
    try:
        missing = change.prove(context)
    except EasopsError as error:
        missing = f"done, but the proof could not be read: {error}"
    return ChangeOutcome(Status.VERIFY_FAILED if missing else Status.CHANGED, missing, state)
