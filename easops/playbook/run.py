"""Running a playbook, from its first step to the report.

``easops.run`` and the command line call these; none of them prints or exits.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs

from easops.clock import Clock
from easops.context import Context
from easops.duration import format_duration
from easops.errors import BadInput
from easops.exchange.organisation import Organisation
from easops.inventory.host import Host
from easops.lab_process import DEFAULT_SCENARIO, start_lab, temporary_lab
from easops.playbook.assessment.ending import Announcer
from easops.playbook.assessment.open_run import open_run_of, refuse_open_run
from easops.playbook.assessment.run_facts import OpenRun
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.attempt import attempt
from easops.playbook.execution.caller import Caller, Confirm
from easops.playbook.execution.dbos_engine import DBOS_ENGINE
from easops.playbook.execution.execute_run import execute_run, recorded_origin
from easops.playbook.execution.run_options import WAIT, RunOptions
from easops.playbook.execution.world import time_of_run
from easops.playbook.language.find import find_playbook
from easops.playbook.language.load import check_inputs, command_of
from easops.playbook.language.model import Playbook
from easops.playbook.record.liveness import releasing
from easops.playbook.record.open_runs import find_open_run
from easops.playbook.record.run import Run, new_run_id
from easops.playbook.record.state_folder import StateFolder, open_store
from easops.playbook.record.targets import host_target, organisation_target
from easops.playbook.select_hosts import SelectedHosts, select_hosts
from easops.playbook.steps.codec import Json, to_json
from easops.playbook.steps.effects import ReadOnlyEffects
from easops.playbook.steps.facts import learn_facts
from easops.playbook.steps.interpreter import interpret
from easops.playbook.steps.observer import Observer
from easops.playbook.steps.step_result import run_status
from easops.remoting.pool import SessionPool, shared_or_new
from easops.remoting.secret import ask_passwords
from easops.status import Status


def run(
    playbook: Playbook | Path | str,
    hosts: Sequence[Host] | None = None,
    inputs: Mapping[str, Any] | None = None,
    *,
    check: bool = False,
    lab: bool = False,
    scenario: str | None = None,
    seed: int | None = None,
    limit: str | None = None,
    confirm: Confirm = False,
    anew: bool = False,
    wait: dt.timedelta = WAIT,
    observer: Observer | None = None,
    sessions: SessionPool | None = None,
    state: StateFolder | None = None,
    stopper: Callable[[Callable[[], None]], None] = lambda stop: None,
    announcer: Announcer | None = None,
) -> RunReport:
    """Run a playbook: detect, fix, verify. One run at a time in a process.

    Every change is recorded before it is sent, so that ``undo`` can put it back even if this process dies.

    Args:
        playbook: from ``find_playbook``, or a file, or the name of a shipped playbook.
        hosts: the hosts of an inventory. The playbook selects among them, and ``limit`` narrows its selection.
        inputs: the playbook's inputs by name, as text (``"1h"``) or as values (a timedelta).
        check: make every read, but change and record nothing; the report says what would change.
        lab: run against a simulated organisation, made for this run. Then there are no *hosts*, and nothing is asked.
        scenario: the lab's scenario; by default the playbook's own.
        seed: which variant of the scenario (1).
        limit: a selector, or host names separated by commas.
        confirm: True makes the changes, False refuses them. A function is called once, before the first change, with a
            ``Preview``, and returns whether to make them.
        anew: start a new run even if an earlier run of this playbook is unfinished.
        wait: how long to wait for a target that another run is changing.
        observer: its methods are called as the run goes on.
        sessions: a pool that stays open. Without one, the run has its own and closes it.
        state: where the record is kept; by default ``EASOPS_STATE``, or the user's state folder.
        stopper: is called with a function that stops the run at its next safe point, from any thread.
        announcer: sends the notifications (``easops.notify.load_notifications``). The record keeps it.

    Returns:
        The result of each step. A host that cannot be reached, a refusal or a failure is in there, and not raised.

    Raises:
        BadInput: the playbook, an input or the selection of hosts is not valid.
        Refused: an earlier run is unfinished or died; or this process is already executing a run.
        UnreachableHost, CommandFailed, OutcomeUnknown, UnexpectedAnswer: from a read before the first step, which
            was repeated where that may help (AccessRefused is an UnreachableHost). Nothing was changed.
        EasopsError: the state folder, its database or the lab cannot be used.
        Interrupted: not an Exception: the run was stopped, or its database is away. The process should then end;
            ``resume``, in another process, continues the run.

    An exception of *observer* or *confirm* does not end the run: it is raised when the run has ended.

    Source: docs/explanation/playbooks.md.
    """
    playbook = playbook if isinstance(playbook, Playbook) else find_playbook(playbook)
    arguments = dict(inputs or {})
    check_inputs(playbook, arguments)  # what is wrong is reported before a lab starts
    options = RunOptions(Caller(observer, confirm), wait, stopper, sessions, announcer)
    return start_run(
        playbook,
        hosts,
        lambda _: arguments,
        options,
        check=check,
        lab=lab,
        scenario=scenario,
        seed=seed,
        limit=limit,
        anew=anew,
        state=state,
    )


def start_run(
    playbook: Playbook,
    hosts: Sequence[Host] | None,
    arguments_for: Callable[[Sequence[Host]], Mapping[str, Any]],
    options: RunOptions,
    *,
    check: bool,
    lab: bool,
    scenario: str | None,
    seed: int | None = None,
    limit: str | None = None,
    anew: bool,
    state: StateFolder | None,
) -> RunReport:
    """As ``run``, for inputs that depend on the hosts. The hosts of a lab are known only when it has started."""
    options = options.in_lab("lab" if lab else None)
    if not lab and hosts is None:
        raise BadInput("there are no hosts to run on", "no inventory is named", "name an inventory, or use the lab")
    wanted_scenario = scenario or playbook.scenario or DEFAULT_SCENARIO
    state = state or StateFolder.default()
    with ExitStack() as stack:
        engine = options.engine
        clock: Clock = options.clock()
        lab_scenario: str | None = None
        if check:
            engine.check(state)
            if lab:
                world = stack.enter_context(temporary_lab(wanted_scenario, seed))
                hosts, clock, lab_scenario = world.hosts, world.clock, world.scenario
            inputs = check_inputs(playbook, arguments_for(hosts or ()))
            chosen = select_hosts(playbook, inputs, hosts or (), limit)
            earlier = None if lab else _earlier_run(state, playbook, chosen.selected, anew)
            report = _checked(playbook, inputs, chosen, clock, options)
            path = chosen.of_organisation[0].inventory
            report = attrs.evolve(
                report,
                lab=lab_scenario,
                inventory=None if path is None else str(path),
                limit=limit,
                earlier=earlier,
            )
            return options.caller.checked(report)
        stack.enter_context(engine.reserved())
        state = state.prepared()
        run_id = engine.new_run_id()
        store = state.records()
        stack.callback(store.close)
        engine.check(state)
        engine.prune(store, state)
        lock = state.lock(run_id)
        lock.take()
        stack.enter_context(releasing(lock))
        if lab:
            world = stack.enter_context(start_lab(wanted_scenario, state.lab(run_id), seed=seed))
            hosts, clock, lab_scenario = world.hosts, world.clock, world.scenario
        started = time_of_run(lab_scenario, clock)
        arguments = arguments_for(hosts or ())
        new_run, hosts = _new_run(
            run_id, playbook, arguments, hosts or (), limit, lab_scenario, options.announcer, started
        )
        refuse_open_run(store, state, new_run, anew)
        ask_passwords(hosts)
        store.add(new_run)
        try:
            options.observer.started(run_id)
        except Exception:
            # The caller's own error: nothing has begun.
            store.end(run_id, Status.REFUSED, new_run.started, unfinished=False)
            raise
        main = functools.partial(attempt, new_run, store, hosts)
        return options.caller.checked(execute_run(new_run, run_id, main, store, state, lock, hosts, clock, options))


def submit(
    playbook: Playbook,
    hosts: Sequence[Host],
    inputs: Mapping[str, Any] | None = None,
    *,
    limit: str | None = None,
    anew: bool = False,
    state: StateFolder | None = None,
    announcer: Announcer | None = None,
) -> str:
    """Record a run that waits until somebody resumes it (``easops worker``); returns its id. Nothing is read or sent.

    Submitting a run confirms its changes: a worker has nobody to ask. Raises BadInput, and Refused where an earlier run
    is unfinished, which is checked again when the run begins.
    """
    arguments = dict(inputs or {})
    check_inputs(playbook, arguments)
    with open_store(state) as (store, state):
        DBOS_ENGINE.check(state)
        now = dt.datetime.now(dt.UTC)
        new_run, _ = _new_run(new_run_id(), playbook, arguments, hosts, limit, None, announcer, now)
        new_run = attrs.evolve(new_run, document={**new_run.document, "submitted": True, "anew": anew}, attempts=0)
        refuse_open_run(store, state, new_run, anew)
        store.add(new_run)
        return new_run.run_id


def _new_run(
    run_id: str,
    playbook: Playbook,
    arguments: Mapping[str, Any],
    hosts: Sequence[Host],
    limit: str | None,
    scenario: str | None,
    announcer: Announcer | None,
    started: dt.datetime,
) -> tuple[Run, tuple[Host, ...]]:
    """The run to record before its first step, and all hosts of its organisation."""
    chosen = select_hosts(playbook, check_inputs(playbook, arguments), hosts, limit)
    document = {
        "text": playbook.text,
        "source": playbook.source,
        "inputs": {name: _plain(value) for name, value in arguments.items()},
        "hosts": to_json(list(chosen.of_organisation)),
        "limit": limit,
        "lab": scenario,
        "notify": None if announcer is None else announcer.recorded(),
        **recorded_origin(),
    }
    new_run = Run(run_id, playbook.kind, playbook.name, document, (), started)
    return attrs.evolve(new_run, targets=_targets(new_run, chosen.selected)), chosen.of_organisation


def _checked(
    playbook: Playbook,
    inputs: Mapping[str, Any],
    chosen: SelectedHosts,
    clock: Clock,
    options: RunOptions,
) -> RunReport:
    """The report of a check: what a run would do. Nothing is changed or recorded."""
    observer = options.observer
    hosts = chosen.of_organisation
    ask_passwords(hosts)
    started = clock.now()
    observer.started(None)
    with shared_or_new(options.sessions) as sessions:
        context = Context(sessions, Organisation.of(hosts, sessions, clock), clock, observer.progress)
        context = attrs.evolve(context, at_once=options.engine.at_once)
        facts = learn_facts(playbook, inputs, hosts, context, f"organisation {hosts[0].organisation}")
        steps = interpret(
            playbook,
            inputs,
            facts,
            chosen.selected,
            context,
            ReadOnlyEffects(observer),
            lambda host: host.name,
            left_out=chosen.left_out,
        )
    return RunReport(
        None,
        playbook.name,
        playbook.kind,
        run_status(steps),
        steps,
        checked=True,
        started=started,
        ended=clock.now(),
        command=command_of(playbook.source or ""),
    )


def _targets(run: Run, selected: Sequence[Host]) -> tuple[str, ...]:
    return (*(host_target(run, host) for host in selected), organisation_target(run, selected))


def _earlier_run(state: StateFolder, playbook: Playbook, selected: Sequence[Host], anew: bool) -> OpenRun | None:
    """The open run because of which this one would be refused. Only reads, and makes no state folder."""
    if state.is_new:
        return None
    new_run = Run("", "run", playbook.name, {}, (), dt.datetime.now(dt.UTC))
    with open_store(state) as (store, folder):
        found = find_open_run(store, folder, attrs.evolve(new_run, targets=_targets(new_run, selected)), anew)
    return None if found is None else open_run_of(found)


def _plain(value: Any) -> Json:
    return format_duration(value) if isinstance(value, dt.timedelta) else to_json(value)
