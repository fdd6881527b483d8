"""Ends a process with SIGKILL at one moment of one change of its run.

The kill is in wrappers around the engine's functions, here in the tests: the product has no hook for it.
"""

from __future__ import annotations

import itertools
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, Final, Literal
from unittest.mock import patch

from dbos import DBOS

from easops.actions.change import Change, ChangeOutcome, Comparison, WriteSkipped
from easops.actions.perform import perform
from easops.context import Context
from easops.errors import EasopsError
from easops.playbook.execution.apply_changes import apply_job
from easops.playbook.execution.durable_step import durable_step
from easops.playbook.execution.execution import Execution
from easops.playbook.execution.target_workflow import claim
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
    """Within the block *stepping* is called in place of ``durable_step``."""
    with ExitStack() as stack:
        for module in ("durable_effects", "durable_changes", "target_workflow"):
            stack.enter_context(patch(f"{_EXECUTION}.{module}.durable_step", stepping))
        yield


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

    def stepping(name: str, call: Callable[[], Any]) -> Any:
        if name not in (f"{change}.intent", f"{change}.change"):
            if holding_others and name.endswith(".intent"):
                never_going_on()
            return durable_step(name, call)
        intent = name.endswith(".intent")
        if intent and moment == "before-intent":
            end()
        value = durable_step(name, call if intent else lambda: carrying(call))
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

    def claiming(execution: Execution, job: Job) -> Any:
        handle = claim(execution, job)
        wanted = change.startswith(f"{job.key}.{job.target}.")
        if moment == "enqueued" and wanted is not holding_others:
            end()
        if moment == "child-ended" and wanted and not isinstance(handle, tuple):
            return _Unheard(handle.workflow_id, end)
        return handle

    def beginning(*arguments: Any) -> Any:
        if moment == "enqueued":  # the queue may be as quick as the kill
            never_going_on()
        return apply_job(*arguments)

    with (
        _steps_replaced(stepping),
        patch(f"{_EXECUTION}.durable_changes.perform", performing),
        patch(f"{_EXECUTION}.target_workflow.apply_job", beginning),
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
        value = durable_step(name, (lambda: done(call)) if at == number and when == "done" else call)
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
            return durable_step(here, call)
        if when == "before":
            die()
        value = durable_step(here, (lambda: done(call)) if when == "done" else call)
        die()
        return value

    def done(call: Callable[[], Any]) -> Any:
        value = call()
        die()
        return value

    with _steps_replaced(stepping):
        yield


class _Unheard:
    """The handle of a child workflow; the process ends before anybody gets its result."""

    def __init__(self, workflow_id: str, end: Callable[[], None]) -> None:
        self.workflow_id, self._end = workflow_id, end

    def get_result(self, **more: Any) -> Any:
        # A thread of its own is outside of the parent's workflow, so that the engine keeps nothing of this.
        waiting = threading.Thread(target=lambda: DBOS.retrieve_workflow(self.workflow_id).get_result(**more))
        waiting.start()
        waiting.join()
        self._end()
