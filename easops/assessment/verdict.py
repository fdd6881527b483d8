"""What came of a run, in a word and a sentence."""

from __future__ import annotations

from typing import Final, Literal

import attrs

from easops.assessment.ended_faults import all_ended
from easops.assessment.still_open import left_open
from easops.playbook.steps.report import RunReport
from easops.report.file_format import Account
from easops.report.terminal.layout import counted
from easops.status import Status

Tone = Literal["good", "plain", "attention", "bad"]


@attrs.frozen
class Verdict:
    """*word* is what a person takes away; *sentence* what it means here."""

    tone: Tone
    word: str
    sentence: str


_WORDS: Final[dict[str, Verdict]] = {
    "undone": Verdict("good", "Undone", "What could be put back is as it was before."),
    "awaiting_approval": Verdict("attention", "Waits for approval", "Nothing goes on until somebody approves it."),
    "refused": Verdict("attention", "Refused", "A rule forbids some of it; what it forbids was not sent."),
    "failed": Verdict("bad", "Failed", "Some of it is proven not to be done."),
    "undo_failed": Verdict("bad", "Not undone", "Some of it could not be put back."),
    "unreachable": Verdict("bad", "Not reached", "Some server gave no answer, or no access; nothing was sent to it."),
    "undetermined": Verdict("attention", "Not determined", "Some of what was asked for could not be judged."),
    "verify_failed": Verdict("bad", "Not proved", "What the changes were to bring about was not seen: see Proof."),
    "unknown": Verdict("bad", "Not known", "Something was sent and no answer came: it may have happened, or not."),
    "stopped": Verdict("attention", "Stopped", "The run was stopped before its end; it can go on, or be undone."),
    "died": Verdict("bad", "Died", "The run ended in its middle without a word; what it did last may not be known."),
    "running": Verdict("plain", "Running", "The run has not ended: this is how far it was."),
    "waiting": Verdict("plain", "Waits", "The run is recorded, and nobody has begun it."),
    "abandoned": Verdict("attention", "Abandoned", "The run was closed in its middle; it owes nothing more."),
    "not_started": Verdict("attention", "Not started", "Something before it did not end well."),
}


def verdict(account: Account) -> Verdict:
    """The verdict on a run as it stands."""
    report, status = account.report, account.status
    if account.problem is not None and not report.steps:
        held = _WORDS.get(str(report.status), _WORDS["failed"])
        return Verdict(held.tone, held.word, "The run came to an end before its first step.")
    if status.startswith("undone by "):
        return Verdict("plain", "Undone", f"The run was {status}.")
    status = status.partition(",")[0]
    if status in _WORDS:
        return _WORDS[status]
    held = _of_success(report)
    if _left_out(report):
        told = f"{held.sentence} Not everything could be judged: see What was found."
        return attrs.evolve(held, tone="attention", sentence=told)
    return held


def _of_success(report: RunReport) -> Verdict:
    """The verdict on what ended well."""
    verified = [step for step in report.steps if step.kind == "verify"]
    proved = all(step.status in (Status.OK, Status.SKIPPED) for step in verified) and any(
        step.status is Status.OK for step in verified
    )
    if report.checked and report.would_change:
        count = sum(item.status is Status.WOULD_CHANGE for step in report.steps for item in step.items)
        sentence = f"Everything was read, nothing was changed: {counted(count, 'change')} would be made."
        return Verdict("attention", "Would change", sentence)
    still_open = left_open(report)
    if report.status is Status.CHANGED and still_open:
        return Verdict(
            "attention", "Changed", f"The changes were made and read back. Still open: {'; '.join(still_open)}."
        )
    if report.status is Status.CHANGED and proved and all_ended(report.steps):
        return Verdict("good", "Cured", "The changes were made, and what they were to bring about was seen afterwards.")
    if report.status is Status.CHANGED and proved:
        sentence = "The changes were made and read back; the end of it was not looked for with everybody: see Proof."
        return Verdict("good", "Changed", sentence)
    if report.status is Status.CHANGED:
        return Verdict("good", "Changed", "The changes were made and read back.")
    if any(found.found for found in report.findings):
        after = "." if proved or report.checked else ", and no step looked whether it has ended."
        return Verdict("plain", "Nothing changed", f"Something was found, there was nothing to change{after}")
    if any(item.status is Status.OK for item in report.items) and not report.findings:
        return Verdict("good", "Nothing to do", "It was so already, and nothing was changed.")
    if not report.findings:
        return Verdict("plain", "Nothing done", "Nothing was looked for, and nothing was changed.")
    return Verdict("good", "Nothing found", "Nothing was found, and nothing was changed.")


def _left_out(report: RunReport) -> bool:
    """Whether anything was not judged: a host, or who was asked for; where nothing is found, also who was only met."""
    found = any(held.found for held in report.findings)
    return any(
        held.unreachable or any(item.required or not found for item in held.undetermined) for held in report.findings
    )
