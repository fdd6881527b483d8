"""OPATH, as the -Filter of a recipient cmdlet takes it: the one form that the lab simulates."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Final

from easops.lab.cmdlet import Call
from easops.lab.value import CmdletFailed, ErrorInfo

_FILTER: Final = re.compile(
    r"\s*\{?\s*(\w+)\s+-eq\s+(?:'((?:[^']|'')*)'|\"([^\"]*)\"|(\$null))\s*\}?\s*", re.IGNORECASE
)


def comparison(call: Call, text: str, known: Collection[str]) -> tuple[str, str | None]:
    """Property and value of one ``Property -eq 'value'``, both in lower case; the value of ``$null`` is None.

    Any other filter, and a property that is not *known* (lower case), is a typed error.
    """
    found = _FILTER.fullmatch(text)
    name = found.group(1).lower() if found else ""
    if found is None or name not in known:
        raise CmdletFailed(
            ErrorInfo(
                f"The lab does not simulate the filter {text!r}; it knows Property -eq 'value'.",
                "System.NotSupportedException",
                f"LabNotSimulated,{call.cmdlet}",
                "NotImplemented",
                activity=call.cmdlet,
            )
        )
    if found.group(4):
        return name, None
    return name, (found.group(2) or found.group(3) or "").replace("''", "'").lower()
