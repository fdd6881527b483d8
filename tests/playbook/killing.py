"""Ends a process with SIGKILL at one moment of one change of its run.

The kill is in wrappers around the engine's functions, here in the tests: the product has no hook for it.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, Final, Literal
from unittest.mock import patch

from dbos import DBOS

from easops.actions.change import Change, ChangeOutcome, Comparison, WriteSkipped
from easops.actions.perform import perform
from easops.context import Context
from easops.errors import EasopsError
from easops.playbook.execution.apply_changes import apply_job
from easops.playbook.execution.claim import claim
from easops.playbook.execution.dbos_journal import DbosJournal
from easops.playbook.execution.execution import Execution
from easops.playbook.steps.effects import Job

MOMENTS: Final[Mapping[str, str]] = {
    "enqueued": "its child is in the queue and has not begun",
    "before-intent": "its child has begun, no intent is recorded",
    "after-intent": "the intent is recorded, nothing is sent",
    "acted": "the server has acted, nobody has heard its answer",
    "recorded": "the record has the outcome, the engine has not",
    "committed": "the engine has the outcome too",
    "child-ended": "its child has ended, the parent has not heard",
}
"""The moments in the order of time, and how far the run is then."""


When = Literal["before", "done", "after", "acted"]


_EXECUTION: Final = "easops.playbook.execution"


@contextmanager
def _steps_replaced(stepping: Callable[[str, Callable[[], Any]], Any]) -> Iterator[None]:
    """Within the block *stepping* is called in place of the journal's ``step``."""
    with patch.object(DbosJournal, "step", lambda journal, name, call: stepping(name, call)):
        yield


def _stepped(name: str, call: Callable[[], Any]) -> Any:
    return DBOS.run_step({"name": name}, call)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def never_going_on() -> None:
    threading.Event().wait()


@contextmanager
def killed_at(
    moment: str, change: str, end: Callable[[], None] = die, *, holding_others: bool = False
) -> Iterator[None]:
    """Within the block *end*, which does not come back, is called at that moment of the change whose key is *change*
    (``STEP.TARGET.ITEM.NUMBER``).

    With *holding_others* the changes of other targets, queued after it and made at the same time, wait before their
    intents; and ``enqueued`` is when they are in the queue too.
    """
    here = threading.local()
    unheard: list[str] = []
    result = DbosJournal.result

    def stepping(name: str, call: Callable[[], Any]) -> Any:
        if name not in (f"{change}.intent", f"{change}.change"):
            if holding_others and name.endswith(".intent"):
                never_going_on()
            return _stepped(name, call)
        intent = name.endswith(".intent")
        if intent and moment == "before-intent":
            end()
        value = _stepped(name, call if intent else lambda: carrying(call))
        if (intent and moment == "after-intent") or (not intent and moment == "committed"):
            end()
        return value

    def carrying(call: Callable[[], Any]) -> Any:
        here.wanted = True
        try:
            value = call()
        finally:
            here.wanted = False
        if moment == "recorded":
            end()
        return value

    def performing(made: Change, context: Context, **more: Any) -> ChangeOutcome:
        if moment == "acted" and getattr(here, "wanted", False):
            more["guard"]()
            made.write(context)
            end()
        return perform(made, context, **more)

    def claiming(execution: Execution, journal: DbosJournal, job: Job) -> Any:
        claimed = claim(execution, journal, job)
        wanted = change.startswith(f"{job.key}.{job.target}.")
        if moment == "enqueued" and wanted is not holding_others:
            end()
        if moment == "child-ended" and wanted and isinstance(claimed, str):
            unheard.append(claimed)
        return claimed

    def hearing(journal: DbosJournal, child_id: str) -> Any:
        if child_id in unheard:
            _wait_for(child_id)
            end()
        return result(journal, child_id)

    def beginning(*arguments: Any) -> Any:
        if moment == "enqueued":  # the queue may be as quick as the kill
            never_going_on()
        return apply_job(*arguments)

    with (
        _steps_replaced(stepping),
        patch(f"{_EXECUTION}.durable_changes.perform", performing),
        patch(f"{_EXECUTION}.dbos_journal.apply_job", beginning),
        patch.object(DbosJournal, "result", hearing),
        patch(f"{_EXECUTION}.durable_effects.claim", claiming),
    ):
        yield


@contextmanager
def ended_at_step(number: int, when: When, end: Callable[[], None] = die) -> Iterator[None]:
    """Within the block *end* is called at the *number*-th of the engine's steps, counted from 0: before it, when it is
    done and not committed, after it, or when the first change from there on has been made and nobody has heard of it.
    A run of fewer steps comes to its end."""
    counting, mutex = itertools.count(), threading.Lock()
    local = threading.local()

    def stepping(name: str, call: Callable[[], Any]) -> Any:
        with mutex:
            at = next(counting)
        local.late = at >= number
        if at == number and when == "before":
            end()
        value = _stepped(name, (lambda: done(call)) if at == number and when == "done" else call)
        if at == number and when == "after":
            end()
        return value

    def done(call: Callable[[], Any]) -> Any:
        value = call()
        end()
        return value

    def performing(made: Change, context: Context, **more: Any) -> ChangeOutcome:
        if when == "acted" and local.late and to_be_made(made, context):
            more["guard"]()
            with suppress(EasopsError, WriteSkipped):
                made.write(context)
            end()
        return perform(made, context, **more)

    def to_be_made(change: Change, context: Context) -> bool:
        try:
            return change.compare(change.read(context)) is Comparison.BEFORE
        except EasopsError:
            return False

    with _steps_replaced(stepping), patch(f"{_EXECUTION}.durable_changes.perform", performing):
        yield


@contextmanager
def ended_at_name(name: str, when: When) -> Iterator[None]:
    """Within the block the process is killed at the engine's step of that name: before it, when it is done and not
    committed, or after it."""

    def stepping(here: str, call: Callable[[], Any]) -> Any:
        if here != name:
            return _stepped(here, call)
        if when == "before":
            die()
        value = _stepped(here, (lambda: done(call)) if when == "done" else call)
        die()
        return value

    def done(call: Callable[[], Any]) -> Any:
        value = call()
        die()
        return value

    with _steps_replaced(stepping):
        yield


def _wait_for(child_id: str) -> None:
    """Wait until a child workflow has ended, and nobody has heard of it."""
    # A thread of its own is outside of the parent's workflow, so that the engine keeps nothing of this.
    waiting = threading.Thread(target=lambda: DBOS.retrieve_workflow(child_id).get_result())
    waiting.start()
    waiting.join()
