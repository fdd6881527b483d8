"""What a CREATE_PIPELINE message asks for, read without psrpcore where it is simple. Source: MS-PSRP 2.2.2.10.

psrpcore makes an object of each property of the message. Most of them say where streams are merged to, which nothing
here needs, and they took a quarter of the lab's time.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any, Final
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import attrs
from psrpcore import Command, PowerShell
from psrpcore.types import deserialize

_NO_CIPHER: Final[Any] = None
"""It is for secure strings, which are not simple."""

_SIMPLE: Final = frozenset({"S", "B", "I32", "I64", "U32", "U64", "Db", "DT", "G", "C", "URI", "Nil"})


@attrs.frozen
class CreatePipeline:
    """The pipeline to run: *statements* in order, each of one or more commands."""

    pipeline_id: uuid.UUID
    statements: list[list[Command]]
    no_input: bool

    @classmethod
    def of(cls, pipeline_id: uuid.UUID, powershell: PowerShell) -> CreatePipeline:
        """From what psrpcore reads, whatever is in it."""
        return cls(pipeline_id, list(_statements(powershell.commands)), powershell.no_input)


def read_create_pipeline(pipeline_id: uuid.UUID, message: bytes) -> CreatePipeline | None:
    """The pipeline of a *message* whose arguments are simple values, or lists of them; None for any other message.
    psrpcore can read those."""
    try:
        properties = _properties(ElementTree.fromstring(message))
        powershell = _properties(properties["PowerShell"])
        extra = powershell.get("ExtraCmds")
        bodies = (
            [powershell["Cmds"]]
            if extra is None or _tag(extra) == "Nil"
            else [_properties(statement)["Cmds"] for statement in _items(extra)]
        )
        statements = [[_command(_properties(command)) for command in _items(body)] for body in bodies]
        return CreatePipeline(pipeline_id, statements, properties["NoInput"].text == "true")
    except (_NotSimple, KeyError):
        return None


class _NotSimple(Exception):
    """The message has a part that only psrpcore reads."""


def _command(properties: dict[str, Element]) -> Command:
    scope = properties.get("UseLocalScope")
    command = Command(
        name=_value(properties["Cmd"]),
        is_script=properties["IsScript"].text == "true",
        use_local_scope=None if scope is None else _value(scope),
    )
    for argument in map(_properties, _items(properties["Args"])):
        command.parameters.append((_value(argument["N"]), _value(argument["V"])))
    return command


def _properties(element: Element) -> dict[str, Element]:
    """The extended properties of an object, by name."""
    return {member.get("N", ""): member for member in _part(element, "MS")}


def _items(element: Element) -> Element:
    """The elements of a list."""
    return _part(element, "LST")


def _part(element: Element, tag: str) -> Element:
    for child in element:
        if _tag(child) == tag:
            return child
    raise _NotSimple  # it refers to an object elsewhere in the message


def _tag(element: Element) -> str:
    return element.tag.rpartition("}")[2]  # a client may send it in its namespace or not


def _value(element: Element) -> Any:
    tag = _tag(element)
    if tag in _SIMPLE:
        return deserialize(element, _NO_CIPHER)
    if tag == "Obj" and [_tag(child) for child in element] in (["TN", "LST"], ["TNRef", "LST"], ["LST"]):
        return [_value(item) for item in element[-1]]
    raise _NotSimple


def _statements(commands: list[Command]) -> Iterator[list[Command]]:
    statement: list[Command] = []
    for command in commands:
        statement.append(command)
        if command.end_of_statement:
            yield statement
            statement = []
    if statement:
        yield statement
