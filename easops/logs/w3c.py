"""W3C extended log files as IIS writes them: blocks of bytes in, rows out.

The reader looks at every line: it counts the columns of each, so that a damaged line is known even where the caller
wants few of the good ones. It splits and decodes only the lines that hold every literal of *containing*.

Source: "W3C Logging" (HTTP Server API) and the ``logFile`` element (IIS configuration reference).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from typing import Final, NamedTuple

import attrs

from easops.errors import LogFormatError

KEPT_DAMAGED: Final = 20
"""How many damaged lines are kept to be shown; all of them are counted."""

LONGEST_LINE: Final = 1 << 20
"""Bytes. IIS cuts a line at maxLogLineLength (65,536 by default); what is longer than this is no line."""

_HASH: Final = ord("#")
_BOM: Final = b"\xef\xbb\xbf"

# The default sets of columns, for files whose header is missing (sources: IIS 6, 7 and 8 as installed).
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
    """The columns in force: the names of a ``#Fields`` line, lower-cased, in file order.

    *assumed* says that no ``#Fields`` named them: they are one of IIS's default sets that fitted the first line.
    """

    names: tuple[str, ...]
    assumed: bool = False

    @classmethod
    def parse(cls, text: str) -> Layout:
        """The layout of what follows ``#Fields:``."""
        return cls(tuple(name.lower().replace("cs(referrer)", "cs(referer)") for name in text.split()))

    def position(self, name: str) -> int | None:
        """Where column *name* stands, from 0; None where it is not logged."""
        return self.names.index(name) if name in self.names else None

    def fits(self, line: bytes) -> bool:
        """Whether *line* has as many values as columns, each in its column's form."""
        values = line.split()
        if len(values) != len(self.names):
            return False
        return all(
            value == b"-" or _FORMS[name].match(value) is not None
            for name, value in zip(self.names, values, strict=True)
            if name in _FORMS
        )


DEFAULT_LAYOUTS: Final = tuple(Layout(tuple(names.split()), assumed=True) for names in (_IIS_8, _IIS_7, _IIS_6))


class Row(NamedTuple):
    """One line: its number (from 1 at where the reader began), the byte at which it starts, its time (the END of the
    request, aware, UTC; None where no time is logged), the wanted columns in the caller's order (``-`` and columns
    that are not logged are None), and the line as it stands."""

    line: int
    offset: int
    time: dt.datetime | None
    values: tuple[str | None, ...]
    text: str


@attrs.frozen
class DamagedLine:
    """A line that does not fit the columns in force; *text* is its beginning."""

    line: int
    offset: int
    why: str
    text: str


