"""Values to JSON and back, for the record and the engine. The only module that imports cattrs."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any, TypeVar, get_origin

import attrs
import cattrs
from cattrs.strategies import configure_union_passthrough

from easops.actions import CHANGES
from easops.actions.change import Change

T = TypeVar("T")

Json = Any


def _converter() -> cattrs.Converter:
    converter = cattrs.Converter(forbid_extra_keys=False)
    configure_union_passthrough(str | int | float | bool | None, converter)
    converter.register_unstructure_hook(dt.datetime, lambda value: value.isoformat())
    converter.register_structure_hook(dt.datetime, lambda value, _: dt.datetime.fromisoformat(value))
    converter.register_unstructure_hook(dt.timedelta, lambda value: value.total_seconds())
    converter.register_structure_hook(dt.timedelta, lambda value, _: dt.timedelta(seconds=value))
    converter.register_unstructure_hook_func(lambda kind: isinstance(kind, type) and issubclass(kind, Path), str)
    converter.register_structure_hook(Path, lambda value, _: Path(value))
    converter.register_unstructure_hook_func(_is_frozenset, sorted)

    def to_change(value: Json, _: Any) -> Change:
        change: Change = converter.structure(value, CHANGES[value["kind"]])
        return change

    def from_change(value: Any) -> Json:
        return {"kind": value.kind, **attrs.asdict(value)}

    converter.register_structure_hook_func(lambda kind: kind is Change, to_change)
    converter.register_unstructure_hook_func(lambda kind: kind is Change or kind in CHANGES.values(), from_change)
    return converter


def _is_frozenset(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is frozenset


_CONVERTER = _converter()


def to_json(value: Any) -> Json:
    """An attrs value (or a container of them) as plain JSON data."""
    return _CONVERTER.unstructure(value)


def from_json(data: Json, kind: type[T]) -> T:
    """The value of class *kind* from the *data* that ``to_json`` made of it."""
    return _CONVERTER.structure(data, kind)


def dumps(data: Json) -> str:
    """JSON text. The same data gives the same bytes."""
    return json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
