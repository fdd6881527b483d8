"""The signature of one cmdlet on one version: its parameters, their types, and the parameter sets they are in."""

from __future__ import annotations

from collections.abc import Mapping

import attrs


@attrs.frozen
class Membership:
    """What a parameter is inside one parameter set.

    *position* counts from 0; None is "named". *pipeline* is 0, 1 (by value), 2 (by property name) or 3 (both).
    """

    mandatory: bool = False
    position: int | None = None
    pipeline: int = 0


@attrs.frozen
class Parameter:
    """One parameter: its short CLR type, and its membership by the number of the set (-1: the same in every set).

    *values* are the members of an enumeration, or of a ValidateSet.
    """

    name: str
    type: str
    sets: Mapping[int, Membership]
    aliases: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    @property
    def spellings(self) -> tuple[str, ...]:
        """Its name and its aliases."""
        return (self.name, *self.aliases)

    def membership(self, number: int) -> Membership | None:
        """What it is in the set of that number; None where it is not in it."""
        return self.sets.get(number, self.sets.get(-1))


@attrs.frozen
class Signature:
    """One cmdlet on one version, common parameters included.

    *default* is the number of the default parameter set. *module* has to be imported before the cmdlet is there; it
    is empty where the engine has the cmdlet from the start.
    """

    name: str
    sets: tuple[str, ...]
    default: int | None
    parameters: Mapping[str, Parameter]
    should_process: bool
    aliases: tuple[str, ...] = ()
    module: str = ""


_PREFERENCES = ("SilentlyContinue", "Stop", "Continue", "Inquire", "Ignore", "Suspend")


def _common(name: str, type_: str, alias: str, values: tuple[str, ...] = ()) -> Parameter:
    return Parameter(name, type_, {-1: Membership()}, (alias,), values)


COMMON: Mapping[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        _common("Verbose", "SwitchParameter", "vb"),
        _common("Debug", "SwitchParameter", "db"),
        _common("ErrorAction", "ActionPreference", "ea", _PREFERENCES),
        _common("WarningAction", "ActionPreference", "wa", _PREFERENCES),
        _common("InformationAction", "ActionPreference", "infa", _PREFERENCES),
        _common("ErrorVariable", "String", "ev"),
        _common("WarningVariable", "String", "wv"),
        _common("InformationVariable", "String", "iv"),
        _common("OutVariable", "String", "ov"),
        _common("OutBuffer", "Int32", "ob"),
        _common("PipelineVariable", "String", "pv"),
    )
}
"""The parameters that the engine adds to every cmdlet."""

COMMON_SINCE_3_0 = frozenset({"InformationAction", "InformationVariable", "PipelineVariable"})
"""Those of them that PowerShell 2.0 does not have."""

SHOULD_PROCESS: Mapping[str, Parameter] = {
    parameter.name: parameter
    for parameter in (_common("WhatIf", "SwitchParameter", "wi"), _common("Confirm", "SwitchParameter", "cf"))
}
"""The parameters that the engine adds to a cmdlet that supports ShouldProcess."""
