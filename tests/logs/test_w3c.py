from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.errors import LogFormatError
from easops.logs.w3c import LONGEST_LINE, Row, W3cReader

HEADER = b"#Fields: date time cs-method cs-uri-stem sc-status\r\n"
GOOD = b"2026-11-24 09:00:01 GET /a 200\r\n"
AT = dt.datetime(2026, 11, 24, 9, 0, 1, tzinfo=dt.UTC)


def read(data: bytes, *columns: str, containing: tuple[bytes, ...] = ()) -> tuple[list[Row], W3cReader]:
    reader = W3cReader(columns or ("cs-method", "sc-status"), containing=containing)
    return reader.feed(data), reader


def values(data: bytes, *columns: str) -> list[tuple[str | None, ...]]:
    return [row.values for row in read(data, *columns)[0]]


def test_a_row_has_its_line_offset_time_and_the_wanted_columns_in_the_wanted_order() -> None:
    rows, _ = read(HEADER + GOOD, "sc-status", "cs-method", "sc-bytes")

    assert rows == [Row(2, len(HEADER), AT, ("200", "GET", None), "2026-11-24 09:00:01 GET /a 200")]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        pytest.param(HEADER.replace(b"200", b"") + GOOD.replace(b"GET", b"-"), [(None, "200")], id="a dash is None"),
        pytest.param(HEADER + GOOD.replace(b" /a", b"  /a"), [("GET", "200")], id="a run of blanks"),
        pytest.param(HEADER.replace(b"\r\n", b" \r\n") + GOOD, [("GET", "200")], id="a blank ends the header"),
        pytest.param(b"\xef\xbb\xbf" + HEADER + GOOD, [("GET", "200")], id="a byte order mark"),
        pytest.param(HEADER + b"#Remark: x\r\n#Date: y\r\n\r\n" + GOOD, [("GET", "200")], id="other directives"),
        pytest.param(HEADER + b"\0" * 99 + GOOD, [("GET", "200")], id="NUL padding before a line"),
        pytest.param(HEADER + GOOD + b"\0" * 99, [("GET", "200")], id="NUL padding at the end"),
        pytest.param(HEADER.lower().replace(b"#f", b"#F") + GOOD.replace(b"\r", b""), [("GET", "200")], id="LF alone"),
        pytest.param(HEADER + GOOD.replace(b"GET", b"G\xff"), [("G\xff", "200")], id="no UTF-8: the code page"),
    ],
)
def test_oddities_of_real_logs_are_read(data: bytes, expected: list[tuple[str | None, ...]]) -> None:
    assert values(data) == expected


def test_a_fields_line_applies_to_the_lines_after_it() -> None:
    changed = b"#Fields: date time sc-status cs-method\r\n2026-11-24 09:00:02 404 PUT\r\n"

    assert values(HEADER + GOOD + changed) == [("GET", "200"), ("PUT", "404")]


def test_without_a_date_column_the_date_is_that_of_the_header() -> None:
    rows, _ = read(b"#Date: 2026-11-24 08:59:00\r\n#Fields: time cs-method\r\n09:00:01 GET\r\n")

    assert rows[0].time == AT


def test_without_a_header_the_default_columns_that_fit_are_assumed() -> None:
    line = b"2026-11-24 09:00:01 10.0.0.1 POST /x a=b 443 CONTOSO\\anna 10.0.0.9 ua - 200 0 0 15\r\n"

    rows, reader = read(line, "cs-username", "time-taken")

    assert rows[0].values == ("CONTOSO\\anna", "15")
    assert reader.layout is not None
    assert reader.layout.assumed


def test_damaged_lines_are_counted_and_shown_with_their_numbers(sample_logs: Path) -> None:
    data = (sample_logs / "damaged" / "u_ex261124.log").read_bytes()

    rows, reader = read(data, "cs-uri-stem")

    assert [row.values for row in rows] == [("/a",), ("/a",), ("/\xff\xfe",), ("/a",)]
    assert [(line.line, line.why) for line in reader.damaged_lines] == [
        (5, "7 values for 15 columns"),
        (6, "29 values for 15 columns"),
        (7, "14 values for 15 columns"),
        (9, "its date and time cannot be read"),
    ]
    assert (reader.damaged, reader.good) == (4, 4)


def test_a_last_line_without_a_line_end_is_kept_back_until_it_is_complete() -> None:
    reader = W3cReader(("cs-method",))

    assert reader.feed(HEADER + GOOD[:-4]) == []
    assert reader.kept_back == len(GOOD) - 4
    assert [row.values for row in reader.feed(GOOD[-4:])] == [("GET",)]


