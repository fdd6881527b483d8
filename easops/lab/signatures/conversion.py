"""How PowerShell converts an argument to the type of its parameter: the conversions that matter here.

A value for any other type stays as it is.
"""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from easops.lab.value import I64, U32, U64, Enum, Obj

_INTEGERS: Mapping[str, tuple[int, int]] = {
    "Byte": (0, 0xFF),
    "Int16": (-(1 << 15), (1 << 15) - 1),
    "UInt16": (0, (1 << 16) - 1),
    "Int32": (-(1 << 31), (1 << 31) - 1),
    "UInt32": (0, (1 << 32) - 1),
    "Int64": (-(1 << 63), (1 << 63) - 1),
    "UInt64": (0, (1 << 64) - 1),
}
# Types whose full name in the binder's messages is not simply System.*.
_FULL_NAMES: Mapping[str, str] = {
    "SwitchParameter": "System.Management.Automation.SwitchParameter",
    "ActionPreference": "System.Management.Automation.ActionPreference",
    "Hashtable": "System.Collections.Hashtable",
    "Unlimited": "Microsoft.Exchange.Data.Unlimited`1[System.UInt32]",
    "EnhancedTimeSpan": "Microsoft.Exchange.Data.EnhancedTimeSpan",
    "ByteQuantifiedSize": "Microsoft.Exchange.Data.ByteQuantifiedSize",
    "MultiValuedProperty": "Microsoft.Exchange.Data.MultiValuedProperty`1[System.String]",
}
_NUMBER = re.compile(
    r"(?P<sign>[+-]?)(?:0x(?P<hex>[0-9a-f]+)|(?P<number>\d+\.?\d*(?:e[+-]?\d+)?|\.\d+))[ld]?(?P<times>[kmgtp]b)?",
    re.IGNORECASE,
)
"""A number as the language writes it. After ``kb`` and the like it is in bytes."""

