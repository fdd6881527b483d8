"""Running playbooks: check, run, resume, undo, reconcile, abandon.

``easops.run`` and the command line call these; none of them prints or exits.
"""

from __future__ import annotations

import datetime as dt
import getpass
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from easops.actions import ACTIONS
from easops.actions.action import Plan
from easops.actions.change import Change, ChangeOutcome, Standing, drift, settle
from easops.actions.outcome import Done, ItemOutcome
from easops.clock import Clock, SystemClock
from easops.detectors import DETECTORS
from easops.detectors.detector import Surroundings
from easops.errors import BadInput, EasopsError, Refused
from easops.exchange.organisation import Organisation
from easops.exchange.server import choose_domain_controller
from easops.inventory.host import Host
from easops.inventory.select import one_organisation, select
from easops.parameter import format_duration
from easops.playbook.codec import Json, from_json, to_json
from easops.playbook.engine import PROTOCOL, DurableHands, Execution, cancel, execute, forget
from easops.playbook.expression import evaluate
from easops.playbook.gates import protected_mailboxes
from easops.playbook.hands import LookingHands, Observer, Silent
from easops.playbook.load import check_inputs, load_playbook, load_playbook_text
from easops.playbook.model import Playbook
from easops.playbook.outcome import RunReport, StepResult, run_status
from easops.playbook.record import KEPT, Record, Run
from easops.playbook.rehearsal import Lab, start_lab
from easops.playbook.state import RunLock, StateFolder
from easops.playbook.walk import Facts, Hands, Job, Preview, walk
from easops.remoting.pool import SessionPool
from easops.status import EXIT_CODES, Status, worst

Confirm = Callable[[Preview], bool]

WAIT: Final = dt.timedelta(minutes=10)
"""How long a run waits for a target that another live run holds."""


def always(preview: Preview) -> bool:
    """Confirms everything: ``--yes``, and a run in the lab."""
    return True


def never(preview: Preview) -> bool:
    """Confirms nothing: off a terminal, without ``--yes``."""
    return False


def find_playbook(path_or_name: Path | str) -> Playbook:
    """The playbook of a file, or the shipped one of that name, checked whole. Raises BadInput with every problem."""
    return load_playbook(path_or_name, actions=ACTIONS, detectors=DETECTORS)


# -- run -----------------------------------------------------------------------------------------------------------


def run(
    playbook: Playbook,
    hosts: Sequence[Host] | None = None,
    inputs: Mapping[str, Any] | None = None,
    *,
    kind: Literal["run", "do"] = "run",
    check: bool = False,
    lab: bool = False,
    scenario: str | None = None,
    confirm: Confirm = never,
    anew: bool = False,
    wait: dt.timedelta = WAIT,
    observer: Observer | None = None,
    state: StateFolder | None = None,
    stopper: Callable[[Callable[[], None]], None] = lambda stop: None,
) -> RunReport:
    """Run *playbook* against *hosts* (an inventory's), or with *lab* against the built-in lab.

    With *check*, every read is made, nothing is changed, and no record is left. Otherwise *confirm* is asked once,
    before the first change (``always`` for a script that has decided; the lab asks nothing). *anew* lets it begin
    although an earlier run owes its later steps. *stopper* is given a function that ends the run at the next boundary.

    Raises BadInput, Refused (another run owes, a dead one holds a target), and what a reading before the first step
    met: UnreachableHost, AccessRefused, CommandFailed. What the steps meet is in the report.
    """
    observer = observer or Silent()
    given = dict(inputs or {})
    values = check_inputs(playbook, given)
    if not lab and hosts is None:
        raise BadInput("there are no hosts to run against", "no inventory is named", "name one, or use the lab")
    if check:
        with ExitStack() as stack:
            clock: Clock = SystemClock()
            if lab:
                folder = stack.enter_context(
                    tempfile.TemporaryDirectory(prefix="easops-lab-", ignore_cleanup_errors=True)
                )
                world = stack.enter_context(start_lab(scenario or playbook.scenario, Path(folder)))
                hosts, clock = world.hosts, world.clock
            assert hosts is not None
            return _checked(playbook, values, hosts, kind, clock, observer, scenario if lab else None)
    state = (state or StateFolder.default()).prepared()
    run_id = f"{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    with ExitStack() as stack:
        record = Record(state.database_url)
        stack.callback(record.close)
        _prune(record, state)
        lock = state.lock(run_id)
        lock.take()
        stack.callback(lock.release)
        clock, used = SystemClock(), None
        if lab:
            world = stack.enter_context(start_lab(scenario or playbook.scenario, state.lab(run_id)))
            hosts, clock, used = world.hosts, world.clock, world.scenario
            confirm = always
        assert hosts is not None
        selected = _selected(playbook, values, hosts)
        document = {
            "text": playbook.text,
            "source": playbook.source,
            "inputs": {name: _plain(value) for name, value in given.items()},
            "hosts": to_json(list(hosts)),
            "lab": used,
            "protocol": PROTOCOL,
            "by": getpass.getuser(),
        }
        added = Run(run_id, kind, playbook.name, document, (), dt.datetime.now(dt.UTC), None, None, False, "", 1)
        targets = tuple(_target(added, host) for host in selected)
        added = attrs.evolve(added, targets=(*targets, _organisation_target(added, selected)))
        _refuse_owing(record, state, added, playbook, anew)
        record.add(added)
        observer.started(run_id, [step.name for step in playbook.steps])
        return _execute(added, run_id, record, state, lock, hosts, clock, observer, confirm, wait, stopper)


