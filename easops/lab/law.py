"""The signature law: which cmdlets and parameters a server of a version knows, and the one binder of parameters.

``signatures/exchange.json`` and ``windows.json`` are written by ``tools/lab_signatures.py`` from Microsoft's reference
pages. A parameter there is ``[type, sets, versions, aliases, values]`` (the end left out where it is the default):
*sets* is a list of ``[number of the set or -1 for all, mandatory, position or -1, pipeline bits (1 by value, 2 by
property name)]``, *versions* are bits
(2010 the lowest), *values* what an enumeration or a ValidateSet takes. The Windows of Exchange 2010 is the oldest that
it runs on, with PowerShell 2.0.

The answers of the binder (identifiers, categories, texts, what a nil becomes) are those of PowerShell's own engine for
functions of these signatures; English texts as Windows PowerShell 5.1 writes them. Where a page states no default
parameter set, ``Identity`` is taken if there is a set of that name: without it plain calls that every server answers
would be ambiguous.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Collection, Mapping, Sequence
from importlib import resources
from typing import Any, NoReturn

import attrs

from easops.lab.call import Endpoint
from easops.lab.conversion import NotConvertible, convert
from easops.lab.value import CmdletFailed, ErrorInfo

VERSIONS = ("2010", "2013", "2016", "2019", "SE")
BINDING = "System.Management.Automation.ParameterBindingException"
TRANSFORMATION = "System.Management.Automation.ParameterBindingArgumentTransformationException"
VALIDATION = "System.Management.Automation.ParameterBindingValidationException"

_PREFERENCES = ("SilentlyContinue", "Stop", "Continue", "Inquire", "Ignore", "Suspend")
_EMPTY: tuple[tuple[Any, str, str], ...] = (
    ("", "EmptyString", "an empty string"),
    (None, "Null", "null"),
    ([], "EmptyArray", "an empty array"),
)


# What a restricted endpoint has beside its own cmdlets, as far as there are pages (New-PSSessionConfigurationFile).
RESTRICTED = ("Get-Command", "Get-Help", "Measure-Object", "Select-Object")


@attrs.frozen
class Membership:
    """What a parameter is inside one parameter set; *position* None is "named"."""

    mandatory: bool = False
    position: int | None = None
    pipeline: int = 0


@attrs.frozen
class Parameter:
    """One parameter: its short CLR type, and its membership by set number (-1: the same in every set)."""

    name: str
    type: str
    sets: Mapping[int, Membership]
    aliases: tuple[str, ...] = ()
    values: tuple[str, ...] = ()

    def membership(self, number: int) -> Membership | None:
        return self.sets.get(number, self.sets.get(-1))


@attrs.frozen
class Signature:
    """One cmdlet on one version; *default* is the number of the default parameter set, *module* that which has to be
    imported for it, empty where the engine has the cmdlet from the start."""

    name: str
    sets: tuple[str, ...]
    default: int | None
    parameters: Mapping[str, Parameter]
    should_process: bool
    aliases: tuple[str, ...] = ()
    module: str = ""


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
_SINCE_3_0 = {"InformationAction", "InformationVariable", "PipelineVariable"}
SHOULD_PROCESS: Mapping[str, Parameter] = {
    parameter.name: parameter
    for parameter in (_common("WhatIf", "SwitchParameter", "wi"), _common("Confirm", "SwitchParameter", "cf"))
}

# Exchange 2010 types these UInt32 on its pages and documents $null as "no limit": they are nullable.
_NULLABLE = {"New-ThrottlingPolicy", "Set-ThrottlingPolicy"}


@functools.cache
def _source(name: str) -> Mapping[str, Any]:
    text = resources.files("easops.lab").joinpath("signatures", f"{name}.json").read_text(encoding="utf-8")
    cmdlets: Mapping[str, Any] = json.loads(text)["cmdlets"]
    return cmdlets


def _parameter(name: str, entry: Sequence[Any]) -> tuple[Parameter, int]:
    type_, sets = entry[0], entry[1]
    versions = entry[2] if len(entry) > 2 else (1 << len(VERSIONS)) - 1
    aliases = entry[3] if len(entry) > 3 else ()
    values = entry[4] if len(entry) > 4 else ()
    memberships = {
        number: Membership(bool(mandatory), position if position >= 0 else None, pipeline)
        for number, mandatory, position, pipeline in sets
    }
    return Parameter(name, type_, memberships, tuple(aliases), tuple(values)), versions


def _signature(name: str, entry: Mapping[str, Any], bit: int) -> Signature | None:
    """The cmdlet as the version of *bit* has it; None where that version has none."""
    if not entry.get("versions", bit) & bit:
        return None
    read = [_parameter(key, value) for key, value in entry["parameters"].items()]
    here = {parameter.name: parameter for parameter, versions in read if versions & bit}
    # A set all of whose own parameters are of another version does not exist in this one.
    own: dict[int, bool] = {}
    for parameter, _versions in read:
        for number in parameter.sets:
            if number >= 0:
                own[number] = own.get(number, False) or parameter.name in here
    names = entry["sets"] or ["__AllParameterSets"]
    kept = [number for number in range(len(names)) if own.get(number, True)] or list(range(len(names)))
    renumbered = {old: new for new, old in enumerate(kept)}
    parameters = {
        parameter.name: attrs.evolve(
            parameter,
            sets={renumbered.get(old, -1): m for old, m in parameter.sets.items() if old < 0 or old in renumbered},
        )
        for parameter in here.values()
    }
    default = entry.get("default")
    sets = tuple(names[number] for number in kept)
    should_process = entry.get("should_process", False)
    common = {name: parameter for name, parameter in COMMON.items() if bit != 1 or name not in _SINCE_3_0}
    return Signature(
        name=name,
        sets=sets,
        default=sets.index(default) if default in sets else None,
        parameters={**parameters, **common, **(SHOULD_PROCESS if should_process else {})},
        should_process=should_process,
        aliases=tuple(entry.get("aliases", ())),
        module=entry.get("module", ""),
    )


class Law:
    """The signatures of one Exchange version (``2010``, ``2013``, ``2016``, ``2019``, ``SE``), and Windows' own.

    *powershell* is the version of the engine, *lacks* are modules of Windows that the server does not have.
    """

    def __init__(self, version: str, *, lacks: Collection[str] = ()) -> None:
        """Raises ValueError for a version without signatures."""
        if version not in VERSIONS:
            raise ValueError(f"no signatures of Exchange {version!r}; there are {', '.join(VERSIONS)}")
        self.version = version
        self.powershell = "2.0" if version == "2010" else "5.1"
        self._lacks = frozenset(lacks)
        self._bit = 1 << VERSIONS.index(version)
        self._cmdlets: dict[Endpoint, dict[str, Signature]] = {}

    def _known(self, endpoint: Endpoint) -> Mapping[str, Signature]:
        """By lower-case name and alias; read on first use."""
        if endpoint not in self._cmdlets:
            table: dict[str, Signature] = {}
            source = dict(_source(endpoint))
            if endpoint == "exchange":
                source.update({name: _source("windows")[name] for name in RESTRICTED})
            for name, entry in source.items():
                signature = _signature(name, entry, self._bit)
                if signature is not None and signature.module not in self._lacks:
                    for alias in signature.aliases:
                        table.setdefault(alias.lower(), signature)
                    table[name.lower()] = signature
            self._cmdlets[endpoint] = table
        return self._cmdlets[endpoint]

    def signature(self, endpoint: Endpoint, cmdlet: str) -> Signature | None:
        """The signature of a cmdlet (by name or alias, any case); None where this version has no such cmdlet."""
        # A name may be qualified by its module: WebAdministration\Restart-WebAppPool.
        return self._known(endpoint).get(cmdlet.rpartition("\\")[2].lower())

    def knows(self, endpoint: Endpoint, cmdlet: str) -> bool:
        return self.signature(endpoint, cmdlet) is not None

    def names(self, endpoint: Endpoint) -> Collection[str]:
        """The canonical names of every cmdlet of this version."""
        return sorted({signature.name for signature in self._known(endpoint).values()})

    def bind(
        self,
        endpoint: Endpoint,
        cmdlet: str,
        arguments: Sequence[tuple[str | None, Any]],
        *,
        piped: bool = False,
    ) -> tuple[str, Mapping[str, Any]]:
        """Canonical cmdlet name, and canonical parameter name -> converted value, common parameters included.

        Args:
            arguments: name (None: positional) and value, as sent.
            piped: objects come down the pipe; mandatory parameters that take them are not missing then.

        Raises:
            CmdletFailed: with the error record of the engine: CommandNotFoundException, NamedParameterNotFound,
                AmbiguousParameter, ParameterAlreadyBound, PositionalParameterNotFound, AmbiguousParameterSet,
                ParameterArgumentTransformationError, ParameterArgumentValidationError…, MissingMandatoryParameter.
        """
        signature = self.signature(endpoint, cmdlet)
        if signature is None:
            raise CmdletFailed(not_found(cmdlet))
        return signature.name, bind(signature, arguments, piped=piped)


def bind(
    signature: Signature, arguments: Sequence[tuple[str | None, Any]], *, piped: bool = False
) -> Mapping[str, Any]:
    """The parameters of one call by canonical name; as ``Law.bind``."""
    return _Binding(signature, piped).bind(arguments)


def not_found(command: str) -> ErrorInfo:
    """What a server says to a command that it does not have, or that the user may not see."""
    return ErrorInfo(
        message=(
            f"The term '{command}' is not recognized as the name of a cmdlet, function, script file, or operable "
            "program. Check the spelling of the name, or if a path was included, verify that the path is correct and "
            "try again."
        ),
        exception="System.Management.Automation.CommandNotFoundException",
        fqid="CommandNotFoundException",
        category="ObjectNotFound",
        target=command,
    )


class _Binding:
    """One binding of arguments to one signature."""

    def __init__(self, signature: Signature, piped: bool) -> None:
        self.signature = signature
        self.piped = piped
        self.valid = set(range(len(signature.sets)))
        self.bound: dict[str, Any] = {}

    def bind(self, arguments: Sequence[tuple[str | None, Any]]) -> Mapping[str, Any]:
        named = [(self._find(name), value) for name, value in arguments if name]
        for parameter, value in named:
            if parameter.name in self.bound:
                self._fail(
                    "ParameterAlreadyBound",
                    f"Cannot bind parameter because parameter '{parameter.name}' is specified more than once. To "
                    "provide multiple values to parameters that can accept multiple values, use the array syntax. For "
                    'example, "-parameter value1,value2,value3".',
                )
            self._take(parameter, value)
        for value in [value for name, value in arguments if not name]:
            found = self._next_position()
            if found is None:
                self._fail(
                    "PositionalParameterNotFound",
                    f"A positional parameter cannot be found that accepts argument '{value}'.",
                )
            self._take(found, value)
        chosen = self._choose()
        missing = self._missing(chosen)
        if missing:
            self._fail(
                "MissingMandatoryParameter",
                f"Cannot process command because of one or more missing mandatory parameters: {' '.join(missing)}.",
            )
        return self.bound

    def _find(self, name: str) -> Parameter:
        """By name, alias, or unambiguous beginning of either; colon and dash of a typed command are not sent."""
        wanted = name.lower()
        parameters = self.signature.parameters
        every = [(spelling, parameter) for parameter in parameters.values() for spelling in _spellings(parameter)]
        exact = [parameter for spelling, parameter in every if spelling.lower() == wanted]
        if exact:
            return exact[0]
        begins = {parameter.name: parameter for spelling, parameter in every if spelling.lower().startswith(wanted)}
        if not begins:
            self._fail("NamedParameterNotFound", f"A parameter cannot be found that matches parameter name '{name}'.")
        own = [parameter for parameter in begins.values() if parameter.name not in COMMON]
        if len(own) == 1:
            return own[0]  # one of the cmdlet's own goes before common ones
        if len(begins) > 1:
            matches = " ".join(f"-{match}" for match in begins)
            self._fail(
                "AmbiguousParameter",
                f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible matches "
                f"include: {matches}.",
            )
        return next(iter(begins.values()))

    def _take(self, parameter: Parameter, value: Any) -> None:
        self.bound[parameter.name] = self._value(parameter, value)
        self.valid &= {number for number in self.valid if parameter.membership(number) is not None}
        if not self.valid:
            self._ambiguous_set()

    def _value(self, parameter: Parameter, value: Any) -> Any:
        if value is None and parameter.name in SHOULD_PROCESS:
            # The engine counts -WhatIf and -Confirm as given when their value is nil; other switches become False.
            return True
        if value is None and parameter.type in ("UInt32", "Int32") and self.signature.name in _NULLABLE:
            return None
        try:
            converted = convert(parameter.type, value, parameter.values)
        except NotConvertible as error:
            if error.outside_set:
                self._fail(
                    "ParameterArgumentValidationError",
                    f"Cannot validate argument on parameter '{parameter.name}'. {error}",
                    exception=VALIDATION,
                    category="InvalidData",
                )
            if parameter.name in COMMON:
                self._fail("CannotConvertArgumentNoMessage", f"Cannot bind parameter '{parameter.name}'. {error}")
            self._fail(
                "ParameterArgumentTransformationError",
                f"Cannot process argument transformation on parameter '{parameter.name}'. {error}",
                exception=TRANSFORMATION,
                category="InvalidData",
            )
        if any(membership.mandatory for membership in parameter.sets.values()):
            self._refuse_empty(parameter.name, converted)
        return converted

    def _refuse_empty(self, name: str, value: Any) -> None:
        """A mandatory parameter takes neither an empty string (in an array neither), nor $null, nor an empty array."""
        if isinstance(value, list) and "" in value:
            value = ""
        for empty, kind, what in _EMPTY:
            if type(value) is type(empty) and value == empty:
                self._fail(
                    f"ParameterArgumentValidationError{kind}NotAllowed",
                    f"Cannot bind argument to parameter '{name}' because it is {what}.",
                    exception=VALIDATION,
                    category="InvalidData",
                )

    def _next_position(self) -> Parameter | None:
        """The unbound parameter of the lowest position, that of the default set first."""
        order = sorted(self.valid, key=lambda number: (number != self.signature.default, number))
        candidates = [
            (membership.position, rank, parameter)
            for rank, number in enumerate(order)
            for parameter in self.signature.parameters.values()
            if parameter.name not in self.bound
            and (membership := parameter.membership(number)) is not None
            and membership.position is not None
        ]
        return min(candidates, key=lambda candidate: candidate[:2])[2] if candidates else None

    def _choose(self) -> int:
        """The parameter set of this call: the only one left, the default even where it lacks something, or the only
        complete one."""
        if len(self.valid) == 1:
            return next(iter(self.valid))
        if self.signature.default in self.valid:
            return self.signature.default
        complete = [number for number in self.valid if not self._missing(number)]
        if len(complete) != 1:
            self._ambiguous_set()
        return complete[0]

    def _missing(self, number: int) -> list[str]:
        return [
            parameter.name
            for parameter in self.signature.parameters.values()
            if parameter.name not in self.bound
            and (membership := parameter.membership(number)) is not None
            and membership.mandatory
            and not (self.piped and membership.pipeline)
        ]

    def _ambiguous_set(self) -> NoReturn:
        self._fail(
            "AmbiguousParameterSet",
            "Parameter set cannot be resolved using the specified named parameters. One or more parameters issued "
            "cannot be used together or an insufficient number of parameters were provided.",
        )

    def _fail(
        self, identifier: str, message: str, *, exception: str = BINDING, category: str = "InvalidArgument"
    ) -> NoReturn:
        name = self.signature.name
        raise CmdletFailed(ErrorInfo(message, exception, f"{identifier},{name}", category, activity=name)) from None


def _spellings(parameter: Parameter) -> tuple[str, ...]:
    return (parameter.name, *parameter.aliases)
