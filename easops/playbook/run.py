"""Running a playbook, and going on with a run that did not come to its end.

``easops.run`` and the command line call these; none of them prints or exits.
"""

from __future__ import annotations

import datetime as dt
import functools
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs

from easops.actions import ACTIONS
from easops.actions.perform import conclude
from easops.clock import Clock, SystemClock
from easops.context import Context
from easops.detectors import DETECTORS
from easops.errors import BadInput, Refused
from easops.exchange.organisation import Organisation
from easops.exchange.server import choose_domain_controller
from easops.inventory.host import Host
from easops.inventory.select import limited, one_organisation, select
from easops.parameter import format_duration
from easops.playbook.assessment.ending import Announcer
from easops.playbook.assessment.open_run import open_run_of, refusal
from easops.playbook.assessment.run_facts import OpenRun
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.dbos_engine import PROTOCOL, alone, forget, now
from easops.playbook.execution.execute_run import WAIT, Caller, Conduct, Confirm, execute_run, made_here
from easops.playbook.execution.lab_process import start_lab
from easops.playbook.language.expression import evaluate
from easops.playbook.language.find import find_playbook
from easops.playbook.language.load import check_inputs, command_of, load_playbook_text
from easops.playbook.language.model import Playbook
from easops.playbook.record.approval import lapsed, refuse_denied
from easops.playbook.record.run_store import KEPT, Record, Run
from easops.playbook.record.run_view import RunView, view_of
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.record.stored_run import (
    changes_by_key,
    host_target,
    kept,
    locked,
    looked_at,
    new_run_id,
    opened,
    organisation_target,
    refuse_closed,
    steps_of,
    world_of,
)
from easops.playbook.steps.codec import Json, dumps, from_json, to_json
from easops.playbook.steps.earlier import Earlier, OneWayChange
from easops.playbook.steps.effects import Effects, ReadOnlyEffects
from easops.playbook.steps.facts import Facts
from easops.playbook.steps.identity import this_person
from easops.playbook.steps.interpreter import interpret
from easops.playbook.steps.observer import Observer
from easops.playbook.steps.protection import protected_mailboxes
from easops.playbook.steps.step_result import run_status
from easops.playbook.undo import walk_back
from easops.remoting.pool import SessionPool, kept_or_own
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
    """Run a playbook: find, cure, prove. One run at a time in a process.

    Every change is recorded before it is sent; ``undo`` puts them back, also after this process has died.

    Args:
        playbook: one that ``find_playbook`` gave, a file, or the name of a shipped one.
        hosts: those of an inventory; ``limit`` narrows the playbook's own choice among them.
        inputs: the playbook's inputs by name, as text (``"1h"``) or as what they are (a timedelta).
        check: make every read, change nothing, leave no record; the report says what would change.
        lab: run it on a simulated organisation, made for this run; then there are no hosts, and nothing is asked.
        scenario: which one, where it is not the playbook's own.
        limit: a selector, or names with commas between.
        confirm: True for a script that has decided; or a function that is shown what is to come, once, before the
            first change, and says whether to go on. False: the changes are refused.
        anew: begin although an earlier run of this playbook owes its later steps.
        wait: how long to wait for a target that another run is changing.
        observer: is told how it goes on.
        sessions: a pool that stays open, instead of one that ends with the run.
        state: where the record is kept: ``EASOPS_STATE``, or the user's state folder, unless given.
        stopper: is given a function that ends the run at its next boundary, from any thread.
        announcer: tells people of its end (``easops.notify.load_notifications``); the record keeps it.

    Returns:
        What came of each step. What the steps met, a host that cannot be reached or a refusal, is in it, not raised.

    Raises:
        BadInput: the playbook, an input or the choice of hosts is wrong.
        Refused: an earlier run owes its later steps, or died; or this process executes a run already.
        UnreachableHost, CommandFailed: a reading before the first step met it (AccessRefused is an UnreachableHost).
        Interrupted: of ``easops.playbook.execution.dbos_engine``, and no Exception: the run was stopped, or its
            database is away.
            This process is then to end; ``resume``, in another one, goes on.

    What *observer* or *confirm* raises does not end the run in its middle: it is raised when the run has ended.

    Source: docs/explanation/playbooks.md.
    """
    playbook = playbook if isinstance(playbook, Playbook) else find_playbook(playbook)
    conduct = Conduct(Caller(observer, confirm), wait, stopper, sessions, announcer).in_lab("lab" if lab else None)
    given = dict(inputs or {})
    values = check_inputs(playbook, given)
    if not lab and hosts is None:
        raise BadInput("there are no hosts to run against", "no inventory is named", "name one, or use the lab")
    with ExitStack() as stack:
        clock: Clock = SystemClock()
        used: str | None = None
        if check:
            if lab:
                folder = tempfile.TemporaryDirectory(prefix="easops-lab-", ignore_cleanup_errors=True)
                world = stack.enter_context(start_lab(scenario or playbook.scenario, Path(stack.enter_context(folder))))
                hosts, clock, used = world.hosts, world.clock, world.scenario
            chosen = _selected(playbook, values, hosts or (), limit)
            earlier = None if lab else _earlier_run(state or StateFolder.default(), playbook, chosen, anew)
            report = _checked(playbook, values, hosts or (), chosen, clock, conduct)
            return conduct.caller.heard(attrs.evolve(report, lab=used, limit=limit, earlier=earlier))
        stack.enter_context(alone())
        state = (state or StateFolder.default()).prepared()
        run_id = new_run_id()
        record = Record(state.database_url)
        stack.callback(record.close)
        _prune(record, state)
        lock = state.lock(run_id)
        lock.take()
        stack.enter_context(kept(lock))
        if lab:
            world = stack.enter_context(start_lab(scenario or playbook.scenario, state.lab(run_id)))
            hosts, clock, used = world.hosts, world.clock, world.scenario
        held, hosts = _planned(run_id, playbook, given, hosts or (), limit, used, announcer)
        _refuse_open(record, state, held, anew)
        ask_passwords(hosts)
        record.add(held)
        try:
            conduct.observer.started(run_id)
        except Exception:
            record.end(run_id, Status.REFUSED, owes=False)  # the caller's own error: nothing was begun
            raise
        main = functools.partial(_walk_on, held, record, hosts)
        return conduct.caller.heard(execute_run(held, run_id, main, record, state, lock, hosts, clock, conduct))


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
    """Record a run that waits for whoever resumes it (``easops worker``), and give its id; nothing is read or sent.

    Its changes are confirmed hereby: there is nobody to ask where it is executed. Raises BadInput, Refused (another
    run owes), here and once more when it begins.
    """
    given = dict(inputs or {})
    check_inputs(playbook, given)
    with opened(state) as (record, state):
        held, _ = _planned(new_run_id(), playbook, given, hosts, limit, None, announcer)
        held = attrs.evolve(held, document={**held.document, "submitted": True, "anew": anew}, walks=0)
        _refuse_open(record, state, held, anew)
        record.add(held)
        return held.run_id


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
    """Go on with a run that died, or that ended and owes its later steps; or begin one that was submitted.

    Args:
        run_id: the run's id, or its beginning.
        confirm: as for ``run``; it is asked unless the changes were confirmed before.
        wait: how long to wait for a target that another run is changing.
        observer: is told how it goes on.
        sessions: a pool that stays open, instead of one that ends with the run.
        state: where the record is, as for ``run``.
        hosts: an inventory's: their credentials are taken in place of the recorded ones.
        stopper: as for ``run``.
        announcer: as for ``run``; it takes the recorded one's place.

    Returns:
        The whole run: also the steps that it had done before.

    Raises:
        BadInput: there is no such run.
        Refused: it is alive, closed, owes nothing, or was made by an engine of another protocol.
        UnreachableHost, CommandFailed, Interrupted: as for ``run``.
    """
    conduct = Conduct(Caller(observer, confirm), wait, stopper, sessions, announcer)
    with alone(), opened(state) as (record, state), locked(record, state, run_id) as (held, lock):
        refuse_closed(held)
        if held.document["protocol"] != PROTOCOL:
            raise Refused(
                f"run {held.run_id} was recorded with engine protocol {held.document['protocol']}",
                f"this version of easops has {PROTOCOL}",
                f"install easops {held.document['version']} to resume it; easops undo works with any version",
                rule="protocol",
            )
        refuse_denied(held, record)
        if held.ended is not None and not held.owes:
            raise Refused(
                f"run {held.run_id} has ended and owes nothing",
                f"its status is {held.status}",
                "run the playbook again, or undo it",
                rule="nothing to resume",
            )
        if held.waits:
            _refuse_open(record, state, held, held.document["anew"])
            held = attrs.evolve(held, walks=1, started=dt.datetime.now(dt.UTC))
            record.update(held.run_id, walks=1, started=held.started.isoformat())
        record.write(held.run_id, "resumed", dt.datetime.now(dt.UTC).isoformat(), to_json(this_person()))
        if held.document.get("submitted"):
            conduct = attrs.evolve(conduct, asks=False)
        if held.ended is not None:
            held = attrs.evolve(held, walks=held.walks + 1, ended=None, status=None)
            record.update(held.run_id, walks=held.walks, ended=None, status=None)
        if announcer is not None:
            held = attrs.evolve(held, document={**held.document, "notify": announcer.recorded()})
            record.update(held.run_id, document=dumps(held.document))
        with world_of(held, hosts, state) as (known, clock):
            conduct = conduct.in_lab(held.lab)
            if held.kind == "undo":
                main = functools.partial(walk_back, held)
            else:
                main = functools.partial(_walk_on, held, record, known)
            conduct.observer.started(held.run_id)
            report = execute_run(held, held.walk_ids[-1], main, record, state, lock, known, clock, conduct)
            return conduct.caller.heard(report)


