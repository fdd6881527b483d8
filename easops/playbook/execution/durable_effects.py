"""The interpreter's effects, made durable: a resumed run goes the same way and does nothing twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from easops.actions.outcome import ItemOutcome
from easops.playbook.execution.claim import claim
from easops.playbook.execution.durable_step import durable_step
from easops.playbook.execution.execution import Execution, now
from easops.playbook.execution.journal import Journal
from easops.playbook.record.approval_use import use_up
from easops.playbook.steps.approval_request import Approval, Verdict
from easops.playbook.steps.codec import Json, from_json, to_json
from easops.playbook.steps.effects import Job, Preview
from easops.playbook.steps.step_result import StepResult
from easops.status import PROBLEMS

T = TypeVar("T")


class DurableEffects:
    """``Effects`` (``easops.playbook.steps.effects``) of which each is a step of the journal of the run's attempt."""

    checking = False

    def __init__(self, execution: Execution, journal: Journal) -> None:
        self._execution, self._journal = execution, journal

    def _once(self, name: str, call: Callable[[], Json]) -> Json:
        return durable_step(self._execution, self._journal, name, call)

    def once(self, key: str, kind: type[T], read: Callable[[], T]) -> T:
        self._execution.at_boundary()
        return from_json(self._once(key, lambda: to_json(read())), kind)

    def ask(self, preview: Preview) -> bool:
        execution = self._execution
        execution.at_boundary()

        def answer() -> bool:
            confirmed = execution.confirm(preview)
            execution.store.write(execution.run_id, "answer", "confirm", {"step": preview.step, "yes": confirmed})
            return confirmed

        return bool(self._once("confirm", answer))

    def approval(self, key: str, step: str, request: Approval) -> Verdict:
        execution = self._execution
        execution.at_boundary()

        def use() -> Json:
            run = execution.store.get(execution.run_id)
            return to_json(use_up(execution.store, run, execution.attempt_id, step, request, now()))

        return from_json(self._once(f"{key}.use", use), Verdict)

    def apply(self, jobs: Sequence[Job], at_once: int) -> list[tuple[Job, tuple[ItemOutcome, ...]]]:
        """Each job is a child of its own. Their results are taken in the order in which they were started, whichever
        ends first, because a replay has to go the same way."""
        execution = self._execution
        results: list[tuple[Job, tuple[ItemOutcome, ...]]] = []
        started: list[tuple[Job, str | tuple[ItemOutcome, ...]]] = []
        left = list(jobs)
        failed = False
        while left or started:
            while left and len(started) < max(1, at_once) and not failed:
                job = left.pop(0)
                started.append((job, claim(execution, self._journal, job)))
            if not started:
                break
            job, claimed = started.pop(0)
            if isinstance(claimed, str):
                items = from_json(self._journal.result(claimed), tuple[ItemOutcome, ...])
            else:
                items = claimed
            results.append((job, items))
            failed = failed or any(item.status in PROBLEMS for item in items)
        return results

    def finished(self, result: StepResult) -> None:
        execution = self._execution
        execution.store.write(execution.run_id, "step", result.key, to_json(result))
        execution.observer.finished(result)
