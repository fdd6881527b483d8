"""WQL, the language of a CIM filter: the small part of it that the lab simulates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

_COMPARISON: Final = re.compile(
    r"\s*(\w+)\s*(=|<>|!=)\s*(?:'((?:[^'\\]|\\.)*)'|\"((?:[^\"\\]|\\.)*)\"|(\d+))\s*", re.IGNORECASE
)
_OPERATOR: Final = re.compile(r"(and|or)\b", re.IGNORECASE)


class InvalidQuery(Exception):
    """The query is not WQL, or not of the part that the lab simulates, or about a property that there is not."""


def matches(query: str, instance: Mapping[str, Any]) -> bool:
    """Whether *instance*, values by property, matches ``property = 'value'``, ``<>``, AND and OR (AND binds first).

    Raises InvalidQuery.
    """
    values = {name.lower(): value for name, value in instance.items()}
    alternatives: list[list[bool]] = [[]]
    position = 0
    while True:
        found = _COMPARISON.match(query, position)
        if found is None or found.group(1).lower() not in values:
            raise InvalidQuery
        value = values[found.group(1).lower()]
        text = next(part for part in found.group(3, 4, 5) if part is not None).replace("\\\\", "\\")
        same = str(getattr(value, "value", value)).lower() == text.lower()
        alternatives[-1].append(same if found.group(2) == "=" else not same)
        position = found.end()
        if position == len(query):
            return any(all(terms) for terms in alternatives)
        operator = _OPERATOR.match(query, position)
        if operator is None:
            raise InvalidQuery
        if operator.group(1).lower() == "or":
            alternatives.append([])
        position = operator.end()
