"""Commands as values: a name and its parameters, never text.

User and pool names travel as parameters; nothing from a log, a playbook or a user is put into script text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import attrs

Parameters = Mapping[str, Any]
"""Parameter values: None, bool, int, float, str, bytes, datetime, and lists and dicts of them."""


def _frozen(parameters: Parameters) -> Parameters:
    return MappingProxyType(dict(parameters))


@attrs.frozen
class Command:
    """One cmdlet call. *reads* says that sending it twice does no harm, so it may be retried.

    A switch is an explicit True or False: a real engine binds a switch given null as False, and
    ``-Confirm`` given null as True.
    """

    name: str
    parameters: Parameters = attrs.field(factory=dict, converter=_frozen)
    reads: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class Script:
    """A ``.ps1`` that lies beside its module, sent verbatim; its arguments are parameters of its ``param()`` block."""

    name: str
    text: str = attrs.field(repr=False)
    parameters: Parameters = attrs.field(factory=dict, converter=_frozen)
    reads: bool = attrs.field(default=False, kw_only=True)


@attrs.frozen
class Pipeline:
    """Several statements sent as one call, run one after another: Import-Module, then Restart-WebAppPool.

    Each statement is a pipe of one or more commands. The pipeline reads only if all of its commands do.
    """

    statements: tuple[tuple[Command | Script, ...], ...]

    @classmethod
    def of(cls, *statements: Command | Script) -> Pipeline:
        """A pipeline of statements with one command each."""
        return cls(tuple((statement,) for statement in statements))

    @property
    def name(self) -> str:
        return "; ".join(" | ".join(command.name for command in pipe) for pipe in self.statements)

    @property
    def reads(self) -> bool:
        return all(command.reads for pipe in self.statements for command in pipe)

    def __str__(self) -> str:
        """As a person would type it: for reading alone, it is never sent."""
        return "; ".join(" | ".join(_typed(command) for command in pipe) for pipe in self.statements)


Call = Command | Script | Pipeline


def pipeline(call: Call) -> Pipeline:
    """Any call as a pipeline."""
    return call if isinstance(call, Pipeline) else Pipeline.of(call)


def _typed(command: Command | Script) -> str:
    return " ".join([command.name, *(_argument(name, value) for name, value in command.parameters.items())])


def _argument(name: str, value: Any) -> str:
    return f"-{name}:{_literal(value)}" if isinstance(value, bool) else f"-{name} {_literal(value)}"


def _literal(value: Any) -> str:
    """A value as PowerShell writes it."""
    if value is None:
        return "$null"
    if isinstance(value, bool):
        return f"${str(value).lower()}"
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, Mapping):
        return "@{" + "; ".join(f"{key} = {_literal(held)}" for key, held in value.items()) + "}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_literal, value)) or "@()"
    text = str(value)
    return text if _BARE.fullmatch(text) else "'" + text.replace("'", "''") + "'"


_BARE = re.compile(r"[\w.:/\\*?+=%-]+")
