"""What a run leaves open: not done, not known, not proved, not treated, or not checked again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from easops.playbook.assessment.found import found_words, last_hit_words, reads_the_past
from easops.playbook.assessment.point import Point
from easops.playbook.assessment.proved import not_proved
from easops.playbook.assessment.run_facts import RunFacts
from easops.playbook.steps.step_result import StepResult
from easops.status import OPEN, PROVEN_NOT_DONE, STOPS_LATER_CHANGES, Severity, Status, severity
from easops.wording import counted


def still_open(run: RunFacts) -> list[Point]:
    """All of it, the kinds in a fixed order; nothing of a run that is running or waits to be begun."""
    if run.running or run.waits:
        return []
    points = [Point("error", problem.what) for problem in [run.problem] if problem is not None]
    points += _items(run, Status.REFUSED)
    for status in Status:
        points += _items(run, status) if status in PROVEN_NOT_DONE else []
    points += _unknown(run)
    points += [Point("not proved", text) for text in not_proved(run)]
    # A log still shows for a while what has ended already: then it may go on, or not.
    past = [step for step in untouched(run) if reads_the_past(step.subject)]
    points += [Point("still open", _untouched_words(step)) for step in untouched(run) if step not in past]
    points += [Point("still open", text) for text in untreated(run)]
    points += [Point("possibly ongoing", _untouched_words(step)) for step in past]
    points += _left_alone(run)
    if not run.closed:
        points += [*_awaiting(run), *_unfinished(run)]
    if run.earlier is not None:
        text = f"run {run.earlier.run_id} {run.earlier.state}; resume, undo or abandon it first, or this one is refused"
        points.append(Point("earlier run", text))
    return points


def untouched(run: RunFacts) -> list[StepResult]:
    """The steps that found something in a run that did well, changed nothing and verified nothing: the fault may go
    on."""
    if run.checked or run.changed or run.kind != "run" or severity(run.status) is not Severity.GOOD:
        return []
    if any(step.kind == "verify" and step.status is not Status.SKIPPED for step in run.steps):
        return []
    found = [step for step in run.steps if step.kind == "detect" and step.detection is not None]
    return [step for step in found if step.detection is not None and step.detection.found]


def untreated(run: RunFacts) -> list[str]:
    """In words, whom and what a detect step found, no do step treated, and no verify checked; none under check."""
    if run.checked or run.kind != "run" or untouched(run):
        return []
    return [*_users(run), *_hosts(run)]


def _items(run: RunFacts, status: Status) -> list[Point]:
    return [
        Point(status.replace("_", " "), f"{item.item}: {item.reason}" if item.reason else item.item)
        for item in run.items
        if item.status is status
    ]


def _unknown(run: RunFacts) -> list[Point]:
    """Items whose outcome is not known; of a run that was cut short, the changes that no step could report."""
    points = _items(run, Status.UNKNOWN)
    if points or run.closed:
        return points
    return [Point("unknown", f"{subject}: no outcome is recorded") for subject in run.unknown]


def _awaiting(run: RunFacts) -> list[Point]:
    label = run.decision or "awaiting approval"
    after = {"approved": ", not made yet", "denied": ", which will not be made"}.get(run.decision, "")
    return [
        Point(label, f"{step.name}: {counted(len(step.approval.changes), 'planned change')}{after}")
        for step in run.steps
        if step.status is Status.AWAITING_APPROVAL and step.approval is not None
    ]


def _unfinished(run: RunFacts) -> list[Point]:
    """The changing steps that are still to be done."""
    if run.cut_short:
        how = "it was stopped" if run.state == "stopped" else "its process ended unexpectedly"
        return [Point("unfinished", f"the run did not come to its end: {how}")]
    if not run.unfinished or run.status is Status.AWAITING_APPROVAL:
        return []
    texts = [text for step in run.steps for text in _not_started(step)]
    stopped_at = next((step.name for step in run.steps if step.stops), "steps of this run are not done")
    return [Point("unfinished", text) for text in texts or [stopped_at]]


def _left_alone(run: RunFacts) -> list[Point]:
    """Items that an action left as they are, and steps that a stop kept from starting, where nobody is to resume
    them."""
    points = [
        Point("skipped", f"{item.item}: {item.reason}")
        for item in run.items
        if item.status is Status.SKIPPED and item.reason
    ]
    if not run.unfinished and not run.cut_short:
        points += [Point("not started", text) for step in run.steps for text in _not_started(step)]
    return points


def _not_started(step: StepResult) -> Iterator[str]:
    items = [item.item for item in step.items if item.status is Status.NOT_STARTED]
    name = step.name if step.host is None else f"{step.name} ({step.host})"
    if items:
        yield f"{name}: {', '.join(items)}"
    elif step.status is Status.NOT_STARTED and step.kind == "do":
        yield name


def _untouched_words(step: StepResult) -> str:
    """What a step found that nothing was done about; of what was read in a log also how long ago it was last seen."""
    assert step.detection is not None
    found = f"{step.name}: {found_words(step.detection)}{last_hit_words(step.detection)}"
    return f"{found}; nothing was changed, and no step checked whether it has ended"


def _users(run: RunFacts) -> Iterator[str]:
    """The users, from where each was found first; those of one outcome together."""
    first: dict[tuple[str, str], int] = {}
    treated: dict[str, list[tuple[int, Status]]] = {}
    checked_at: dict[tuple[str, str], int] = {}
    for at, step in enumerate(run.steps):
        detection = step.detection
        if step.kind == "do":
            for item in step.items:
                treated.setdefault(item.item, []).append((at, item.status))
        if detection is None:
            continue
        users = [finding.user for finding in detection.users]
        if step.kind == "verify":
            checked_at |= {(step.subject, user): at for user in (*detection.asked, *users)}
        else:
            for user in users:
                first.setdefault((step.subject, user), at)
    by_words: dict[str, list[str]] = {}
    for (subject, user), at in first.items():
        words = _untreated([status for later, status in treated.get(user, ()) if later > at], unfinished=run.unfinished)
        if words and checked_at.get((subject, user), -1) < at:
            by_words.setdefault(words, []).append(user)
    for words, users in by_words.items():
        yield f"{', '.join(dict.fromkeys(users))}: {words}; not checked again"


def _untreated(statuses: Sequence[Status], *, unfinished: bool) -> str:
    """Why nothing was done about a user, in a word; empty where something was, may have been, or is
    still to be done."""
    left = [status for status in statuses if status is not Status.NOT_STARTED]
    if not left:
        return "" if unfinished else "not treated"
    done = [status for status in left if status not in STOPS_LATER_CHANGES and status is not Status.SKIPPED]
    if done or any(status in OPEN for status in left):
        return ""
    return left[-1].replace("_", " ")


def _hosts(run: RunFacts) -> Iterator[str]:
    """The hosts of findings that are of no user: not treated, or a verify of it did not look at them."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    treated: dict[str, int] = {}
    checked_at: dict[tuple[str, str], int] = {}
    looks = {step.subject: at for at, step in enumerate(run.steps) if step.kind == "verify"}
    for at, step in enumerate(run.steps):
        treated |= {item.item: at for item in step.items if item.touched or item.status is Status.CHANGED}
        detection = step.detection
        if detection is not None and step.kind == "verify":
            hosts = (*step.hosts, *detection.judged, *(measurement.host for measurement in detection.measurements))
            checked_at |= {(step.subject, host): at for host in hosts}
        elif detection is not None and not detection.users and not run.unfinished:
            for host in detection.hosts:
                found.setdefault((step.name, step.subject), {}).setdefault(host, at)
    for (name, subject), hosts_at in found.items():
        left = [
            host
            for host, at in hosts_at.items()
            if checked_at.get((subject, host), -1) < at and (looks.get(subject, -1) > at or treated.get(host, -1) < at)
        ]
        if left:
            yield f"{name}: found on {', '.join(left)}, and not checked again"