def resume(
    run_id: str,
    *,
    confirm: Confirm = never,
    wait: dt.timedelta = WAIT,
    observer: Observer | None = None,
    state: StateFolder | None = None,
    hosts: Sequence[Host] | None = None,
    stopper: Callable[[Callable[[], None]], None] = lambda stop: None,
) -> RunReport:
    """Go on with a run that died, or that ended and owes its later steps.

    *hosts*, an inventory's, supplies endpoints and credentials in place of the recorded ones.
    Raises BadInput (no such run), Refused (it is alive, closed, owes nothing, or was made by another protocol).
    """
    observer = observer or Silent()
    with _opened(state) as (record, state), _locked(record, state, run_id) as (held, lock):
        _refuse_closed(held)
        if held.document["protocol"] != PROTOCOL:
            raise Refused(
                f"run {held.run_id} was recorded with engine protocol {held.document['protocol']}",
                f"this version of easops has {PROTOCOL}",
                f"install easops {held.document.get('version', 'of that protocol')} to resume it; "
                f"easops undo {held.run_id} works with any version",
                rule="protocol",
            )
        if held.ended is not None and not held.owes:
            raise Refused(
                f"run {held.run_id} has ended and owes nothing",
                f"its status is {held.status}",
                "run the playbook again, or undo it",
                rule="nothing to resume",
            )
        walk_id = _walk_ids(held)[-1]
        if held.ended is not None:
            held = attrs.evolve(held, walks=held.walks + 1, ended=None, status=None)
            record.update(held.run_id, walks=held.walks, ended=None, status=None)
            walk_id = _walk_ids(held)[-1]
        with _world(held, hosts, state) as (known, clock):
            if held.lab is not None:
                confirm = always
            observer.started(held.run_id, [step.name for step in _playbook(held).steps] if held.kind != "undo" else [])
            return _execute(held, walk_id, record, state, lock, known, clock, observer, confirm, wait, stopper)


