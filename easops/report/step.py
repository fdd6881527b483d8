"""One step of a run, as lines: its mark, name, hosts, time and outcome, and under it what a person needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from easops.actions.outcome import ItemOutcome
from easops.playbook.outcome import StepResult
from easops.report.finding import detection_lines, found_words
from easops.report.layout import INDENT, WIDTH, difference, lasted, wrapped
from easops.status import EXIT_CODES, Status

MARKS: Final = {
    Status.SKIPPED: "-",
    Status.OK: "=",
    Status.CHANGED: "+",
    Status.UNDONE: "+",
    Status.WOULD_CHANGE: "~",
    Status.NOT_STARTED: "-",
    Status.AWAITING_APPROVAL: "?",
    Status.REFUSED: "!",
    Status.FAILED: "x",
    Status.UNDO_FAILED: "x",
    Status.UNREACHABLE: "x",
    Status.UNDETERMINED: "?",
    Status.VERIFY_FAILED: "x",
    Status.UNKNOWN: "?",
}
"""In ASCII, since a console's code page may have nothing else."""

_FOUND: Final = "*"
_NAME_WIDTH: Final = 34
_HOSTS_WIDTH: Final = 18


def step_lines(
    step: StepResult, earlier: Sequence[StepResult] = (), *, diff: bool = False, verbose: bool = False
) -> list[str]:
    """The lines of *step*. *earlier* are the steps above it: what they said already is not said again.

    *diff* shows before and after of every item, whole and also where nothing differs; *verbose* all the evidence.
    """
    lines = _head(step)
    if step.detection is not None:
        notes = {note for held in earlier if held.detection is not None for note in held.detection.notes}
        lines += detection_lines(step.detection, told=notes, verbose=verbose)
    reasons = {item.reason for item in step.items}
    if step.detection is None and step.reason and step.reason not in reasons:
        lines += wrapped(step.reason)
    if step.because and (verbose or step.because not in _evidence(earlier)):
        lines += wrapped(f"because {step.because}")
    for item in step.items:
        lines += _item_lines(item, diff)
    moved = [item for item in step.items if item.status in (Status.CHANGED, Status.WOULD_CHANGE)]
    for effective in dict.fromkeys(item.effective for item in moved if item.effective):
        lines += wrapped(f"effective {effective}")
    return lines


def _head(step: StepResult) -> list[str]:
    hosts = ", ".join(step.hosts)
    if len(hosts) > _HOSTS_WIDTH:
        hosts = f"{len(step.hosts)} hosts"
    time = lasted(step.seconds) if step.seconds else ""
    left = f"{f'{_mark(step)} {step.name}':<{_NAME_WIDTH + 2}} {hosts:<{_HOSTS_WIDTH}} {time:>6}  "
    words = outcome_words(step)
    if len(left + words) > WIDTH and "," in words:  # several statuses, for which there is no place
        return [left + step.status.replace("_", " "), *wrapped(words)]
    return [(left + words).rstrip()]


def _mark(step: StepResult) -> str:
    if step.kind == "detect" and step.status is Status.OK and step.detection is not None and step.detection.found:
        return _FOUND
    return MARKS[step.status]


def outcome_words(step: StepResult) -> str:
    """The outcome of a step in a word or three: of several items, how many have which status, the worst first."""
    if step.status is Status.OK and step.kind == "detect" and step.detection is not None:
        return found_words(step.detection)
    if step.status is Status.OK and step.kind == "verify":
        return "proved"
    counts = Counter(item.status for item in step.items)
    if step.status not in counts or set(counts) == {Status.OK}:
        return step.status.replace("_", " ")
    worst_first = sorted(counts, key=list(Status).index, reverse=True)
    worst_first.sort(key=lambda status: EXIT_CODES[status], reverse=True)
    return ", ".join(f"{status.replace('_', ' ')} {counts[status]}" for status in worst_first)


def _item_lines(item: ItemOutcome, diff: bool) -> list[str]:
    lines = wrapped(item_words(item.item, item.status, item.reason))
    moved = item.status in (Status.CHANGED, Status.WOULD_CHANGE, Status.UNDONE, Status.UNKNOWN, Status.VERIFY_FAILED)
    if diff or moved:
        for entry in difference(item.before, item.after, whole=diff):
            lines += wrapped(entry, INDENT + "  ", "  ")
    if item.status is Status.WOULD_CHANGE and item.undo not in ("", "exact"):
        lines += wrapped(f"undo: {item.undo}", INDENT + "  ", "  ")
    return lines


def item_words(item: str, status: Status, reason: str) -> str:
    """``anna@contoso.example: refused (protected)``."""
    return f"{item}: {status.replace('_', ' ')}" + (f" ({reason})" if reason else "")


def _evidence(steps: Sequence[StepResult]) -> set[str]:
    return {user.evidence for step in steps if step.detection is not None for user in step.detection.users}
