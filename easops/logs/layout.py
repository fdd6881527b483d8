"""The columns of a W3C log: which there are, and whether a line fits them.

Source: "W3C Logging" (HTTP Server API) and the ``logFile`` element (IIS configuration reference).
"""

from __future__ import annotations

import re
from typing import Final

import attrs

# The default columns, for files without a header (from IIS 6, 7 and 8 as they are installed).
_IIS_6 = (
    "date time s-sitename s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(user-agent) "
    "sc-status sc-substatus sc-win32-status"
)
_IIS_7 = _IIS_6.replace(" s-sitename", "") + " time-taken"
_IIS_8 = _IIS_7.replace("cs(user-agent)", "cs(user-agent) cs(referer)")

_ADDRESS = re.compile(rb"[0-9a-fA-F:.]+(%\w+)?$")
_INTEGER = re.compile(rb"\d+$")
_FORMS: Final[dict[str, re.Pattern[bytes]]] = {
    "date": re.compile(rb"\d{4}-\d\d-\d\d$"),
    "time": re.compile(rb"\d\d:\d\d(:\d\d(\.\d+)?)?$"),
    "s-ip": _ADDRESS,
    "c-ip": _ADDRESS,
    "s-sitename": re.compile(rb"[A-Za-z]\w*$"),
    "cs-method": re.compile(rb"[A-Za-z_-]+$"),
    "cs-uri-stem": re.compile(rb"[/*]"),
    "cs-version": re.compile(rb"[A-Z]+/"),
    "sc-status": re.compile(rb"\d{3}$"),
    "s-port": re.compile(rb"\d{1,5}$"),
    **dict.fromkeys(("sc-substatus", "sc-win32-status", "sc-bytes", "cs-bytes", "time-taken"), _INTEGER),
}


@attrs.frozen
class Layout:
    """The columns of a log: the *names* of a ``#Fields`` line, in lower case, in their order.

    *assumed* says that there was no ``#Fields`` line: they are the first of IIS's default sets that fits a line.
    """

    names: tuple[str, ...]
    assumed: bool = False

    @classmethod
    def parse(cls, text: str) -> Layout:
        """The layout of the text after ``#Fields:``."""
        return cls(tuple(name.lower().replace("cs(referrer)", "cs(referer)") for name in text.split()))

    def position(self, name: str) -> int | None:
        """The position of a column, from 0; None if it is not logged."""
        return self.names.index(name) if name in self.names else None

    def fits(self, line: bytes) -> bool:
        """Whether *line* has as many values as there are columns, each in the form of its column."""
        values = line.split()
        if len(values) != len(self.names):
            return False
        return all(
            value == b"-" or _FORMS[name].match(value) is not None
            for name, value in zip(self.names, values, strict=True)
            if name in _FORMS
        )


DEFAULT_LAYOUTS: Final = tuple(Layout(tuple(names.split()), assumed=True) for names in (_IIS_8, _IIS_7, _IIS_6))
"""IIS's default sets of columns, the newest first."""
