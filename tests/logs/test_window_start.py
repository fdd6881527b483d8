"""The beginning of a window is found by few reads, and no line of the window is lost."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.logs.source import ByteRange
from easops.logs.window import LogReading, Wanted, read_log
from easops.logs.window_start import PROBE

MIDNIGHT = dt.datetime(2026, 11, 24, tzinfo=dt.UTC)
FIELDS = "#Fields: date time cs-uri-stem cs-uri-query sc-status time-taken"
OTHER_FIELDS = "#Fields: date time cs-uri-stem sc-status time-taken cs-uri-query"
WANTED = Wanted(("cs-uri-stem", "time-taken"))


def log(
    *, every: int, seconds: int, start: dt.datetime = MIDNIGHT, changes_at: int = -1, fields: str = FIELDS
) -> bytes:
    """A log with a line of about 600 bytes *every* seconds; at *changes_at* seconds its columns change order."""
    lines = ["#Software: x", fields]
    changed = False
    for at in range(0, seconds, every):
        if 0 <= changes_at <= at and not changed:
            lines.append(OTHER_FIELDS)
            changed = True
        stamp = f"{start + dt.timedelta(seconds=at):%Y-%m-%d %H:%M:%S}"
        filler = "q" * 560
        lines.append(f"{stamp} /{at} 200 {at} {filler}" if changed else f"{stamp} /{at} {filler} 200 {at}")
    return "".join(line + "\r\n" for line in lines).encode()


def stems(reading: LogReading) -> list[str | None]:
    return [line.row.values[0] for line in reading.lines]


@pytest.mark.parametrize("changes_at", [-1, 100, 3000, 19_990])
def test_the_window_is_found_and_no_line_of_it_is_lost(bytes_log: Any, changes_at: int) -> None:
    long_log = bytes_log(log(every=1, seconds=20_000, changes_at=changes_at))

    reading = read_log(long_log, MIDNIGHT + dt.timedelta(seconds=19_900), WANTED)

    assert [line.row.values for line in reading.lines] == [(f"/{at}", str(at)) for at in range(19_900, 20_000)]
    assert reading.damaged == 0


def test_only_a_small_part_of_a_long_file_is_read(bytes_log: Any) -> None:
    long_log = bytes_log(log(every=1, seconds=20_000))

    read_log(long_log, MIDNIGHT + dt.timedelta(seconds=19_900), WANTED)

    assert long_log.read_bytes < len(long_log.data) / 8


def test_a_change_of_columns_before_the_window_is_searched_backwards(bytes_log: Any) -> None:
    long_log = bytes_log(log(every=1, seconds=20_000, changes_at=18_000))

    reading = read_log(long_log, MIDNIGHT + dt.timedelta(seconds=19_000), WANTED)

    assert stems(reading) == [f"/{at}" for at in range(19_000, 20_000)]
    assert [line.row.values[1] for line in reading.lines][:2] == ["19000", "19001"]


def test_all_of_a_file_without_a_date_column_is_read(bytes_log: Any) -> None:
    body = log(every=1, seconds=1000).replace(b"2026-11-24 ", b"").replace(b"date ", b"")
    long_log = bytes_log(b"#Date: 2026-11-24 00:00:00\r\n" + body)

    assert stems(read_log(long_log, MIDNIGHT + dt.timedelta(seconds=990), WANTED)) == [
        f"/{at}" for at in range(990, 1000)
    ]


def test_nul_padding_in_the_middle_does_not_hide_lines(bytes_log: Any) -> None:
    before, after = log(every=1, seconds=3000), log(every=1, seconds=300, start=MIDNIGHT + dt.timedelta(seconds=4000))
    long_log = bytes_log(before + b"\0" * (40 * PROBE) + after)

    reading = read_log(long_log, MIDNIGHT + dt.timedelta(seconds=2990), WANTED)

    assert stems(reading) == [f"/{at}" for at in range(2990, 3000)] + [f"/{at}" for at in range(300)]


def test_lines_of_the_same_minute_may_be_in_any_order(bytes_log: Any) -> None:
    stamps = [at // 20 for at in range(20_000)]  # twenty lines a second
    stamps[18_500], stamps[19_000] = stamps[19_000], stamps[18_500]  # a line that was written 25 s early
    lines = [f"{MIDNIGHT + dt.timedelta(seconds=at):%Y-%m-%d %H:%M:%S} /{at} {'q' * 560} 200 1" for at in stamps]
    long_log = bytes_log("\r\n".join([FIELDS, *lines, ""]).encode())

    reading = read_log(long_log, MIDNIGHT + dt.timedelta(seconds=950), WANTED)

    assert stems(reading) == [f"/{at}" for at in stamps if at >= 950]


@given(st.lists(st.integers(0, 40), min_size=400, max_size=500), st.integers(0, 9000))
def test_the_binary_search_loses_no_line(gaps: list[int], start: int) -> None:
    at, lines = 0, [FIELDS]
    times = []
    for gap in gaps:
        at += gap
        times.append(at)
        lines.append(f"{MIDNIGHT + dt.timedelta(seconds=at):%Y-%m-%d %H:%M:%S} /{at} {'q' * 900} 200 {at}")
    data = "".join(line + "\r\n" for line in lines).encode()

    class Held:
        path = "x.log"

        def read(self, offset: int, length: int) -> ByteRange:
            return ByteRange(data[offset : offset + length], offset, len(data), MIDNIGHT)

    reading = read_log(Held(), MIDNIGHT + dt.timedelta(seconds=start), WANTED)

    assert stems(reading) == [f"/{at}" for at in times if at >= start]
