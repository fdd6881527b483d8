"""The engine: durable execution of a run. Only this module knows DBOS.

A run is a workflow that walks the steps; each target that is to be changed is a child workflow, and the claim on the
target is the child's deduplication id in one queue. Each DBOS step holds a plain JSON value, never an exception, and
is named after what it does, so that a replay that no longer fits raises instead of binding a wrong value.
PROTOCOL is raised whenever the order, the name or the shape of DBOS steps changes.
Source: docs/explanation/playbooks.md, "The engine".
"""

from __future__ import annotations

import datetime as dt
import functools
import json
import logging
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NoReturn, TypeVar

import attrs
from dbos import DBOS, DBOSConfig, Serializer, SetEnqueueOptions, SetWorkflowID, WorkflowHandle

from easops import errors
from easops.actions.change import Change, ChangeOutcome
from easops.actions.outcome import ItemOutcome
from easops.actions.perform import perform
from easops.clock import Waiting
from easops.context import Context
from easops.errors import EasopsError, Refused
from easops.playbook.assessment.open_run import settling_commands
from easops.playbook.execution.apply_changes import carry_out, host_time
from easops.playbook.execution.interrupted import Interrupted
from easops.playbook.record.approval import use_up
from easops.playbook.record.database import PATIENCE, DatabaseAway
from easops.playbook.record.run_store import Record
from easops.playbook.record.run_view import view_of
from easops.playbook.record.state_folder import RunLock, StateFolder
from easops.playbook.record.stored_run import looked_at
from easops.playbook.steps.approval_request import RULE, Approval, Verdict
from easops.playbook.steps.codec import Json, from_json, to_json
from easops.playbook.steps.effects import Job, Preview
from easops.playbook.steps.observer import Observer
from easops.playbook.steps.step_result import StepResult
from easops.remoting.retry import retry_for
from easops.status import EXIT_CODES, Status

PROTOCOL: Final = 1

_QUEUE: Final = "targets"
_POLL: Final = 0.05
_ASK_AGAIN: Final = 1.0
"""Seconds between two tries to claim a target that a live run holds."""
_ENDLESS: Final = 86_400.0
"""A wait of this many seconds is told as one without end: a person watches it, and stops it."""

_FINISH_IN: Final = 10.0
"""Seconds that a write in flight is given to end and be read back when the run is told to stop."""

_MARK_IN: Final = 3.0
"""Seconds that the database is given to take the mark that the run was stopped: whoever stopped it waits."""

_LOOK: Final = 1.0
"""Seconds between two looks at the run's lock, beside the one before each write."""

_BUG: Final = "easops.bug"

T = TypeVar("T")


class _Lapsed(Exception):
    """The approval that a change is sent under does not stand any more."""


def now() -> dt.datetime:
    """The time by this machine's clock, which approvals expire by, in the lab too: people give them."""
    return dt.datetime.now(dt.UTC)


class JsonSerializer(Serializer):
    """JSON, where the engine's default would pickle. An exception, which only a bug lets into a workflow's outcome,
    is kept as its traceback."""

    def serialize(self, data: Any) -> str:
        if isinstance(data, BaseException):
            data = {_BUG: "".join(traceback.format_exception(data))}
        return json.dumps(data, ensure_ascii=False, separators=(",", ":"))

    def deserialize(self, serialized_data: str) -> Any:
        data = json.loads(serialized_data)
        return RuntimeError(data[_BUG]) if isinstance(data, dict) and _BUG in data else data

    def name(self) -> str:
        return "easops_json"


