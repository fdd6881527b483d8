"""The end of a log: what was written since a moment, without reading what came before it.

IIS writes a line when its request ends, so lines lie in the order of their times, and the window's first line is found
by bisection over byte offsets. IIS may order the lines of the same moment otherwise, so the search aims a minute early
and the rows are then filtered by their own times.

**The columns in force** in the middle of a file are those of the nearest ``#Fields`` before it. Looking for that line
means reading backwards, up to the whole day, so the columns of the file's head are taken where the first lines of the
window fit them: most of twenty, in number of values and each in its column's form. Where they do not, the nearest
``#Fields`` is looked for backwards, in growing ranges. (A change that swaps two columns of one form, as sc-bytes for
cs-bytes, would go unseen; IIS keeps the order of its columns fixed, so it takes two changes of settings in one file.)
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from easops.errors import CommandFailed
from easops.logs.source import BLOCK, ByteRange, Log, LogFile, RemoteLog, blocks, list_logs
from easops.logs.w3c import DamagedLine, Layout, Row, W3cReader, read_time
from easops.remoting.session import Session

PROBE: Final = 64 << 10
"""Bytes of one look into a file: as much as IIS buffers, and one small answer."""

_DISORDER: Final = dt.timedelta(minutes=1)
_STAMP = re.compile(rb"(\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ")
_FIELDS = re.compile(rb"(?:^|[\n\0])#Fields:([^\n]*)\n", re.IGNORECASE)
_DATED = re.compile(r"(?:u_)?ex(\d\d)(\d\d)\d{0,4}(?:_x)?\.log$", re.IGNORECASE)


@attrs.frozen
class Wanted:
    """Which lines are wanted, and what of them.

    *containing* are literals that must all occur in a line; *marks* are literals whose mere presence anywhere in what
    was read is told.
    """

    columns: tuple[str, ...]
    containing: tuple[bytes, ...] = ()
    marks: tuple[bytes, ...] = ()


@attrs.frozen
class LogLine:
    """A wanted line, and where it stands: ``u_ex261124.log:1024``, or ``u_ex261124.log at byte 5,123,456`` where the
    file was not read from its start."""

    row: Row
    where: str


@attrs.frozen
class LogReading:
    """What a window of logs held.

    *start* is the window's, *time* the server's clock at the last read (None for files without a server), *newest*
    the time of the last line of any kind. *damaged* counts the lines that fit no columns, in what was read; the first
    of them are in *damaged_lines*, with where they stand. *seen* are the marks that occurred. *lacking* are, for each
    file that does not log all of the wanted columns, its name and those columns.
    """

    lines: tuple[LogLine, ...]
    start: dt.datetime | None
    time: dt.datetime | None
    newest: dt.datetime | None
    files: tuple[str, ...]
    damaged: int = 0
    damaged_lines: tuple[str, ...] = ()
    seen: frozenset[bytes] = frozenset()
    notes: tuple[str, ...] = ()
    lacking: tuple[tuple[str, tuple[str, ...]], ...] = ()


class _Gathering:
    """What the files of one reading give, one after another."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.lines: list[LogLine] = []
        self.newest: dt.datetime | None = None
        self.damaged = 0
        self.damaged_lines: list[str] = []
        self.seen: set[bytes] = set()
        self.notes: list[str] = []
        self.lacking: list[tuple[str, tuple[str, ...]]] = []
        self.files: list[str] = []

    def reader(self, *, layout: Layout | None = None, offset: int = 0) -> W3cReader:
        return W3cReader(self.wanted.columns, containing=self.wanted.containing, layout=layout, offset=offset)

    def feed(self, reader: W3cReader, block: bytes, name: str, *, whole: bool) -> None:
        self.seen |= {mark for mark in self.wanted.marks if mark not in self.seen and mark in block}
        self.lines += [LogLine(row, _where(name, row, whole=whole)) for row in reader.feed(block)]

    def end(self, reader: W3cReader, name: str, *, whole: bool) -> None:
        self.files.append(name)
        newest = reader.newest()
        if newest is not None and (self.newest is None or newest > self.newest):
            self.newest = newest
        self.damaged += reader.damaged
        self.damaged_lines += [
            f"{_where(name, line, whole=whole)}: {line.why}: {line.text}" for line in reader.damaged_lines
        ]
        if reader.layout is not None:
            lacking = tuple(column for column in self.wanted.columns if reader.layout.position(column) is None)
            self.lacking += [(name, lacking)] if lacking else []
        if reader.empty and whole:
            self.notes.append(f"{name} is empty")
        if reader.layout is not None and reader.layout.assumed:
            self.notes.append(f"{name} has no #Fields line: its columns were taken from the form of its lines")

    def result(self, start: dt.datetime | None, time: dt.datetime | None) -> LogReading:
        return LogReading(
            lines=tuple(
                line for line in self.lines if start is None or (line.row.time is not None and line.row.time >= start)
            ),
            start=start,
            time=time,
            newest=self.newest,
            files=tuple(self.files),
            damaged=self.damaged,
            damaged_lines=tuple(self.damaged_lines),
            seen=frozenset(self.seen),
            notes=tuple(self.notes),
            lacking=tuple(self.lacking),
        )


