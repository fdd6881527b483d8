"""Where in a log a window of time begins, found without reading what is before it.

IIS writes a line when its request ends, so the lines are in the order of their times, and a search over byte offsets
finds the first line of the window. Lines of about the same time may be out of order, so the search looks for a moment
one minute earlier. It looks where that moment would be if as many bytes were written in each second; where that helps
little, in the middle.

**The columns** in the middle of a file are those of the nearest ``#Fields`` line before it. Finding that line would
mean reading backwards, perhaps the whole day. So the columns of the beginning of the file are used if the first lines
of the window fit them: most of twenty lines, in the number of values and in the form of each. Only if they do not fit,
the nearest ``#Fields`` is searched backwards, in ranges of growing size. (A change of settings that swaps two columns
of the same form, such as sc-bytes and cs-bytes, would not be noticed. IIS always writes the columns in the same order,
so it would take two changes of the settings in one file.)
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from typing import Final

import attrs

from easops.logs.layout import Layout
from easops.logs.source import BLOCK, ByteRange, Log
from easops.logs.w3c import read_time

PROBE: Final = 64 << 10
"""Bytes that the search reads at once: as much as IIS buffers, and still a small answer."""

_GLANCE: Final = 16 << 10
"""Bytes in which the search looks for the time of a line first: nearly always enough for one."""

_GLANCED_LINES: Final = 40
"""Lines whose times are compared; of lines that are not readable there may be many."""

_NEAR_ENOUGH: Final = 4 * PROBE
"""The search ends in a range of so many bytes: to read them all costs the server less than to be asked again."""

_DISORDER: Final = dt.timedelta(minutes=1)
"""By how much a line may be out of order."""

_STAMP = re.compile(rb"(\d{4}-\d\d-\d\d) (\d\d:\d\d(?::\d\d(?:\.\d+)?)?) ")
_FIELDS = re.compile(rb"(?:^|[\n\0])#Fields:([^\n\0]*)\n", re.IGNORECASE)


@attrs.frozen
class Beginning:
    """Where the reading of a log begins: with *first*, whose data begin with a whole line, in the columns of *layout*
    (None: a ``#Fields`` line in the data says them)."""

    first: ByteRange
    layout: Layout | None


def find_start(log: Log, head: ByteRange, start: dt.datetime) -> Beginning:
    """Where to begin so that no line from *start* on is missed.

    *head* is the beginning of the log, which the caller has read. It is also the result, "read all of it", for a small
    file, and for one whose lines do not begin with date and time.
    """
    headers = list(_FIELDS.finditer(head.data))
    layout = Layout.parse(headers[-1][1].decode("utf-8", "replace")) if headers else None
    if head.length <= 2 * PROBE or (layout is not None and layout.names[:2] != ("date", "time")):
        return Beginning(head, None)
    low = _offset_before(log, head, start - _DISORDER)
    if low == 0:
        return Beginning(head, None)
    answer = log.read(low, BLOCK)
    cut = answer.data.find(b"\n") + 1
    if cut == 0:
        return Beginning(head, None)
    lines = list(_whole_lines(answer.data[cut : cut + PROBE]))
    # Most of them, not all: one damaged line does not mean that the columns have changed.
    if layout is None or 2 * sum(map(layout.fits, lines)) <= len(lines):
        layout = _layout_before(log, low + cut)
    return Beginning(attrs.evolve(answer, data=answer.data[cut:], offset=low + cut), layout)


def _offset_before(log: Log, head: ByteRange, aim: dt.datetime) -> int:
    """An offset, not long before the first line of *aim*, but not behind it either. 0: from the beginning."""
    low, since = 0, _median_time(head.data)
    high, until = head.length, head.time  # or long before that time, if nothing is written any more
    end_seen = False
    middle_next = since is None
    while high - low > _NEAR_ENOUGH:
        middle = (low + high) // 2
        expected = middle
        if since is not None and since < aim < until:
            expected = low + int((high - low) * ((aim - since) / (until - since)))
            if end_seen and expected - low <= _NEAR_ENOUGH:
                break  # what is written in the little time between them costs less than to be asked again
        # A little before the place expected: a place from which the reading can begin is needed, and not one behind it.
        at = middle if middle_next else max(low + 1, min(expected - _NEAR_ENOUGH // 2, high - PROBE))
        time = _first_time(log, at, high)
        before = high - low
        # If no line here can be read, the search goes on before it: reading from too early on is slower, but not wrong.
        if time is None or time >= aim:
            high, until, end_seen = at, until if time is None else time, end_seen or time is not None
        else:
            low, since = at, time
        middle_next = since is None or (not middle_next and high - low > before // 2)
    return low


def _first_time(log: Log, offset: int, end: int) -> dt.datetime | None:
    """The time of the first readable lines that start after *offset*; None if there are none up to *end*.

    The median of a few lines, because one with a wrong date must not lead the search astray.
    """
    data = b""
    end = min(end, offset + 16 * PROBE)
    while offset + len(data) < end:
        more = log.read(offset + len(data), PROBE if data else _GLANCE).data
        if not more:
            return None
        data += more
        time = _median_time(data)
        if time is not None:
            return time
    return None


def _median_time(data: bytes) -> dt.datetime | None:
    """The median of the times of the first readable lines in *data*, without its first and its last, which may be cut.
    None if no line can be read."""
    stamps = [stamp for line in data.split(b"\n")[1:-1][:_GLANCED_LINES] if (stamp := _STAMP.match(line))]
    times = sorted(t for stamp in stamps if (t := read_time(stamp[1].decode(), stamp[2].decode())) is not None)
    return times[(len(times) - 1) // 2] if times else None


def _whole_lines(data: bytes) -> Iterator[bytes]:
    """The first complete lines of *data*, up to a directive, at most twenty."""
    for line in data.split(b"\n")[:-1][:20]:
        if line.startswith(b"#"):
            return
        yield line


def _layout_before(log: Log, offset: int) -> Layout | None:
    """The columns of the nearest ``#Fields`` line before *offset*; None if there is none."""
    end, size = offset, PROBE
    while end > 0:
        begin = max(0, end - size)
        # With a little of the range after it, which has been searched already: a #Fields line may be in both.
        data = log.read(begin, min(end + 4096, offset) - begin).data
        # At the start of a range the pattern's "start of the text" may be the middle of a line, which is no directive.
        headers = [match for match in _FIELDS.finditer(data) if begin == 0 or match.start() > 0 or data[:1] in b"\n\0"]
        if headers:
            return Layout.parse(headers[-1][1].decode("utf-8", "replace"))
        end, size = begin, min(size * 4, BLOCK)
    return None
