"""The JSON Schema of playbooks, for editors. It is made from the loader's own tables, so that it is never out of date.

It checks each value by itself. The loader also checks which names an expression may use, and its type.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from easops.duration import format_duration
from easops.json_schema import DIALECT, TEXT, Schema, closed, condition
from easops.parameter import Kind, Parameter
from easops.playbook.language.expression import RESERVED
from easops.playbook.language.load import INPUT_KEYS, INPUT_KINDS, LIMITS, OPTIONAL, REQUIRED
from easops.playbook.language.model import EXPIRES, DescribedAction, Limits, StepKind, TakesParameters
from easops.playbook.language.setting_reader import NAME
from easops.playbook.language.step_reader import BESIDE, BY, GROUP_OPTIONAL, GROUP_REQUIRED, KINDS, NOT_BESIDE

_EXPRESSION: Final[Schema] = {"type": "string", "pattern": r"\{\{[\s\S]*\}\}"}
_ONE_EXPRESSION: Final[Schema] = {"type": "string", "pattern": r"^\s*\{\{[\s\S]*\}\}\s*$"}
_HOSTS: Final[Schema] = {"anyOf": [TEXT, {"type": "array", "items": TEXT}]}
_NAME: Final[Schema] = {
    "type": "string",
    "pattern": f"^{NAME.pattern}$",
    "not": {"enum": sorted(RESERVED)},
}
_CONSTANTS: Final[Mapping[Kind, Schema]] = {
    "duration": {"type": "string", "pattern": r"^\s*([0-9]+(\.[0-9]+)?\s*[smhd]\s*)+$"},
    "integer": {"anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?[0-9]+$"}]},
    "number": {"anyOf": [{"type": "number"}, {"type": "string", "pattern": "^[^{}]*[0-9][^{}]*$"}]},
    "text": TEXT,
    "boolean": {
        "anyOf": [
            {"type": "boolean"},
            {"type": "string", "pattern": "^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|[Yy][Ee][Ss]|[Nn][Oo])$"},
        ]
    },
    "choice": {"type": "string"},
    "list": {"anyOf": [{"type": "array"}, {"type": "string"}]},
}
"""The constants that a parameter of each kind takes, including those in text form. A result cannot be a constant."""


def playbook_schema(
    *, actions: Mapping[str, DescribedAction], detectors: Mapping[str, TakesParameters]
) -> dict[str, Any]:
    """The schema, as plain JSON data."""
    keys: Schema = {
        "easops": {"const": 1, "description": "the version of the format"},
        "name": TEXT,
        "hosts": {**_HOSTS, "description": "a selector over the inventory, such as runs=activesync, or host names"},
        "scenario": {**TEXT, "description": "the lab scenario that --lab starts"},
        "inputs": {"type": "object", "propertyNames": _NAME, "additionalProperties": _input()},
        "limits": closed({key: _value(parameter) for key, parameter in LIMITS.items()}),
        "protect": {
            **_value(Parameter("protect", "list")),
            "description": "mailboxes and groups that are never changed",
        },
        "steps": _steps({"if": {"required": ["each_host"]}, "then": _group(), "else": {"$ref": "#/$defs/step"}}),
    }
    for key, limit in keys["limits"]["properties"].items():
        limit["default"] = getattr(Limits(), key)
    return {
        "$schema": DIALECT,
        "title": "easops playbook",
        **closed({key: keys[key] for key in (*REQUIRED, *OPTIONAL)}, REQUIRED),
        "$defs": {
            "step": _step(actions, detectors, in_group=False),
            "step_of_group": _step(actions, detectors, in_group=True),
        },
    }


def _steps(step: Schema) -> Schema:
    return {"type": "array", "minItems": 1, "items": step}


def _input() -> Schema:
    keys: Schema = {
        "default": {},
        "help": TEXT,
        "choices": {"type": "array", "minItems": 1, "items": TEXT},
    }
    of_kind = [
        condition(
            {"type": {"const": kind}}, {"properties": {"default": {"anyOf": [_constant(kind), {"type": "null"}]}}}
        )
        for kind in INPUT_KINDS
    ]
    choices = condition({"type": {"const": "choice"}}, {"required": ["choices"]}, {"properties": {"choices": False}})
    properties = {"type": {"enum": list(INPUT_KINDS)}, **{key: keys[key] for key in INPUT_KEYS}}
    return {**closed(properties, ("type",)), "allOf": [*of_kind, choices]}


def _constant(kind: Any) -> Schema:
    """A default. Inputs are set before any step runs, so a default is never an expression."""
    constants: Mapping[Any, Schema] = _CONSTANTS
    return {**constants[kind], "not": _EXPRESSION}


def _group() -> Schema:
    keys: Schema = {
        "name": TEXT,
        "each_host": {**_HOSTS, "description": "the hosts, one after another"},
        "steps": _steps({"$ref": "#/$defs/step_of_group"}),
    }
    return closed({key: keys[key] for key in (*GROUP_REQUIRED, *GROUP_OPTIONAL)}, GROUP_REQUIRED)


def _step(
    actions: Mapping[str, DescribedAction], detectors: Mapping[str, TakesParameters], *, in_group: bool
) -> Schema:
    subjects: Mapping[StepKind, Mapping[str, TakesParameters]] = {
        "detect": detectors,
        "verify": detectors,
        "do": actions,
    }
    keys: Schema = {
        **{kind: {"oneOf": [_named(one) for one in named.values()]} for kind, named in subjects.items()},
        "approval": {
            **TEXT,
            "description": "the steps after it wait until somebody approves them; the approver reads this text",
        },
        "name": TEXT,
        "with": {"type": "object", "description": "the parameters"},
        "on": False if in_group else {**_HOSTS, "description": "which of the playbook's hosts"},
        "for_each": {
            "anyOf": [{"type": "array"}, _ONE_EXPRESSION],
            "description": "once for each item, most hits first",
        },
        "when": {**_ONE_EXPRESSION, "description": "an expression in braces; if it is false, the step is skipped"},
        "because": {**TEXT, "description": "the reason, for the record"},
        "within": {"anyOf": [_CONSTANTS["duration"], _EXPRESSION], "description": "how long a verify is repeated"},
        "expires": {
            "anyOf": [_CONSTANTS["duration"], _EXPRESSION],
            "description": "how long an approval, and a request for one, stays valid: 1m to 400d",
            "default": format_duration(EXPIRES),
        },
        "by": {"enum": list(BY), "description": "who may approve", "default": BY[0]},
        "as": {**_NAME, "description": "the name of the result, for later steps"},
        "on_failure": {"const": "continue", "description": "later changes run even if this step fails"},
    }
    rules = [
        condition({kind: {}}, {"properties": dict.fromkeys(unused_keys, False)}, required=(kind,))
        for kind, unused_keys in NOT_BESIDE.items()
    ]
    for kind, named in subjects.items():
        for name, subject in named.items():
            rules.append(condition({kind: {"const": name}}, _parameters(subject), required=(kind,)))
    for name, action in actions.items():
        needed = ["because"] if action.one_way else []
        if action.scope == "server" and not in_group:
            needed.append("on")
        then: Schema = {"required": needed} if needed else {}
        if action.scope == "organisation":
            then["properties"] = {"on": False}
        rules.append(condition({"do": {"const": name}}, then, required=("do",)))
    one_kind = [{"required": [kind]} for kind in KINDS]
    return {**closed({key: keys[key] for key in (*KINDS, *BESIDE)}), "oneOf": one_kind, "allOf": rules}


def _named(one: Any) -> Schema:
    summary = getattr(one, "summary", "")
    return {"const": one.name, **({"description": summary} if summary else {})}


def _parameters(subject: TakesParameters) -> Schema:
    """``with:`` has the parameters of *subject*, and must be there if any of them is required."""
    required = [parameter.name for parameter in subject.parameters if parameter.required]
    described = {parameter.name: _value(parameter) for parameter in subject.parameters}
    properties: Schema = {"properties": {"with": closed(described, required)}}
    return {**properties, "required": ["with"]} if required else properties


def _value(parameter: Parameter) -> Schema:
    """A constant of the parameter's kind, or an expression."""
    alternatives: list[Schema] = [_EXPRESSION]
    if parameter.kind == "choice":
        alternatives.append({"enum": list(parameter.choices)})
    elif parameter.kind != "result":
        constant = dict(_CONSTANTS[parameter.kind])
        if parameter.minimum is not None:
            constant["minimum"] = parameter.minimum  # JSON Schema does not apply it to text
        alternatives.append(constant)
    if parameter.default is None:
        alternatives.append({"type": "null"})
    schema: Schema = {"anyOf": alternatives}
    if parameter.help:
        schema["description"] = parameter.help
    if not parameter.required and isinstance(parameter.default, str | int | float):
        schema["default"] = parameter.default
    return schema
