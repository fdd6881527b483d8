"""Reads W3C extended log files, as IIS writes them: blocks of bytes in, rows out.

The reader counts the columns of every line, so that it knows damaged lines even if the caller wants only a few of the
good ones. It splits and decodes only the lines that contain a text of *containing*: that is what makes it fast.

Source: "W3C Logging" (HTTP Server API) and the ``logFile`` element (IIS configuration reference).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Final, NamedTuple

import attrs

from easops.errors import LogFormatError
from easops.logs.layout import DEFAULT_LAYOUTS, Layout

KEPT_DAMAGED: Final = 20
"""How many damaged lines are kept, to be shown. All of them are counted."""

LONGEST_LINE: Final = 1 << 18
"""Bytes. IIS cuts a line at maxLogLineLength (65,536 by default), and its custom fields at as much again, so anything
longer than this is damage."""

CODE_PAGE: Final = "cp1252"
"""How bytes that are not UTF-8 are read: IIS writes names in the server's ANSI code page where logInUTF8 is off."""

_RECENT: Final = 40
"""How many of the last lines are compared to find the newest whose date is plausible."""

_OTHER_DATE: Final = dt.timedelta(days=2)
"""A line that is so much later than those around it has a wrong date."""

_HASH: Final = ord("#")
_BOM: Final = b"\xef\xbb\xbf"


class Row(NamedTuple):
    """One line of a log.

    *line* is its number, from 1 where the reader began, *offset* the byte at which it starts. *time* (UTC) is when the
    request ended; None if no time is logged. *values* are the wanted columns in the caller's order; None for ``-`` and
    for a column that is not logged. *text* is the unchanged line.
    """

    line: int
    offset: int
    time: dt.datetime | None
    values: tuple[str | None, ...]
    text: str


@attrs.frozen
class DamagedLine:
    """A line that does not fit the columns: its number and offset as in Row, *why*, and its beginning as *text*."""

    line: int
    offset: int
    why: str
    text: str


@attrs.define
class Section:
    """A part of a log with the same columns (*layout*), and how many good lines of the window are in it."""

    layout: Layout
    lines: int = 0


