"""Reports as one JSON document.

A run's document has these keys, whatever came of it: ``status``, ``changed`` and ``would_change`` (booleans),
``run_id`` (null under check), ``playbook``, ``kind``, ``lab`` (the scenario, or null), ``limit`` (what narrowed
the playbook's hosts, or null), ``earlier`` (under check the open run because of which this one would be refused, with
``run_id``, ``state`` and ``ended``, or null), ``started``, ``ended``, ``exit_code``, ``findings`` (one for each detect
step: the step's name and the detection as data), ``steps``, ``next`` (the first command to type next, or an empty
text), ``assessment`` (what the run means, ``assessment_data``) and ``notices`` (who was notified of its end:
``channel``, ``status``, which is sent, failed or unknown, ``reason`` and ``at``).

A step has ``number``, ``name``, ``kind``, ``subject``, ``target`` (what was acted on: the targets of its items, or else
its hosts, joined by a comma and a blank; null where there is none), ``hosts``, ``status``, ``reason``, ``because``,
``certain``, ``seconds``, ``before`` and ``after`` (of one item its value; of several a list in the order of ``items``;
null of none), ``items``, ``detection`` and ``approval`` (of an approval step what it asks for: ``told``, ``changes``,
``digest``, ``by``, ``expires``, ``asked_by``, ``until``, ``approved_by``; else null). A detection's ``series`` are
figures of a host over time: ``host``, ``name``, ``unit``, ``start``, ``step`` (seconds) and ``values``, each the sum
over one step; what was not observed is not in them. Times of the day are ISO 8601 text, durations seconds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs

from easops.actions.change import Change, ChangeOutcome
from easops.detectors.finding import Detection
from easops.detectors.why import Explanation
from easops.playbook.assessment.assessment import Assessment
from easops.playbook.assessment.next_commands import begin, next_of_asked
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.record.notice import Notice
from easops.playbook.steps.codec import to_json
from easops.playbook.steps.step_result import StepResult
from easops.readings.take import ReadingResult
from easops.status import Status
from easops.visible import CONTROLS

if TYPE_CHECKING:
    from easops.playbook.record.approval import PendingApproval
    from easops.playbook.record.decision import Decision
    from easops.playbook.record.run_view import RunView

Document = dict[str, Any]


def dumped(document: Document) -> str:
    """The document as text, indented; everything beyond ASCII escaped, as a console may not have it."""
    return _escaped(json.dumps(document, indent=2))


def on_one_line(document: Document) -> str:
    """The document as one line of UTF-8; control characters stay escaped."""
    return _escaped(json.dumps(document, ensure_ascii=False, separators=(",", ":")))


def _escaped(text: str) -> str:
    """JSON with the control characters that ``json`` leaves as they are (DEL, C1, bidi) in JSON's own escapes."""
    return CONTROLS.sub(lambda found: found[0] if found[0] == "\n" else f"\\u{ord(found[0]):04x}", text)


def run_document(report: RunReport, exit_code: int | None) -> Document:
    return {
        "status": str(report.status),
        "changed": report.changed,
        "would_change": report.would_change,
        "run_id": report.run_id,
        "playbook": report.playbook,
        "kind": report.kind,
        "lab": report.lab,
        "limit": report.limit,
        "earlier": to_json(report.earlier),
        "started": None if report.started is None else report.started.isoformat(),
        "ended": None if report.ended is None else report.ended.isoformat(),
        "exit_code": exit_code,
        "findings": [
            {"step": step.name, **detection_data(step.detection)}
            for step in report.steps
            if step.kind == "detect" and step.detection is not None
        ],
        "steps": [step_data(step) for step in report.steps],
        "next": report.next,
        "assessment": assessment_data(report.assessment),
        "notices": [to_json(notice) for notice in report.notices],
    }


