"""The lines of a log within a window of time: of a server's log folder, of one log, or of local files.

A reading of a server does not read what is before the window (``easops.logs.window_start``). Lines of the same moment
may not be in order, so the rows are also filtered by their own times.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from pathlib import Path

import attrs

from easops.errors import CommandFailed
from easops.logs.folder import list_logs, overlapping
from easops.logs.layout import Layout
from easops.logs.source import BLOCK, Log, RemoteLog, blocks
from easops.logs.w3c import DamagedLine, Row, W3cReader
from easops.logs.window_start import PROBE, find_start
from easops.remoting.session import Session


@attrs.frozen
class Wanted:
    """Which lines to read, and what of them.

    *columns* are the columns that each row gets, in this order. *containing* are texts that must all occur in a line.
    *marks* are texts of which the reading says (``LogReading.seen``) whether they occur anywhere in what was read.
    """

    columns: tuple[str, ...]
    containing: tuple[bytes, ...] = ()
    marks: tuple[bytes, ...] = ()


@attrs.frozen
class LogLine:
    """One line, as a *row* of the wanted columns, and *where* it is.

    *where* is ``u_ex261124.log:1024`` (file and line), or ``u_ex261124.log at byte 5,123,456`` if the file was not read
    from its start.
    """

    row: Row
    where: str


@attrs.frozen
class LogReading:
    """The result of reading a window of logs. All times are UTC.

    *lines* are the wanted lines, file by file. *start* is the beginning of the window, *time* the server's clock at the
    last read (None for local files), *newest* the time of the last line of any kind. *files* are the names of the files
    that were read. *damaged* counts the lines that do not fit the columns; the first of them are in *damaged_lines*,
    with where each is. *seen* are the marks that occurred. *lacking* are the files that do not log all wanted columns,
    each with those columns. *notes* are sentences for a person: a file is empty, or was removed.
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


class _Collector:
    """Collects the results of the files of one reading."""

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
    time = RemoteLog(session, listed[-1].path).read(0, 0).time
    begin = start(time)
    for file in overlapping(listed, begin):
        try:
            time = _read_file(RemoteLog(session, file.path), file.name, begin, collector)
        except CommandFailed as error:
            if not error.has_exception("FileNotFoundException"):
                raise
            collector.notes.append(f"{file.name} was removed while the folder was read")
    return collector.result(begin, time)


def read_log(log: Log, start: dt.datetime, wanted: Wanted) -> LogReading:
    """The wanted lines of one log, from *start* on. Raises as ``read_window``."""
    collector = _Collector(wanted)
    time = _read_file(log, log.path, start, collector)
    return collector.result(start, time)


def read_files(paths: Iterable[Path], start: Callable[[dt.datetime], dt.datetime], wanted: Wanted) -> LogReading:
    """The wanted lines of local log files, from a moment on.

    Each file is read to its end, because only then the time of the last line is known.

    Args:
        paths: the files.
        start: called with the time of the last line of all files (UTC), returns the beginning of the window.
        wanted: which lines.

    Raises:
        BadInput: a file cannot be read.
        LogFormatError: a file is not a W3C log.
    """
    collector = _Collector(wanted)
    for path in paths:
        reader = collector.reader()
        for block in blocks(path):
            collector.feed(reader, block, str(path), whole=True)
        reader.close(str(path))
        collector.end(reader, str(path), whole=True)
    return collector.result(None if collector.newest is None else start(collector.newest), None)


def _read_file(log: Log, name: str, start: dt.datetime, collector: _Collector) -> dt.datetime:
    """Read the lines of *log* from *start* on into *collector*. Returns the server's clock at the last read."""
    head = log.read(0, PROBE)
    offset, layout = find_start(log, head, start)
    whole = offset == 0
    reader = collector.reader(layout=layout, offset=offset)
    answer = head if whole else log.read(offset, BLOCK)
    while answer.data:
        collector.feed(reader, answer.data, name, whole=whole)
        offset += len(answer.data)
        if offset >= answer.length:
            break
        answer = log.read(offset, BLOCK)
    if whole:
        reader.close(name)
    collector.end(reader, name, whole=whole)
    return answer.time


def _where(name: str, line: Row | DamagedLine, *, whole: bool) -> str:
    return f"{name}:{line.line}" if whole else f"{name} at byte {line.offset:,}"