def undo(
    run_id: str,
    *,
    check: bool = False,
    confirm: Confirm = never,
    wait: dt.timedelta = WAIT,
    observer: Observer | None = None,
    state: StateFolder | None = None,
    hosts: Sequence[Host] | None = None,
    stopper: Callable[[Callable[[], None]], None] = lambda stop: None,
) -> RunReport:
    """Put back what a run changed, in reverse order; a run of its own.

    It plans first: where anything is neither as the run left it nor as it was before, the whole is refused with the
    difference. A dead run is reconciled and abandoned first. Raises BadInput, Refused (alive, undone already, drift).
    """
    observer = observer or Silent()
    with _opened(state) as (record, state), _locked(record, state, run_id) as (held, lock):
        if held.closed.startswith("undone"):
            raise Refused(
                f"run {held.run_id} is {held.closed} already", "", "easops runs show tells more", rule="undone"
            )
        with _world(held, hosts, state) as (known, clock):
            if held.ended is None and not check:
                _reconciled(held, record, known, clock)
                _abandoned(held, record, state)
            steps = _undo_steps(held, record)
            if check:
                observer.started(None, [])
                with _around(held, record, known, clock, observer) as around:
                    return _undo_checked(held, steps, around, observer)
            document = {**held.document, "undoes": held.run_id, "steps": to_json(steps)}
            undoing = Run(
                f"{dt.datetime.now(dt.UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}",
                "undo",
                f"undo of {held.run_id}",
                document,
                held.targets,
                dt.datetime.now(dt.UTC),
                None,
                None,
                False,
                "",
                1,
            )
            own = state.lock(undoing.run_id)
            own.take()
            try:
                record.add(undoing)
                observer.started(undoing.run_id, [])
                confirm = always if held.lab is not None else confirm
                report = _execute(
                    undoing, undoing.run_id, record, state, own, known, clock, observer, confirm, wait, stopper
                )
            finally:
                own.release()
            if EXIT_CODES[report.status] == 0:
                record.update(held.run_id, closed=f"undone by {undoing.run_id}", owes=False)
            return report


def reconcile(
    run_id: str, *, state: StateFolder | None = None, hosts: Sequence[Host] | None = None
) -> tuple[tuple[Change, ChangeOutcome], ...]:
    """Settle by reading what a dead run may have done, or what it ended not knowing. Sends no change.

    Gives each change that was open, with what was found. Raises Refused where the run is alive.
    """
    with (
        _opened(state) as (record, state),
        _locked(record, state, run_id) as (held, _),
        _world(held, hosts, state) as (known, clock),
    ):
        return _reconciled(held, record, known, clock)


def abandon(
    run_id: str, *, state: StateFolder | None = None, hosts: Sequence[Host] | None = None
) -> tuple[tuple[Change, ChangeOutcome], ...]:
    """Reconcile a dead run, or one that owes, then close it for good: its targets are free, and it owes nothing."""
    with _opened(state) as (record, state), _locked(record, state, run_id) as (held, _):
        _refuse_closed(held)
        with _world(held, hosts, state) as (known, clock):
            found = _reconciled(held, record, known, clock)
        _abandoned(held, record, state)
        return found


# -- the record, told ----------------------------------------------------------------------------------------------


@attrs.frozen
class RunView:
    """A run as ``runs list`` and ``runs show`` tell it. *alive*: a process executes it now. *open* are the changes
    whose outcome the record does not know."""

    run: Run
    alive: bool
    steps: tuple[StepResult, ...]
    changes: tuple[tuple[Change, ChangeOutcome | None], ...]

    @property
    def status(self) -> str:
        if self.run.closed:
            return self.run.closed
        if self.run.status is not None:
            return f"{self.run.status}, owes its later steps" if self.run.owes else self.run.status
        return "running" if self.alive else "died"

    @property
    def open(self) -> tuple[Change, ...]:
        return tuple(c for c, outcome in self.changes if outcome is None or outcome.status is Status.UNKNOWN)


def list_runs(state: StateFolder | None = None) -> tuple[RunView, ...]:
    """All recorded runs, the newest first, without their steps."""
    with _opened(state) as (record, state):
        return tuple(RunView(held, _alive(held, state), (), ()) for held in record.runs())


def show_run(run_id: str, state: StateFolder | None = None) -> RunView:
    """One run, whole. Raises BadInput where there is none of that id."""
    with _opened(state) as (record, state):
        held = record.get(run_id)
        return RunView(held, _alive(held, state), _steps(held, record), _changes(held, record))


def _alive(held: Run, state: StateFolder) -> bool:
    return held.ended is None and not held.closed and state.lock(held.run_id).is_alive()