def read_window(
    session: Session, folder: str, start: Callable[[dt.datetime], dt.datetime], wanted: Wanted
) -> LogReading:
    """The wanted lines of a server's log folder whose times are not before ``start(the server's clock)``.

    A window across midnight reads two files. An empty folder gives a reading with neither files nor time.

    Raises CommandFailed (no such folder, a file that cannot be opened), LogFormatError, UnreachableHost,
    OutcomeUnknown, UnexpectedAnswer.
    """
    listed = list_logs(session, folder)
    gathering = _Gathering(wanted)
    if not listed:
        return gathering.result(None, None)
    time = RemoteLog(session, listed[-1].path).read(0, 0).time
    begin = start(time)
    for file in overlapping(listed, begin):
        try:
            time = _gather(RemoteLog(session, file.path), file.name, begin, gathering)
        except CommandFailed as error:
            if not error.has_exception("FileNotFoundException"):
                raise
            gathering.notes.append(f"{file.name} was removed while the folder was read")
    return gathering.result(begin, time)


def read_log(log: Log, start: dt.datetime, wanted: Wanted) -> LogReading:
    """The wanted lines of one log whose times are not before *start*. Raises as ``read_window``."""
    gathering = _Gathering(wanted)
    time = _gather(log, log.path, start, gathering)
    return gathering.result(start, time)


def read_files(paths: Iterable[Path], start: Callable[[dt.datetime], dt.datetime], wanted: Wanted) -> LogReading:
    """The wanted lines of files of this machine whose times are not before ``start(the last line's time)``.

    Each file is read whole, as the last line's time is known only then. Raises BadInput, LogFormatError.
    """
    gathering = _Gathering(wanted)
    for path in paths:
        reader = gathering.reader()
        for block in blocks(path):
            gathering.feed(reader, block, str(path), whole=True)
        reader.close(str(path))
        gathering.end(reader, str(path), whole=True)
    return gathering.result(None if gathering.newest is None else start(gathering.newest), None)


def overlapping(files: Sequence[LogFile], start: dt.datetime) -> tuple[LogFile, ...]:
    """The files that may hold lines not before *start*, in the order of their names.

    Of each kind of name (``u_ex######.log``) the newest may be open, so that its listed time of writing is stale:
    it is left out only where its name is of an earlier month. The others are closed, and their times are true.
    """
    kinds: dict[str, list[LogFile]] = {}
    for file in sorted(files, key=_by_number):
        kinds.setdefault(re.sub(r"\d+", "#", file.name.lower()), []).append(file)
    kept: list[LogFile] = []
    for kind in kinds.values():
        kept += [file for file in kind[:-1] if file.written >= start]
        kept += [file for file in kind[-1:] if file.written >= start or not _of_earlier_month(file.name, start)]
    return tuple(sorted(kept, key=_by_number))