def _planned(
    run_id: str,
    playbook: Playbook,
    given: Mapping[str, Any],
    hosts: Sequence[Host],
    limit: str | None,
    scenario: str | None,
    announcer: Announcer | None,
) -> tuple[Run, tuple[Host, ...]]:
    """The run as it is recorded before its first step, and the hosts of its organisation."""
    selected = _selected(playbook, check_inputs(playbook, given), hosts, limit)
    hosts = _neighbours(hosts, selected)
    document = {
        "text": playbook.text,
        "source": playbook.source,
        "inputs": {name: _plain(value) for name, value in given.items()},
        "hosts": to_json(list(hosts)),
        "limit": limit,
        "lab": scenario,
        "notify": None if announcer is None else announcer.recorded(),
        **made_here(),
    }
    held = Run(run_id, playbook.kind, playbook.name, document, (), dt.datetime.now(dt.UTC))
    return attrs.evolve(held, targets=_targets(held, selected)), hosts


def _checked(
    playbook: Playbook,
    values: Mapping[str, Any],
    hosts: Sequence[Host],
    selected: Sequence[Host],
    clock: Clock,
    conduct: Conduct,
) -> RunReport:
    observer = conduct.observer
    hosts = _neighbours(hosts, selected)
    ask_passwords(hosts)
    started = dt.datetime.now(dt.UTC)
    observer.started(None)
    with kept_or_own(conduct.sessions) as sessions:
        context = Context(sessions, Organisation.of(hosts, sessions), clock, observer.progress)
        effects = ReadOnlyEffects(observer)
        facts = _facts(playbook, values, hosts, context, effects, lambda: _label(hosts))
        left_out = _left_out(playbook, values, hosts, selected)
        steps = interpret(
            playbook, values, facts, selected, context, effects, lambda host: host.name, left_out=left_out
        )
    return RunReport(
        None,
        playbook.name,
        playbook.kind,
        run_status(steps),
        steps,
        checked=True,
        started=started,
        ended=dt.datetime.now(dt.UTC),
        command=command_of(playbook.source or ""),
    )


