"""Declared parameters: the inputs of a playbook, and what actions, detectors and readings take in ``with:``.

One idea for all of them, so that one check (by name and by type, before anything runs) serves all.
"""

from __future__ import annotations

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NoReturn

import attrs

from easops.errors import BadInput

Kind = Literal["duration", "integer", "number", "text", "boolean", "choice", "list", "result"]
"""``result`` is what an earlier step gave (``after: "{{ freed }}"``): no constant and no input can be one."""

REQUIRED: Final = "<required>"

LONGEST: Final = dt.timedelta(days=36500)
"""No duration is longer: a hundred years before or after now there is still a date."""

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class ParameterError(ValueError):
    """A value is not of its parameter's kind; the text says what was expected."""


def parse_duration(text: str) -> dt.timedelta:
    """``90s``, ``30m``, ``1h30m``, ``2d`` as a timedelta, at most LONGEST. Raises ParameterError."""
    parts = _DURATION.findall(text)
    if not parts or _DURATION.sub("", text).strip():
        raise ParameterError(f"{text!r} is no duration: write a number and a unit, as in 90s, 30m, 1h or 2d")
    seconds = sum(float(number) * _SECONDS[unit] for number, unit in parts)
    if seconds > LONGEST.total_seconds():
        raise ParameterError(f"{text!r} is too long for a duration: the longest is {format_duration(LONGEST)}")
    return dt.timedelta(seconds=seconds)


def format_duration(value: dt.timedelta) -> str:
    """A timedelta as a person writes it: ``90s``, ``30m``, ``1h30m``."""
    seconds = round(value.total_seconds())
    text = ""
    for unit, size in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, seconds = divmod(seconds, size)
        text += f"{count}{unit}" if count else ""
    return text or "0s"


@attrs.frozen
class Parameter:
    """One named value: its kind, what it means, and what it is when it is not given. *minimum* and *maximum* of a
    duration are seconds."""

    name: str
    kind: Kind
    help: str = ""
    default: Any = REQUIRED
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None

    @property
    def required(self) -> bool:
        return isinstance(self.default, str) and self.default == REQUIRED

    def check(self, value: Any) -> Any:
        """*value* as this parameter's kind: a duration becomes a timedelta. Raises ParameterError."""
        if value is None and self.default is None:
            return None
        checked = _CHECKS[self.kind](self, value)
        size = checked.total_seconds() if isinstance(checked, dt.timedelta) else checked
        if isinstance(size, int | float):
            if self.minimum is not None and size < self.minimum:
                raise ParameterError(
                    f"{_written(value)} is below {self._bound(self.minimum)}, the least that {self.name} can be"
                )
            if self.maximum is not None and size > self.maximum:
                raise ParameterError(
                    f"{_written(value)} is above {self._bound(self.maximum)}, the most that {self.name} can be"
                )
        return checked

    def _bound(self, size: float) -> str:
        return format_duration(dt.timedelta(seconds=size)) if self.kind == "duration" else f"{size:g}"


def check_all(parameters: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all *parameters*: those *given*, checked, and the defaults of the others.

    Raises ParameterError for an unknown name, a missing one, or a wrong type.
    """
    known = {parameter.name: parameter for parameter in parameters}
    for name in given:
        if name not in known:
            raise ParameterError(f"there is no parameter {name!r}; there are {', '.join(known) or 'none'}")
    values: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.name in given:
            try:
                values[parameter.name] = parameter.check(given[parameter.name])
            except ParameterError as error:
                raise ParameterError(f"{parameter.name}: {error}") from None
        elif parameter.required:
            raise ParameterError(f"{parameter.name} is missing ({parameter.help or parameter.kind})")
        else:
            values[parameter.name] = None if parameter.default is None else parameter.check(parameter.default)
    return values


def values_of(parameters: Sequence[Parameter], given: Mapping[str, Any], subject: str) -> dict[str, Any]:
    """``check_all`` for what a caller gives *subject*. Raises BadInput."""
    try:
        return check_all(parameters, given)
    except ParameterError as error:
        takes = "; ".join(f"{parameter.name}: {parameter.help or parameter.kind}" for parameter in parameters)
        raise BadInput(f"{subject} cannot take this", str(error), f"it takes {takes or 'nothing'}") from None


def _written(value: Any) -> str:
    return format_duration(value) if isinstance(value, dt.timedelta) else repr(value)


def _duration(parameter: Parameter, value: Any) -> dt.timedelta:
    if isinstance(value, dt.timedelta):
        if abs(value) > LONGEST:
            raise ParameterError(f"{value} is too long for a duration: the longest is {format_duration(LONGEST)}")
        return value
    if isinstance(value, str):
        return parse_duration(value)
    raise ParameterError(f"{value!r} is no duration: write a number and a unit, as in 90s, 30m, 1h or 2d")


def _integer(parameter: Parameter, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        if isinstance(value, str) and re.fullmatch(r"-?\d{1,300}", value):
            return int(value)
        raise ParameterError(f"{value!r} is no integer")
    return value


def _number(parameter: Parameter, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        _no(value, "number")
    try:
        number = float(value)
    except (ValueError, OverflowError):
        _no(value, "number")
    if not math.isfinite(number):  # nan would be below no minimum
        _no(value, "number")
    return number


def _text(parameter: Parameter, value: Any) -> str:
    return value if isinstance(value, str) and value.strip() else _no(value, "text")


def _boolean(parameter: Parameter, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false", "yes", "no"):
        return value.lower() in ("true", "yes")
    return bool(_no(value, "boolean: write true or false"))


def _choice(parameter: Parameter, value: Any) -> str:
    if value in parameter.choices:
        return str(value)
    raise ParameterError(f"{value!r} is none of {', '.join(parameter.choices)}")


def _list(parameter: Parameter, value: Any) -> tuple[Any, ...]:
    if isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    return tuple(value) if isinstance(value, Sequence) else _no(value, "list")


def _result(parameter: Parameter, value: Any) -> Any:
    if isinstance(value, str | int | float | bool | list | tuple):
        _no(value, "result of an earlier step: write the name that it was given with as:, in braces")
    return value


def _no(value: Any, expected: str) -> NoReturn:
    raise ParameterError(f"{value!r} is no {expected}")


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
