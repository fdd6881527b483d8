"""What the JSON Schemas of inventories and playbooks are made of. Source: JSON Schema 2020-12."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

TEXT: Final[Schema] = {"type": "string", "pattern": r"\S"}
"""A text that is not blank."""


def closed(properties: Schema, required: Iterable[str] = ()) -> Schema:
    """A mapping with these keys and no others."""
    held: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    required = list(required)
    return {**held, "required": required} if required else held


def condition(
    properties: Schema, then: Schema, otherwise: Schema | None = None, *, required: Iterable[str] = ()
) -> Schema:
    """Where a mapping has the *required* keys, and *properties* of these values, *then* holds, else *otherwise*."""
    held: Schema = {"if": {"properties": properties, "required": list(required)}, "then": then}
    return held if otherwise is None else {**held, "else": otherwise}