def _walk_on(held: Run, record: Record, hosts: Sequence[Host], context: Context, effects: Effects) -> None:
    """Walk the steps of a recorded run, from the first that an earlier walk did not end well."""
    playbook = _playbook(held)
    values = check_inputs(playbook, held.document["inputs"])
    selected = _selected(playbook, values, hosts, held.limit)
    left_out = _left_out(playbook, values, hosts, selected)
    facts = _facts(playbook, values, hosts, context, effects, lambda: organisation_target(held, selected), held, record)
    record.write(held.run_id, "facts", "facts", to_json(facts))
    earlier: Earlier | None = None
    if held.walks > 1:
        earlier = effects.once("0.earlier", Earlier, functools.partial(_earlier, held, record, context))
    results = interpret(
        playbook,
        values,
        facts,
        selected,
        context,
        effects,
        lambda host: host_target(held, host),
        left_out=left_out,
        earlier=earlier,
    )
    met = [result.key for result in results]
    touched = [step.key for step in steps_of(held, record) if any(item.touched for item in step.items)]
    record.keep_steps(held.run_id, [*met, *touched])


def _earlier(held: Run, record: Record, context: Context) -> Earlier:
    """What the earlier walks came to. A pulse is taken from its intent, and what was left open of it is read."""
    one_way: list[OneWayChange] = []
    for key, change, recorded in changes_by_key(held, record):
        if change.inverse() is not None:
            continue
        open_ = recorded is None or recorded.status in (Status.UNKNOWN, Status.VERIFY_FAILED)
        outcome = conclude(change, context) if open_ or recorded is None else recorded
        if outcome.status in (Status.OK, Status.CHANGED, Status.UNKNOWN, Status.VERIFY_FAILED):
            one_way.append(OneWayChange(key.partition("/")[2], change, outcome))
    asked = any(entry.body["yes"] for entry in record.entries(held.run_id, "answer"))
    steps = steps_of(held, record)
    return Earlier(steps, asked, tuple(one_way), lapsed(steps, now()))


