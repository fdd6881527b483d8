"""What a run asks an approval for, as lines, and what was decided."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import attrs

from easops.playbook.assessment.next_commands import next_of_asked
from easops.playbook.steps.approval_request import Approval
from easops.report.terminal.head_and_end import Row, command_row, head_lines, rows_lines
from easops.report.terminal.layout import INDENT, difference, effective_lines, moment, wrapped
from easops.wording import counted

if TYPE_CHECKING:
    from easops.playbook.record.approval import PendingApproval
    from easops.playbook.record.decision import Decision


def approval_lines(approval: Approval, text: str, *, whole: bool) -> list[str]:
    """The lines of an approval step below its head: *text*, who approved, how much, and with *whole* each change."""
    lines = wrapped(text)
    if not approval.changes:
        return lines
    if approval.approved_by is not None:
        until = "" if approval.until is None else f"; it stands until {moment(approval.until)}"
        lines += wrapped(f"approved by {approval.approved_by}{until}")
    lines += wrapped(f"{counted(len(approval.changes), 'change')}, digest {approval.digest}")
    return lines + (change_lines(approval) if whole else [])


def change_lines(approval: Approval) -> list[str]:
    """The planned changes, those of one step together: who, before -> after, and what has no undo; then, once a step,
    what they may do to users."""
    lines: list[str] = []
    for (step, host), group in itertools.groupby(approval.changes, key=lambda change: (change.step, change.host)):
        changes = list(group)
        lines += wrapped(f"step {step}{'' if host is None else f' ({host})'}: {changes[0].action}")
        for change in changes:
            lines += wrapped(change.subject, INDENT + "  ")
            for entry in difference(change.before, change.after):
                lines += wrapped(entry, INDENT + "    ", "  ")
            if change.undo != "exact":
                lines += wrapped(f"undo: {change.undo}", INDENT + "    ", "  ")
        lines += effective_lines(change.effective for change in changes)
    return lines


def asked_lines(asked: PendingApproval) -> list[str]:
    """All that an approver has to know: what for, what would be changed, who asks, until when, and who may approve."""
    approval, run = asked.approval, asked.run
    lines = head_lines(run.playbook, run.run_id, run.lab, run.limit, checked=False)
    lines += [*wrapped(f"{asked.step.name}:", ""), *wrapped(approval.told), *wrapped(asked.step.reason), ""]
    lines += [f"{counted(len(approval.changes), 'planned change')}:", *change_lines(approval), ""]
    rows = [Row("digest", approval.digest, command=True)]
    rows += [Row("asked by", str(person)) for person in approval.asked_by]
    rows += [] if approval.until is None else [Row("until", moment(approval.until))]
    rows += [Row("by", "somebody other than the requester")] if approval.by == "somebody_else" else []
    rows += [] if asked.decision is None else [Row("decided", decision_words(asked.decision))]
    return [*lines, *rows_lines(rows)]


def decided_lines(asked: PendingApproval, decision: Decision) -> list[str]:
    """What was decided, and what to type next."""
    command = next_of_asked(attrs.evolve(asked, decision=decision))
    return ["", *rows_lines([Row("decided", decision_words(decision)), command_row(command)])]


def decision_words(decision: Decision) -> str:
    """``approved by anna on adm01 2026-11-24 17:05:09Z, valid until 2026-11-24 18:05:09Z``."""
    words = f"{'approved' if decision.approved else 'denied'} by {decision.by} {moment(decision.at)}"
    return words + (f", valid until {moment(decision.until)}" if decision.approved else "")