def _steps(held: Run, record: Record) -> tuple[StepResult, ...]:
    steps = [from_json(entry.body, StepResult) for entry in record.entries(held.run_id, "step")]
    return tuple(sorted(steps, key=lambda step: step.number))


def _changes(held: Run, record: Record) -> tuple[tuple[Change, ChangeOutcome | None], ...]:
    outcomes = {entry.key: from_json(entry.body, ChangeOutcome) for entry in record.entries(held.run_id, "outcome")}
    return tuple(
        (from_json(entry.body["change"], Change), outcomes.get(entry.key))  # type: ignore[type-abstract]
        for entry in record.entries(held.run_id, "intent")
    )


# -- how a run is executed -----------------------------------------------------------------------------------------


def _checked(
    playbook: Playbook,
    values: Mapping[str, Any],
    hosts: Sequence[Host],
    kind: Literal["run", "do"],
    clock: Clock,
    observer: Observer,
    scenario: str | None,
) -> RunReport:
    selected = _selected(playbook, values, hosts)
    started = dt.datetime.now(dt.UTC)
    observer.started(None, [step.name for step in playbook.steps])
    with SessionPool() as sessions:
        around = Surroundings(sessions, Organisation.of(hosts, sessions), clock, observer.progress)
        hands = LookingHands(observer)
        facts = _facts(playbook, values, hosts, around, hands, lambda: _label(hosts))
        steps = walk(playbook, values, facts, selected, around, hands, lambda host: host.name)
    return RunReport(
        None,
        playbook.name,
        kind,
        run_status(steps),
        steps,
        checked=True,
        lab=scenario,
        started=started,
        ended=dt.datetime.now(dt.UTC),
    )


def _execute(
    held: Run,
    walk_id: str,
    record: Record,
    state: StateFolder,
    lock: RunLock,
    hosts: Sequence[Host],
    clock: Clock,
    observer: Observer,
    confirm: Confirm,
    wait: dt.timedelta,
    stopper: Callable[[Callable[[], None]], None],
) -> RunReport:
    """Execute a run's workflow to its end, and close its record."""
    problem: list[EasopsError] = []
    with _around(held, record, hosts, clock, observer) as around:

        def main(hands: DurableHands) -> None:
            try:
                if held.kind == "undo":
                    _walk_back(held, record, around, hands)
                else:
                    _walk_on(held, record, hosts, around, hands)
            except EasopsError as error:  # outcomes are values: no exception may end the workflow
                problem.append(error)

        execution = Execution(held.run_id, walk_id, record, state, lock, around, observer, confirm, wait, main)
        stopper(execution.stop.set)
        execute(execution)
    steps = _steps(held, record)
    if problem:
        status = Status.REFUSED if isinstance(problem[0], Refused) else _status_of(problem[0])
        record.end(held.run_id, status, owes=False)
        raise problem[0]
    status = run_status(steps)
    owes = _owes(steps)
    record.end(held.run_id, status, owes=owes)
    ended = record.get(held.run_id)
    return report_of(ended, steps)


def report_of(held: Run, steps: tuple[StepResult, ...]) -> RunReport:
    """A recorded run as a report."""
    report = RunReport(
        held.run_id,
        held.playbook,
        held.kind,
        Status(held.status) if held.status is not None else run_status(steps),
        steps,
        owes=held.owes,
        lab=held.lab,
        started=held.started,
        ended=held.ended,
    )
    return attrs.evolve(report, next=_next(report))


def _next(report: RunReport) -> str:
    if report.kind == "undo":
        return ""
    if report.owes:
        return f"easops runs resume {report.run_id}"
    return f"easops undo {report.run_id}" if report.changed else ""


