"""What expressions may look at: the shapes of inputs and of steps' results, known before anything runs.

The attributes are those of ``detectors.finding`` and ``actions.outcome``; of a result only those that a playbook is
promised. A shape that is not known (None) is checked when its step is planned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

import attrs

from easops.parameter import Kind, Parameter

ShapeKind = Literal["duration", "integer", "number", "text", "boolean", "time", "list", "record", "result"]


@attrs.frozen
class Shape:
    """A kind of value; *attributes* of a record or result, *element* of a list (None: not known).

    *title* is what it is in an error: ``the result of detect``.
    """

    kind: ShapeKind
    title: str
    attributes: Mapping[str, Shape] = attrs.field(factory=dict)
    element: Shape | None = None


TEXT: Final = Shape("text", "text")
INTEGER: Final = Shape("integer", "an integer")
NUMBER: Final = Shape("number", "a number")
BOOLEAN: Final = Shape("boolean", "true or false")
DURATION: Final = Shape("duration", "a duration")
TIME: Final = Shape("time", "a time")


def _list(element: Shape | None) -> Shape:
    return Shape("list", "a list", element=element)


_DEVICE: Final = Shape(
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
        "hosts": _list(TEXT),
    },
)
_USER: Final = Shape(
    "record",
    "a user who was found",
    {
        "user": TEXT,
        "mailbox": TEXT,
        "resolved": BOOLEAN,
        "hits": INTEGER,
        "devices": _list(_DEVICE),
        "hosts": _list(TEXT),
        "contacts": INTEGER,
        "evidence": TEXT,
        "samples": _list(TEXT),
    },
)
_UNDETERMINED: Final = Shape(
    "record",
    "what could not be judged",
    {"kind": TEXT, "subject": TEXT, "why": TEXT, "required": BOOLEAN, "host": TEXT, "seconds": NUMBER},
)
_ITEM: Final = Shape(
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
        "rule": TEXT,
        "ended": TIME,
    },
)


def _detection(kind: str) -> Shape:
    return Shape(
        "result",
        f"the result of {kind}",
        {
            "found": BOOLEAN,
            "users": _list(_USER),
            "hosts": _list(TEXT),
            "watch": _list(_USER),
            "undetermined": _list(_UNDETERMINED),
            "evidence": TEXT,
        },
    )


RESULTS: Final[Mapping[str, Shape]] = {
    "detect": _detection("detect"),
    "verify": _detection("verify"),
    "do": Shape(
        "result",
        "the result of do",
        {
            "changed": BOOLEAN,
            "count": INTEGER,
            "items": _list(_ITEM),
            "treated": _list(TEXT),
            "refused": _list(TEXT),
        },
    ),
}
"""By kind of step, what its ``as`` name stands for."""

_INPUTS: Final[Mapping[Kind, Shape]] = {
    "duration": DURATION,
    "integer": INTEGER,
    "number": NUMBER,
    "text": TEXT,
    "choice": TEXT,
    "boolean": BOOLEAN,
    "list": _list(None),
}

_FITS: Final[Mapping[ShapeKind, frozenset[Kind]]] = {
    # a text may hold any constant's written form; that is judged when its step is planned
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


def of_input(parameter: Parameter) -> Shape:
    """The shape of an input's value."""
    return _INPUTS[parameter.kind]


def fits(shape: Shape, kind: Kind) -> bool:
    """Whether a value of this shape can be a parameter's of this kind: what ``Parameter.check`` will not refuse."""
    return kind in _FITS[shape.kind]
