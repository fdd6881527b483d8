"""Parameters: the inputs of a playbook, and what actions, detectors and readings take in ``with:``.

All of them are declared in the same way, so that one check, by name and by kind, before anything runs, serves all.
"""

from __future__ import annotations

import csv
import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NoReturn

import attrs

from easops.duration import DurationError, check_duration, format_duration
from easops.errors import BadInput

Kind = Literal["duration", "integer", "number", "text", "boolean", "choice", "list", "result"]
"""What kind of value a parameter takes. ``result`` is the result of an earlier step (``after: "{{ freed }}"``); neither
a constant nor an input can be one."""

REQUIRED: Final = "<required>"
"""The default of a parameter that has none: a value must be given."""


class ParameterError(ValueError):
    """A value is not of its parameter's kind. The text of the error says what was expected."""


@attrs.frozen
class Parameter:
    """One named value: its *kind*, what it means (*help*), and its *default*, which is used if no value is given.

    *choices* are the values of a ``choice``. *minimum* and *maximum* are the bounds of a number; those of a duration
    are in seconds.
    """

    name: str
    kind: Kind
    help: str = ""
    default: Any = REQUIRED
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def required(self) -> bool:
        """Whether a value must be given."""
        return isinstance(self.default, str) and self.default == REQUIRED

    def check(self, value: Any) -> Any:
        """*value* as this parameter's kind: a text such as ``1h`` becomes a timedelta. Raises ParameterError."""
        if value is None and self.default is None:
            return None
        checked = _CHECKS[self.kind](self, value)
        size = checked.total_seconds() if isinstance(checked, dt.timedelta) else checked
        if isinstance(size, int | float):
            if self.minimum is not None and size < self.minimum:
                raise ParameterError(
                    f"{_shown(value)} is below {self._bound(self.minimum)}, the minimum of {self.name}"
                )
            if self.maximum is not None and size > self.maximum:
                raise ParameterError(
                    f"{_shown(value)} is above {self._bound(self.maximum)}, the maximum of {self.name}"
                )
        return checked

    def _bound(self, size: float) -> str:
        return format_duration(dt.timedelta(seconds=size)) if self.kind == "duration" else f"{size:g}"


def check_all(parameters: Sequence[Parameter], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all *parameters*: the *arguments*, checked, and the defaults of the others.

    Raises ParameterError for an unknown name, a missing value, or one of the wrong kind.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in arguments:
        if name not in known:
            raise ParameterError(f"there is no parameter {name!r}; there are {', '.join(known) or 'none'}")
    values: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name in arguments:
            try:
                values[parameter.name] = parameter.check(arguments[parameter.name])
            except ParameterError as error:
                raise ParameterError(f"{parameter.name}: {error}") from None
        elif parameter.required:
            raise ParameterError(f"{parameter.name} is missing ({parameter.help or parameter.kind})")
        else:
            values[parameter.name] = None if parameter.default is None else parameter.check(parameter.default)
    return values


def values_of(parameters: Sequence[Parameter], arguments: Mapping[str, Any], subject: str) -> dict[str, Any]:
    """As ``check_all``, for a script's arguments of *subject*, an action or a detector. Raises BadInput."""
    try:
        return check_all(parameters, arguments)
    except ParameterError as error:
        takes = "; ".join(f"{parameter.name}: {parameter.help or parameter.kind}" for parameter in parameters)
        raise BadInput(
            f"the values for {subject} are not valid", str(error), f"it takes {takes or 'nothing'}"
        ) from None


def _shown(value: Any) -> str:
    return format_duration(value) if isinstance(value, dt.timedelta) else repr(value)


def _duration(parameter: Parameter, value: Any) -> dt.timedelta:
    try:
        return check_duration(value)
    except DurationError as error:
        raise ParameterError(str(error)) from None


def _integer(parameter: Parameter, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,300}", value):
            return int(value)
        _refuse(value, "a whole number")
    return value


def _number(parameter: Parameter, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        _refuse(value, "a number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        _refuse(value, "a number")
    if not math.isfinite(number):  # nan would pass every minimum and maximum
        _refuse(value, "a number")
    return number


def _text(parameter: Parameter, value: Any) -> str:
    return value if isinstance(value, str) and value.strip() else _refuse(value, "text")


def _boolean(parameter: Parameter, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false", "yes", "no"):
        return value.lower() in ("true", "yes")
    return bool(_refuse(value, "true or false"))


def _choice(parameter: Parameter, value: Any) -> str:
    if value in parameter.choices:
        return str(value)
    return str(_refuse(value, f"one of {', '.join(parameter.choices)}"))


def _list(parameter: Parameter, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return split_list(value)
    return tuple(value) if isinstance(value, Sequence) else _refuse(value, "a list")


def split_list(text: str) -> tuple[str, ...]:
    """The items of a list that is typed in one word, separated by commas. An item with a comma in it is quoted as in
    CSV: ``"Brandt, Laura",mueller``.

    Raises ParameterError where a quotation mark is not closed, or something follows one.
    """
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error:
        raise ParameterError(
            f'{text!r} is not a list: an item with a comma in it is quoted whole, as in "Brandt, Laura",mueller; '
            "an address needs no quotes"
        ) from None
    return tuple(item.strip() for row in rows for item in row if item.strip())


def _result(parameter: Parameter, value: Any) -> Any:
    if isinstance(value, str | int | float | bool | list | tuple):
        _refuse(value, "the result of an earlier step: write the name after its as:, in braces")
    return value


def _refuse(value: Any, expected: str) -> NoReturn:
    raise ParameterError(f"{value!r} is not {expected}")


_CHECKS: Final = {
    "duration": _duration,
    "integer": _integer,
    "number": _number,
    "text": _text,
    "boolean": _boolean,
    "choice": _choice,
    "list": _list,
    "result": _result,
}