@attrs.define
class Execution:
    """What the workflows of this process's one run work with; DBOS hands them names alone."""

    run_id: str
    walk_id: str
    record: Record
    state: StateFolder
    lock: RunLock
    context: Context
    observer: Observer
    confirm: Callable[[Preview], bool]
    wait: dt.timedelta
    main: Callable[[DurableHands], None]
    stop: threading.Event = attrs.field(factory=threading.Event)
    fresh: set[str] = attrs.field(factory=set)
    """The keys of the intents that this process stored itself."""
    begun: dt.datetime = attrs.field(factory=lambda: now())
    """When this process took the run up. An approval has to stand then, and when it is used; what the process goes on
    to send is part of that use."""
    why: EasopsError | None = None
    """Why it stops, where nobody stopped it."""
    writing: int = 0
    mutex: threading.Lock = attrs.field(factory=threading.Lock)

    def at_boundary(self) -> None:
        if self.stop.is_set():
            raise Interrupted

    def may_send(self) -> None:
        """Called just before each write. Raises Interrupted where the run is to stop, or is not ours any more."""
        self.at_boundary()
        try:
            ours = retry_for(self.lock.held, on=DatabaseAway, seconds=PATIENCE, stop=self.stop)
        except DatabaseAway as error:
            self.give_up(error)
        if not ours:
            self.give_up(self.lost())

    def may_send_under(self, until: dt.datetime | None) -> None:
        """As ``may_send``, under an approval that stands until then. Raises _Lapsed where it did not stand when this
        process began: another one, which died, has used it up."""
        self.may_send()
        if until is not None and until <= self.begun:
            raise _Lapsed(f"its approval expired {until:%Y-%m-%d %H:%M}Z, before the run was resumed")

    def lost(self) -> EasopsError:
        return Refused(
            f"run {self.run_id} is no longer executed here",
            "its lock is gone: another process may have taken the run over since",
            f"easops runs show {self.run_id} tells how far it is",
            rule="lock lost",
        )

    def give_up(self, why: EasopsError) -> NoReturn:
        """Stop the run: the database is away, so that nothing can be recorded, or the run is not ours any more."""
        self.why = self.why or why
        self.stop.set()
        raise Interrupted(why=why)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        with self.mutex:
            self.writing += 1
        try:
            yield
        finally:
            with self.mutex:
                self.writing -= 1


_running: Execution | None = None
"""The run of this process: DBOS is one a process, and so is a run."""


def _execution() -> Execution:
    assert _running is not None, "a workflow runs only while its run is executed"
    return _running


@DBOS.workflow(name="easops.run")
def _run_workflow(walk_id: str) -> str:
    execution = _execution()
    execution.main(DurableHands(execution))
    return walk_id


@DBOS.workflow(name="easops.target")
def _target_workflow(job: Json) -> Json:
    held = from_json(job, Job)
    return to_json(carry_out(held, _DurableChanges(_execution(), held.until)))


def _step(name: str, call: Callable[[], Json]) -> Json:
    """A DBOS step of that name: its JSON value, or the ``EasopsError`` that came of it, raised outside of it."""

    def outcome() -> Json:
        try:
            return {"value": call()}
        except DatabaseAway as error:
            _execution().give_up(error)
        except EasopsError as error:
            return {"error": [type(error).__name__, error.what, error.why, error.next_step, _extra(error)]}

    held = DBOS.run_step({"name": name}, outcome)
    if "error" in held:
        raise _error(*held["error"])
    return held["value"]


def _extra(error: EasopsError) -> dict[str, str]:
    return {name: getattr(error, name) for name in ("rule", "reason") if isinstance(getattr(error, name, None), str)}


def _error(kind: str, what: str, why: str, next_step: str, extra: dict[str, str]) -> EasopsError:
    held = getattr(errors, kind, errors.EasopsError)
    error: EasopsError = held(what, why, next_step, **extra)
    return error


