"""What came of a run, in a word and a sentence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Literal

import attrs

from easops.playbook.assessment.ended_faults import all_ended
from easops.playbook.assessment.found import not_judged_whole
from easops.playbook.assessment.point import Point
from easops.playbook.assessment.run_facts import RunFacts
from easops.status import FINISHED_WELL, Status
from easops.wording import counted

Tone = Literal["good", "plain", "attention", "bad"]


@attrs.frozen
class Verdict:
    """*word* is what a person takes away; *sentence* what it means here; *tone* how it is to be shown."""

    tone: Tone
    word: str
    sentence: str


_BY_STATE: Final[dict[str, Verdict]] = {
    "undone": Verdict("good", "Undone", "What could be put back is as it was before."),
    "awaiting_approval": Verdict("attention", "Awaiting approval", "Nothing more happens until somebody approves it."),
    "refused": Verdict("attention", "Refused", "A rule forbids part of it; that part was not sent."),
    "failed": Verdict("bad", "Failed", "Part of it is proven not done."),
    "undo_failed": Verdict("bad", "Not undone", "Part of it could not be put back."),
    "unreachable": Verdict("bad", "Not reached", "A server gave no answer, or no access; nothing was sent to it."),
    "undetermined": Verdict("attention", "Not determined", "Part of what was asked for could not be judged."),
    "verify_failed": Verdict("bad", "Not proved", "The changes were made, but their effect was not confirmed."),
    "unknown": Verdict("bad", "Unknown", "Something was sent and no answer came: it may have happened, or not."),
    "stopped": Verdict("attention", "Stopped", "The run was stopped before its end; it can be resumed, or undone."),
    "died": Verdict("bad", "Died", "The process ended unexpectedly; the outcome of its last operation may be unknown."),
    "running": Verdict("plain", "Running", "The run has not ended: this is how far it has come."),
    "waiting": Verdict("plain", "Waiting", "The run is recorded, and nobody has begun it."),
    "abandoned": Verdict("attention", "Abandoned", "The run was closed before its end; nothing more is done about it."),
    "not_started": Verdict("attention", "Not started", "Something before it did not end well."),
}
"""Of the states that say it all; how a run that ended well did so, ``_of_success`` says."""

_BY_DECISION: Final[dict[str, Verdict]] = {
    "approved": Verdict("attention", "Approved", "The planned changes are approved; they are made when it is resumed."),
    "denied": Verdict("attention", "Denied", "The planned changes were denied; none of them is made."),
}
"""Of a run that awaits an approval which was decided on meanwhile."""


def verdict(run: RunFacts, open_points: Sequence[Point]) -> Verdict:
    """The verdict on a run as it stands; *open_points* are those of its assessment."""
    state = run.state
    if run.problem is not None and not run.steps:
        by_status = _BY_STATE.get(str(run.status), _BY_STATE["failed"])
        return Verdict(by_status.tone, by_status.word, "The run ended before its first step.")
    if state.startswith("undone by "):
        return Verdict("plain", "Undone", f"The run was {state}.")
    if run.unknown and state == run.status:
        return _BY_STATE["unknown"]  # also where the steps ended well: the record knows a change that no step reported
    if state == Status.AWAITING_APPROVAL and run.decision:
        return _BY_DECISION[run.decision]
    if state in _BY_STATE:
        return _BY_STATE[state]
    success = _of_success(run, [point for point in open_points if point.label in ("still open", "possibly ongoing")])
    if _left_out(run):
        sentence = f"{success.sentence} Not everything could be judged."
        return attrs.evolve(success, tone="attention", sentence=sentence)
    return success


def _of_success(run: RunFacts, left: Sequence[Point]) -> Verdict:
    """The verdict on a run that ended well; *left* is what it found and did not treat, or not check again."""
    verified = [step for step in run.steps if step.kind == "verify"]
    proved = all(step.status in FINISHED_WELL for step in verified) and any(
        step.status is Status.OK for step in verified
    )
    if run.checked and run.would_change:
        count = sum(item.status is Status.WOULD_CHANGE for item in run.items)
        sentence = f"Everything was read, nothing was changed: {counted(count, 'change')} would be made."
        return Verdict("attention", "Would change", sentence)
    if run.status is Status.CHANGED and left:
        texts = "; ".join(point.text for point in left)
        return Verdict("attention", "Changed", f"The changes were made and read back. Still open: {texts}.")
    if run.status is Status.CHANGED and proved and all_ended(run.steps):
        return Verdict("good", "Cured", "The changes were made, and their effect was seen afterwards.")
    if run.status is Status.CHANGED and proved:
        sentence = "The changes were made and read back; not everybody was checked again."
        return Verdict("good", "Changed", sentence)
    if run.status is Status.CHANGED:
        return Verdict("good", "Changed", "The changes were made and read back.")
    if any(detection.found for detection in run.findings):
        after = "." if proved or run.checked else ", and no step checked whether it has ended."
        tone: Tone = "attention" if left else "plain"
        return Verdict(tone, "Nothing changed", f"Something was found, and nothing had to be changed{after}")
    if any(item.status is Status.OK for item in run.items) and not run.findings:
        return Verdict("good", "Nothing to do", "Everything was as wanted already; nothing was changed.")
    if not run.findings:
        return Verdict("plain", "Nothing done", "Nothing was looked for, and nothing was changed.")
    return Verdict("good", "Nothing found", "Nothing was found, and nothing was changed.")


def _left_out(run: RunFacts) -> bool:
    """Whether anything was not judged: a host, or who was asked for; where nothing is found, also who was only met."""
    found = any(detection.found for detection in run.findings)
    return any(not_judged_whole(detection) or (detection.undetermined and not found) for detection in run.findings)