def _walk_on(held: Run, record: Record, hosts: Sequence[Host], around: Surroundings, hands: DurableHands) -> None:
    playbook = _playbook(held)
    values = check_inputs(playbook, held.document["inputs"])
    selected = _selected(playbook, values, hosts)
    facts = _facts(playbook, values, hosts, around, hands, lambda: _organisation_target(held, selected))
    record.write(held.run_id, "facts", "facts", to_json(facts))
    already: dict[int, StepResult] = {}
    if held.walks > 1:
        good = (Status.OK, Status.CHANGED, Status.SKIPPED)
        already = {step.number: step for step in _steps(held, record) if step.status in good}
    walk(
        playbook,
        values,
        facts,
        selected,
        around,
        hands,
        lambda host: _target(held, host),
        already=already,
        asked=held.walks > 1 and bool(record.entries(held.run_id, "answer")),
    )


def _facts(
    playbook: Playbook,
    values: Mapping[str, Any],
    hosts: Sequence[Host],
    around: Surroundings,
    hands: Hands,
    organisation: Callable[[], str],
) -> Facts:
    """Learn the run's facts, once; and give the organisation its domain controller."""
    reads = any(step.kind != "do" or ACTIONS[step.subject].scope == "organisation" for step in playbook.steps)
    reachable = reads and any(host.exchange is not None for host in hosts)

    def learn() -> Facts:
        if not reachable:
            return Facts(organisation(), None)
        chosen = choose_domain_controller(around.organisation.session())
        around.organisation.domain_controller = chosen
        entries = [] if playbook.protect is None else evaluate(playbook.protect, values)
        return Facts(organisation(), chosen, protected_mailboxes(entries or (), around.organisation))

    facts = hands.once("0.facts", Facts, learn)
    around.organisation.domain_controller = facts.domain_controller
    return facts


@contextmanager
def _around(
    held: Run, record: Record, hosts: Sequence[Host], clock: Clock, observer: Observer
) -> Iterator[Surroundings]:
    with SessionPool() as sessions:
        organisation = Organisation.of(hosts, sessions)
        source = held.document.get("undoes", held.run_id)
        for entry in record.entries(source, "facts"):
            organisation.domain_controller = entry.body["domain_controller"]
        yield Surroundings(sessions, organisation, clock, observer.progress)


# -- undo ----------------------------------------------------------------------------------------------------------


def _undo_steps(held: Run, record: Record) -> list[Job]:
    """The jobs that put back what *held* changed, or may have: its changes in reverse, those of one target together."""
    jobs: list[Job] = []
    for change, outcome in reversed(_changes(held, record)):
        if outcome is not None and outcome.status not in _DONE_OR_UNSURE:
            continue
        host = getattr(change, "host", None)
        target = _organisation_target_of(held) if host is None else _host_target(held, host)
        back = change.inverse()
        if back is None:
            plan = Plan(change.subject, Status.SKIPPED, f"cannot be undone: {change.undo}", host=host)
        else:
            plan = Plan(
                change.subject, Status.WOULD_CHANGE, changes=(back,), before=back.before, after=back.after, host=host
            )
        if jobs and jobs[-1].target == target:
            jobs[-1] = attrs.evolve(jobs[-1], plans=(*jobs[-1].plans, plan))
        else:
            jobs.append(Job(len(jobs) + 1, target, host, (plan,)))
    return jobs


_DONE_OR_UNSURE: Final = (Status.CHANGED, Status.UNKNOWN, Status.VERIFY_FAILED, Status.FAILED)
"""Outcomes after which the change may be there. ``failed`` too: the read that found it undone may have been early."""


def _undo_planned(job: Job, plan: Plan, around: Surroundings) -> Plan:
    """An undo's plan, after a look at what is there now."""
    if not plan.changes:
        return plan
    back = plan.changes[0]
    try:
        state = back.read(around)
    except EasopsError as error:
        status = _status_of(error)
        return attrs.evolve(plan, status=status, reason=str(error), changes=())
    standing = back.standing(state)
    if standing is Standing.AFTER:
        return attrs.evolve(plan, status=Status.OK, reason="it is as it was before already", changes=())
    if standing is Standing.OTHER:
        return attrs.evolve(plan, status=Status.REFUSED, reason=f"changed since: {drift(back, state)}", changes=())
    return plan


