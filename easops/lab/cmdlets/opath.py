"""OPATH, the language of a recipient cmdlet's -Filter: the one form that the lab simulates."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from easops.lab.cmdlet import Call
from easops.lab.cmdlets.errors import not_simulated

_FILTER: Final = re.compile(
    r"\s*\{?\s*(\w+)\s+-eq\s+(?:'((?:[^']|'')*)'|\"([^\"]*)\"|(\$null))\s*\}?\s*", re.IGNORECASE
)


def comparison(call: Call, text: str, known: Collection[str]) -> tuple[str, str | None]:
    """Property and value of one ``Property -eq 'value'``, both in lower case; the value of ``$null`` is None.

    Any other filter, and any property that is not *known* (lower case), is a typed error.
    """
    found = _FILTER.fullmatch(text)
    name = found.group(1).lower() if found else ""
    if found is None or name not in known:
        raise not_simulated(call, f"the filter {text!r}; it knows Property -eq 'value'")
    if found.group(4):
        return name, None
    return name, (found.group(2) or found.group(3) or "").replace("''", "'").lower()
