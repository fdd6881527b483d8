"""Commands as values: a name and its parameters, never text.

User names, pool names and anything else from a log, a playbook or a person are sent as parameters. None of it becomes
part of a script's text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

Parameters = Mapping[str, Any]
"""Parameter names and values: None, bool, int, float, str, bytes, datetime, and lists and dicts of them."""


def _frozen(parameters: Parameters) -> Parameters:
    return MappingProxyType(dict(parameters))


@attrs.frozen
class Command:
    """One call of the cmdlet *name* with *parameters*. *reads* says that it changes nothing, so that it may be sent
    again.

    The value of a switch is True or False, never None: PowerShell takes null as False, but for ``-Confirm`` as True.
    """

    name: str
    parameters: Parameters = attrs.field(factory=dict, converter=_frozen)
    reads: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class Script:
    """The *text* of a ``.ps1`` file, sent unchanged.

    *name* is that of the file. *parameters* are those of its ``param()`` block. *reads* says that it changes nothing,
    so that it may be sent again.
    """

    name: str
    text: str = attrs.field(repr=False)
    parameters: Parameters = attrs.field(factory=dict, converter=_frozen)
    reads: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class Pipeline:
    """Several *statements* that are sent as one call and run one after another: Import-Module, then Restart-WebAppPool.

    Each statement is a pipe of one or more commands.
    """

    statements: tuple[tuple[Command | Script, ...], ...]

    @classmethod
    def of(cls, *statements: Command | Script) -> Pipeline:
        """A pipeline of statements that have one command each."""
        return cls(tuple((statement,) for statement in statements))

    @property
    def name(self) -> str:
        """The names of its commands: ``Import-Module; Restart-WebAppPool``."""
        return "; ".join(" | ".join(command.name for command in pipe) for pipe in self.statements)

    @property
    def reads(self) -> bool:
        """Whether all of its commands only read."""
        return all(command.reads for pipe in self.statements for command in pipe)

    def __str__(self) -> str:
        """As a person would type it. This text is only shown, never sent."""
        return "; ".join(" | ".join(_typed(command) for command in pipe) for pipe in self.statements)


Call = Command | Script | Pipeline
"""What a session can run."""


def pipeline(call: Call) -> Pipeline:
    """*call* as a pipeline."""
    return call if isinstance(call, Pipeline) else Pipeline.of(call)


def _typed(command: Command | Script) -> str:
    return " ".join([command.name, *(_argument(name, value) for name, value in command.parameters.items())])


def _argument(name: str, value: Any) -> str:
    return f"-{name}:{_literal(value)}" if isinstance(value, bool) else f"-{name} {_literal(value)}"


def _literal(value: Any) -> str:
    """A value in PowerShell's syntax."""
    if value is None:
        return "$null"
    if isinstance(value, bool):
        return f"${str(value).lower()}"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return "@{" + "; ".join(f"{key} = {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_literal, value)) or "@()"
    text = str(value)
    return text if _BARE.fullmatch(text) else "'" + text.replace("'", "''") + "'"


_BARE = re.compile(r"[\w.:/\\*?+=%-]+")
