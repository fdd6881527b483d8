"""A whole incident from a seed: a world, a playbook, what goes wrong on the way, and what easops makes of it."""

from __future__ import annotations

import datetime as dt
import functools
import random
import traceback
from collections.abc import Mapping
from typing import Any, Final

import attrs

from easops.actions import ACTIONS
from easops.actions.change import Change, ChangeOutcome
from easops.detectors import DETECTORS
from easops.errors import EasopsError
from easops.inventory.host import Endpoint, Host
from easops.lab.cmdlets import CMDLETS
from easops.lab.scripts import SCRIPTS
from easops.lab.world import World
from easops.lab.world.oracle import Flood, Oracle
from easops.lab.world.scenario import read_scenario
from easops.lab.world.state import Beginning, MemoryState
from easops.lab.world.world import Answer
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.caller import Caller
from easops.playbook.execution.run_options import RunOptions
from easops.playbook.language.find import find_playbook
from easops.playbook.language.load import load_playbook_text
from easops.playbook.language.model import Playbook
from easops.playbook.record.stored_run import changes_of
from easops.playbook.resume import resume_run
from easops.playbook.run import start_run
from easops.playbook.undo import undo_run
from easops.remoting.command import Pipeline
from tests.simulation.machine import Died, Machine, MemoryEngine, MemoryRecord, Process
from tests.simulation.machine import MemoryState as MachineState
from tests.simulation.scheduler import Scheduler, VirtualClock
from tests.simulation.servers import KINDS, Beside, Fault, Servers, Sessions

START: Final = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)
PEOPLE: Final = ("Laura Brandt", "Marco Ricci", "Victoria Chen", "Tomas Novak", "Helen Strand")
OURS: Final = "easops-eas-r900000-b240000"
"""The policy that the shipped playbook makes."""
ANSWERS: Final[Mapping[str, Answer]] = {**CMDLETS, **SCRIPTS}


@attrs.frozen
class Profile:
    """What may go wrong: the share of changing calls and of reads that meet a fault, and of incidents in which a
    process dies, in which others act, in which two runs are started together, and in which clocks jump."""

    name: str
    changes: float = 0.0
    reads: float = 0.0
    kinds: tuple[str, ...] = KINDS
    deaths: float = 0.0
    unreadable: float = 0.0
    people: float = 0.0
    together: float = 0.0
    jumps: float = 0.0


PROFILES: Final[Mapping[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile("calm"),
        Profile("faults", changes=0.25, reads=0.02),
        Profile("late", changes=0.4, kinds=("late", "hangs", "lost_done", "lost_undone")),
        Profile("deaths", deaths=1.0),
        Profile("deaths-late", deaths=1.0, changes=0.3, kinds=("late", "hangs", "lost_done")),
        Profile("deaths-unreadable", deaths=0.8, unreadable=0.7, changes=0.25),
        Profile("people", people=1.0, changes=0.1),
        Profile("together", together=1.0, changes=0.1, reads=0.01),
        Profile("jumps", jumps=1.0, changes=0.1, deaths=0.3),
    )
}


@attrs.frozen
class Incident:
    """All that determines an incident: plain JSON values, so that it can be kept and shrunk.

    *world* is a scenario's data, *playbook* the text or the name of a playbook, *protect* who must not be changed.
    *faults* are those of the calls, by number: changing calls are counted apart from reads. *deaths* are the boundaries
    at which the first processes die. *unreadable*: when a run is resumed, nobody answers for so many seconds. *beside*
    is what others do right before or behind a changing call, by its number.
    """

    profile: str
    seed: int
    world: Mapping[str, Any]
    playbook: str
    inputs: Mapping[str, Any]
    changes: Mapping[int, Fault]
    reads: Mapping[int, Fault]
    deaths: tuple[int, ...]
    unreadable: float
    together: bool
    beside: Mapping[int, tuple[Beside, Mapping[str, Any]]] = attrs.field(factory=dict)


@functools.cache
def _calm() -> Mapping[str, Any]:
    return read_scenario("calm")


@functools.cache
def playbook_of(text: str) -> Playbook:
    """The playbook of that name or text, read once."""
    if "\n" not in text:
        return find_playbook(text)
    return load_playbook_text(text, "simulated.yml", actions=ACTIONS, detectors=DETECTORS)


