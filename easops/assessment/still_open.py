"""What a run has found and leaves open, whatever its status: not treated, or not looked at again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from easops.playbook.steps.report import RunReport, StepResult
from easops.status import EXIT_CODES, Status


def untouched(report: RunReport) -> list[StepResult]:
    """Of a run that did well and changed nothing the steps with a finding, where no verify looked: the fault may go
    on."""
    if report.checked or report.changed or report.kind != "run" or report.exit_code:
        return []
    if any(step.kind == "verify" and step.status is not Status.SKIPPED for step in report.steps):
        return []
    return _with_finding(report)


def left_open(report: RunReport) -> list[str]:
    """In words, whom and what a detect step of any other run found, no do step treated, and no verify looked at; none
    under check."""
    if report.checked or report.kind != "run" or untouched(report):
        return []
    return [*_users(report), *_hosts(report)]


def _with_finding(report: RunReport) -> list[StepResult]:
    found = [step for step in report.steps if step.kind == "detect" and step.detection is not None]
    return [step for step in found if step.detection is not None and step.detection.found]


def _users(report: RunReport) -> Iterator[str]:
    """The users, from where each was found first; those of one outcome together."""
    first: dict[tuple[str, str], int] = {}
    treated: dict[str, list[tuple[int, Status]]] = {}
    looked: dict[tuple[str, str], int] = {}
    for at, step in enumerate(report.steps):
        detection = step.detection
        if step.kind == "do":
            for item in step.items:
                treated.setdefault(item.item, []).append((at, item.status))
        if detection is None:
            continue
        users = [held.user for held in detection.users]
        if step.kind == "verify":
            looked |= {(step.subject, user): at for user in (*detection.asked, *users)}
        else:
            for user in users:
                first.setdefault((step.subject, user), at)
    by_words: dict[str, list[str]] = {}
    for (subject, user), at in first.items():
        words = _untreated([status for later, status in treated.get(user, ()) if later > at], owes=report.owes)
        if words and looked.get((subject, user), -1) < at:
            by_words.setdefault(words, []).append(user)
    for words, users in by_words.items():
        yield f"{', '.join(dict.fromkeys(users))}: {words}; no step looked whether it has ended"


def _untreated(statuses: Sequence[Status], *, owes: bool) -> str:
    """Why nothing was done about a user, in a word; empty where something was, or may have been, or is still owed."""
    left = [status for status in statuses if status is not Status.NOT_STARTED]
    if not left:
        return "" if owes else "not treated"
    may = (Status.UNKNOWN, Status.VERIFY_FAILED)
    if any((EXIT_CODES[status] == 0 and status is not Status.SKIPPED) or status in may for status in left):
        return ""
    return left[-1].replace("_", " ")


def _hosts(report: RunReport) -> Iterator[str]:
    """The hosts of findings that are of no user: not treated, or a verify of it did not look at them."""
    found: dict[tuple[str, str], dict[str, int]] = {}
    treated: dict[str, int] = {}
    looked: dict[tuple[str, str], int] = {}
    looks = {step.subject: at for at, step in enumerate(report.steps) if step.kind == "verify"}
    for at, step in enumerate(report.steps):
        treated |= {item.item: at for item in step.items if item.touched or item.status is Status.CHANGED}
        detection = step.detection
        if detection is not None and step.kind == "verify":
            hosts = (*step.hosts, *detection.judged, *(held.host for held in detection.measurements))
            looked |= {(step.subject, host): at for host in hosts}
        elif detection is not None and not detection.users and not report.owes:
            for host in detection.hosts:
                found.setdefault((step.name, step.subject), {}).setdefault(host, at)
    for (name, subject), hosts_at in found.items():
        left = [
            host
            for host, at in hosts_at.items()
            if looked.get((subject, host), -1) < at and (looks.get(subject, -1) > at or treated.get(host, -1) < at)
        ]
        if left:
            yield f"{name}: found on {', '.join(left)}, and not looked at again"