def assessment_data(assessment: Assessment) -> Document:
    """``verdict`` is a word, ``meaning`` its sentence; ``proved``, ``searched``, ``open`` and ``not_judged`` are lists
    of sentences; ``next`` are the commands to type, in order, and ``repeats`` what to add to the same command."""
    return {
        "verdict": assessment.verdict.word,
        "meaning": assessment.verdict.sentence,
        "over": assessment.over,
        "proved": list(assessment.proved),
        "searched": list(assessment.searched),
        "open": [str(point) for point in assessment.open],
        "not_judged": [str(point) for point in assessment.not_judged],
        "next": [{"command": command.command, "meaning": command.meaning} for command in assessment.next],
        "repeats": [{"difference": repeat.difference, "meaning": repeat.meaning} for repeat in assessment.repeats],
    }


def step_data(step: StepResult) -> Document:
    targets = list(dict.fromkeys(item.target for item in step.items)) or list(step.hosts)
    before = [to_json(item.before) for item in step.items]
    after = [to_json(item.after) for item in step.items]
    return {
        "number": step.number,
        "name": step.name,
        "kind": step.kind,
        "subject": step.subject,
        "host": step.host,
        "target": ", ".join(targets) or None,
        "hosts": list(step.hosts),
        "status": str(step.status),
        "reason": step.reason,
        "because": step.because,
        "certain": step.certain,
        "seconds": step.seconds,
        "before": before[0] if len(before) == 1 else before or None,
        "after": after[0] if len(after) == 1 else after or None,
        "items": [to_json(item) for item in step.items],
        "detection": None if step.detection is None else detection_data(step.detection),
        "approval": to_json(step.approval),
    }


def decision_data(decision: Decision) -> Document:
    """A decision on a plan; the plan itself is the step's."""
    return {name: value for name, value in to_json(decision).items() if name != "changes"}


def detection_data(detection: Detection) -> Document:
    return {"found": detection.found, **to_json(detection)}


def explained_document(explanations: Sequence[Explanation]) -> Document:
    return {"explanations": [to_json(one) for one in explanations], "exit_code": 0}


def detection_document(detection: Detection, status: Status, exit_code: int, lab: str | None = None) -> Document:
    return {"status": str(status), "lab": lab, **detection_data(detection), "exit_code": exit_code}


def reading_document(result: ReadingResult, lab: str | None = None) -> Document:
    """``rows`` are objects of the reading's columns; those of a server reading have ``host`` too."""
    per_host = result.reading.scope == "server"
    return {
        "status": str(result.status),
        "lab": lab,
        "reading": result.reading.name,
        "rows": [
            {
                **({"host": row.host} if per_host else {}),
                **dict(zip(result.reading.columns, map(to_json, row.values), strict=True)),
            }
            for row in result.rows
        ],
        "unreachable": to_json(list(result.unreachable)),
        "not_read": to_json(list(result.not_read)),
        "exit_code": result.exit_code,
    }


def runs_document(views: Sequence[RunView]) -> Document:
    return {"status": "ok", "runs": [_view_data(view) for view in views], "exit_code": 0}


def run_view_document(view: RunView, report: RunReport) -> Document:
    """The run's own document, its ``status`` as in ``runs list``; ``exit_code`` is the run's, null before its
    end. ``changes`` are its intents, with what came of them; ``decision`` is what was decided on the approval that it
    asks for, or null."""
    decision = None if view.pending is None else view.pending.decision
    return {
        **run_document(report, None if view.run.ended is None else report.exit_code),
        **_view_data(view),
        "decision": None if decision is None else decision_data(decision),
        "changes": [_change_data(change, outcome) for change, outcome in view.changes],
        "notices": [to_json(notice) for notice in view.notices],
    }


def notices_document(notices: Sequence[Notice], status: Status, exit_code: int) -> Document:
    return {"status": str(status), "notices": [to_json(notice) for notice in notices], "exit_code": exit_code}


def served_document(runs: Sequence[tuple[RunView, RunReport, int]], exit_code: int) -> Document:
    """``status`` is that of the run with the worst exit code; each run's ``exit_code`` is that of its process."""
    worst, _, _ = max(runs, key=lambda served: served[2])
    documents = [{**run_view_document(view, report), "exit_code": code} for view, report, code in runs]
    return {"status": worst.state, "runs": documents, "exit_code": exit_code}


