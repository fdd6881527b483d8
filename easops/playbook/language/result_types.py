"""The types of the values that expressions read: inputs and results of steps. They are known before anything runs.

The attributes are those of ``detectors.finding`` and ``actions.outcome``; of a result, only those that playbooks can
rely on. Where a type is not known (None), the value is checked when its step is planned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import attrs

from easops.parameter import Kind, Parameter

ValueKind = Literal["duration", "integer", "number", "text", "boolean", "time", "list", "record", "result"]


@attrs.frozen
class ValueType:
    """The type of a value. A record or result has *attributes*, a list has an *element* type (None: not known).

    *title* is its name in an error: ``the result of detect``.
    """

    kind: ValueKind
    title: str
    attributes: Mapping[str, ValueType] = attrs.field(factory=dict)
    element: ValueType | None = None


TEXT: Final = ValueType("text", "text")
INTEGER: Final = ValueType("integer", "an integer")
NUMBER: Final = ValueType("number", "a number")
BOOLEAN: Final = ValueType("boolean", "true or false")
DURATION: Final = ValueType("duration", "a duration")
TIME: Final = ValueType("time", "a time")


def _list_of(element: ValueType | None) -> ValueType:
    return ValueType("list", "a list", element=element)


_DEVICE: Final = ValueType(
    "record",
    "a device",
    {
        "device_id": TEXT,
        "device_type": TEXT,
        "user_agent": TEXT,
        "hits": INTEGER,
        "rpc_max": INTEGER,
        "rpc_sum": INTEGER,
        "contacts_sent": INTEGER,
        "bytes_sent": INTEGER,
        "time_taken": INTEGER,
        "interval": NUMBER,
        "regular": BOOLEAN,
        "first_seen": TIME,
        "last_seen": TIME,
        "hosts": _list_of(TEXT),
    },
)
_USER: Final = ValueType(
    "record",
    "a user who was found",
    {
        "user": TEXT,
        "mailbox": TEXT,
        "resolved": BOOLEAN,
        "hits": INTEGER,
        "devices": _list_of(_DEVICE),
        "hosts": _list_of(TEXT),
        "contacts": INTEGER,
        "evidence": TEXT,
        "samples": _list_of(TEXT),
        "state": TEXT,
        "policy": TEXT,
    },
)
_FLOOD: Final = ValueType(
    "record",
    "a flood of another kind",
    {
        "kind": TEXT,
        "user": TEXT,
        "device_id": TEXT,
        "user_agent": TEXT,
        "requests": INTEGER,
        "hosts": _list_of(TEXT),
        "evidence": TEXT,
    },
)
_UNDETERMINED: Final = ValueType(
    "record",
    "what could not be judged",
    {"kind": TEXT, "subject": TEXT, "why": TEXT, "required": BOOLEAN, "host": TEXT, "seconds": NUMBER},
)
_ITEM: Final = ValueType(
    "record",
    "an item of a step",
    {
        "item": TEXT,
        "target": TEXT,
        "status": TEXT,
        "reason": TEXT,
        "effective": TEXT,
        "undo": TEXT,
        "certain": BOOLEAN,
        "touched": BOOLEAN,
        "pending": BOOLEAN,
        "rule": TEXT,
        "ended": TIME,
    },
)


def _detection(kind: str) -> ValueType:
    return ValueType(
        "result",
        f"the result of {kind}",
        {
            "found": BOOLEAN,
            "users": _list_of(_USER),
            "hosts": _list_of(TEXT),
            "watch": _list_of(_USER),
            "unresolved": _list_of(_USER),
            "floods": _list_of(_FLOOD),
            "proof_within": DURATION,
            "undetermined": _list_of(_UNDETERMINED),
            "evidence": TEXT,
        },
    )


RESULT_TYPES: Final[Mapping[str, ValueType]] = {
    "detect": _detection("detect"),
    "verify": _detection("verify"),
    "do": ValueType(
        "result",
        "the result of do",
        {
            "changed": BOOLEAN,
            "count": INTEGER,
            "items": _list_of(_ITEM),
            "treated": _list_of(TEXT),
            "pending": _list_of(TEXT),
            "refused": _list_of(TEXT),
        },
    ),
}
"""The type of a step's result, by the kind of the step."""

_INPUTS: Final[Mapping[Kind, ValueType]] = {
    "duration": DURATION,
    "integer": INTEGER,
    "number": NUMBER,
    "text": TEXT,
    "choice": TEXT,
    "boolean": BOOLEAN,
    "list": _list_of(None),
}

_FITS: Final[Mapping[ValueKind, frozenset[Kind]]] = {
    # A text may be the written form of any constant; it is checked when its step is planned.
    "text": frozenset(("text", "choice", "duration", "integer", "number", "boolean", "list")),
    "integer": frozenset(("integer", "number")),
    "number": frozenset(("number",)),
    "boolean": frozenset(("boolean",)),
    "duration": frozenset(("duration",)),
    "list": frozenset(("list",)),
    "result": frozenset(("result",)),
    "time": frozenset(),
    "record": frozenset(),
}


def type_of_input(parameter: Parameter) -> ValueType:
    """The type of an input's value."""
    return _INPUTS[parameter.kind]


def fits(value_type: ValueType, kind: Kind) -> bool:
    """Whether a parameter of this kind can take a value of this type."""
    return kind in _FITS[value_type.kind]