def _undo_plans(jobs: Sequence[Job], around: Surroundings, hands: Hands) -> tuple[list[Job], str]:
    """The jobs planned, and why the whole is refused (empty: it is not)."""
    planned: list[Job] = []
    for job in jobs:
        plans = tuple(
            hands.once(f"plan.{job.step}.{number}", Plan, lambda j=job, p=plan: _undo_planned(j, p, around))  # type: ignore[misc]
            for number, plan in enumerate(job.plans)
        )
        planned.append(attrs.evolve(job, plans=plans))
    bad = [plan for job in planned for plan in job.plans if EXIT_CODES[plan.status] != 0]
    return planned, "; ".join(plan.reason for plan in bad)


def _undo_results(jobs: Sequence[Job], outcomes: Mapping[int, tuple[ItemOutcome, ...]]) -> tuple[StepResult, ...]:
    results = []
    for job in jobs:
        items = outcomes[job.step]
        done = Done("undo", items)
        name = f"Put back on {job.target}" if job.host is None else f"Put back on {job.host}"
        hosts = () if job.host is None else (job.host,)
        results.append(StepResult(job.step, name, "undo", "undo", done.status, hosts=hosts, done=done))
    return tuple(results)


def _untouched(job: Job, status: Status | None = None) -> tuple[ItemOutcome, ...]:
    return tuple(
        ItemOutcome(
            plan.item,
            job.target,
            status if status is not None and plan.status is Status.WOULD_CHANGE else plan.status,
            plan.reason,
            plan.before,
            plan.after,
        )
        for plan in job.plans
    )


def _undo_checked(held: Run, jobs: Sequence[Job], around: Surroundings, observer: Observer) -> RunReport:
    planned, _ = _undo_plans(jobs, around, LookingHands(observer))
    steps = _undo_results(planned, {job.step: _untouched(job) for job in planned})
    for step in steps:
        observer.finished(step)
    return RunReport(None, f"undo of {held.run_id}", "undo", run_status(steps), steps, checked=True, lab=held.lab)


def _walk_back(held: Run, record: Record, around: Surroundings, hands: DurableHands) -> None:
    jobs = [from_json(job, Job) for job in held.document["steps"]]
    planned, refused = _undo_plans(jobs, around, hands)
    outcomes: dict[int, tuple[ItemOutcome, ...]] = {}
    wanted = [job for job in planned if any(plan.status is Status.WOULD_CHANGE for plan in job.plans)]
    go = not refused
    if go and wanted:
        plans = tuple(plan for job in wanted for plan in job.plans)
        go = hands.ask(Preview("undo", plans, (), (), len(plans), 1))
        refused = "" if go else "not confirmed: nothing was changed"
    stopped = False
    for job in planned:
        todo = attrs.evolve(job, plans=tuple(p for p in job.plans if p.status is Status.WOULD_CHANGE))
        if not go:
            outcomes[job.step] = _untouched(job, Status.REFUSED)
        elif not todo.plans:
            outcomes[job.step] = _untouched(job)
        elif stopped:
            outcomes[job.step] = _untouched(job, Status.NOT_STARTED)
        else:
            ((_, done),) = hands.apply([todo], 1)
            left = [_undone(item) for item in done]
            outcomes[job.step] = tuple(
                left.pop(0) if plan.status is Status.WOULD_CHANGE else untouched
                for plan, untouched in zip(job.plans, _untouched(job), strict=True)
            )
            stopped = any(item.status in (Status.UNDO_FAILED, Status.UNKNOWN) for item in done)
    for result in _undo_results(planned, outcomes):
        hands.finished(attrs.evolve(result, reason=refused))


def _undone(item: ItemOutcome) -> ItemOutcome:
    if item.status is Status.CHANGED:
        return attrs.evolve(item, status=Status.UNDONE)
    if item.status in (Status.FAILED, Status.UNREACHABLE, Status.VERIFY_FAILED):
        return attrs.evolve(item, status=Status.UNDO_FAILED)
    return item


# -- dead runs -----------------------------------------------------------------------------------------------------


