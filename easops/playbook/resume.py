"""Resuming a run that died or has unfinished steps, and starting one that was submitted."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence

import attrs

from easops.errors import Refused
from easops.identity import this_person
from easops.inventory.host import Host
from easops.playbook.assessment.ending import Announcer
from easops.playbook.assessment.open_run import refuse_open_run
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.attempt import attempt
from easops.playbook.execution.caller import Caller, Confirm
from easops.playbook.execution.execute_run import execute_run
from easops.playbook.execution.journal import PROTOCOL
from easops.playbook.execution.run_options import WAIT, RunOptions
from easops.playbook.execution.world import world_of
from easops.playbook.record.approval import refuse_denied
from easops.playbook.record.liveness import locked_run
from easops.playbook.record.state_folder import StateFolder, open_store
from easops.playbook.record.stored_run import refuse_closed
from easops.playbook.steps.codec import dumps, to_json
from easops.playbook.steps.observer import Observer
from easops.playbook.undo_attempt import attempt_undo
from easops.remoting.pool import SessionPool


def resume(
    run_id: str,
    *,
    confirm: Confirm = False,
    wait: dt.timedelta = WAIT,
    observer: Observer | None = None,
    sessions: SessionPool | None = None,
    state: StateFolder | None = None,
    hosts: Sequence[Host] | None = None,
    stopper: Callable[[Callable[[], None]], None] = lambda stop: None,
    announcer: Announcer | None = None,
) -> RunReport:
    """Resume a run that died, or that ended with unfinished steps; or start one that was submitted.

    Args:
        run_id: the id of the run, or its beginning.
        confirm: as for ``run``. It is not asked if the changes were confirmed before.
        wait: how long to wait for a target that another run is changing.
        observer: its methods are called as the run goes on.
        sessions: a pool that stays open. Without one, the run has its own and closes it.
        state: where the record is, as for ``run``.
        hosts: the hosts of an inventory. Only their credentials are used, in place of the recorded ones.
        stopper: as for ``run``.
        announcer: as for ``run``. It replaces the recorded one.

    Returns:
        The whole run, including the steps that were finished before.

    Raises:
        BadInput: there is no such run.
        Refused: the run is alive, closed or finished, or was recorded by an engine of another protocol.
        Interrupted, and the errors of a read before the first step: as for ``run``.
    """
    options = RunOptions(Caller(observer, confirm), wait, stopper, sessions, announcer)
    return resume_run(run_id, hosts, options, state=state)


def resume_run(
    run_id: str, hosts: Sequence[Host] | None, options: RunOptions, *, state: StateFolder | None
) -> RunReport:
    """As ``resume``."""
    engine, announcer = options.engine, options.announcer
    with engine.reserved(), open_store(state) as (store, state), locked_run(store, state, run_id) as (run, lock):
        refuse_closed(run)
        engine.check(state)
        if run.document["protocol"] != PROTOCOL:
            raise Refused(
                f"run {run.run_id} was recorded with engine protocol {run.document['protocol']}",
                f"this version of easops uses protocol {PROTOCOL}",
                f"install easops {run.document['version']} to resume it; easops undo works with any version",
                rule="protocol",
            )
        refuse_denied(run, store)
        if run.ended is not None and not run.unfinished:
            raise Refused(
                f"run {run.run_id} has ended and has no unfinished steps",
                f"its status is {run.status}",
                "run the playbook again, or undo it",
                rule="nothing to resume",
            )
        if run.waits:
            refuse_open_run(store, state, run, run.document["anew"])
            run = attrs.evolve(run, attempts=1, started=options.clock().now())
            store.update(run.run_id, attempts=1, started=run.started.isoformat())
        store.write(run.run_id, "resumed", options.clock().now().isoformat(), to_json(this_person()))
        if run.document.get("submitted"):
            options = attrs.evolve(options, asks=False)
        if run.ended is not None:
            run = attrs.evolve(run, attempts=run.attempts + 1, ended=None, status=None)
            store.update(run.run_id, attempts=run.attempts, ended=None, status=None)
        if announcer is not None:
            run = attrs.evolve(run, document={**run.document, "notify": announcer.recorded()})
            store.update(run.run_id, document=dumps(run.document))
        with world_of(run, hosts, state, options.clock) as (run_hosts, clock):
            options = options.in_lab(run.lab)
            if run.kind == "undo":
                main = functools.partial(attempt_undo, run)
            else:
                main = functools.partial(attempt, run, store, run_hosts)
            options.observer.started(run.run_id)
            report = execute_run(run, run.attempt_ids[-1], main, store, state, lock, run_hosts, clock, options)
            return options.caller.checked(report)
