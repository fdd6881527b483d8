from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from easops.errors import LogFormatError
from easops.logs.window import Lacking, LogReading, Wanted, read_files, read_log, read_window

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


def test_lines_with_marks_are_counted(bytes_log: Callable[[bytes], Any]) -> None:
    wanted = Wanted(("cs-uri-stem",), (b"nowhere",), (b"/500 ", b"cafeReqId="))

    reading = read_log(bytes_log(log(every=500, seconds=1500)), MIDNIGHT, wanted)

    assert (reading.lines, reading.marked) == ((), {b"/500 ": 1, b"cafeReqId=": 0})


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


def test_lines_are_counted_in_the_window_only(bytes_log: Callable[[bytes], Any]) -> None:
    wanted = Wanted(("cs-uri-stem",), marks=(b"/5",))

    reading = read_log(bytes_log(log(every=60, seconds=600)), MIDNIGHT + dt.timedelta(seconds=300), wanted)

    assert (reading.counted, reading.marked, reading.first) == (5, {b"/5": 1}, MIDNIGHT + dt.timedelta(seconds=300))


def test_a_line_of_another_year_does_not_move_the_window(tmp_path: Path) -> None:
    wrong = f"2062-11-24 00:00:00 /wrong {'q' * 560} 200 1\r\n"
    (tmp_path / "a.log").write_bytes(log(every=60, seconds=600) + wrong.encode())

    reading = read_files([tmp_path / "a.log"], lambda newest: newest - dt.timedelta(minutes=2), WANTED)

    assert stems(reading) == ["/420", "/480", "/540"]
    assert [line.row.values[0] for line in reading.misdated] == ["/wrong"]


def test_a_line_of_an_earlier_year_does_not_lead_the_search_astray(bytes_log: Any) -> None:
    lines = log(every=1, seconds=20_000).split(b"\r\n")
    wrong = [line.replace(b"2026", b"1999", 1) if number % 50 == 7 else line for number, line in enumerate(lines)]

    reading = read_log(bytes_log(b"\r\n".join(wrong)), MIDNIGHT + dt.timedelta(seconds=10_000), WANTED)

    assert len(reading.lines) == 9800


@pytest.mark.parametrize("kind", ["gz", "utf-16", "no line end"])
def test_local_files_at_rest_are_read_whole(tmp_path: Path, kind: str) -> None:
    data = log(every=60, seconds=600)
    file = tmp_path / ("a.log.gz" if kind == "gz" else "a.log")
    file.write_bytes(
        {"gz": gzip.compress(data), "utf-16": data.decode().encode("utf-16"), "no line end": data[:-2]}[kind]
    )

    assert len(read_files([file], lambda newest: MIDNIGHT, WANTED).lines) == 10


def test_a_copy_of_a_log_counts_once(tmp_path: Path) -> None:
    for name in ("a.log", "copy.log"):
        (tmp_path / name).write_bytes(log(every=60, seconds=600))

    reading = read_files([tmp_path / "a.log", tmp_path / "copy.log"], lambda newest: MIDNIGHT, WANTED)

    assert (len(reading.lines), reading.twice) == (10, 10)


def test_columns_that_are_missing_for_a_part_of_the_window_are_told_with_the_lines(tmp_path: Path) -> None:
    short = b"#Fields: date time cs-uri-stem sc-status\r\n2026-11-24 00:09:30 /short 200\r\n"
    (tmp_path / "a.log").write_bytes(log(every=60, seconds=600) + short)

    reading = read_files([tmp_path / "a.log"], lambda newest: MIDNIGHT, WANTED)

    assert reading.lacking == (Lacking(str(tmp_path / "a.log"), ("time-taken",), 1),)