def reconciled_document(
    run_id: str, found: Sequence[tuple[Change, ChangeOutcome]], status: Status, exit_code: int
) -> Document:
    return {
        "status": str(status),
        "run_id": run_id,
        "changes": [_change_data(change, outcome) for change, outcome in found],
        "exit_code": exit_code,
    }


def asked_document(asked: PendingApproval, decision: Decision | None, exit_code: int) -> Document:
    """``status`` is awaiting_approval, approved or denied; ``step`` is the step that asks, with its ``approval``;
    ``decision`` is null where there is none yet."""
    asked = attrs.evolve(asked, decision=decision)
    return {
        "status": asked.status,
        "run_id": asked.run.run_id,
        "playbook": asked.run.playbook,
        "lab": asked.run.lab,
        "step": step_data(asked.step),
        "decision": None if decision is None else decision_data(decision),
        "next": next_of_asked(asked).command,
        "exit_code": exit_code,
    }


def _view_data(view: RunView) -> Document:
    run = view.run
    return {
        "run_id": run.run_id,
        "status": view.state,
        "playbook": run.playbook,
        "kind": run.kind,
        "lab": run.lab,
        "started": run.started.isoformat(),
        "ended": None if run.ended is None else run.ended.isoformat(),
        "alive": view.alive,
        "owes": run.unfinished,
        "closed": run.closed,
        "targets": list(run.targets),
    }


def _change_data(change: Change, outcome: ChangeOutcome | None) -> Document:
    return {
        "subject": change.subject,
        "kind": change.kind,
        "before": to_json(change.before),
        "after": to_json(change.after),
        "undo": change.undo,
        "status": "unknown" if outcome is None else str(outcome.status),
        "reason": "no outcome is recorded" if outcome is None else outcome.reason,
        "found": None if outcome is None else to_json(outcome.found),
        "served_by": "" if outcome is None else outcome.served_by,
    }


class _Json:
    name = "json"

    def head(self, title: str, run_id: str | None, lab: str | None, limit: str | None, *, checked: bool) -> str:
        return ""

    def step(self, step: StepResult, earlier: Sequence[StepResult], *, diff: bool, verbose: bool) -> str:
        return ""

    def end(self, report: RunReport, exit_code: int | None) -> str:
        return dumped(run_document(report, exit_code))

    def detection(
        self, detection: Detection, status: Status, exit_code: int, *, lab: str | None = None, verbose: bool
    ) -> str:
        return dumped(detection_document(detection, status, exit_code, lab))

    def explained(self, explanations: Sequence[Explanation]) -> str:
        return dumped(explained_document(explanations))

    def reading(self, result: ReadingResult, *, lab: str | None = None) -> str:
        return dumped(reading_document(result, lab))

    def runs(self, views: Sequence[RunView]) -> str:
        return dumped(runs_document(views))

    def run_view(self, view: RunView, report: RunReport, *, diff: bool, verbose: bool) -> str:
        return dumped(run_view_document(view, report))

    def submitted(self, run_id: str) -> str:
        return dumped({"status": "waiting", "run_id": run_id, "next": begin(run_id).command, "exit_code": 0})

    def served(self, runs: Sequence[tuple[RunView, RunReport, int]], exit_code: int) -> str:
        return dumped(served_document(runs, exit_code))

    def asked(self, asked: PendingApproval, exit_code: int) -> str:
        return dumped(asked_document(asked, asked.decision, exit_code))

    def decided(self, asked: PendingApproval, decision: Decision) -> str:
        return dumped(asked_document(asked, decision, 0))

    def notices(self, notices: Sequence[Notice], status: Status, exit_code: int) -> str:
        return dumped(notices_document(notices, status, exit_code))

    def reconciled(
        self,
        run_id: str,
        found: Sequence[tuple[Change, ChangeOutcome]],
        status: Status,
        exit_code: int,
        *,
        closed: bool,
    ) -> str:
        return dumped(reconciled_document(run_id, found, status, exit_code))


JSON = _Json()