def _gather(log: Log, name: str, start: dt.datetime, gathering: _Gathering) -> dt.datetime:
    """The lines of *log* from *start* on, into *gathering*; the server's clock at the last read."""
    head = log.read(0, PROBE)
    offset, layout = _begin(log, head, start - _DISORDER)
    whole = offset == 0
    reader = gathering.reader(layout=layout, offset=offset)
    answer = head if whole else log.read(offset, BLOCK)
    while answer.data:
        gathering.feed(reader, answer.data, name, whole=whole)
        offset += len(answer.data)
        if offset >= answer.length:
            break
        answer = log.read(offset, BLOCK)
    if whole:
        reader.close(name)
    gathering.end(reader, name, whole=whole)
    return answer.time


def _begin(log: Log, head: ByteRange, start: dt.datetime) -> tuple[int, Layout | None]:
    """Where to begin: the start of a line that no line not before *start* precedes, and the columns in force there.

    (0, None) for a file that is as quickly read whole, and for one whose lines do not begin with date and time.
    """
    named = list(_FIELDS.finditer(head.data))
    layout = Layout.parse(named[-1][1].decode("utf-8", "replace")) if named else None
    if head.length <= 2 * PROBE or (layout is not None and layout.names[:2] != ("date", "time")):
        return 0, None
    low, high = 0, head.length
    while high - low > PROBE:
        middle = (low + high) // 2
        found = _first_time(log, middle, high)
        # No line that can be read: the search goes on before it, and what is read begins earlier than it need.
        if found is None or found >= start:
            high = middle
        else:
            low = middle
    if low == 0:
        return 0, None
    data = log.read(low, PROBE).data
    cut = data.find(b"\n") + 1
    if cut == 0:
        return 0, None
    lines = list(_whole_lines(data[cut:]))
    # Most of them, not all: one damaged line is no change of columns.
    if layout is None or 2 * sum(map(layout.fits, lines)) <= len(lines):
        layout = _layout_before(log, low + cut)
    return low + cut, layout


def _first_time(log: Log, offset: int, end: int) -> dt.datetime | None:
    """The time of the first line that starts after *offset* and can be read, looked for no further than *end*."""
    data = b""
    for at in range(offset, min(end, offset + 16 * PROBE), PROBE):
        data += log.read(at, PROBE).data
        for line in data.split(b"\n")[1:-1]:
            stamp = _STAMP.match(line)
            time = None if stamp is None else read_time(stamp[1].decode(), stamp[2].decode())
            if time is not None:
                return time
    return None


def _whole_lines(data: bytes) -> Iterator[bytes]:
    """The first lines of *data* up to a directive, twenty at most."""
    for line in data.split(b"\n")[:-1][:20]:
        if line.startswith(b"#"):
            return
        yield line


def _layout_before(log: Log, offset: int) -> Layout | None:
    """The columns of the nearest ``#Fields`` before *offset*; None where there is none."""
    end, size = offset, PROBE
    while end > 0:
        begin = max(0, end - size)
        # A little of what was looked at already comes along: a #Fields line may lie across the border.
        data = log.read(begin, min(end + 4096, offset) - begin).data
        named = [found for found in _FIELDS.finditer(data) if begin == 0 or found.start() > 0 or data[:1] in b"\n\0"]
        if named:
            return Layout.parse(named[-1][1].decode("utf-8", "replace"))
        end, size = begin, min(size * 4, BLOCK)
    return None


def _where(name: str, line: Row | DamagedLine, *, whole: bool) -> str:
    return f"{name}:{line.line}" if whole else f"{name} at byte {line.offset:,}"


def _by_number(file: LogFile) -> tuple[str, int, str]:
    digits = re.sub(r"\D", "", file.name)
    return re.sub(r"\d+", "#", file.name.lower()), int(digits or 0), file.name


def _of_earlier_month(name: str, start: dt.datetime) -> bool:
    """Whether the name is of a month before that of *start* (names may be in local time: a day is left for it)."""
    dated = _DATED.match(name)
    if dated is None:
        return False
    day_before = start - dt.timedelta(days=1)
    return (2000 + int(dated[1]), int(dated[2])) < (day_before.year, day_before.month)
