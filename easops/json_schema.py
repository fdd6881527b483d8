"""Parts of the JSON Schemas of inventories, playbooks and notifications. Source: JSON Schema 2020-12."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

Schema = dict[str, Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"

TEXT: Final[Schema] = {"type": "string", "pattern": r"\S"}
"""The schema of a text that is not blank."""


def closed(properties: Schema, required: Iterable[str] = ()) -> Schema:
    """The schema of a mapping with these keys and no others."""
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    required = list(required)
    return {**schema, "required": required} if required else schema


def condition(
    properties: Schema, then: Schema, otherwise: Schema | None = None, *, required: Iterable[str] = ()
) -> Schema:
    """A schema that requires *then* if a mapping has the *required* keys and these *properties*, else *otherwise*."""
    schema: Schema = {"if": {"properties": properties, "required": list(required)}, "then": then}
    return schema if otherwise is None else {**schema, "else": otherwise}