class DurableHands:
    """Hands whose every touch is a step of the run's workflow (``easops.playbook.steps.effects.Effects``)."""

    checking = False

    def __init__(self, execution: Execution) -> None:
        self._execution = execution

    def once(self, key: str, kind: type[T], look: Callable[[], T]) -> T:
        self._execution.at_boundary()
        return from_json(_step(key, lambda: to_json(look())), kind)

    def ask(self, preview: Preview) -> bool:
        execution = self._execution
        execution.at_boundary()

        def answer() -> bool:
            given = execution.confirm(preview)
            execution.record.write(execution.run_id, "answer", "confirm", {"step": preview.step, "yes": given})
            return given

        return bool(_step("confirm", answer))

    def approval(self, key: str, step: str, asked: Approval) -> Verdict:
        execution = self._execution
        execution.at_boundary()

        def use() -> Json:
            held = execution.record.get(execution.run_id)
            return to_json(use_up(execution.record, held, execution.walk_id, step, asked, now()))

        return from_json(_step(f"{key}.use", use), Verdict)

    def apply(self, jobs: Sequence[Job], at_once: int) -> list[tuple[Job, tuple[ItemOutcome, ...]]]:
        """A child workflow for each job; they are waited for in the order they were started in, so that a replay
        goes the same way."""
        outcomes: list[tuple[Job, tuple[ItemOutcome, ...]]] = []
        open_: list[tuple[Job, WorkflowHandle[Json] | tuple[ItemOutcome, ...]]] = []
        left = list(jobs)
        ended_badly = False
        while left or open_:
            while left and len(open_) < max(1, at_once) and not ended_badly:
                job = left.pop(0)
                open_.append((job, self._started(job)))
            if not open_:
                break
            job, handle = open_.pop(0)
            if isinstance(handle, tuple):
                items = handle
            else:
                items = from_json(handle.get_result(polling_interval_sec=_POLL), tuple[ItemOutcome, ...])
            outcomes.append((job, items))
            ended_badly = ended_badly or any(EXIT_CODES[item.status] > 3 for item in items)
        return outcomes

    def finished(self, result: StepResult) -> None:
        execution = self._execution
        execution.record.write(execution.run_id, "step", result.key, to_json(result))
        execution.observer.finished(result)

    def _started(self, job: Job) -> WorkflowHandle[Json] | tuple[ItemOutcome, ...]:
        """The job's child workflow, once its target is ours; or its items, refused."""
        execution = self._execution
        child_id = f"{execution.walk_id}.{job.key}.{job.target}"
        began = time.monotonic()
        attempt = 0
        while True:
            execution.at_boundary()
            with (
                SetWorkflowID(child_id),
                SetEnqueueOptions(deduplication_id=job.target, duplication_policy="return-existing"),
            ):
                handle = DBOS.enqueue_workflow(_QUEUE, _target_workflow, to_json(job))
            if handle.workflow_id == child_id:
                return handle
            holder = handle.workflow_id.partition(".")[0]
            waited = time.monotonic() - began
            verdict = _step(f"{child_id}.claim.{attempt}", functools.partial(self._verdict, holder, waited))
            if verdict != "ask again":
                return tuple(_refused(job, verdict, i) for i in range(len(job.plans)))
            most = execution.wait.total_seconds()
            told = f"waiting for run {holder}, which is changing {job.target}"
            execution.observer.progress(Waiting(told, waited, most if most < _ENDLESS else None))
            time.sleep(_ASK_AGAIN)
            attempt += 1

    def _verdict(self, holder: str, waited: float) -> str:
        execution = self._execution
        held, alive = looked_at(execution.record.get(holder), execution.record, execution.state)
        if held.ended is None and not held.closed and not alive:
            commands = [command.command for command in settling_commands(view_of(held, execution.record))]
            return f"held by run {holder}, which died: {', or '.join(commands)}"
        if waited > execution.wait.total_seconds():
            return f"held by run {holder}, which is still at work after {waited:.0f} s"
        return "ask again"


def _refused(job: Job, reason: str, number: int) -> ItemOutcome:
    plan = job.plans[number]
    return ItemOutcome(plan.item, job.target, Status.REFUSED, reason, plan.before, plan.after, undo=plan.undo)


class _DurableChanges:
    """Changes whose intent is committed before anything is sent
    (``easops.playbook.execution.apply_changes.Durable``)."""

    def __init__(self, execution: Execution, until: dt.datetime | None) -> None:
        self._execution, self._until = execution, until

    def perform(self, key: str, change: Change) -> ChangeOutcome:
        execution = self._execution
        recorded = f"{execution.walk_id}/{key}"

        def intend() -> Json:
            body = {"change": to_json(change)}
            execution.record.write(execution.run_id, "intent", recorded, body)
            execution.fresh.add(key)
            return body

        def guard() -> None:
            try:
                execution.may_send_under(self._until)
            except Interrupted as stop:
                if stop.why is None and key in execution.fresh:
                    # Another process, which died, may have sent an older intent; this one is known not to be.
                    outcome = ChangeOutcome(Status.NOT_STARTED, "not sent: the run was stopped before")
                    execution.record.write(execution.run_id, "outcome", recorded, to_json(outcome))
                raise

        def carried() -> Json:
            try:
                outcome = perform(change, execution.context, resumed=key not in execution.fresh, guard=guard)
            except _Lapsed as lapsed:
                outcome = ChangeOutcome(Status.REFUSED, str(lapsed), rule=RULE)
            execution.record.write(execution.run_id, "outcome", recorded, to_json(outcome))
            return to_json(outcome)

        with execution.in_flight():  # from before the intent: who stops waits for what is said of it
            execution.at_boundary()
            _step(f"{key}.intent", intend)
            return from_json(_step(f"{key}.change", carried), ChangeOutcome)

    def moment(self, key: str, host: str) -> dt.datetime | None:
        held = _step(key, lambda: to_json(host_time(host, self._execution.context)))
        return None if held is None else dt.datetime.fromisoformat(held)


_alone: Final = threading.Lock()


@contextmanager
def alone() -> Iterator[None]:
    """Around a run, from before it is recorded: there is one at a time in a process, and one that is refused for that
    leaves no record. Whoever is interrupted keeps the place, since its threads may still be at it.

    Raises Refused.
    """
    if _running is not None or not _alone.acquire(blocking=False):
        which = f"run {_running.run_id}; " if _running is not None else ""
        raise Refused(
            "this process executes a run already",
            f"{which}the engine is one a process",
            "wait for it, or use a process of its own",
            rule="one run at a time",
        )
    try:
        yield
    except Exception:
        _alone.release()
        raise
    _alone.release()


