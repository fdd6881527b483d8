from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.errors import LogFormatError
from easops.logs.source import ByteRange, LogFile
from easops.logs.window import PROBE, LogReading, Wanted, overlapping, read_files, read_log, read_window

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
def test_the_window_is_found_without_reading_what_came_before_it(bytes_log: Any, changes_at: int) -> None:
    held = bytes_log(log(every=1, seconds=20_000, changes_at=changes_at))

    reading = read_log(held, MIDNIGHT + dt.timedelta(seconds=19_900), WANTED)

    assert [line.row.values for line in reading.lines] == [(f"/{at}", str(at)) for at in range(19_900, 20_000)]
    assert reading.damaged == 0


def test_only_a_small_part_of_a_long_file_is_read(bytes_log: Any) -> None:
    held = bytes_log(log(every=1, seconds=20_000))

    read_log(held, MIDNIGHT + dt.timedelta(seconds=19_900), WANTED)

    assert held.read_bytes < len(held.data) / 8


def test_a_change_of_columns_before_the_window_is_looked_for_backwards(bytes_log: Any) -> None:
    held = bytes_log(log(every=1, seconds=20_000, changes_at=18_000))

    reading = read_log(held, MIDNIGHT + dt.timedelta(seconds=19_000), WANTED)

    assert stems(reading) == [f"/{at}" for at in range(19_000, 20_000)]
    assert [line.row.values[1] for line in reading.lines][:2] == ["19000", "19001"]


def test_lines_read_from_the_middle_say_at_which_byte_they_stand(bytes_log: Any) -> None:
    held = bytes_log(log(every=1, seconds=5000))

    line = read_log(held, MIDNIGHT + dt.timedelta(seconds=4999), WANTED).lines[0]

    offset = held.data.index(b"/4999 ") - len("2026-11-24 01:23:19 ")
    assert line.where == f"u_ex261124.log at byte {offset:,}"
    assert line.row.offset == offset


def test_a_window_longer_than_the_file_is_the_file(bytes_log: Any) -> None:
    held = bytes_log(log(every=10, seconds=5000))

    reading = read_log(held, MIDNIGHT - dt.timedelta(days=1), WANTED)

    assert stems(reading) == [f"/{at}" for at in range(0, 5000, 10)]
    assert reading.lines[0].where == "u_ex261124.log:3"


def test_a_file_without_a_date_column_is_read_whole(bytes_log: Any) -> None:
    body = log(every=1, seconds=1000).replace(b"2026-11-24 ", b"").replace(b"date ", b"")
    held = bytes_log(b"#Date: 2026-11-24 00:00:00\r\n" + body)

    assert stems(read_log(held, MIDNIGHT + dt.timedelta(seconds=990), WANTED)) == [f"/{at}" for at in range(990, 1000)]


def test_nul_padding_in_the_middle_hides_no_line(bytes_log: Any) -> None:
    before, after = log(every=1, seconds=3000), log(every=1, seconds=300, start=MIDNIGHT + dt.timedelta(seconds=4000))
    held = bytes_log(before + b"\0" * (40 * PROBE) + after)

    reading = read_log(held, MIDNIGHT + dt.timedelta(seconds=2990), WANTED)

    assert stems(reading) == [f"/{at}" for at in range(2990, 3000)] + [f"/{at}" for at in range(300)]