class W3cReader:
    """Reads one log, block by block. Feed it the blocks in their order, then ``close`` it.

    Args:
        columns: the wanted columns, in lower case (``cs-uri-query``, ``cs(user-agent)``).
        containing: a line becomes a row if it contains any of these texts; without any, every line does.
        marks: texts whose lines are counted (``marked``).
        start: only lines from this moment on are counted, in ``counted``, ``marked`` and ``sections``; all become rows.
            ``first`` is the time of the first of them, ``minutes`` the beginnings of lines that have them
            (``2026-11-24 09:15``).
        layout: the columns, if the reading begins in the middle of a file.
        offset: the byte of the file at which the first block begins.
        code_page: how a value that is not UTF-8 is read; lines with such values are counted in ``repaired``.

    A last line without a line end is kept back: it may be incomplete now, and complete at a later reading. Where the
    file is at rest, ``close`` takes it. NUL bytes (of a file that was preallocated before a crash) are skipped.
    """

    def __init__(
        self,
        columns: Sequence[str],
        *,
        containing: Sequence[bytes] = (),
        marks: Sequence[bytes] = (),
        start: dt.datetime | None = None,
        layout: Layout | None = None,
        offset: int = 0,
        code_page: str = CODE_PAGE,
    ) -> None:
        self.counted: int = 0
        self.marked: dict[bytes, int] = dict.fromkeys(marks, 0)
        self.minutes: set[bytes] = set()
        self.sections: list[Section] = []
        self.first: dt.datetime | None = None
        self.repaired: int = 0
        self.lines: int = 0
        self.good: int = 0
        self.damaged: int = 0
        self.damaged_lines: list[DamagedLine] = []
        self.layout: Layout | None = None
        self._columns = tuple(columns)
        self._literals = tuple(containing)
        self._start = b"" if start is None else start.strftime("%Y-%m-%d %H:%M:%S").encode()
        self._since = b""
        self._code_page = code_page
        self._recent: list[dt.datetime] = []
        self._tail = b""
        self._at_start = offset == 0
        self._offset = offset
        self._skipping = False
        self._blanks = -1
        self._positions: tuple[int | None, ...] = ()
        self._date_at: int | None = None
        self._time_at: int | None = None
        self._date = ""
        if layout is not None:
            self._use(layout)

    @property
    def kept_back(self) -> int:
        """How many bytes of a last line without a line end are kept back."""
        return len(self._tail)

    @property
    def empty(self) -> bool:
        """Whether there was no line at all."""
        return self.lines == 0 and not self._tail.strip(b"\0")

    def newest(self) -> dt.datetime | None:
        """The time of the newest good line, wanted or not; None if there was none.

        A line or two at the end whose date is days after that of all others do not count: such dates are damage.
        """
        times = sorted(self._recent)
        if not times:
            return None
        usual = times[(len(times) - 1) // 2] + _OTHER_DATE
        late = sum(time > usual for time in times)
        return times[-1] if late > max(1, len(times) // 10) else max(time for time in times if time <= usual)

    def feed(self, block: bytes) -> list[Row]:
        """The rows of the lines that *block* completes. It raises nothing: a line that cannot be read is damaged."""
        if self._skipping:
            skipped, end, block = block.partition(b"\n")
            self._offset += len(skipped) + len(end)
            if not end:
                return []
            self._skipping = False
        data = self._tail + block if self._tail else block
        if self._at_start and len(data) >= len(_BOM):
            if data.startswith(_BOM):
                data = data[len(_BOM) :]
                self._offset += len(_BOM)
            self._at_start = False
        lines = data.split(b"\n")
        self._tail = lines.pop()
        rows = self._rows(lines)
        self._bound_the_tail()
        return rows

    def finish(self) -> list[Row]:
        """The row of a last line without a line end, where nothing will be written after it any more."""
        line, self._tail = self._tail, b""
        return self._rows([line]) if line.strip(b"\0\r ") else []

    def close(self, name: str) -> None:
        """End the reading of the file *name* from its start. Raises LogFormatError if it is not a W3C log at all."""
        if self.good == 0 and self.layout is None and not self.empty:
            first = self.damaged_lines[0].text if self.damaged_lines else self._tail.decode("utf-8", "replace")
            raise LogFormatError(
                f"{name} is not a W3C log",
                f"it has no #Fields line, and no line like those of IIS; it begins with {first[:60]!r}",
                "name the log files of an IIS site, u_exYYMMDD.log",
            )

    def _rows(self, lines: list[bytes]) -> list[Row]:
        rows: list[Row] = []
        blanks, number, offset, good = self._blanks, self.lines, self._offset, self.good
        for line in lines:
            number += 1
            if line.count(b" ") == blanks and line[:1] > b"#" and len(line) <= LONGEST_LINE:  # no directive, no NUL
                if not self._wants(line) or self._add(rows, line.split(), line, number, offset):
                    good += 1
                    if line >= self._since:
                        self._count(line)
            else:
                self.good, self.lines = good, number
                self._unusual(rows, line, number, offset)
                good, blanks = self.good, self._blanks
            offset += len(line) + 1
        self.lines, self._offset, self.good = number, offset, good
        self._remember(lines[-_RECENT:])
        return rows

    def _wants(self, line: bytes) -> bool:
        return not self._literals or any(literal in line for literal in self._literals)

    def _count(self, line: bytes) -> None:
        """Count a good line of the window."""
        if self.counted == 0:
            self.first = self._time(line.split())
        self.counted += 1
        self.sections[-1].lines += 1
        self.minutes.add(line[:16])
        for mark in self.marked:
            if mark in line:
                self.marked[mark] += 1

    def _remember(self, lines: list[bytes]) -> None:
        """Keep the times of the last good lines."""
        values = [line.split() for line in lines if line[:1] > b"#"]
        times = [time for one in values if (time := self._time(one)) is not None]
        self._recent = (self._recent + times)[-_RECENT:]

    def _unusual(self, rows: list[Row], line: bytes, number: int, offset: int) -> None:
        """A directive, an empty line, NUL padding, repeated spaces, a line before any header, or damage."""
        stripped = line.lstrip(b"\0")
        offset += len(line) - len(stripped)
        stripped = stripped.rstrip(b"\r\0 ")
        if not stripped:
            return
        if len(stripped) > LONGEST_LINE:
            self._damage(stripped, number, offset, f"longer than {LONGEST_LINE:,} bytes")
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
        if not self._wants(stripped) or self._add(rows, values, stripped, number, offset):
            self.good += 1
            if stripped >= self._since:
                self._count(stripped)

    def _add(self, rows: list[Row], values: list[bytes], line: bytes, number: int, offset: int) -> bool:
        """Add the row of a line with the right number of spaces, or note its damage. Returns whether it was good."""
        if len(values) != self._blanks + 1:  # the right number of spaces, but two of them next to each other
            self._damage(line, number, offset, f"{len(values)} values for {self._blanks + 1} columns")
            return False
        time = self._time(values)
        if time is None and self._time_at is not None:
            self._damage(line, number, offset, "its date and time cannot be read")
            return False
        wanted = tuple(
            None if position is None or values[position] == b"-" else self._decoded(values[position])
            for position in self._positions
        )
        text = line.rstrip(b"\r")
        rows.append(Row(number, offset, time, wanted, self._decoded(text)))
        self.repaired += not _is_utf8(text)
        return True

    def _decoded(self, value: bytes) -> str:
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode(self._code_page, "replace")

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
        # Where a line begins with its date and time, comparing its first bytes tells whether it is in the window.
        self._since = self._start if layout.names[:2] == ("date", "time") else b""
        self.sections.append(Section(layout))

    def _time(self, values: list[bytes]) -> dt.datetime | None:
        if self._time_at is None or len(values) != self._blanks + 1:
            return None
        # Without a date column the date is that of the header, which IIS writes in each file.
        date = self._date if self._date_at is None else values[self._date_at].decode("ascii", "replace")
        return read_time(date, values[self._time_at].decode("ascii", "replace"))

    def _damage(self, line: bytes, number: int, offset: int, why: str) -> None:
        self.damaged += 1
        if len(self.damaged_lines) < KEPT_DAMAGED:
            text = line[:200].decode("utf-8", "replace")
            self.damaged_lines.append(DamagedLine(number, offset, why, text))

    def _bound_the_tail(self) -> None:
        """Keep the unfinished line small: NUL padding is dropped, and a line that is too long is damage."""
        if self._tail[:1] == b"\0":
            kept = self._tail.lstrip(b"\0")
            self._offset += len(self._tail) - len(kept)
            self._tail = kept
        if len(self._tail) > LONGEST_LINE + 1:  # its last byte may be the \r of its end
            self.lines += 1
            self._damage(self._tail, self.lines, self._offset, f"longer than {LONGEST_LINE:,} bytes")
            self._offset += len(self._tail)
            self._tail, self._skipping = b"", True


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def read_time(date: str, time: str) -> dt.datetime | None:
    """The date and time of a line (UTC); None if they are not valid."""
    try:
        return dt.datetime.fromisoformat(f"{date} {time}").replace(tzinfo=dt.UTC)
    except ValueError:
        return None
