"""CLIXML: writes the lab's values for the wire, and turns what psrpcore read into the lab's values.

The writer does not use psrpcore's serializer, which takes about 0.4 ms per object. Element order and the TN/TNRef
scheme follow MS-PSRP 2.2.5; type lists are numbered inside one message, as on servers.
"""

from __future__ import annotations

import base64
import datetime
import re
import uuid
from collections.abc import Mapping
from typing import Any

from psrpcore.types import PSObject, PSSecureString

from easops.lab.value import I64, U32, U64, Enum, Obj

_ESCAPED = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]|_(?=[xX][0-9A-Fa-f]{4}_)")
_ENUM_BASES = ("System.Enum", "System.ValueType", "System.Object")
_LIST = ("System.Collections.ArrayList", "System.Object")
_DICT = ("System.Collections.Hashtable", "System.Object")


def to_clixml(value: Any) -> str:
    """One value as one CLIXML element.

    Raises:
        TypeError: the value is not of a kind of ``easops.lab.value``.
    """
    writer = _Writer()
    writer.write(value, None)
    return "".join(writer.out)


def escape(text: str) -> str:
    """Escape control characters as ``_x000A_`` (MS-PSRP 2.2.5.3.2), then what XML needs."""
    escaped = _ESCAPED.sub(lambda found: f"_x{ord(found[0]):04X}_", text)
    return escaped.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


def date_text(value: datetime.datetime) -> str:
    """With seven decimals, as .NET writes it; UTC ends in Z."""
    if value.tzinfo is None:
        raise TypeError(f"{value!r} has no time zone")
    offset = value.isoformat()[-6:] if value.utcoffset() else "Z"
    return f"{value.replace(tzinfo=None).isoformat(timespec='microseconds')}0{offset}"


def span_text(value: datetime.timedelta) -> str:
    """ISO 8601, e.g. ``PT1H0.5S``."""
    ticks = value // datetime.timedelta(microseconds=1)
    sign, ticks = ("-", -ticks) if ticks < 0 else ("", ticks)
    seconds, micro = divmod(ticks, 1_000_000)
    days, seconds = divmod(seconds, 86_400)
    fraction = f".{micro:06d}0" if micro else ""
    return f"{sign}P{f'{days}D' if days else ''}T{seconds // 3600}H{seconds // 60 % 60}M{seconds % 60}{fraction}S"


class _Writer:
    """Writes one message: the output, and the type lists and objects that have a number so far."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.types: dict[tuple[str, ...], int] = {}
        self.objects = 0

    def write(self, value: Any, name: str | None) -> None:
        attribute = "" if name is None else f' N="{escape(name)}"'
        simple = _simple(value)
        if simple is not None:
            tag, text = simple
            self.out.append(f"<{tag}{attribute}>{text}</{tag}>" if text else f"<{tag}{attribute} />")
            return
        self.out.append(f'<Obj{attribute} RefId="{self.objects}">')
        self.objects += 1
        match value:
            case Enum():
                self._head((value.type, *_ENUM_BASES), value.text)
                self.out.append(f"<I32>{value.value}</I32>")
            case list() | tuple():
                self._head(_LIST, None)
                self._list(value)
            case Obj():
                self._head(value.types, value.text)
                if value.items is not None:
                    self._list(value.items)
                self._members("Props", value.properties)
                self._members("MS", value.notes)
            case Mapping():
                self._head(_DICT, None)
                self.out.append("<DCT>")
                for key, item in value.items():
                    self.out.append("<En>")
                    self.write(key, "Key")
                    self.write(item, "Value")
                    self.out.append("</En>")
                self.out.append("</DCT>")
            case _:
                raise TypeError(f"no CLIXML for {type(value).__name__}: {value!r}")
        self.out.append("</Obj>")

    def _head(self, types: tuple[str, ...], text: str | None) -> None:
        if types in self.types:
            self.out.append(f'<TNRef RefId="{self.types[types]}" />')
        elif types:
            number = self.types[types] = len(self.types)
            self.out.append(f'<TN RefId="{number}">{"".join(f"<T>{escape(name)}</T>" for name in types)}</TN>')
        if text is not None:
            self.out.append(f"<ToString>{escape(text)}</ToString>")

    def _list(self, items: Any) -> None:
        self.out.append("<LST>")
        for item in items:
            self.write(item, None)
        self.out.append("</LST>")

    def _members(self, tag: str, members: Mapping[str, Any]) -> None:
        if members:
            self.out.append(f"<{tag}>")
            for name, value in members.items():
                self.write(value, name)
            self.out.append(f"</{tag}>")


def _simple(value: Any) -> tuple[str, str] | None:
    """Tag and text of a primitive; None for an object."""
    match value:
        case None:
            return "Nil", ""
        case bool():
            return "B", "true" if value else "false"
        case int():
            return ("I32" if -(1 << 31) <= value < 1 << 31 else "I64"), str(value)
        case str():
            return "S", escape(value)
        case float():
            return "Db", repr(value)
        case U32():
            return "U32", str(value.value)
        case U64():
            return "U64", str(value.value)
        case I64():
            return "I64", str(value.value)
        case bytes():
            return "BA", base64.b64encode(value).decode("ascii")
        case datetime.datetime():
            return "DT", date_text(value)
        case datetime.timedelta():
            return "TS", span_text(value)
        case uuid.UUID():
            return "G", str(value)
    return None


def from_wire(value: Any) -> Any:
    """A value that psrpcore read, as a plain value. Numbers lose their width; a secure string stays as it is."""
    if value is None or isinstance(value, (bool, PSSecureString)):
        return value
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return "".join(value)  # a plain str: psrpcore's has properties
    if isinstance(value, bytes):
        return bytes(value)
    if isinstance(value, list):
        return [from_wire(item) for item in value]
    if isinstance(value, dict):
        return {from_wire(key): from_wire(item) for key, item in value.items()}
    if isinstance(value, datetime.datetime):
        plain = datetime.datetime.fromisoformat(value.isoformat()[:26])
        return plain.replace(tzinfo=value.tzinfo or datetime.UTC)
    if isinstance(value, datetime.timedelta):
        return datetime.timedelta(value.days, value.seconds, value.microseconds)
    if isinstance(value, uuid.UUID):
        return uuid.UUID(int=value.int)
    if isinstance(value, PSObject):
        meta = value.PSObject
        return Obj(
            # psrpcore adds this prefix to types that it has no class for
            types=tuple(name.removeprefix("Deserialized.") for name in meta.type_names),
            properties={prop.name: from_wire(prop.get_value(value)) for prop in meta.adapted_properties},
            notes={prop.name: from_wire(prop.get_value(value)) for prop in meta.extended_properties},
            text=meta.to_string,
        )
    return value
