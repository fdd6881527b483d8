"""The parameter binder: arguments as sent become parameters by name, or the engine's own error.

Its answers (identifiers, categories, texts, what $null becomes) are those of PowerShell's own engine for functions with
these signatures; English texts as Windows PowerShell 5.1 writes them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from easops.lab.signatures.conversion import NotConvertible, convert, type_name
from easops.lab.signatures.signature import COMMON, SHOULD_PROCESS, Parameter, Signature
from easops.lab.value import CmdletFailed, ErrorInfo

BINDING = "System.Management.Automation.ParameterBindingException"
TRANSFORMATION = "System.Management.Automation.ParameterBindingArgumentTransformationException"
VALIDATION = "System.Management.Automation.ParameterBindingValidationException"

_EMPTY: tuple[tuple[Any, str, str], ...] = (
    ("", "EmptyString", "an empty string"),
    (None, "Null", "null"),
    ([], "EmptyArray", "an empty array"),
)

# Exchange 2010 types these UInt32 on its pages and documents $null as "no limit": they are nullable.
_NULLABLE = {"New-ThrottlingPolicy", "Set-ThrottlingPolicy"}


def bind(
    signature: Signature, arguments: Sequence[tuple[str | None, Any]], *, piped: bool = False
) -> Mapping[str, Any]:
    """Canonical parameter name -> converted value.

    Args:
        arguments: name (None: positional) and value, as sent.
        piped: objects come down the pipe; mandatory parameters that take them are not missing then.

    Raises:
        CmdletFailed: NamedParameterNotFound, AmbiguousParameter, ParameterAlreadyBound, PositionalParameterNotFound,
            AmbiguousParameterSet, ParameterArgumentTransformationError, ParameterArgumentValidationError…,
            MissingMandatoryParameter.
    """
    return _Binding(signature, piped).bind(arguments)


class _Binding:
    """One binding of arguments to one signature."""

    def __init__(self, signature: Signature, piped: bool) -> None:
        self.signature = signature
        self.piped = piped
        self.possible_sets = set(range(len(signature.sets)))
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
            self._add(parameter, value)
        for value in [value for name, value in arguments if not name]:
            found = self._next_position()
            if found is None:
                self._fail(
                    "PositionalParameterNotFound",
                    f"A positional parameter cannot be found that accepts argument '{value}'.",
                )
            self._add(found, value)
        chosen = self._choose()
        missing = self._missing(chosen)
        if missing:
            self._fail(
                "MissingMandatoryParameter",
                f"Cannot process command because of one or more missing mandatory parameters: {' '.join(missing)}.",
            )
        return self.bound

    def _find(self, name: str) -> Parameter:
        """By name or alias, or by the start of one where only one parameter has it. The dash and the colon of a typed
        command are not sent."""
        wanted = name.lower()
        parameters = self.signature.parameters.values()
        every = [(spelling, parameter) for parameter in parameters for spelling in parameter.spellings]
        exact = [parameter for spelling, parameter in every if spelling.lower() == wanted]
        if exact:
            return exact[0]
        candidates = {parameter.name: parameter for spelling, parameter in every if spelling.lower().startswith(wanted)}
        if not candidates:
            self._fail("NamedParameterNotFound", f"A parameter cannot be found that matches parameter name '{name}'.")
        own = [parameter for parameter in candidates.values() if parameter.name not in COMMON]
        if len(own) == 1:
            return own[0]  # the cmdlet's own parameter wins over common ones
        if len(candidates) > 1:
            matches = " ".join(f"-{match}" for match in candidates)
            self._fail(
                "AmbiguousParameter",
                f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible matches "
                f"include: {matches}.",
            )
        return next(iter(candidates.values()))

    def _add(self, parameter: Parameter, value: Any) -> None:
        self.bound[parameter.name] = self._convert(parameter, value)
        self.possible_sets &= {number for number in self.possible_sets if parameter.membership(number) is not None}
        if not self.possible_sets:
            self._fail_ambiguous_set()

    def _convert(self, parameter: Parameter, value: Any) -> Any:
        if value is None and parameter.name in SHOULD_PROCESS:
            # With $null -WhatIf and -Confirm count as given; any other switch becomes False.
            return True
        if value is None and parameter.type in ("UInt32", "Int32") and self.signature.name in _NULLABLE:
            return None
        if parameter.type == "SwitchParameter" and parameter in (*COMMON.values(), *SHOULD_PROCESS.values()):
            return self._engine_switch(parameter, value)
        if parameter is COMMON["OutBuffer"] and isinstance(value, int) and value < 0:
            self._fail(
                "ParameterArgumentValidationError",
                f"Cannot validate argument on parameter 'OutBuffer'. The {value} argument is less than the minimum "
                "allowed range of 0. Supply an argument that is greater than or equal to 0 and then try the command "
                "again.",
                exception=VALIDATION,
                category="InvalidData",
            )
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

    def _engine_switch(self, parameter: Parameter, value: Any) -> bool:
        """A switch that the engine adds to a cmdlet takes numbers, too, and has an error of its own for the others."""
        if value is not None and not isinstance(value, (bool, int, float)):
            self._fail(
                "CannotConvertArgument",
                f"Cannot convert '{type_name(value)}' to the type 'System.Management.Automation.SwitchParameter' "
                f"required by parameter '{parameter.name}'. ",
            )
        return bool(value)

    def _refuse_empty(self, name: str, value: Any) -> None:
        """A mandatory parameter refuses an empty string, also inside an array, $null and an empty array."""
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
        """The unbound parameter with the lowest position; the default set goes first."""
        order = sorted(self.possible_sets, key=lambda number: (number != self.signature.default, number))
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
        """The parameter set of this call: the only one left, else the default even where a mandatory parameter is
        missing, else the only complete one."""
        if len(self.possible_sets) == 1:
            return next(iter(self.possible_sets))
        if self.signature.default in self.possible_sets:
            return self.signature.default
        complete = [number for number in self.possible_sets if not self._missing(number)]
        if len(complete) != 1:
            self._fail_ambiguous_set()
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

    def _fail_ambiguous_set(self) -> NoReturn:
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
