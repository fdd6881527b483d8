"""The JSON Schema of the documents that ``--json`` prints, made from the classes of the values in them.

It says which keys are there, and leaves room for others: a later release may add some.
"""

from __future__ import annotations

import datetime as dt
import inspect
import re
import types
from collections.abc import Mapping
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints

import attrs

from easops.actions import CHANGES
from easops.actions.change import ChangeOutcome
from easops.actions.outcome import ItemOutcome
from easops.detectors.finding import Detection
from easops.detectors.why import Explanation
from easops.document import Problem
from easops.json_schema import DIALECT, Schema
from easops.playbook.assessment.run_facts import RunFacts
from easops.playbook.record.decision import Decision
from easops.playbook.record.notice import Notice
from easops.playbook.record.run import Run
from easops.playbook.record.run_view import RunView
from easops.playbook.steps.approval_request import Approval
from easops.playbook.steps.step_result import StepResult
from easops.readings.reading import Reading
from easops.readings.take import NotRead
from easops.remoting.unreachable import Unreachable
from easops.status import Status

_TEXT: Final[Schema] = {"type": "string"}
_BOOLEAN: Final[Schema] = {"type": "boolean"}
_INTEGER: Final[Schema] = {"type": "integer"}
_LAB: Final[Schema] = {"anyOf": [_TEXT, {"type": "null"}], "description": "the scenario, in the built-in lab"}
_PLAIN: Final[Mapping[Any, Schema]] = {
    str: _TEXT,
    bool: _BOOLEAN,
    int: _INTEGER,
    float: {"type": "number"},
    type(None): {"type": "null"},
    dt.datetime: {"type": "string", "format": "date-time"},
    dt.timedelta: {"type": "number", "description": "seconds"},
    Any: {},
}
_ERRORS: Final = ("stopped", "bad_input", "refused", "unreachable", "unknown", "failed", "bug")
"""The statuses of the document of a command that could not be carried out; ``easops.cli.app`` chooses."""


def report_schema(readings: Mapping[str, Reading]) -> Schema:
    """The schema of any of the documents; ``$defs`` has each by its name, and what they are made of."""
    made = _Made()
    documents = {
        "run": _run(made),
        "detection": _detection_document(made),
        "explanations": _explanations(made),
        "reading": _reading(made, readings),
        "runs": _list_of_runs(made),
        "recorded_run": _recorded_run(made),
        "served_runs": _served(),
        "settled_run": _reconciled(made),
        "submitted_run": _submitted(),
        "approval_of_run": _approval(made),
        "trial": _trial(made),
        "error": _error(made),
    }
    return {
        "$schema": DIALECT,
        "title": "what easops prints with --json",
        "anyOf": [{"$ref": f"#/$defs/{name}"} for name in documents],
        "$defs": {**documents, **made.defs},
    }


class _Made:
    """The schemas of attrs classes, each made once."""

    def __init__(self) -> None:
        self.defs: dict[str, Schema] = {}

    def of(self, kind: Any) -> Schema:
        """The schema of what ``to_json`` makes of a value of that type."""
        if kind in _PLAIN:
            return _PLAIN[kind]
        origin, inner = get_origin(kind), get_args(kind)
        if origin in (Union, types.UnionType):
            return {"anyOf": [self.of(one) for one in inner]}
        if origin is Literal:
            return {"enum": list(inner)}
        if origin is dict:
            return {"type": "object", "additionalProperties": self.of(inner[1])}
        if origin is tuple:
            return {"type": "array", "items": self.of(inner[0])}
        if inspect.isclass(kind) and issubclass(kind, Status):
            self.defs["status"] = {"description": "from best to worst", "enum": [str(status) for status in Status]}
            return {"$ref": "#/$defs/status"}
        return self.refer(kind)

    def refer(self, kind: type[attrs.AttrsInstance]) -> Schema:
        name = _snake(kind.__name__)
        if name not in self.defs:
            self.defs[name] = {}  # before its fields, one of which may be of its own class
            self.defs[name] = _object(_description(kind), self.fields(kind))
        return {"$ref": f"#/$defs/{name}"}

    def fields(self, kind: Any, *names: str) -> dict[str, Schema]:
        """The fields of an attrs class, or those of them that are named."""
        # What a class imports for type checkers only is in no document.
        hints = get_type_hints(kind, localns={"RunView": RunView})
        return {name: self.of(hints[name]) for name in names or [field.name for field in attrs.fields(kind)]}


def _object(description: str, properties: Schema, *, optional: tuple[str, ...] = ()) -> Schema:
    required = [name for name in properties if name not in optional]
    return {"type": "object", "description": description, "properties": properties, "required": required}


