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
from easops.errors import EasopsError

T = TypeVar("T")

Json = Any


class UnknownRecord(EasopsError):
    """What is recorded cannot be read by this version of easops."""


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
    """The value of class *kind* from the *data* that ``to_json`` made of it. Raises UnknownRecord."""
    try:
        return _CONVERTER.structure(data, kind)
    except (cattrs.BaseValidationError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise unknown_record(error) from None


def unknown_record(error: BaseException) -> UnknownRecord:
    """The error for a record with something in it that this version does not know, as *error* says."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    why = f"there is no {error}" if isinstance(error, KeyError) else str(error).partition("\n")[0]
    return UnknownRecord(
        "the record of a run has something in it that this version of easops does not know",
        f"a later version may have written it: {why or type(error).__name__}",
        "use the version of easops that executed the run, or a later one",
    )


def dumps(data: Json) -> str:
    """JSON text. The same data gives the same bytes."""
    return storable(json.dumps(data, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


def storable(text: str) -> str:
    """JSON *text* with half characters (lone surrogates, in a name that came from outside) in JSON's own escapes: no
    database takes them as they are."""
    return text.encode("utf-8", "backslashreplace").decode()
