from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from easops.errors import LogFormatError
from easops.logs.window import LogReading, Wanted, read_files, read_log, read_window

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


def test_lines_read_from_the_middle_say_at_which_byte_they_are(bytes_log: Any) -> None:
    long_log = bytes_log(log(every=1, seconds=5000))

    line = read_log(long_log, MIDNIGHT + dt.timedelta(seconds=4999), WANTED).lines[0]

    offset = long_log.data.index(b"/4999 ") - len("2026-11-24 01:23:19 ")
    assert line.where == f"u_ex261124.log at byte {offset:,}"
    assert line.row.offset == offset


def test_a_window_longer_than_the_file_is_the_whole_file(bytes_log: Any) -> None:
    long_log = bytes_log(log(every=10, seconds=5000))

    reading = read_log(long_log, MIDNIGHT - dt.timedelta(days=1), WANTED)

    assert stems(reading) == [f"/{at}" for at in range(0, 5000, 10)]
    assert reading.lines[0].where == "u_ex261124.log:3"


def test_a_window_across_midnight_reads_two_files_and_not_a_third(folder_session: Any) -> None:
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


def test_a_file_that_is_removed_during_the_reading_is_noted(folder_session: Any) -> None:
    for day in (23, 24):
        (folder_session.folder / f"u_ex2611{day}.log").write_bytes(log(every=600, seconds=3600))
    folder_session.removed.add("u_ex261123.log")

    reading = read_window(folder_session, "C:\\logs", lambda now: MIDNIGHT, WANTED)

    assert reading.files == ("u_ex261124.log",)
    assert reading.notes == ("u_ex261123.log was removed while the folder was read",)


def test_an_empty_folder_is_a_reading_without_files(folder_session: Any) -> None:
    reading = read_window(folder_session, "C:\\logs", lambda now: now, WANTED)

    assert (reading.files, reading.time, reading.lines) == ((), None, ())


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


def test_a_file_that_is_not_a_log_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(b"Dear all,\n")

    with pytest.raises(LogFormatError):
        read_files([tmp_path / "a.log"], lambda newest: newest, WANTED)