def _description(kind: type) -> str:
    """The docstring of a class, as one paragraph."""
    text = " ".join((inspect.getdoc(kind) or "").split()).replace("``", "`")
    return re.sub(r"\bNone\b", "null", re.sub(r"\*(\w+)\*", r"`\1`", text))


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _code(meaning: str = "what the command exits with") -> Schema:
    return {**_INTEGER, "description": meaning}


def _array(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _run(made: _Made) -> Schema:
    facts = made.fields(RunFacts, "run_id", "playbook", "kind", "lab", "limit", "earlier", "started", "ended")
    found = _object("a detect step's name, and what it found", {"step": _TEXT, **_detection(made)})
    keys = {
        "status": made.of(Status),
        "changed": {**_BOOLEAN, "description": "whether anything was changed, or may have been"},
        "would_change": {**_BOOLEAN, "description": "under --check, whether anything would be changed"},
        **facts,
        "exit_code": _or_null(_code("what the command exits with; null in runs show before the run has ended")),
        "findings": _array(found),
        "steps": _array(_step(made)),
        "next": {**_TEXT, "description": "the first of the commands to type next, or an empty text"},
        "assessment": _assessment(made),
        "notices": _array(made.refer(Notice)),
    }
    description = (
        "`run`, `do`, `undo` and `runs resume`. A run, or its prediction under `--check` (then `run_id` is null: it "
        "leaves no record). `lab` is the scenario, for a run on the built-in lab; `limit` is what narrowed the "
        "playbook's hosts; `earlier` is, under `--check`, the open run because of which this one would be refused; "
        "`notices` are who was notified of its end."
    )
    return _object(description, keys)


def _assessment(made: _Made) -> Schema:
    sentences = _array(_TEXT)
    command = {
        "command": {**_TEXT, "description": "to type as it stands; hosts.yml stands for an inventory"},
        "meaning": {**_TEXT, "description": "what it does"},
    }
    repeat = {
        "difference": {**_TEXT, "description": "what to change, e.g. without --check"},
        "meaning": {**_TEXT, "description": "what it does then"},
    }
    keys = {
        "verdict": {**_TEXT, "description": "what came of the run, in a word or two"},
        "meaning": {**_TEXT, "description": "the verdict as a sentence"},
        "over": {**_BOOLEAN, "description": "false while it runs, waits, is unfinished, or has an unknown outcome"},
        "proved": {**sentences, "description": "what a verify step has seen to have ended, with figures"},
        "searched": {**sentences, "description": "where nothing was found, and what was read for it"},
        "open": {**sentences, "description": "what is not done, not known, not proved or not treated"},
        "not_judged": {**sentences, "description": "what could not be judged, or was not looked at"},
        "next": {**_array(_object("a command", command)), "description": "the commands to type next, in order"},
        "repeats": {
            **_array(_object("a repetition", repeat)),
            "description": "the same command once more, with a difference",
        },
    }
    made.defs["assessment"] = _object("What a run means. Every format of a report says the same.", keys)
    return {"$ref": "#/$defs/assessment"}


def _step(made: _Made) -> Schema:
    names = "number name kind subject host hosts status reason because certain seconds".split()
    keys = {
        **made.fields(StepResult, *names),
        "target": {**_or_null(_TEXT), "description": "what was acted on: the targets of its items, or else its hosts"},
        "before": {"description": "of one item its value, of several a list in the order of items, null of none"},
        "after": {"description": "likewise"},
        "items": _array(made.refer(ItemOutcome)),
        "detection": _or_null(_object(_description(Detection), _detection(made))),
        "approval": _or_null(made.refer(Approval)),
    }
    made.defs["step"] = _object(_description(StepResult), keys)
    return {"$ref": "#/$defs/step"}


def _detection(made: _Made) -> dict[str, Schema]:
    return {"found": {**_BOOLEAN, "description": "whether the fault was found anywhere"}, **made.fields(Detection)}


def _explanations(made: _Made) -> Schema:
    keys = {"explanations": {"type": "array", "items": made.of(Explanation)}, "exit_code": _code()}
    return _object("`why`. Why somebody is a finding, or is none", keys)


def _detection_document(made: _Made) -> Schema:
    keys = {"status": made.of(Status), "lab": _LAB, **_detection(made), "exit_code": _code()}
    return _object("`detect`. " + _description(Detection), keys)


def _reading(made: _Made, readings: Mapping[str, Reading]) -> Schema:
    keys = {
        "status": made.of(Status),
        "lab": _LAB,
        "reading": {"enum": list(readings)},
        "rows": _array({"type": "object"}),
        "unreachable": _array(made.refer(Unreachable)),
        "not_read": _array(made.refer(NotRead)),
        "exit_code": _code(),
    }
    rules = [
        {
            "if": {"properties": {"reading": {"const": name}}},
            "then": {"properties": {"rows": {"items": {"required": _columns(reading)}}}},
        }
        for name, reading in readings.items()
    ]
    return {**_object("`show`: a row has the columns of its reading", keys), "allOf": rules}


def _columns(reading: Reading) -> list[str]:
    return [*(["host"] if reading.scope == "server" else []), *reading.columns]


def _view(made: _Made) -> dict[str, Schema]:
    fields = made.fields(Run, "run_id", "playbook", "kind", "started", "ended", "unfinished", "closed", "targets")
    return {
        **{"owes" if name == "unfinished" else name: schema for name, schema in fields.items()},  # its key since 0.1.0
        "status": {
            **_TEXT,
            "description": "a status, or the state of a run that has none: running, waiting, stopped, died; "
            "that it was closed since stands in closed",
        },
        "alive": {**_BOOLEAN, "description": "whether a process executes it now"},
        "lab": _or_null(_TEXT),
    }


def _changes(made: _Made) -> Schema:
    hints = made.fields(ChangeOutcome)
    keys = {
        "subject": {**_TEXT, "description": "what is changed, in words"},
        "kind": {"enum": list(CHANGES)},
        "before": {},
        "after": {},
        "undo": {**_TEXT, "description": "exact, or why it cannot be undone"},
        "status": hints["status"],
        "reason": hints["reason"],
        "found": {"description": "what the last read gave; null where no outcome is recorded"},
        "served_by": {**_TEXT, "description": "the servers that took part in the write, where they name themselves"},
    }
    return _array(_object("an intent, and what came of it", keys))


def _list_of_runs(made: _Made) -> Schema:
    keys = {"status": {"const": "ok"}, "runs": _array(_object(_description(Run), _view(made))), "exit_code": _code()}
    return _object("`runs list`, the newest first", keys)


def _recorded_run(made: _Made) -> Schema:
    keys = {
        **_run(made)["properties"],
        **_view(made),
        "decision": _or_null(_decision(made)),
        "changes": _changes(made),
    }
    return _object("`runs show`: the run's own document, its status as in `runs list`", keys)


def _served() -> Schema:
    keys = {"status": _TEXT, "runs": _array({"$ref": "#/$defs/recorded_run"}), "exit_code": _code()}
    return _object("`worker`: `status` is that of the run with the worst exit code", keys)


def _reconciled(made: _Made) -> Schema:
    keys = {"status": made.of(Status), "run_id": _TEXT, "changes": _changes(made), "exit_code": _code()}
    return _object("`runs reconcile` and `runs abandon`", keys)


def _decision(made: _Made) -> Schema:
    keys = made.fields(Decision)
    return _object(_description(Decision), {name: keys[name] for name in keys if name != "changes"})


def _approval(made: _Made) -> Schema:
    keys = {
        "status": {"enum": ["awaiting_approval", "approved", "denied"]},
        **made.fields(Run, "run_id", "playbook"),
        "lab": _or_null(_TEXT),
        "step": _step(made),
        "decision": _or_null(_decision(made)),
        "next": _TEXT,
        "exit_code": _code(),
    }
    return _object("`approve`: the step that asks, with the planned changes, and what was decided", keys)


def _submitted() -> Schema:
    keys = {"status": {"const": "waiting"}, "run_id": _TEXT, "next": _TEXT, "exit_code": _code()}
    return _object("`run --submit`", keys)


def _trial(made: _Made) -> Schema:
    keys = {"status": made.of(Status), "notices": _array(made.refer(Notice)), "exit_code": _code()}
    return _object("`notify`: the result of a test message, channel by channel", keys)


def _error(made: _Made) -> Schema:
    error = _object("what, why and the next step", {"what": _TEXT, "why": _TEXT, "next": _TEXT})
    problem = {**made.fields(Problem, "file", "line", "column", "what", "why"), "next": _TEXT}
    keys = {
        "status": {"enum": list(_ERRORS)},
        "error": error,
        "exit_code": _code(),
        "problems": _array(_object("a mistake in a file, with its place", problem)),
        "run_id": _or_null(_TEXT),
    }
    description = "any command that could not be carried out; `problems` of a file, `run_id` of a run that was stopped"
    return _object(description, keys, optional=("problems", "run_id"))
