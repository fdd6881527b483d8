"""The run that this process executes: what its workflows work with, and when it has to stop."""

from __future__ import annotations

import datetime as dt
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final, NoReturn

import attrs

from easops.context import Context
from easops.errors import EasopsError, Refused
from easops.playbook.execution.interrupted import Interrupted
from easops.playbook.execution.waits import Waits
from easops.playbook.record import database
from easops.playbook.record.database import DatabaseAway, DatabaseUnusable
from easops.playbook.record.run_lock import RunLock
from easops.playbook.record.run_record import RunRecord
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.steps.effects import Effects, Preview
from easops.playbook.steps.observer import Observer
from easops.remoting.retry import retry_for


class ApprovalLapsed(Exception):
    """The approval that a change was planned under is no longer valid."""


def now() -> dt.datetime:
    """The time of this machine's clock. Approvals expire by it, in the lab too: people give them."""
    return dt.datetime.now(dt.UTC)


@attrs.define
class Execution:
    """The state of the one run that this process executes.

    DBOS calls a workflow with plain values only, so the workflows find it by ``current``. *main* interprets the steps
    of the attempt *attempt_id*; *wait* is how long to wait for a target that another live run holds; *clock_name* says
    whose clock the context has.
    """

    run_id: str
    attempt_id: str
    store: RunRecord
    state: StateFolder
    lock: RunLock
    context: Context
    observer: Observer
    confirm: Callable[[Preview], bool]
    wait: dt.timedelta
    main: Callable[[Effects], None]
    clock_name: str
    waits: Waits
    stop: threading.Event = attrs.field(factory=threading.Event)
    """Set when the run has to stop at its next boundary."""
    own_intents: set[str] = attrs.field(factory=set)
    """The keys of the intents that this process recorded itself: no other process can have sent these changes."""
    began: dt.datetime = attrs.field(factory=lambda: now())
    """When this process began to execute the run. An approval has to be valid then, and when it is used. What the
    process sends after that is part of the same use."""
    why: EasopsError | None = None
    """Why the run stops. None if somebody stopped it."""
    writes_in_flight: int = 0
    _mutex: threading.Lock = attrs.field(factory=threading.Lock)
    _ended: defaultdict[str, threading.Event] = attrs.field(factory=lambda: defaultdict(threading.Event))

    def at_boundary(self) -> None:
        """Raises Interrupted if the run is to stop. Called wherever nothing is under way."""
        if self.stop.is_set():
            raise Interrupted

    def may_send(self) -> None:
        """Called just before each write. Raises Interrupted if the run is to stop, or if its lock is lost."""
        self.at_boundary()
        try:
            locked = retry_for(self.lock.held, on=DatabaseAway, seconds=database.PATIENCE, stop=self.stop)
        except DatabaseAway as error:
            self.give_up(error)
        if not locked:
            self.give_up(self.lock_lost())

    def may_send_under(self, approved_until: dt.datetime | None) -> None:
        """As ``may_send``, for a change that was approved until that time (None: it needs no approval).

        Raises ApprovalLapsed if the approval had expired when this process began. That happens after a process died
        that had used the approval: this one finds it used up, and must not extend it.
        """
        self.may_send()
        if approved_until is not None and approved_until <= self.began:
            raise ApprovalLapsed(f"its approval expired {approved_until:%Y-%m-%d %H:%M}Z, before the run was resumed")

    def lock_lost(self) -> EasopsError:
        """The error of a run that this process must not continue."""
        if not self.state.is_there:
            return DatabaseUnusable(
                f"the state folder {self.state.path} is gone",
                "it was removed or unmounted while the run used it, so nothing more can be recorded",
                "bring it back, then easops runs list shows what is unfinished; without it, look at the servers",
            )
        return Refused(
            f"run {self.run_id} is no longer executed by this process",
            "its lock is gone: another process may have resumed the run since",
            f"easops runs show {self.run_id} shows its progress",
            rule="lock lost",
        )

    def give_up(self, why: EasopsError) -> NoReturn:
        """Stop the run: nothing can be recorded because the database is away, or the lock is lost."""
        self.why = self.why or why
        self.stop.set()
        raise Interrupted(why=why)

    @contextmanager
    def in_flight(self) -> Iterator[None]:
        """Around a change, from before its intent is recorded until its outcome is: a stop waits for it."""
        with self._mutex:
            self.writes_in_flight += 1
        try:
            yield
        finally:
            with self._mutex:
                self.writes_in_flight -= 1

    def end_of(self, workflow_id: str) -> threading.Event:
        """Set when the workflow of that id has returned in this process."""
        with self._mutex:
            return self._ended[workflow_id]


_reserved: Final = threading.Lock()
_current: Execution | None = None


@contextmanager
def one_run_per_process() -> Iterator[None]:
    """Around a run, from before it is recorded, so that a run that is refused here leaves no record.

    After an Interrupted (no ``Exception``) the process stays reserved: threads of that run may still be at work.
    Raises Refused if this process executes a run already.
    """
    if _current is not None or not _reserved.acquire(blocking=False):
        which = f"run {_current.run_id}; " if _current is not None else ""
        raise Refused(
            "this process executes a run already",
            f"{which}only one run per process",
            "wait for it, or use another process",
            rule="one run at a time",
        )
    try:
        yield
    except Exception:
        _reserved.release()
        raise
    _reserved.release()


def current() -> Execution:
    """The run that this process executes."""
    assert _current is not None, "a workflow runs only while its run is executed"
    return _current


def begin(execution: Execution) -> None:
    """Make *execution* the run of this process."""
    global _current
    _current = execution


def end() -> None:
    """This process executes no run any more."""
    global _current
    _current = None