_TIMES: Mapping[str, int] = {"kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "pb": 1 << 50}
_SIZE = re.compile(r"\d+(\.\d+)?\s*(B|KB|MB|GB|TB)(\s*\([\d,.]+ bytes\))?", re.IGNORECASE)
_TIME_SPAN = re.compile(
    r"(?P<sign>-)?(?:(?P<days>\d+)\.)?(?P<h>\d{1,2}):(?P<m>\d{1,2})(?::(?P<s>\d{1,2})(?:\.(?P<f>\d{1,7}))?)?"
)
_DATES = ("%m/%d/%Y %I:%M:%S %p", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %H:%M", "%m/%d/%Y")
_TEXT = {"String", "Fqdn", "SmtpAddress", "SmtpDomain", "LocalLongFullPath", "Uri", "ProxyAddress"}


class NotConvertible(Exception):
    """The engine's sentence about the value. *outside_set*: the type fits, but the value is not in the ValidateSet."""

    def __init__(self, message: str, *, outside_set: bool = False) -> None:
        super().__init__(message)
        self.outside_set = outside_set


def convert(type_: str, value: Any, values: Sequence[str] = ()) -> Any:
    """*value* as the CLR type of that short name; *values* are the members of an enumeration or a ValidateSet.

    Returns bool, int, str, list, dict, timedelta, aware datetime or UUID; ``Unlimited`` is an int, the text
    ``"Unlimited"``, a size or a time span; a MultiValuedProperty is a list, or a dict of ``Add`` and ``Remove`` lists.

    Raises:
        NotConvertible: with the sentence that the engine writes after the name of the parameter.
    """
    value = _plain(value)
    if type_.endswith("[]"):
        return _array(type_, value, values)
    if type_.startswith("Nullable["):
        inner = type_.removeprefix("Nullable[").strip("[]")
        return None if value is None else convert(inner, value, values)
    if type_ == "String":
        text = _text(value) or ""
        return _of_set(text, values) if values else text
    if type_ in _INTEGERS:
        return _integer(type_, value)
    if values:
        return _member(type_, value, values)
    if type_ in _TEXT or type_.endswith("IdParameter"):
        return _text(value)
    conversion = _CONVERSIONS.get(type_)
    return conversion(type_, value) if conversion else value


def _plain(value: Any) -> Any:
    if isinstance(value, (U32, U64, I64)):
        return value.value
    if isinstance(value, Enum):
        return value.text
    if isinstance(value, Obj) and value.items is not None:
        return list(value.items)
    return value


def full_name(type_: str) -> str:
    """The .NET type name of a short one."""
    return _FULL_NAMES.get(type_, f"System.{type_}")


def type_name(value: Any) -> str:
    """The .NET type name of a value from the wire."""
    for kind, name in (
        (bool, "System.Boolean"),
        (int, "System.Int32"),
        (float, "System.Double"),
        (str, "System.String"),
        (bytes, "System.Byte[]"),
        (list, "System.Collections.ArrayList"),
        (dict, "System.Collections.Hashtable"),
        (datetime.datetime, "System.DateTime"),
        (datetime.timedelta, "System.TimeSpan"),
        (uuid.UUID, "System.Guid"),
    ):
        if isinstance(value, kind):
            return name
    return "System.Management.Automation.PSObject"


def _text(value: Any) -> str | None:
    """The value as ToString gives it. An array is joined by spaces; an object gives its text, or its Identity."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, list):
        return " ".join(_text(item) or "" for item in value)
    if isinstance(value, Obj):
        if value.text is not None:
            return value.text
        return _text(_plain({**value.properties, **value.notes}.get("Identity")))
    return str(value)


def _wrong(value: Any, type_: str, why: str = "") -> NotConvertible:
    if not why:
        return NotConvertible(
            f'Cannot convert the "{_text(value)}" value of type "{type_name(value)}" to type "{full_name(type_)}".'
            if value is not None
            else f'Cannot convert null to type "{full_name(type_)}".'
        )
    return NotConvertible(f'Cannot convert value "{_text(value)}" to type "{full_name(type_)}". Error: "{why}"')


def _array(type_: str, value: Any, values: Sequence[str]) -> Any:
    if value is None or (type_ == "Byte[]" and isinstance(value, bytes)):
        return value
    items = value if isinstance(value, list) else [value]
    try:
        return [convert(type_.removesuffix("[]"), item, values) for item in items]
    except NotConvertible as error:
        if error.outside_set or not isinstance(value, list):
            raise
        raise NotConvertible(
            f'Cannot convert value "{type_name(value)}" to type "{full_name(type_)}". Error: "{error}"'
        ) from None


def _of_set(text: str, values: Sequence[str]) -> str:
    for known in values:
        if known.lower() == text.lower():
            return text
    raise NotConvertible(
        f'The argument "{text}" does not belong to the set "{",".join(values)}" specified by the ValidateSet '
        "attribute. Supply an argument that is in the set and then try the command again.",
        outside_set=True,
    )


def _member(type_: str, value: Any, values: Sequence[str]) -> Any:
    """A member by its name or an unambiguous start of it; several with commas (flags). A number stays a number, but has
    to be that of a member; the members count from 0, as those of nearly all enumerations do."""
    text = (_text(value) or "").strip()
    number = (
        value if isinstance(value, int) and not isinstance(value, bool) else int(text) if text.isdecimal() else None
    )
    if value is None or (number is not None and not 0 <= number < len(values)):
        shown = "null" if value is None else f'value "{value}"'
        raise NotConvertible(
            f'Cannot convert {shown} to type "{full_name(type_)}" due to enumeration values that are not valid. '
            "Specify one of the following enumeration values and try again. The possible enumeration values are "
            f'"{",".join(values)}".'
        )
    if number is not None:
        return number
    members = []
    for part in (_text(value) or "").split(","):
        wanted = part.strip().lower()
        exact = [known for known in values if known.lower() == wanted]
        candidates = [known for known in values if wanted and known.lower().startswith(wanted)]
        if not exact and len(candidates) != 1:
            raise _wrong(
                value,
                type_,
                f"Unable to match the identifier name {part.strip()} to a valid enumerator name. Specify one of the "
                f"following enumerator names and try again: {', '.join(values)}",
            )
        members.append((exact or candidates)[0])
    return ", ".join(members)


def _integer(type_: str, value: Any) -> int:
    low, high = _INTEGERS[type_]
    if value is None:
        return 0
    number: int
    if isinstance(value, (bool, int, float)):
        number = round(value)  # The language rounds half to even, as Python does.
    elif isinstance(value, str):
        written = _NUMBER.fullmatch(value.strip() or "0")
        if written is None:
            raise _wrong(value, type_, "Input string was not in a correct format.")
        try:
            number = _number(written)
        except OverflowError:
            raise _wrong(value, type_, "Input string was not in a correct format.") from None
        if written["times"] and not low <= number <= high:
            raise _wrong(value, type_, "Input string was not in a correct format.")
    else:
        raise _wrong(value, type_)
    if not low <= number <= high:
        article = "an" if type_.startswith("I") else "a"
        raise _wrong(value, type_, f"Value was either too large or too small for {article} {type_}.")
    return number


def _number(written: re.Match[str]) -> int:
    sign = -1 if written["sign"] == "-" else 1
    times = _TIMES[written["times"].lower()] if written["times"] else 1
    if written["hex"]:
        return sign * int(written["hex"], 16) * times
    digits = written["number"]
    return sign * (int(digits) * times if digits.isdecimal() else round(float(digits) * times))


def _boolean(type_: str, value: Any) -> bool:
    if isinstance(value, (bool, int, float)) and not (type_ == "SwitchParameter" and not isinstance(value, bool)):
        return bool(value)
    if type_ == "SwitchParameter" and value is None:
        return False
    if type_ == "SwitchParameter" and isinstance(value, (int, float)):
        raise _wrong(value, type_)
    shown = "" if value is None else type_name(value)
    raise NotConvertible(
        f'Cannot convert value "{shown}" to type "{full_name(type_)}". Boolean parameters accept only Boolean values '
        "and numbers, such as $True, $False, 1 or 0."
    )


def _unlimited(type_: str, value: Any) -> int | str | None:
    """A whole number from 0, the word, or (for limits of sizes and ages) a size or a time span.

    None stays None: older pages document $null as "no limit".
    """
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return value
    text = (_text(value) or "").strip()
    if text.lower() == "unlimited":
        return "Unlimited"
    if re.fullmatch(r"\d+", text):
        return int(text)
    if _SIZE.fullmatch(text) or _TIME_SPAN.fullmatch(text):
        return text
    raise _wrong(value, type_, f"The value '{text}' is neither a valid number nor \"Unlimited\".")


def _size(type_: str, value: Any) -> int | str | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool)):
        return value
    text = (_text(value) or "").strip()
    if text.isdigit():
        return int(text)
    if _SIZE.fullmatch(text):
        return text
    raise _wrong(value, type_, f"The value '{text}' is not a valid size.")


def _time_span(type_: str, value: Any) -> datetime.timedelta:
    if isinstance(value, datetime.timedelta):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return datetime.timedelta(microseconds=value / 10)  # a number is 100 ns ticks
    if isinstance(value, str):
        text = value.strip()
        if re.fullmatch(r"-?\d+", text):
            return datetime.timedelta(days=int(text))
        found = _TIME_SPAN.fullmatch(text)
        if found:
            fraction = int((found["f"] or "").ljust(7, "0")) // 10
            span = datetime.timedelta(
                days=int(found["days"] or 0),
                hours=int(found["h"]),
                minutes=int(found["m"]),
                seconds=int(found["s"] or 0),
                microseconds=fraction,
            )
            return -span if found["sign"] else span
        raise _wrong(value, type_, f"String '{text}' was not recognized as a valid TimeSpan.")
    raise _wrong(value, type_)


def _date(type_: str, value: Any) -> datetime.datetime:
    """An aware date. A text without an offset is taken as UTC."""
    if isinstance(value, datetime.datetime):
        return value if value.tzinfo else value.replace(tzinfo=datetime.UTC)
    if not isinstance(value, str):
        raise _wrong(value, type_)
    text = value.strip()
    try:
        parsed = datetime.datetime.fromisoformat(text)
    except ValueError:
        for form in _DATES:
            try:
                parsed = datetime.datetime.strptime(text, form)
                break
            except ValueError:
                continue
        else:
            raise _wrong(value, type_, "String was not recognized as a valid DateTime.") from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.UTC)


def _guid(type_: str, value: Any) -> uuid.UUID:
    if isinstance(value, uuid.UUID):
        return value
    if value is None:
        raise _wrong(value, type_)
    try:
        return uuid.UUID(str(value))
    except ValueError:
        raise _wrong(value, type_, "Unrecognized Guid format.") from None


def _version(type_: str, value: Any) -> str | None:
    text = _text(value)
    if text is not None and not re.fullmatch(r"\d+(\.\d+){1,3}", text):
        raise _wrong(value, type_, "Version string portion was too short or too long.")
    return text


def _hashtable(type_: str, value: Any) -> Any:
    if value is None or isinstance(value, dict):
        return value
    raise _wrong(value, type_)


def _multi_valued(type_: str, value: Any) -> Any:
    """None clears the list, a value or a list replaces it, a hashtable with Add and Remove edits it."""
    if isinstance(value, dict):
        edits = {}
        for key, items in value.items():
            name = {"add": "Add", "remove": "Remove"}.get(str(key).lower())
            if name is None:
                raise _wrong(value, type_, f'The key "{key}" is not valid: use "Add" and "Remove".')
            items = _plain(items)
            edits[name] = items if isinstance(items, list) else [items]
        return edits
    if value is None:
        return None
    return value if isinstance(value, list) else [value]


_CONVERSIONS: Mapping[str, Callable[[str, Any], Any]] = {
    "Boolean": _boolean,
    "SwitchParameter": _boolean,
    "Unlimited": _unlimited,
    "ByteQuantifiedSize": _size,
    "TimeSpan": _time_span,
    "EnhancedTimeSpan": _time_span,
    "DateTime": _date,
    "ExDateTime": _date,
    "Guid": _guid,
    "Version": _version,
    "Hashtable": _hashtable,
    "IDictionary": _hashtable,
    "MultiValuedProperty": _multi_valued,
}