def test_lines_of_the_same_minute_may_be_in_any_order(bytes_log: Any) -> None:
    stamps = [at // 20 for at in range(20_000)]  # twenty lines a second
    stamps[18_500], stamps[19_000] = stamps[19_000], stamps[18_500]  # a line that was written 25 s early
    lines = [f"{MIDNIGHT + dt.timedelta(seconds=at):%Y-%m-%d %H:%M:%S} /{at} {'q' * 560} 200 1" for at in stamps]
    held = bytes_log("\r\n".join([FIELDS, *lines, ""]).encode())

    reading = read_log(held, MIDNIGHT + dt.timedelta(seconds=950), WANTED)

    assert stems(reading) == [f"/{at}" for at in stamps if at >= 950]


@given(st.lists(st.integers(0, 40), min_size=400, max_size=500), st.integers(0, 9000))
def test_the_bisection_loses_no_line(gaps: list[int], start: int) -> None:
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


def test_a_window_across_midnight_reads_two_files_and_no_third(folder_session: Any) -> None:
    for day in (22, 23, 24):
        start = dt.datetime(2026, 11, day, 23 if day < 24 else 0, tzinfo=dt.UTC)
        (folder_session.folder / f"u_ex2611{day}.log").write_bytes(log(every=600, seconds=3600, start=start))
        folder_session.written[f"u_ex2611{day}.log"] = start + dt.timedelta(hours=1)
    folder_session.now = MIDNIGHT + dt.timedelta(minutes=30)

    reading = read_window(folder_session, "C:\\logs", lambda now: now - dt.timedelta(hours=1), WANTED)

    assert reading.files == ("u_ex261123.log", "u_ex261124.log")
    assert reading.start == MIDNIGHT - dt.timedelta(minutes=30)
    assert stems(reading) == ["/1800", "/2400", "/3000", *(f"/{at}" for at in range(0, 3600, 600))]
    assert reading.newest == MIDNIGHT + dt.timedelta(minutes=50)
    assert "u_ex261122.log" not in folder_session.read


def test_a_file_that_goes_while_the_folder_is_read_is_told(folder_session: Any) -> None:
    for day in (23, 24):
        (folder_session.folder / f"u_ex2611{day}.log").write_bytes(log(every=600, seconds=3600))
    folder_session.removed.add("u_ex261123.log")

    reading = read_window(folder_session, "C:\\logs", lambda now: MIDNIGHT, WANTED)

    assert reading.files == ("u_ex261124.log",)
    assert reading.notes == ("u_ex261123.log was removed while the folder was read",)


def test_an_empty_folder_is_a_reading_without_files(folder_session: Any) -> None:
    reading = read_window(folder_session, "C:\\logs", lambda now: now, WANTED)

    assert (reading.files, reading.time, reading.lines) == ((), None, ())


@pytest.mark.parametrize(
    ("names", "written", "kept"),
    [
        pytest.param(("u_ex261123.log", "u_ex261124.log"), (0, 10), ("u_ex261124.log",), id="closed before"),
        pytest.param(
            ("u_ex261123.log", "u_ex261124.log"), (10, 0), ("u_ex261123.log", "u_ex261124.log"), id="open, stale"
        ),
        pytest.param(("u_ex26112408.log", "u_ex26112409.log"), (0, 0), ("u_ex26112409.log",), id="hourly"),
        pytest.param(("u_extend9.log", "u_extend10.log"), (0, 0), ("u_extend10.log",), id="by size"),
        pytest.param(("u_ex250101.log",), (0,), (), id="of long ago"),
        pytest.param(
            ("ex261124.log", "u_ex261124_x.log"), (0, 0), ("ex261124.log", "u_ex261124_x.log"), id="two kinds"
        ),
    ],
)
def test_which_files_can_overlap(names: tuple[str, ...], written: tuple[int, ...], kept: tuple[str, ...]) -> None:
    start = MIDNIGHT + dt.timedelta(hours=9)
    files = [
        LogFile(name, name, 0, start + dt.timedelta(minutes=minutes - 5))
        for name, minutes in zip(names, written, strict=True)
    ]

    assert tuple(file.name for file in overlapping(files, start)) == kept


def test_marks_are_seen_wherever_they_occur(bytes_log: Callable[[bytes], Any]) -> None:
    wanted = Wanted(("cs-uri-stem",), (b"nowhere",), (b"/500 ", b"cafeReqId="))

    reading = read_log(bytes_log(log(every=500, seconds=1500)), MIDNIGHT, wanted)

    assert (reading.lines, reading.seen) == ((), frozenset({b"/500 "}))


def test_files_count_back_from_the_last_line_read(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(log(every=60, seconds=600))
    (tmp_path / "b.log").write_bytes(b"")

    reading = read_files(
        [tmp_path / "a.log", tmp_path / "b.log"], lambda newest: newest - dt.timedelta(minutes=2), WANTED
    )

    assert stems(reading) == ["/420", "/480", "/540"]
    assert reading.lines[0].where == f"{tmp_path / 'a.log'}:10"
    assert reading.notes == (f"{tmp_path / 'b.log'} is empty",)


def test_a_file_that_is_no_log_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"Dear all,\n")

    with pytest.raises(LogFormatError):
        read_files([tmp_path / "a.log"], lambda newest: newest, WANTED)
