"""The lines of a log within a window of time: of a server's log folder, of one log, or of local files.

A reading of a server does not read what is before the window (``easops.logs.window_start``). Lines of the same moment
may not be in order, so the rows are also filtered by their own times.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs

from easops.errors import CommandFailed, LogFormatError
from easops.logs.folder import list_logs, overlapping
from easops.logs.layout import Layout
from easops.logs.source import BLOCK, ByteRange, Log, RemoteLog, blocks, is_packed
from easops.logs.w3c import CODE_PAGE, DamagedLine, Row, W3cReader, read_time
from easops.logs.window_start import PROBE, find_start
from easops.remoting.session import Session

_END: Final = 1 << 20
"""Bytes at the end of a local file in which its newest line is looked for."""

_AHEAD: Final = dt.timedelta(days=1)
"""A line that is so much later than the newest plausible one has a wrong date."""


@attrs.frozen
class Wanted:
    """Which lines to read, and what of them.

    *columns* are the columns that each row gets, in this order. *containing* are texts of which a line must have one.
    *marks* are texts of which the reading counts the lines (``LogReading.marked``). Of local files, lines before the
    window are kept that contain one of *outside*. *code_page* is how bytes that are not UTF-8 are read.
    """

    columns: tuple[str, ...]
    containing: tuple[bytes, ...] = ()
    marks: tuple[bytes, ...] = ()
    outside: tuple[bytes, ...] = ()
    code_page: str = CODE_PAGE


@attrs.frozen
class LogLine:
    """One line, as a *row* of the wanted columns, and *where* it is.

    *where* is ``u_ex261124.log:1024`` (file and line), or ``u_ex261124.log at byte 5,123,456`` if the file was not read
    from its start.
    """

    row: Row
    where: str


@attrs.frozen
class Lacking:
    """A *file* of which some *lines* of the window do not have these *columns*."""

    file: str
    columns: tuple[str, ...]
    lines: int


@attrs.frozen
class LogReading:
    """The result of reading a window of logs. All times are UTC.

    *lines* are the wanted lines, file by file; *outside* are those before the window, of local files only. *start* is
    the beginning of the window, *time* the server's clock at the last read (None for local files), *newest* the time of
    the newest line of any kind. *files* are the names of the files that were read. *counted* is how many lines of any
    kind the window has, *marked* how many of them have each mark, *first* the time of the first; *minutes* are those in
    which a line of any kind was logged, in their order.

    *damaged* counts the lines that do not fit the columns; the first of them are in *damaged_lines*, with where each
    is. *lacking* are the files that do not log all wanted columns. *repaired* counts wanted lines with bytes that are
    not UTF-8, *twice* those that were there a second time, *misdated* are those with a date that cannot be true.
    *notes* are sentences for a person: a file is empty, or was removed.
    """

    lines: tuple[LogLine, ...]
    start: dt.datetime | None
    time: dt.datetime | None
    newest: dt.datetime | None
    files: tuple[str, ...]
    counted: int = 0
    marked: Mapping[bytes, int] = attrs.field(factory=dict)
    first: dt.datetime | None = None
    minutes: tuple[dt.datetime, ...] = attrs.field(default=(), repr=False)
    outside: tuple[LogLine, ...] = ()
    damaged: int = 0
    damaged_lines: tuple[str, ...] = ()
    lacking: tuple[Lacking, ...] = ()
    repaired: int = 0
    twice: int = 0
    misdated: tuple[LogLine, ...] = ()
    notes: tuple[str, ...] = ()


class _Collector:
    """Collects the results of the files of one reading."""

    def __init__(self, wanted: Wanted) -> None:
        self.wanted = wanted
        self.lines: list[LogLine] = []
        self.newest: dt.datetime | None = None
        self.first: dt.datetime | None = None
        self.counted = 0
        self.marked: Counter[bytes] = Counter(dict.fromkeys(wanted.marks, 0))
        self.minutes: set[bytes] = set()
        self.damaged = 0
        self.damaged_lines: list[str] = []
        self.repaired = 0
        self.notes: list[str] = []
        self.lacking: list[Lacking] = []
        self.files: list[str] = []

    def reader(self, *, start: dt.datetime | None = None, layout: Layout | None = None, offset: int = 0) -> W3cReader:
        return W3cReader(
            self.wanted.columns,
            containing=self.wanted.containing,
            marks=self.wanted.marks,
            start=start,
            layout=layout,
            offset=offset,
            code_page=self.wanted.code_page,
        )

    def add(self, rows: Iterable[Row], name: str, *, whole: bool, start: dt.datetime | None) -> None:
        outside = [text.decode() for text in self.wanted.outside]
        self.lines += [
            LogLine(row, _where(name, row, whole=whole))
            for row in rows
            if start is None
            or (row.time is not None and row.time >= start)
            or any(text in row.text for text in outside)
        ]

    def end(self, reader: W3cReader, name: str, *, whole: bool) -> None:
        self.files.append(name)
        newest = reader.newest()
        if newest is not None and (self.newest is None or newest > self.newest):
            self.newest = newest
        if reader.first is not None and (self.first is None or reader.first < self.first):
            self.first = reader.first
        self.counted += reader.counted
        self.marked.update(reader.marked)
        self.minutes |= reader.minutes
        self.damaged += reader.damaged
        self.damaged_lines += [
            f"{_where(name, line, whole=whole)}: {line.why}: {line.text}" for line in reader.damaged_lines
        ]
        self.repaired += reader.repaired
        for section in reader.sections:
            lacking = tuple(column for column in self.wanted.columns if section.layout.position(column) is None)
            if lacking and section.lines:
                self.lacking.append(Lacking(name, lacking, section.lines))
        if reader.empty and whole:
            self.notes.append(f"{name} is empty")
        if reader.layout is not None and reader.layout.assumed:
            self.notes.append(f"{name} has no #Fields line: its columns were taken from the form of its lines")

    def result(self, start: dt.datetime | None, time: dt.datetime | None) -> LogReading:
        once = list(_once(self.lines))
        inside: list[LogLine] = []
        outside: list[LogLine] = []
        misdated: list[LogLine] = []
        for line in once:
            if start is None or line.row.time is None or line.row.time < start:
                (inside if start is None else outside).append(line)
            elif self.newest is not None and line.row.time > self.newest + _AHEAD:
                misdated.append(line)
            else:
                inside.append(line)
        return LogReading(
            lines=tuple(inside),
            start=start,
            time=time,
            newest=self.newest,
            files=tuple(self.files),
            counted=self.counted,
            marked=dict(self.marked),
            first=self.first,
            minutes=_moments(self.minutes),
            outside=tuple(outside),
            damaged=self.damaged,
            damaged_lines=tuple(self.damaged_lines),
            lacking=tuple(self.lacking),
            repaired=self.repaired,
            twice=len(self.lines) - len(once),
            misdated=tuple(misdated),
            notes=tuple(self.notes),
        )


def read_window(
    session: Session, folder: str, start: Callable[[dt.datetime], dt.datetime], wanted: Wanted
) -> LogReading:
    """The wanted lines in a server's log folder, from a moment on (windows endpoint).

    Older lines are not transferred. A window across midnight reads two files.

    Args:
        session: to the ``windows`` endpoint.
        folder: a Windows path, for instance from ``easops.iis.eas_log_folder``.
        start: called with the server's current time (UTC), returns the beginning of the window.
        wanted: which lines.

    Returns:
        The reading; for an empty folder one without files and without a time.

    Raises:
        CommandFailed: there is no such folder, or a file cannot be opened.
        LogFormatError: a file is not a W3C log.
        UnreachableHost, OutcomeUnknown, UnexpectedAnswer: as any reading.
    """
    listed = list_logs(session, folder)
    collector = _Collector(wanted)
    if not listed:
        return collector.result(None, None)
    latest = RemoteLog(session, listed[-1].path).read(0, PROBE)
    time, begin = latest.time, start(latest.time)
    for file in overlapping(listed, begin):
        log = RemoteLog(session, file.path)
        try:
            head = latest if file == listed[-1] else log.read(0, PROBE)
            time = _read_file(log, file.name, head, begin, collector)
        except CommandFailed as error:
            if not error.has_exception("FileNotFoundException"):
                raise
            collector.notes.append(f"{file.name} was removed while the folder was read")
    return attrs.evolve(collector.result(begin, time), outside=())  # a little more than the window was read


def read_log(log: Log, start: dt.datetime, wanted: Wanted) -> LogReading:
    """The wanted lines of one log, from *start* on. Raises as ``read_window``."""
    collector = _Collector(wanted)
    time = _read_file(log, log.path, log.read(0, PROBE), start, collector)
    return attrs.evolve(collector.result(start, time), outside=())


def read_files(paths: Iterable[Path], start: Callable[[dt.datetime], dt.datetime], wanted: Wanted) -> LogReading:
    """The wanted lines of local log files, from a moment on; lines before it are in ``outside``.

    Args:
        paths: the files.
        start: called with the time of the newest line of all files (UTC), returns the beginning of the window.
        wanted: which lines.

    Raises:
        BadInput: a file cannot be read.
        LogFormatError: a file is not a W3C log.
    """
    files = list(paths)
    newest = max((time for path in files if (time := newest_line(path)) is not None), default=None)
    begin = None if newest is None else start(newest)
    collector = _Collector(wanted)
    for path in files:
        reader = collector.reader(start=begin)
        for block in blocks(path):
            collector.add(reader.feed(block), str(path), whole=True, start=begin)
        collector.add(reader.finish(), str(path), whole=True, start=begin)
        reader.close(str(path))
        collector.end(reader, str(path), whole=True)
    return collector.result(begin, None)


def newest_line(path: Path) -> dt.datetime | None:
    """The time of the newest line of a local log whose date is plausible; None if no line has a time.

    Raises BadInput (it cannot be read), LogFormatError (it is not a W3C log).
    """
    if not is_packed(path):
        try:
            with path.open("rb") as file:
                size = path.stat().st_size
                head = file.read(PROBE)
                if size > 2 * _END and head[:2] not in (b"\xff\xfe", b"\xfe\xff"):
                    file.seek(size - _END)
                    newest = _newest_of_end(head, file.read(_END))
                    if newest is not None:
                        return newest
        except OSError:
            pass  # the reading that follows says why
    reader = W3cReader((), containing=(b"\n",))
    for block in blocks(path):
        reader.feed(block)
    reader.finish()
    reader.close(str(path))
    return reader.newest()


def _newest_of_end(head: bytes, end: bytes) -> dt.datetime | None:
    """The newest time in the *end* of a file that begins with *head*; None if its columns do not fit there."""
    reader = W3cReader((), containing=(b"\n",))
    reader.feed(head[: head.rfind(b"\n") + 1])
    if reader.layout is None:
        return None
    last = W3cReader((), containing=(b"\n",), layout=reader.layout, offset=1)
    last.feed(end[end.find(b"\n") + 1 :])
    last.finish()
    return last.newest()


def _read_file(log: Log, name: str, head: ByteRange, start: dt.datetime, collector: _Collector) -> dt.datetime:
    """Read the lines of *log* from *start* on into *collector*; *head* is its beginning. Returns the server's clock at
    the last read."""
    begin = find_start(log, head, start)
    answer, whole = begin.first, begin.first.offset == 0
    reader = collector.reader(start=start, layout=begin.layout, offset=answer.offset)
    while answer.data:
        collector.add(reader.feed(answer.data), name, whole=whole, start=start)
        offset = answer.offset + len(answer.data)
        if offset >= answer.length:
            break
        answer = log.read(offset, BLOCK)
    if whole:
        reader.close(name)
    collector.end(reader, name, whole=whole)
    return answer.time


def _moments(minutes: Iterable[bytes]) -> tuple[dt.datetime, ...]:
    """The beginnings of lines as times; those that are none are left out."""
    texts = [minute.decode("ascii", "replace").partition(" ") for minute in minutes]
    return tuple(sorted(time for date, _, clock in texts if (time := read_time(date, clock)) is not None))


def _once(lines: Iterable[LogLine]) -> Iterator[LogLine]:
    """*lines* without those that another file has, too: a copy of a log must not count twice."""
    files: dict[str, str] = {}
    for line in lines:
        file = line.where.rpartition(":")[0] or line.where
        if files.setdefault(line.row.text, file) == file or " at byte " in line.where:
            yield line


def _where(name: str, line: Row | DamagedLine, *, whole: bool) -> str:
    return f"{name}:{line.line}" if whole else f"{name} at byte {line.offset:,}"


def readable_logs(paths: Iterable[Path]) -> tuple[tuple[Path, ...], tuple[str, ...]]:
    """Which of *paths* are W3C logs, and a sentence for each that is none."""
    logs: list[Path] = []
    others: list[str] = []
    for path in paths:
        try:
            newest_line(path)
        except LogFormatError as error:
            others.append(f"{error.what}: {error.why}")
        else:
            logs.append(path)
    return tuple(logs), tuple(others)
