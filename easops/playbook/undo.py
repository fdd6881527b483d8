"""Undo: put back what a run changed, in reverse order; or refuse everything, and show the difference."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Sequence
from contextlib import nullcontext

from easops.context import Context
from easops.errors import EasopsError, Refused
from easops.exchange.server import choose_domain_controller
from easops.inventory.host import Host
from easops.playbook.assessment.ending import Announcer
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.caller import Caller, Confirm
from easops.playbook.execution.execute_run import execute_run, recorded_origin
from easops.playbook.execution.run_options import WAIT, RunOptions
from easops.playbook.execution.world import context_of, time_of_run, world_of
from easops.playbook.reconcile import abandon_run, reconcile_run
from easops.playbook.record.liveness import locked_run, releasing
from easops.playbook.record.run import Run
from easops.playbook.record.state_folder import StateFolder, open_store
from easops.playbook.steps.codec import to_json
from easops.playbook.steps.effects import Job, ReadOnlyEffects
from easops.playbook.steps.observer import Observer
from easops.playbook.steps.step_result import run_status
from easops.playbook.undo_attempt import attempt_undo, plan_undo
from easops.playbook.undo_jobs import undo_jobs
from easops.remoting.pool import SessionPool


def undo(
    run_id: str,
    *,
    check: bool = False,
    skip_drifted: bool = False,
    confirm: Confirm = False,
    wait: dt.timedelta = WAIT,
    observer: Observer | None = None,
    sessions: SessionPool | None = None,
    state: StateFolder | None = None,
    hosts: Sequence[Host] | None = None,
    stopper: Callable[[Callable[[], None]], None] = lambda stop: None,
    announcer: Announcer | None = None,
) -> RunReport:
    """Put back what a run changed, in reverse order. The undo is a run of its own.

    It plans first. If anything is neither as the run left it nor as it was before, somebody else has changed it since
    (it has drifted): then the undo refuses everything and shows the difference; with *skip_drifted* it refuses only
    that, and puts back the rest. An undo that refused nothing closes the run; until then it can be repeated. Changes of
    a run that died are read first, since they may have been sent. A recycle cannot be undone, and is skipped.

    Args:
        run_id: the id of the run, or its beginning.
        check: say what would be put back; change nothing.
        skip_drifted: leave what has drifted as it is, and put back the rest.
        confirm: as for ``run``.
        wait: how long to wait for a target that another run is changing.
        observer: its methods are called as the run goes on.
        sessions: a pool that stays open. Without one, the run has its own and closes it.
        state: where the record is, as for ``run``.
        hosts: the hosts of an inventory. Only their credentials are used, in place of the recorded ones.
        stopper: as for ``run``.
        announcer: as for ``run``.

    Returns:
        A step for each target; the status is ``Status.UNDONE`` where everything is as it was before.

    Raises:
        BadInput: there is no such run.
        Refused: the run is alive, or already undone.
        Interrupted, and the errors of a read before the first step: as for ``run``.
    """
    options = RunOptions(Caller(observer, confirm), wait, stopper, sessions, announcer)
    return undo_run(run_id, hosts, options, check=check, skip_drifted=skip_drifted, state=state)


def undo_run(
    run_id: str,
    hosts: Sequence[Host] | None,
    options: RunOptions,
    *,
    check: bool,
    skip_drifted: bool,
    state: StateFolder | None,
) -> RunReport:
    """As ``undo``."""
    engine = options.engine
    with (
        nullcontext() if check else engine.reserved(),
        open_store(state) as (store, state),
        locked_run(store, state, run_id) as (run, _lock),
    ):
        if run.closed.startswith("undone"):
            raise Refused(
                f"run {run.run_id} is already {run.closed}",
                "",
                f"easops runs show {run.run_id} shows more",
                rule="undone",
            )
        engine.check(state)
        options = options.in_lab(run.lab)
        with world_of(run, hosts, state, options.clock) as (run_hosts, clock):
            tools = (options.observer, options.sessions, engine.at_once)
            if not check:
                # What may still be carried out would undo the undo.
                reconcile_run(run, store, run_hosts, clock, options.observer, options.sessions)
                if run.ended is None:
                    abandon_run(run, store, state, engine)
            jobs = undo_jobs(run, store)
            if check:
                options.observer.started(None)
                with context_of(run, store, run_hosts, clock, *tools) as context:
                    moved = _move(context, jobs)
                    report = _undo_checked(run, jobs, context, options.observer, skip_drifted, moved)
                    return options.caller.checked(report)
            with context_of(run, store, run_hosts, clock, *tools) as context:
                moved = _move(context, jobs)
                controller = context.organisation.domain_controller
            started = time_of_run(run.lab, clock)
            new_run = _new_run(run, jobs, started, skip_drifted=skip_drifted, moved=moved, options=options)
            lock = state.lock(new_run.run_id)
            lock.take()
            with releasing(lock):
                store.add(new_run)
                for entry in store.entries(run.run_id, "facts"):
                    store.write(new_run.run_id, "facts", entry.key, {**entry.body, "domain_controller": controller})
                options.observer.started(new_run.run_id)
                main = functools.partial(attempt_undo, new_run)
                report = execute_run(new_run, new_run.run_id, main, store, state, lock, run_hosts, clock, options)
            return options.caller.checked(report)


def _new_run(
    run: Run,
    jobs: Sequence[Job],
    started: dt.datetime,
    *,
    skip_drifted: bool,
    moved: str,
    options: RunOptions,
) -> Run:
    """The undo of *run*, to record before it begins: a run of its own, with its own origin and confirmation."""
    document = {
        **recorded_origin(),
        **{name: run.document.get(name) for name in ("source", "hosts", "lab")},
        "undoes": run.run_id,
        "closed": run.closed,
        "root": run.document.get("root", run.run_id),
        "jobs": to_json(list(jobs)),
        "skip_drifted": skip_drifted,
        "moved": moved,
        "notify": None if options.announcer is None else options.announcer.recorded(),
    }
    return Run(options.engine.new_run_id(), "undo", f"undo of {run.run_id}", document, run.targets, started)


def _move(context: Context, jobs: Sequence[Job]) -> str:
    """Let the undo use another domain controller where the one of the run no longer answers.

    Returns the sentence about it; empty where the run's own is used, or none could be asked.
    """
    recorded = context.organisation.domain_controller
    if recorded is None or all(job.host is not None for job in jobs):
        return ""
    try:
        chosen = choose_domain_controller(context.organisation.session(), recorded)
    except EasopsError:
        return ""  # the plans meet the same error, and report it
    if chosen is None or chosen == recorded:
        return ""
    context.organisation.domain_controller = chosen
    return f"written on {recorded}, which does not answer; read on {chosen}, which may not have these changes yet"


def _undo_checked(
    run: Run, jobs: Sequence[Job], context: Context, observer: Observer, skip_drifted: bool, moved: str
) -> RunReport:
    """The report of a check: what the undo would put back. Nothing is changed or recorded."""
    steps = plan_undo(jobs, context, ReadOnlyEffects(observer), skip_drifted=skip_drifted).results(moved)
    for step in steps:
        observer.finished(step)
    return RunReport(
        None,
        f"undo of {run.run_id}",
        "undo",
        run_status(steps),
        steps,
        checked=True,
        lab=run.lab,
        inventory=run.inventory,
        command=run.run_id + (" --skip-drifted" if skip_drifted else ""),
    )