def test_a_line_that_is_too_long_is_damaged_and_reading_goes_on_after_it() -> None:
    reader = W3cReader(("cs-method",))

    rows = [
        row for block in (HEADER, b"x" * (LONGEST_LINE + 1), b"y" * 99, b"\r\n" + GOOD) for row in reader.feed(block)
    ]

    assert [(row.line, row.offset) for row in rows] == [(3, len(HEADER) + LONGEST_LINE + 1 + 99 + 2)]
    assert reader.damaged == 1


def test_only_lines_with_one_of_the_texts_become_rows_but_damage_in_the_others_is_counted() -> None:
    data = HEADER + GOOD + GOOD.replace(b"/a", b"/a_Ty:Co_x") + GOOD.replace(b"/a", b"/a_Ty:Co_y") + GOOD[:20] + b"\r\n"

    rows, reader = read(data, "cs-uri-stem", containing=(b"nowhere", b"_y"))

    assert [row.values for row in rows] == [("/a_Ty:Co_y",)]
    assert (reader.good, reader.damaged) == (3, 1)


def test_the_newest_time_is_that_of_the_last_good_line_wanted_or_not() -> None:
    late = GOOD.replace(b"09:00:01", b"09:30:00")

    _, reader = read(HEADER + GOOD + late + GOOD[:20] + b"\r\n", containing=(b"nowhere",))

    assert reader.newest() == dt.datetime(2026, 11, 24, 9, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize("data", [b"Dear all,\nthis is a letter\n", b"a;b;c\r\n", b"\x1f\x8b\x08\x00 gz"])
def test_a_file_that_is_not_a_w3c_log_is_an_error_with_its_name(data: bytes) -> None:
    _, reader = read(data)

    with pytest.raises(LogFormatError, match=r"letter\.txt is not a W3C log"):
        reader.close("letter.txt")


@pytest.mark.parametrize("data", [b"", b"\0" * 5000, HEADER])
def test_an_empty_file_is_not_an_error(data: bytes) -> None:
    _, reader = read(data)

    reader.close("u_ex261124.log")
    assert reader.good == 0


@given(st.binary(max_size=400))
def test_no_bytes_make_the_reader_fail(data: bytes) -> None:
    read(data)
    read(HEADER + data + b"\n")


lines_ = st.lists(
    st.sampled_from(
        [GOOD, HEADER, b"#Fields: date time sc-status\r\n", b"2026-11-24 09:00:02 404\r\n", b"\0\0\r\n", b"x\r\n"]
    )
)


@given(lines_, st.lists(st.integers(1, 60)))
def test_where_the_blocks_are_cut_does_not_matter(lines: list[bytes], cuts: list[int]) -> None:
    data = b"".join(lines)
    whole, one = read(data)
    reader = W3cReader(("cs-method", "sc-status"))
    rows: list[Row] = []
    for cut in [*cuts, len(data) + 1]:
        rows += reader.feed(data[:cut])
        data = data[cut:]

    assert rows == whole
    assert (reader.lines, reader.damaged_lines) == (one.lines, one.damaged_lines)


@pytest.mark.parametrize("size", [LONGEST_LINE + 1, 1_000_000])
@pytest.mark.parametrize("block", [1 << 14, 1 << 22])
def test_a_line_that_iis_cannot_have_written_is_damage_wherever_the_blocks_end(size: int, block: int) -> None:
    log = HEADER + GOOD + GOOD.replace(b"/a", b"/" + b"a" * (size - len(GOOD) + 3)) + GOOD
    reader = W3cReader(("cs-method",))
    rows = [row for start in range(0, len(log), block) for row in reader.feed(log[start : start + block])]
    assert len(rows) == 2
    assert (reader.damaged, reader.good) == (1, 2)
    assert reader.damaged_lines[0].why == f"longer than {LONGEST_LINE:,} bytes"


@pytest.mark.parametrize("block", [1 << 14, 1 << 22])
def test_padding_of_any_length_before_a_line_is_no_part_of_it(block: int) -> None:
    log = HEADER + b"\0" * 1_000_000 + GOOD
    reader = W3cReader(("cs-method",))
    rows = [row for start in range(0, len(log), block) for row in reader.feed(log[start : start + block])]
    assert ([row.values for row in rows], reader.damaged) == ([("GET",)], 0)