BLOCKS: Final = """\
easops: 1
name: Block whoever floods
hosts: runs=activesync
inputs:
  protect: {type: list, default: []}
limits: {changes: 2}
protect: "{{ protect }}"
steps:
  - detect: contact_sync_storm
    with: {since: 15m}
    as: storm
  - do: block_user
    for_each: "{{ storm.users }}"
    with: {user: "{{ item.user }}"}
    because: "{{ item.evidence }}"
    as: blocked
  - do: recycle_app_pool
    when: "{{ blocked.changed }}"
    on: "{{ storm.hosts }}"
    because: the block is in force in new worker processes only
"""
RECYCLES: Final = """\
easops: 1
name: Recycle each server
hosts: runs=activesync
inputs:
  protect: {type: list, default: []}
limits: {hosts_at_once: 2}
steps:
  - do: recycle_app_pool
    on: all
    because: it is a test
"""


def incident_of(profile_name: str, seed: int) -> Incident:
    """The incident of a seed."""
    rng = random.Random(f"{profile_name}:{seed}")
    profile = PROFILES[profile_name]
    old = rng.random() < 0.3
    servers: list[dict[str, Any]] = [
        {
            "name": f"AMS-EX0{number + 1}",
            "ip": f"10.20.0.{11 + number}",
            "processors": 8,
            "database": f"AMS-DB0{number + 1}",
            "version": 2010 if old and number == 0 else 2016,
        }
        for number in range(rng.choice([1, 2, 2, 3]))
    ]
    clocks = random.Random(f"clocks:{profile_name}:{seed}")  # apart, so that the rest of an incident stays as it was
    if clocks.random() < 0.1:
        servers += [
            {**servers[-1], "name": f"AMS-EX0{number}", "ip": f"10.20.0.{20 + number}", "database": f"AMS-DB0{number}"}
            for number in range(len(servers) + 1, 6)
        ]
    if profile.jumps or clocks.random() < 0.3:
        servers = [{**server, "clock": round(clocks.uniform(-600, 600), 1)} for server in servers]
    names = [str(server["name"]) for server in servers]
    flooding = rng.sample(PEOPLE, rng.choice([0, 1, 1, 2, 3]))
    storms = [
        {
            "user": user,
            "server": rng.choice(names),
            "contacts": 2500,
            "folder": 5204,
            "interval": rng.choice([120, 180, 240]),
            "rpc": [2400, 4100],
            "device": "iPhone",
        }
        for user in flooding
    ]
    policies: list[dict[str, Any]] = []
    if rng.random() < 0.3 and any(server["version"] != 2010 for server in servers):
        values = {"EasRechargeRate": "Unlimited", "EasMaxBurst": "Unlimited"}
        policies.append({"name": "VIP", "values": values, "users": [rng.choice(PEOPLE)]})
    crowded = rng.random() < profile.people
    acts = [_act(rng, names, flooding, policies) for _ in range(rng.choice([1, 1, 2, 3]))] if crowded else []
    happenings = [
        {"at": round(rng.choice([rng.uniform(0, 120), rng.uniform(0, 1200)]), 1), **act}
        for act in acts
        if rng.random() < 0.6
    ]
    if clocks.random() < profile.jumps:
        happenings += [
            {
                "at": round(clocks.uniform(0, 1500), 1),
                "what": "jump_clock",
                "whom": clocks.choice(names),
                "by": round(clocks.choice([-3600, -600, -120, -20, 20, 120, 600, 3600]) * clocks.uniform(0.5, 1), 1),
            }
            for _ in range(clocks.choice([1, 1, 2, 3]))
        ]
    beside: dict[int, tuple[Beside, Mapping[str, Any]]] = {
        rng.randrange(6): (rng.choice(_BESIDE), act) for act in acts if act not in [*map(_act_of, happenings)]
    }
    world = {
        **_calm(),
        "servers": servers,
        "mailboxes": rng.choice([8, 12]),
        "history": 900,
        "load": 0.9,
        "heavy": None,
        "first_sync": None,
        "storms": storms,
        "stubborn": [user for user in flooding if clocks.random() < 0.5 * profile.jumps],
        "policies": policies,
        "replication": rng.choice([0, 0, 20, 90]),
        "happenings": happenings,
    }
    protect = [_address(rng.choice(flooding))] if flooding and rng.random() < 0.25 else []
    playbook = rng.choice(["contacts-sync-storm", "contacts-sync-storm", BLOCKS, RECYCLES])
    inputs: dict[str, Any] = {"protect": protect}
    if playbook == "contacts-sync-storm":
        inputs["window"] = "15m"
    return Incident(
        profile_name,
        seed,
        world,
        playbook,
        inputs,
        _faults(rng, profile.changes, 12, profile.kinds),
        _faults(rng, profile.reads, 400, ("unreachable", "slow", "lost_done", "hangs", "refused")),
        tuple(_dies_at(rng) for _ in range(rng.choice([1, 1, 2]))) if rng.random() < profile.deaths else (),
        rng.choice([30.0, 200.0, 900.0]) if rng.random() < profile.unreadable else 0.0,
        rng.random() < profile.together,
        beside,
    )