def _facts(
    playbook: Playbook,
    values: Mapping[str, Any],
    hosts: Sequence[Host],
    context: Context,
    effects: Effects,
    organisation: Callable[[], str],
    held: Run | None = None,
    record: Record | None = None,
) -> Facts:
    """Learn the run's facts, once, whatever walks it takes; and give the organisation its domain controller."""
    reads = any(
        step.kind in ("detect", "verify") or (step.kind == "do" and ACTIONS[step.subject].scope == "organisation")
        for step in playbook.steps
    )
    reachable = reads and any(host.exchange is not None for host in hosts)

    def learn() -> Facts:
        if held is not None and record is not None:
            for entry in record.entries(held.run_id, "facts"):
                return from_json(entry.body, Facts)
        if not reachable:
            return Facts(organisation(), None)
        chosen = choose_domain_controller(context.organisation.session())
        context.organisation.domain_controller = chosen
        entries = [] if playbook.protect is None else evaluate(playbook.protect, values)
        protected = protected_mailboxes(entries or (), context.organisation)
        return Facts(organisation(), chosen, tuple(protected), protected)

    facts = effects.once("0.facts", Facts, learn)
    context.organisation.domain_controller = facts.domain_controller
    return facts


def _targets(held: Run, selected: Sequence[Host]) -> tuple[str, ...]:
    return (*(host_target(held, host) for host in selected), organisation_target(held, selected))


def _open_run(record: Record, state: StateFolder, new: Run, anew: bool) -> RunView | None:
    """The latest earlier run of this playbook on one of these targets that died, was stopped, or has unfinished steps.
    With *anew* one that has ended is none."""
    for listed in record.runs():
        if listed.closed or listed.kind == "undo" or listed.playbook != new.playbook:
            continue
        if not set(listed.targets) & set(new.targets):
            continue
        held, alive = looked_at(listed, record, state)
        if held.ended is None and not held.waits and not held.closed and not alive:
            return view_of(held, record)
        if held.ended is not None and held.owes and not anew:
            return view_of(held, record)
    return None


def _refuse_open(record: Record, state: StateFolder, new: Run, anew: bool) -> None:
    """Refuse to begin where an earlier run is open."""
    found = _open_run(record, state, new, anew)
    if found is not None:
        raise refusal(found, new.targets)


def _earlier_run(state: StateFolder, playbook: Playbook, selected: Sequence[Host], anew: bool) -> OpenRun | None:
    """The open run because of which this one would be refused; looks only, and makes no state folder."""
    if state.is_new:
        return None
    new = Run("", "run", playbook.name, {}, (), dt.datetime.now(dt.UTC))
    with opened(state) as (record, folder):
        found = _open_run(record, folder, attrs.evolve(new, targets=_targets(new, selected)), anew)
    return None if found is None else open_run_of(found)


def _prune(record: Record, state: StateFolder) -> None:
    """Forget records, with what the engine keeps beside them, after 400 days; and lab worlds after 7."""
    now = dt.datetime.now(dt.UTC)
    old = [held for held in record.runs() if now - held.started > KEPT]
    if old:
        forget(state, old)
        record.forget([held.run_id for held in old])
    for folder in state.labs.iterdir():
        if now.timestamp() - folder.stat().st_mtime > 7 * 86400 and not state.lock(folder.name).is_alive():
            shutil.rmtree(folder, ignore_errors=True)


def _playbook(held: Run) -> Playbook:
    return load_playbook_text(held.document["text"], held.document["source"], actions=ACTIONS, detectors=DETECTORS)


def _selected(
    playbook: Playbook, values: Mapping[str, Any], hosts: Sequence[Host], limit: str | None
) -> tuple[Host, ...]:
    wanted = evaluate(playbook.hosts, values)
    chosen = select(wanted, hosts)
    if not chosen:
        raise BadInput(
            f"no host is selected by {wanted!r}",
            f"the inventory has {', '.join(host.name for host in hosts) or 'none'}",
            "correct hosts: in the playbook, or the hosts of the inventory",
        )
    if limit is not None:
        chosen = limited(limit, chosen, hosts)
    one_organisation(chosen)
    return chosen


def _left_out(
    playbook: Playbook, values: Mapping[str, Any], hosts: Sequence[Host], selected: Sequence[Host]
) -> tuple[Host, ...]:
    """The playbook's hosts that a limit leaves out."""
    return tuple(host for host in select(evaluate(playbook.hosts, values), hosts) if host not in selected)


def _neighbours(hosts: Sequence[Host], selected: Sequence[Host]) -> tuple[Host, ...]:
    """The hosts of the selected ones' organisation: only through them is it reached."""
    return tuple(host for host in hosts if host.organisation == selected[0].organisation)


def _label(hosts: Sequence[Host]) -> str:
    return f"organisation {hosts[0].organisation}"


def _plain(value: Any) -> Json:
    return format_duration(value) if isinstance(value, dt.timedelta) else to_json(value)