def _reconciled(
    held: Run, record: Record, hosts: Sequence[Host], clock: Clock
) -> tuple[tuple[Change, ChangeOutcome], ...]:
    known = {entry.key: from_json(entry.body, ChangeOutcome) for entry in record.entries(held.run_id, "outcome")}
    found: list[tuple[Change, ChangeOutcome]] = []
    with _around(held, record, hosts, clock, Silent()) as around:
        for entry in record.entries(held.run_id, "intent"):
            outcome = known.get(entry.key)
            if outcome is None or outcome.status is Status.UNKNOWN:
                change = from_json(entry.body["change"], Change)  # type: ignore[type-abstract]
                settled = settle(change, around)
                record.write(held.run_id, "outcome", entry.key, to_json(settled))
                found.append((change, settled))
    if held.ended is not None and held.status == Status.UNKNOWN and found:
        rest = [step.status for step in _steps(held, record) if step.status is not Status.UNKNOWN]
        record.update(held.run_id, status=worst([*rest, *(outcome.status for _, outcome in found)]))
    return tuple(found)


def _abandoned(held: Run, record: Record, state: StateFolder) -> None:
    cancel(state, _walk_ids(held))
    record.update(held.run_id, closed="abandoned", owes=False)


def _walk_ids(held: Run) -> list[str]:
    return [held.run_id, *(f"{held.run_id}.{number}" for number in range(2, held.walks + 1))]


@contextmanager
def _opened(state: StateFolder | None) -> Iterator[tuple[Record, StateFolder]]:
    folder = (state or StateFolder.default()).prepared()
    record = Record(folder.database_url)
    try:
        yield record, folder
    finally:
        record.close()


@contextmanager
def _locked(record: Record, state: StateFolder, run_id: str) -> Iterator[tuple[Run, RunLock]]:
    held = record.get(run_id)
    lock = state.lock(held.run_id)
    if not lock.take():
        raise Refused(
            f"run {held.run_id} is alive",
            "a process executes it now",
            f"wait for it, or stop it there; easops runs show {held.run_id} tells how far it is",
            rule="alive",
        )
    try:
        yield record.get(held.run_id), lock
    finally:
        lock.release()


@contextmanager
def _world(held: Run, hosts: Sequence[Host] | None, state: StateFolder) -> Iterator[tuple[tuple[Host, ...], Clock]]:
    """The hosts of a recorded run: its lab's, started again; those of an inventory; or the recorded ones."""
    if held.lab is not None:
        folder = state.lab(held.document.get("undoes", held.run_id))
        if not folder.exists():
            raise BadInput(
                f"the lab of run {held.run_id} is gone", "lab worlds are kept 7 days", "run the playbook again"
            )
        lab: Lab
        with start_lab(None, folder) as lab:
            yield lab.hosts, lab.clock
        return
    recorded = from_json(held.document["hosts"], tuple[Host, ...])
    if hosts is None:
        yield recorded, SystemClock()
        return
    by_name = {host.name: host for host in hosts}
    yield tuple(_with_credentials(host, by_name.get(host.name)) for host in recorded), SystemClock()


def _with_credentials(recorded: Host, given: Host | None) -> Host:
    """The recorded host with the credentials and authorities of an inventory's: nothing else is taken from it."""
    if given is None:
        return recorded
    changed: dict[str, Any] = {}
    for name in ("exchange", "windows"):
        old, new = getattr(recorded, name), getattr(given, name)
        if old is not None and new is not None:
            changed[name] = attrs.evolve(old, credential=new.credential, ca=new.ca, auth=new.auth)
    return attrs.evolve(recorded, **changed)


def _refuse_closed(held: Run) -> None:
    if held.closed:
        raise Refused(f"run {held.run_id} is closed", held.closed, "run the playbook again", rule="closed")