def _dies_at(rng: random.Random) -> int:
    """Mostly where something is changed, which is behind the reads of the beginning."""
    return rng.randint(1, 900)


def _faults(rng: random.Random, share: float, calls: int, kinds: tuple[str, ...]) -> dict[int, Fault]:
    faults = {}
    for number in range(calls):
        if rng.random() < share:
            kind: Any = rng.choice(kinds)
            faults[number] = Fault(kind, rng.uniform(5, 60) if kind != "hangs" else rng.uniform(20, 62))
    return faults


_BESIDE: Final[tuple[Beside, ...]] = ("before", "behind")


def _act(
    rng: random.Random, servers: list[str], flooding: list[str], policies: list[dict[str, Any]]
) -> Mapping[str, Any]:
    """What somebody else does."""
    user, server = rng.choice(flooding or list(PEOPLE)), rng.choice(servers)
    acts: list[Mapping[str, Any]] = [
        {"what": "block_user", "whom": user},
        {"what": "unblock_user", "whom": user},
        {"what": "recycle_pool", "whom": server},
        {"what": "fix_device", "whom": user},
        {"what": "server_down", "whom": server, "for": rng.choice([30, 200])},
        {"what": "server_down", "whom": server},
        {"what": "remove_policy", "whom": OURS},
        {"what": "edit_policy", "whom": OURS, "values": {"EasMaxConcurrency": 7}},
    ]
    acts += [{"what": "associate_policy", "whom": user, "policy": policy["name"]} for policy in policies]
    return rng.choice(acts)


def _act_of(happening: Mapping[str, Any]) -> Mapping[str, Any]:
    return {key: value for key, value in happening.items() if key != "at"}


def _address(name: str) -> str:
    return f"{name.lower().replace(' ', '.')}@contoso.example"


# -- what becomes of it ------------------------------------------------------------------------------------------------


@attrs.define(eq=False)
class Told:
    """What one process of easops told: *verb*, and its report, the error that it raised, or that it died.

    *outcomes* are those of its run's changes in the record at that moment, *floods* the storms that went on then.
    """

    verb: str
    process: Process
    outcomes: tuple[tuple[Change, ChangeOutcome | None], ...] = ()
    floods: tuple[Flood, ...] = ()
    report: RunReport | None = None
    error: BaseException | None = None
    trace: str = ""

    @property
    def died(self) -> bool:
        return isinstance(self.error, Died)


@attrs.define(eq=False)
class Course:
    """An incident as it went: all that an oracle needs."""

    incident: Incident
    world: World
    servers: Servers
    machine: Machine
    hosts: tuple[Host, ...]
    before: Mapping[str, Any]
    told: list[Told] = attrs.field(factory=list)
    undone: Mapping[str, Any] | None = None

    @property
    def trace(self) -> str:
        """What happened, as text: the same for the same incident."""
        lines = [f"{sent.time:.3f} {sent.server} {sent.cmdlet} {sorted(sent.parameters.items())}" for sent in self.made]
        for told in self.told:
            lines.append(f"{told.verb}: {told.report.status if told.report is not None else repr(told.error)}")
            for step in () if told.report is None else told.report.steps:
                lines.append(f"  {step.key} {step.status} {step.reason}")
                lines += [f"    {item.item} {item.status} {item.reason}" for item in step.items]
        return "\n".join(lines)

    @property
    def made(self) -> list[Any]:
        return self.servers.carried_out