class W3cReader:
    """Reads one log, block by block. Feed it in order, then ``close`` it.

    Args:
        columns: the wanted columns, lower-case (``cs-uri-query``, ``cs(user-agent)``).
        containing: literals that must all occur in a line for it to become a row; no literal lets all lines through.
        layout: the columns in force where the reading begins in the middle of a file.
        offset: the byte of the file at which the first block begins.

    A last line without a line end is held back: it may be cut anywhere, and is whole on a later reading.
    NUL bytes (a file preallocated before a crash) are no line; bytes that are no UTF-8 are replaced.
    """

    def __init__(
        self,
        columns: Sequence[str],
        *,
        containing: Sequence[bytes] = (),
        layout: Layout | None = None,
        offset: int = 0,
    ) -> None:
        self.lines: int = 0
        self.good: int = 0
        self.damaged: int = 0
        self.damaged_lines: list[DamagedLine] = []
        self.layout: Layout | None = None
        self._columns = tuple(columns)
        self._literals = tuple(containing)
        self._held = b""
        self._at_start = offset == 0
        self._offset = offset
        self._skipping = False
        self._last: bytes | None = None
        self._blanks = -1
        self._positions: tuple[int | None, ...] = ()
        self._date_at: int | None = None
        self._time_at: int | None = None
        self._date = ""
        if layout is not None:
            self._use(layout)

    @property
    def held_back(self) -> int:
        """How many bytes of a line without line end are held back."""
        return len(self._held)

    @property
    def empty(self) -> bool:
        """Whether there was no line at all."""
        return self.lines == 0 and not self._held.strip(b"\0")

    def newest(self) -> dt.datetime | None:
        """The time of the last good line, of any kind; None where there is none."""
        return None if self._last is None else self._time(self._last.split())

    def feed(self, block: bytes) -> list[Row]:
        """The rows that *block* completes. Raises nothing: a line that cannot be read is a damaged one."""
        if self._skipping:
            _, end, block = block.partition(b"\n")
            self._offset += len(_) + len(end)
            if not end:
                return []
            self._skipping = False
        data = self._held + block if self._held else block
        if self._at_start and len(data) >= len(_BOM):
            if data.startswith(_BOM):
                data = data[len(_BOM) :]
                self._offset += len(_BOM)
            self._at_start = False
        lines = data.split(b"\n")
        self._held = lines.pop()
        rows = self._rows(lines)
        self._bound_the_tail()
        return rows

    def close(self, name: str) -> None:
        """The end. Raises LogFormatError where *name*, a file read from its start, is not a log at all."""
        if self.good == 0 and self.layout is None and not self.empty:
            first = self.damaged_lines[0].text if self.damaged_lines else self._held.decode("utf-8", "replace")
            raise LogFormatError(
                f"{name} is not a W3C log",
                f"it has no #Fields line and no line like those that IIS writes; it begins {first[:60]!r}",
                "give the log files of an IIS site, u_exYYMMDD.log",
            )

    def _rows(self, lines: list[bytes]) -> list[Row]:
        rows: list[Row] = []
        literals, blanks, number, offset, good, last = (
            self._literals, self._blanks, self.lines, self._offset, self.good, self._last,
        )  # fmt: skip
        first = literals[0] if literals else b""
        others = literals[1:]
        for line in lines:
            number += 1
            if line.count(b" ") == blanks and line[:1] > b"#":  # not empty, no directive, no NUL
                wanted = first in line and all(literal in line for literal in others)
                if not wanted or self._add(rows, line.split(), line, number, offset):
                    good += 1
                    last = line
            else:
                self.good, self._last, self.lines = good, last, number
                self._unusual(rows, line, number, offset)
                good, last, blanks = self.good, self._last, self._blanks
            offset += len(line) + 1
        self.lines, self._offset, self.good, self._last = number, offset, good, last
        return rows

    def _unusual(self, rows: list[Row], line: bytes, number: int, offset: int) -> None:
        """A directive, an empty line, NUL padding, runs of blanks, a line before any header, or damage."""
        stripped = line.lstrip(b"\0")
        offset += len(line) - len(stripped)
        stripped = stripped.rstrip(b"\r\0 ")
        if not stripped:
            return
        if stripped[0] == _HASH:
            self._directive(stripped.decode("utf-8", "replace"))
            return
        values = stripped.split()
        if self.layout is None:
            fitting = next((layout for layout in DEFAULT_LAYOUTS if layout.fits(stripped)), None)
            if fitting is None:
                self._damage(stripped, number, offset, "there is no #Fields line before it")
                return
            self._use(fitting)
        if len(values) != self._blanks + 1:
            self._damage(stripped, number, offset, f"{len(values)} values for {self._blanks + 1} columns")
            return
        wanted = all(literal in stripped for literal in self._literals)
        if not wanted or self._add(rows, values, stripped, number, offset):
            self.good += 1
            self._last = stripped

    def _add(self, rows: list[Row], values: list[bytes], line: bytes, number: int, offset: int) -> bool:
        """The row of a line of the right look, or its damage; whether it was good."""
        if len(values) != self._blanks + 1:  # as many blanks as there should be, but two of them together
            self._damage(line, number, offset, f"{len(values)} values for {self._blanks + 1} columns")
            return False
        time = self._time(values)
        if time is None and self._time_at is not None:
            self._damage(line, number, offset, "its date and time cannot be read")
            return False
        wanted = tuple(
            None if position is None or values[position] == b"-" else values[position].decode("utf-8", "replace")
            for position in self._positions
        )
        rows.append(Row(number, offset, time, wanted, line.rstrip(b"\r").decode("utf-8", "replace")))
        return True

    def _directive(self, text: str) -> None:
        name, _, rest = text.partition(":")
        name = name.lower()
        if name == "#fields":
            self._use(Layout.parse(rest))
        elif name == "#date":
            self._date = rest.strip()[:10]

    def _use(self, layout: Layout) -> None:
        self.layout = layout
        self._blanks = len(layout.names) - 1
        self._positions = tuple(layout.position(name) for name in self._columns)
        self._date_at, self._time_at = layout.position("date"), layout.position("time")

    def _time(self, values: list[bytes]) -> dt.datetime | None:
        if self._time_at is None or len(values) != self._blanks + 1:
            return None
        # With no date column the day is that of the header, which IIS writes anew in each file.
        date = self._date if self._date_at is None else values[self._date_at].decode("ascii", "replace")
        return read_time(date, values[self._time_at].decode("ascii", "replace"))

    def _damage(self, line: bytes, number: int, offset: int, why: str) -> None:
        self.damaged += 1
        if len(self.damaged_lines) < KEPT_DAMAGED:
            text = line[:200].decode("utf-8", "replace")
            self.damaged_lines.append(DamagedLine(number, offset, why, text))

    def _bound_the_tail(self) -> None:
        """Keep what is held back small: NUL padding is dropped, and what is too long to be a line is damage."""
        if self._held[:1] == b"\0":
            kept = self._held.lstrip(b"\0")
            self._offset += len(self._held) - len(kept)
            self._held = kept
        if len(self._held) > LONGEST_LINE:
            self.lines += 1
            self._damage(self._held, self.lines, self._offset, f"longer than {LONGEST_LINE:,} bytes")
            self._offset += len(self._held)
            self._held, self._skipping = b"", True


def read_time(date: str, time: str) -> dt.datetime | None:
    """A line's date and time, UTC; None where they are none."""
    try:
        return dt.datetime.fromisoformat(f"{date} {time}").replace(tzinfo=dt.UTC)
    except ValueError:
        return None