def _refuse_owing(record: Record, state: StateFolder, new: Run, playbook: Playbook, anew: bool) -> None:
    """Refuse to begin where an earlier run of this playbook on one of these targets died, or owes its later steps."""
    for held in record.runs():
        if (
            held.closed
            or held.kind == "undo"
            or held.playbook != playbook.name
            or not set(held.targets) & set(new.targets)
        ):
            continue
        dead = held.ended is None and not state.lock(held.run_id).is_alive()
        owes = held.ended is not None and held.owes and not anew
        if dead or owes:
            state_words = "died" if dead else f"ended as {held.status} and owes its later steps"
            ways = [
                f"easops runs resume {held.run_id}",
                f"easops undo {held.run_id}",
                f"easops runs abandon {held.run_id}",
            ]
            raise Refused(
                f"run {held.run_id} of this playbook {state_words}",
                f"it has a target in common with this one: {', '.join(sorted(set(held.targets) & set(new.targets)))}",
                "type " + ", or ".join(ways) + (", or run with --anew" if owes else ""),
                rule="an earlier run is open",
            )


def _prune(record: Record, state: StateFolder) -> None:
    """Forget records, with what the engine keeps beside them, after 400 days; and lab worlds after 7."""
    import shutil

    now = dt.datetime.now(dt.UTC)
    old = [held for held in record.runs() if now - held.started > KEPT]
    if old:
        forget(state, [walk for held in old for walk in _walk_ids(held)])
        record.forget([held.run_id for held in old])
    for folder in state.labs.iterdir():
        if now.timestamp() - folder.stat().st_mtime > 7 * 86400 and not state.lock(folder.name).is_alive():
            shutil.rmtree(folder, ignore_errors=True)


# -- small things --------------------------------------------------------------------------------------------------


def _playbook(held: Run) -> Playbook:
    return load_playbook_text(held.document["text"], held.document["source"], actions=ACTIONS, detectors=DETECTORS)


def _selected(playbook: Playbook, values: Mapping[str, Any], hosts: Sequence[Host]) -> tuple[Host, ...]:
    wanted = evaluate(playbook.hosts, values)
    chosen = select(wanted, hosts)
    if not chosen:
        raise BadInput(
            f"no host is selected by {wanted!r}",
            f"the inventory has {', '.join(host.name for host in hosts) or 'none'}",
            "correct hosts: in the playbook, or the hosts of the inventory",
        )
    one_organisation(chosen)
    return chosen


def _label(hosts: Sequence[Host]) -> str:
    return f"organisation {hosts[0].organisation}"


def _in_lab(held: Run) -> str:
    return f"lab:{held.document.get('undoes', held.run_id)}/" if held.lab is not None else ""


def _target(held: Run, host: Host) -> str:
    """A host's target: the name of its windows endpoint, or the exchange one; in a lab, whose ports differ at each
    start, the host's own name."""
    if held.lab is not None:
        return _in_lab(held) + host.name.lower()
    way_in = host.windows or host.exchange
    return host.name.lower() if way_in is None else way_in.address


def _organisation_target(held: Run, hosts: Sequence[Host]) -> str:
    return f"{_in_lab(held)}organisation {hosts[0].organisation.lower()}"


def _organisation_target_of(held: Run) -> str:
    return next(target for target in held.targets if "organisation " in target)


def _host_target(held: Run, label: str) -> str:
    hosts = from_json(held.document["hosts"], tuple[Host, ...])
    return _target(held, next(host for host in hosts if host.name == label))


def _plain(value: Any) -> Json:
    return format_duration(value) if isinstance(value, dt.timedelta) else to_json(value)


def _owes(steps: Sequence[StepResult]) -> bool:
    """Whether a changing step was not started because of what came before it, a refusal apart."""
    stops = [step.status for step in steps if EXIT_CODES[step.status] > EXIT_CODES[Status.REFUSED]]
    open_ = any(
        step.status is Status.NOT_STARTED or any(item.status is Status.NOT_STARTED for item in step.items)
        for step in steps
    )
    return open_ and bool(stops)


def _status_of(error: EasopsError) -> Status:
    from easops.errors import OutcomeUnknown, UnreachableHost

    if isinstance(error, Refused):
        return Status.REFUSED
    return Status.UNREACHABLE if isinstance(error, UnreachableHost | OutcomeUnknown) else Status.FAILED