def live_through(incident: Incident) -> Course:
    """Let the incident happen: a run, or two together; resumed where its process dies or it has unfinished steps; and
    at the end undone, when everybody answers again."""
    rng = random.Random(f"course:{incident.profile}:{incident.seed}")
    random.seed(f"jitter:{incident.seed}")  # of the waits between tries
    state = MemoryState()
    beginning = Beginning("simulated", incident.world, incident.seed, START.timestamp(), 0.0)
    world = World(state, beginning, ANSWERS, read_only=False)
    scheduler = Scheduler(rng, world.reach)
    counts = {True: 0, False: 0}
    deaf_until = [-1.0]

    def fault_of(server: str, call: Pipeline) -> Fault | None:
        if scheduler.now < deaf_until[0]:
            return Fault("unreachable", 3.0)
        number = counts[call.reads]
        counts[call.reads] += 1
        return (incident.reads if call.reads else incident.changes).get(number)

    servers = Servers(world, state, scheduler, rng, fault_of, incident.beside)
    machine = Machine(scheduler, START)
    hosts = hosts_of(world)
    course = Course(incident, world, servers, machine, hosts, reads(world))
    deaths = list(incident.deaths)

    def process() -> Process:
        return Process(deaths.pop(0) if deaths else None)

    def run_it() -> None:
        if incident.profile == "calm":
            _tell(course, "check", Process(), functools.partial(start_playbook, check=True))
        told = _tell(course, "run", process(), start_playbook)
        for _ in range(6):
            run_id = _latest(machine, "run")
            if run_id is None:
                return
            unfinished = told.report is not None and told.report.unfinished
            if not (told.died or unfinished):
                return
            if unfinished:
                scheduler.wait(300)
            if incident.unreadable:
                deaf_until[0] = scheduler.now + incident.unreadable
            told = _tell(course, "resume", process(), functools.partial(_resume, run_id))

    def whole() -> None:
        if incident.together:
            both = [scheduler.spawn(lambda: _tell(course, "run", Process(), start_playbook), None) for _ in range(2)]
            for task in both:
                scheduler.join(task)
        else:
            run_it()
        scheduler.wait(120)
        deaf_until[0] = -1.0
        for run_id in [run.run_id for run in machine.runs.values() if run.kind == "run"][::-1]:
            _tell(course, "undo", Process(), functools.partial(_undo, run_id))
        course.undone = reads(world)

    task = scheduler.spawn(whole, None)
    scheduler.run(task)
    if task.error is not None:
        raise task.error
    return course


def _tell(course: Course, verb: str, process: Process, act: Any) -> Told:
    """Have a process of easops do something; what it told."""
    told = Told(verb, process)
    course.told.append(told)
    task = course.machine.scheduler.spawn(lambda: act(course, process), process)
    try:
        told.report = course.machine.scheduler.join(task)
    except (EasopsError, Died) as error:
        told.error = error
    except Exception as error:
        told.error, told.trace = error, traceback.format_exc()
    process.dead = True
    course.machine.scheduler.end(process)
    if process.run_id:
        record: Any = MemoryRecord(course.machine, Process())
        told.outcomes = changes_of(record.get(process.run_id), record)
    told.floods = Oracle(course.world).floods()
    for run_id, holder in list(course.machine.alive.items()):
        if holder is process:
            del course.machine.alive[run_id]
    return told


def _options(course: Course, process: Process) -> RunOptions:
    engine = MemoryEngine(course.machine, process)
    sessions: Any = Sessions(course.servers, process)
    clock = VirtualClock(course.machine.scheduler, START)
    return RunOptions(Caller(None, True), sessions=sessions, engine=engine, clock=lambda: clock)


def _state(course: Course, process: Process) -> Any:
    return MachineState(course.machine, process)


def start_playbook(course: Course, process: Process, *, check: bool = False) -> RunReport:
    incident = course.incident
    return start_run(
        playbook_of(incident.playbook),
        course.hosts,
        lambda _: incident.inputs,
        _options(course, process),
        check=check,
        lab=False,
        scenario=None,
        anew=False,
        state=_state(course, process),
    )


def _resume(run_id: str, course: Course, process: Process) -> RunReport:
    return resume_run(run_id, None, _options(course, process), state=_state(course, process))


def _undo(run_id: str, course: Course, process: Process) -> RunReport:
    return undo_run(
        run_id,
        None,
        _options(course, process),
        check=False,
        skip_drifted=False,
        state=_state(course, process),
    )


def _latest(machine: Machine, kind: str) -> str | None:
    return next((run.run_id for run in reversed(list(machine.runs.values())) if run.kind == kind), None)


def hosts_of(world: World) -> tuple[Host, ...]:
    """The inventory of the world."""
    return tuple(
        Host(
            server.name,
            world.scenario.organisation,
            server.product.version,  # type: ignore[arg-type]
            frozenset({"mailbox", "client_access"}),
            world.scenario.site,
            Endpoint(f"https://{server.fqdn}/PowerShell", "kerberos", None),
            Endpoint(f"https://{server.fqdn}:5986/wsman", "kerberos", None),
        )
        for server in world.servers.values()
    )


def reads(world: World) -> Mapping[str, Any]:
    """What the directory has of each mailbox, and the policies, by what was written last."""
    found: dict[str, Any] = {}
    for mailbox in world.directory.mailboxes:
        access = mailbox.beginning
        for write in sorted(mailbox.history, key=lambda write: write.time):
            access = attrs.evolve(access, **write.values)
        found[mailbox.smtp] = access
    found["policies"] = tuple(
        (policy.name, tuple(sorted(policy.history[-1].values.items())))
        for policy in world.directory.policies
        if policy.removed is None
    )
    return found