def execute(execution: Execution) -> None:
    """Execute the run's workflow ``walk_id``, begun here or taken up where a dead process left it, to its end.

    To be called by who is ``alone``. Raises Interrupted (after the write in flight has ended, at most 10 s) where the
    run was told to stop by ``execution.stop``, or has to, as its lock or its database is gone.
    """
    global _running
    _running = execution
    try:
        DBOS(config=_config(execution))
        DBOS.launch()
        DBOS.register_queue(_QUEUE, polling_interval_sec=0.1, on_conflict="never_update")
        handle: WorkflowHandle[str]
        if DBOS.list_workflows(workflow_ids=[execution.walk_id]):
            handle = DBOS.retrieve_workflow(execution.walk_id)
        else:
            with SetWorkflowID(execution.walk_id):
                handle = DBOS.start_workflow(_run_workflow, execution.walk_id)
        _wait(handle, execution)
    except BaseException as error:
        if not isinstance(error, Exception):
            # Its threads may still be at it: they are to stop, and the process has no other run until it ends.
            execution.stop.set()
            raise
        _destroy()
        raise
    _destroy()


def _destroy() -> None:
    global _running
    DBOS.destroy()
    _running = None


def version_of(protocol: int, run_id: str) -> str:
    """A process executes whatever of its version is enqueued: with a version for each run, nobody else does."""
    return f"{protocol}/{run_id}"


def _config(execution: Execution) -> DBOSConfig:
    log = logging.getLogger("dbos")
    log.setLevel(logging.CRITICAL)
    for handler in list(log.handlers):
        # The engine of an earlier run wrote to what was standard error then; it flushes that once more.
        if getattr(getattr(handler, "stream", None), "closed", False):
            log.removeHandler(handler)
    return DBOSConfig(
        name="easops",
        system_database_url=execution.state.database_url,
        application_version=version_of(PROTOCOL, execution.run_id),
        executor_id=execution.run_id,
        serializer=JsonSerializer(),
        log_level="CRITICAL",
    )


def _wait(handle: WorkflowHandle[Any], execution: Execution) -> None:
    ended = threading.Event()
    failure: list[BaseException] = []

    def result() -> None:
        try:
            handle.get_result(polling_interval_sec=_POLL)
        except BaseException as error:
            failure.append(error)
        ended.set()

    threading.Thread(target=result, name="easops-run", daemon=True).start()
    away_since: float | None = None
    looked = time.monotonic()
    while not ended.wait(0.1):
        if execution.stop.is_set():
            ends = time.monotonic() + _FINISH_IN
            while execution.writing and time.monotonic() < ends:
                time.sleep(0.05)
            recorded = not execution.writing and not isinstance(execution.why, DatabaseAway)
            unmarked = _mark(execution, recorded) if execution.why is None and away_since is None else None
            raise Interrupted(recorded, execution.why, unmarked)
        if time.monotonic() - looked < _LOOK:
            continue
        looked = time.monotonic()
        try:
            if not execution.lock.held():
                execution.why = execution.lost()
                execution.stop.set()
            away_since = None
        except DatabaseAway as error:
            # The engine waits for its database without end; the run does not.
            away_since = looked if away_since is None else away_since
            execution.observer.progress(Waiting(f"{error.what}; waiting for it", looked - away_since, PATIENCE))
            if looked - away_since > PATIENCE:
                execution.why = error
                execution.stop.set()
    if failure and isinstance(failure[0], Interrupted) and execution.why is None:
        # The walker has met the stop at a boundary before this thread saw it: nothing is under way.
        raise Interrupted(True, None, _mark(execution, True) if away_since is None else None)
    if failure:
        raise failure[0]


def _mark(execution: Execution, finished: bool) -> EasopsError | None:
    """Record that somebody stopped the run; why not, where the database does not take it in ``_MARK_IN``."""
    met: list[EasopsError | None] = []

    def write() -> None:
        try:
            moment = dt.datetime.now(dt.UTC).isoformat()
            execution.record.write(execution.run_id, "stopped", moment, {"finished": finished})
            met.append(None)
        except EasopsError as error:
            met.append(error)

    # A thread, as a database that somebody else holds answers when it pleases.
    writer = threading.Thread(target=write, name="easops-mark", daemon=True)
    writer.start()
    writer.join(_MARK_IN)
    if met:
        return met[0]
    return EasopsError(
        f"the database of the records did not take it within {_MARK_IN:g} s", "another program may hold it"
    )
