from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.actions.state_words import state_words
from easops.report.terminal.layout import WIDTH, cell, difference, table, value_words, wrapped
from easops.wording import counted, figure_and_limit


@given(st.lists(st.text("abc-/.@", min_size=1, max_size=70), min_size=1, max_size=30))
def test_wrapping_keeps_every_word_whole_and_every_line_short(words: list[str]) -> None:
    lines = wrapped(" ".join(words))
    assert " ".join(line.strip() for line in lines).split() == words
    assert all(len(line) <= WIDTH for line in lines)


def test_figures_stand_to_the_right_and_the_last_column_has_no_blanks_after_it() -> None:
    assert table(("host", "private_bytes", "note"), [("EX1", 5, "a"), ("EX02", 1234, None)]) == [
        "host  private bytes  note",
        "EX1               5  a",
        "EX02           1234  -",
    ]


def test_a_row_that_is_too_wide_goes_on_in_a_second_line() -> None:
    row = ("EX1", "x" * 40, "y" * 30, 5)
    assert table(("host", "pool", "note", "size"), [row], WIDTH) == [
        f"host  {'pool':<40}  {'note':<30}".rstrip(),
        "    size",
        f"EX1   {'x' * 40}  {'y' * 30}",
        "       5",
    ]


def test_a_table_is_as_wide_as_it_may_be() -> None:
    row = ("EX1", "x" * 40, "y" * 30, 5)
    _, line = table(("host", "pool", "note", "size"), [row], 120)
    assert line == f"EX1   {'x' * 40}  {'y' * 30}     5"


def test_off_a_terminal_a_row_is_one_line_and_whole_so_that_grep_loses_nothing_of_it() -> None:
    lines = table(("host", "pool", "url", "age"), [("EX1", "x" * 40, "/y" * 60, 5)])
    assert len(lines) == 2
    assert lines[1].split() == ["EX1", "x" * 40, "/y" * 60, "5"]


def test_a_value_that_no_line_has_place_for_is_shortened() -> None:
    assert table(("host", "url"), [("EX1", "/x" * 60)], WIDTH) == ["host", "    url", "EX1", f"    {'/x' * 36}/..."]


def test_a_figure_is_not_torn_from_its_unit() -> None:
    text = f"{'x' * 70} lasts 15 min"
    assert wrapped(text, "", "") == [f"{'x' * 70} lasts", "15 min"]


CELLS = [
    (None, "-"),
    (True, "yes"),
    (dt.datetime(2026, 11, 24, 18, 5, 9, tzinfo=dt.timezone(dt.timedelta(hours=1))), "2026-11-24 17:05:09Z"),
    (dt.timedelta(days=2, hours=3), "2d3h"),
    (12.345, "12.3"),
    (frozenset({"b", "a"}), "a, b"),
    ((), "-"),
]


@pytest.mark.parametrize(("value", "text"), CELLS, ids=[text for _, text in CELLS])
def test_a_cell_is_readable(value: Any, text: str) -> None:
    assert cell(value) == text


def test_one_is_no_plural() -> None:
    assert [counted(1, "user"), counted(2, "user")] == ["1 user", "2 users"]


def test_a_difference_names_what_changes_and_under_diff_what_stays() -> None:
    before = {"policy": None, "max_burst": 480000, "cutoff": 5}
    after = {"policy": "ours", "max_burst": 240000, "cutoff": 5}
    assert difference(before, after) == ["policy none -> ours", "max burst 480000 -> 240000"]
    assert difference(before, after, whole=True)[1] == "cutoff 5"
    assert difference(True, False) == ["on -> off"]
    assert difference("same", "same") == []


def test_values_come_in_one_order_whether_read_from_a_server_or_from_a_record() -> None:
    read = (
        {"policy": None, "recharge_rate": 1800000, "max_burst": 480000},
        {"recharge_rate": 900000, "policy": "ours"},
    )
    recorded = tuple({name: state[name] for name in sorted(state)} for state in read)
    assert difference(*recorded) == difference(*read)
    assert [line.split()[0] for line in difference(*read)] == ["policy", "max", "recharge"]
    assert value_words(recorded[0]) == value_words(read[0]) == "policy none, max burst 480000, recharge rate 1800000"


def test_a_recorded_time_is_shown_to_the_second_wherever_a_state_has_one() -> None:
    state = [[9180, "2026-11-21T04:25:28.840581+00:00"]]
    words = "9180, 2026-11-21 04:25:28Z -> new worker processes"
    assert difference(state, "new worker processes") == [words]
    assert state_words(state) == "9180, 2026-11-21 04:25:28Z"
    assert state_words("2026-11-21T04:25:28+00:00 and more") == "2026-11-21T04:25:28+00:00 and more"


@pytest.mark.parametrize(
    ("value", "limit", "words"),
    [
        (95.04, 60.0, ("95.0", "60.0")),
        (48.32, 48.31, ("48.32", "48.31")),
        (48.3, 48.3, ("48.3", "48.3")),
        (1e-9, 0.0, ("0.000000", "0.000000")),
    ],
)
def test_a_figure_and_its_limit_differ_in_words_where_they_do(
    value: float, limit: float, words: tuple[str, str]
) -> None:
    assert figure_and_limit(value, limit, decimals=1) == words
