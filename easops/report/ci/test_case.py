"""A run as test cases, as CI systems count them: one for each step, and one for each item of a changing step.

What a rule stopped, and what was tried and did not show, is a failure; what could not be done or is not known is an
error; what was left out, or waits for an approval, is skipped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, Literal

import attrs

from easops.errors import BadInput, EasopsError, OutcomeUnknown, Refused, UnreachableHost
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.steps.step_result import StepResult
from easops.report.terminal.error import error_lines
from easops.report.terminal.step import step_lines
from easops.status import Status

Outcome = Literal["passed", "failure", "error", "skipped"]

OUTCOMES: Final[dict[Status, Outcome]] = {
    Status.SKIPPED: "skipped",
    Status.OK: "passed",
    Status.CHANGED: "passed",
    Status.UNDONE: "passed",
    Status.WOULD_CHANGE: "passed",
    Status.NOT_STARTED: "skipped",
    Status.AWAITING_APPROVAL: "skipped",
    Status.REFUSED: "failure",
    Status.FAILED: "error",
    Status.UNDO_FAILED: "error",
    Status.UNREACHABLE: "error",
    Status.UNDETERMINED: "error",
    Status.VERIFY_FAILED: "failure",
    Status.UNKNOWN: "error",
}


@attrs.frozen
class Case:
    """*reason* says why it did not pass, as far as that is known; *evidence* is lines of text; *seconds*
    and *evidence* of a step with several cases are those of the first."""

    name: str
    status: str
    outcome: Outcome
    reason: str = ""
    seconds: float = 0.0
    evidence: str = ""


def cases(report: RunReport) -> tuple[Case, ...]:
    """All of a run, in the order of its steps; what ended it outside of them is the last."""
    found = [case for at in range(len(report.steps)) for case in _of_step(report, at)]
    if report.problem is not None:
        found.append(of_problem(report.problem))
    if report.stopped:
        found.append(Case("the run", "stopped", "error", "it was stopped before its end"))
    return tuple(found)


def of_problem(problem: EasopsError) -> Case:
    """A run that could not begin, or that something outside of its steps ended."""
    kinds = (
        (Refused, "refused"),
        (BadInput, "bad_input"),
        (UnreachableHost, "unreachable"),
        (OutcomeUnknown, "unknown"),
    )
    status = next((word for kind, word in kinds if isinstance(problem, kind)), "failed")
    outcome: Outcome = "failure" if isinstance(problem, Refused) else "error"
    return Case("the run", status, outcome, str(problem), evidence="\n".join(error_lines(problem)))


def _of_step(report: RunReport, at: int) -> Iterator[Case]:
    step = report.steps[at]
    evidence, seconds = "\n".join(step_lines(step, report.steps[:at])), step.seconds
    for name, status, reason in _parts(step):
        yield Case(name, status, OUTCOMES[status], reason, seconds, evidence)
        evidence, seconds = "", 0.0


def _parts(step: StepResult) -> Iterable[tuple[str, Status, str]]:
    """The step itself where it has no items, or ended otherwise than any of them; then the items."""
    name = f"{step.number} {step.name}" if step.host is None else f"{step.number} {step.name} on {step.host}"
    if step.status not in {item.status for item in step.items}:
        yield name, step.status, _reason(step)
    for item in step.items:
        yield f"{name}: {item.item or item.target}", item.status, item.reason


def _reason(step: StepResult) -> str:
    """Why it ended so; of a step that could not look everywhere, where and why."""
    if step.reason or step.detection is None:
        return step.reason
    lost = [f"{host.host}: {host.what}: {host.why}" for host in step.detection.unreachable]
    unjudged = [f"{one.subject}: {one.why}" for one in step.detection.undetermined if one.required]
    return "; ".join([*lost, *unjudged])
