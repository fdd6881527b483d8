"""One step of a run, as lines: its mark, name, hosts, time and outcome, and under it what a person needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from easops.actions.outcome import ItemOutcome
from easops.clock import lasted
from easops.playbook.assessment.found import found_words
from easops.playbook.steps.step_result import StepResult
from easops.report.terminal.approval import approval_lines
from easops.report.terminal.finding import detection_lines
from easops.report.terminal.layout import INDENT, WIDTH, difference, effective_lines, wrapped
from easops.report.terminal.styled_line import Line, Style, cut, joined, status_style
from easops.status import CHANGED_OR_PLANNED, MAY_HAVE_CHANGED, NOT_TRIED, Status

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
    """The lines of *step*. *earlier* are the steps above it: what those have shown already is not repeated.

    *diff* shows before and after of every item, whole and also where nothing differs; *verbose* all the evidence.
    """
    lines = _head(step)
    if step.detection is not None:
        lines += detection_lines(step.detection, known_notes=notes_of(earlier), verbose=verbose)
        if left_out := _not_asked_about(step, earlier):
            lines += wrapped(f"it was not asked about {', '.join(left_out)}")
    reasons = {item.reason for item in step.items}
    if step.detection is None and step.reason and step.reason not in reasons:
        lines += wrapped(step.reason)
    if step.approval is not None:
        text = step.approval.told if verbose else _new_reason(step.approval.told, earlier)
        lines += approval_lines(step.approval, text, whole=verbose or step.status is Status.AWAITING_APPROVAL)
    if because := step.because if verbose else _new_reason(step.because, earlier):
        lines += wrapped(f"because {because}")
    for item in step.items:
        lines += _item_lines(item, diff)
    return lines + effective_lines(item.effective for item in step.items if item.status in CHANGED_OR_PLANNED)


def notes_of(steps: Sequence[StepResult]) -> set[str]:
    """All that the detections of *steps* note."""
    return {note for step in steps if step.detection is not None for note in step.detection.notes}


def _head(step: StepResult) -> list[str]:
    hosts = ", ".join(step.hosts)
    if len(hosts) > _HOSTS_WIDTH:
        hosts = f"{len(step.hosts)} hosts"
    time = lasted(step.seconds) if step.seconds and step.status not in NOT_TRIED else ""
    style = _style(step)
    name = [line[2:] for line in wrapped(step.name, "  ", "")]
    named = joined((_mark(step), style), " ", (f"{name[0]:<{_NAME_WIDTH}}", Style.STRONG))
    above = []
    if len(name[0]) > _NAME_WIDTH or len(name) > 1:  # its own line, or more; the rest in its columns under it
        above = [named, *(joined("  ", (more, Style.STRONG)) for more in name[1:])]
        named = joined(" " * (_NAME_WIDTH + 2))
    left = joined(named, f" {hosts:<{_HOSTS_WIDTH}} {time:>6}  ")
    words = outcome_words(step)
    if len(left + words) <= WIDTH:
        return [*above, joined(left, (words, style))]
    # no room for several statuses, or for a sentence
    status = step.status.replace("_", " ") if step.status in {item.status for item in step.items} else ""
    status = status if len(left + status) <= WIDTH else ""
    return [*above, cut(joined(left, (status, style))), *wrapped(joined((words, style)))]


def _not_asked_about(step: StepResult, earlier: Sequence[StepResult]) -> list[str]:
    """Who was found, and was not among those that a verify was asked about: it proves nothing about them."""
    if step.kind != "verify" or step.detection is None or not step.detection.asked:
        return []
    looks = [look.detection for look in earlier if look.kind == "detect" and look.subject == step.subject]
    found = dict.fromkeys(user.user for look in looks if look is not None for user in look.users)
    return [user for user in found if user not in step.detection.asked]


def _mark(step: StepResult) -> str:
    return _FOUND if _has_found(step) else MARKS[step.status]


def _style(step: StepResult) -> Style | None:
    if _has_found(step):
        return Style.CARE
    return None if step.kind == "detect" and step.status is Status.OK else status_style(step.status)


def _has_found(step: StepResult) -> bool:
    return step.kind == "detect" and step.status is Status.OK and step.detection is not None and step.detection.found


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
    return ", ".join(f"{status.replace('_', ' ')} {counts[status]}" for status in worst_first)


def _item_lines(item: ItemOutcome, diff: bool) -> list[str]:
    lines = wrapped(item_words(item.item, item.status, item.reason))
    has_change = item.status in MAY_HAVE_CHANGED | CHANGED_OR_PLANNED
    if diff or has_change:
        # what was refused has no after: it stays as it is
        after = item.before if item.after is None and not has_change else item.after
        for entry in difference(item.before, after, whole=diff):
            lines += wrapped(entry, INDENT + "  ", "  ")
    if item.status is Status.WOULD_CHANGE and item.undo not in ("", "exact"):
        lines += wrapped(f"undo: {item.undo}", INDENT + "  ", "  ")
    return lines


def item_words(item: str, status: Status, reason: str) -> Line:
    """``anna@contoso.example: refused (protected)``."""
    styled = (status.replace("_", " "), status_style(status))
    return joined(item, ": ", styled, f" ({reason})" if reason else "")


def _new_reason(because: str, earlier: Sequence[StepResult]) -> str:
    """A reason, unless a person has read it already as the evidence of the steps above. Shortened: the record has it
    whole."""
    left = because
    for evidence in sorted(_evidence(earlier), key=len, reverse=True):
        left = left.replace(evidence, "")
    if not left.strip("; "):
        return ""
    return because if len(because) <= _LONGEST else f"{because[:_LONGEST].rpartition(' ')[0]} ... (-v shows all of it)"


_LONGEST: Final = 300
"""Characters of a reason on the screen."""


def _evidence(steps: Sequence[StepResult]) -> set[str]:
    users = [user for step in steps if step.detection is not None for user in step.detection.users]
    return {user.evidence for user in users} | {f"{user.user}: {user.evidence}" for user in users} - {""}
