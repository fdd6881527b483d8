from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from easops.report.terminal.layout import wrapped
from easops.report.terminal.styled_line import Line, Style, joined, painted, status_style, styles_of
from easops.status import Status

from ..samples import REPORT, STEPS

WORDS = st.text("ab .\n", max_size=60)
STYLES = st.sampled_from([None, *Style])


def unpainted(text: str) -> str:
    return re.sub(r"\x1b\[[\d;]*m", "", text)


@given(st.lists(st.tuples(WORDS, STYLES), max_size=8))
def test_painting_adds_styles_and_shows_every_character(parts: list[tuple[str, Style | None]]) -> None:
    line = joined(*parts)
    assert line == "".join(text for text, _ in parts)
    assert unpainted(painted(line)) == line.replace("\n", r"\n")


@given(st.lists(st.tuples(WORDS, STYLES), max_size=8))
def test_wrapping_keeps_the_style_of_every_word(parts: list[tuple[str, Style | None]]) -> None:
    def visible(lines: list[str]) -> list[tuple[str, Style | None]]:
        pairs = [pair for line in lines for pair in zip(line, styles_of(line), strict=True)]
        return [pair for pair in pairs if not pair[0].isspace()]

    line = joined(*parts)
    assert visible(wrapped(line)) == visible([line])


def test_a_part_with_a_style_takes_nothing_from_a_line_that_has_its_own() -> None:
    inner = joined("a", ("b", Style.BAD))
    assert styles_of(joined((inner, Style.STRONG))) == (Style.STRONG, Style.STRONG)
    assert styles_of(joined(inner, "c")) == (None, Style.BAD, None)
    assert Line("ab", [None, Style.GOOD]) == "ab"


def test_only_colours_that_read_on_dark_and_on_light_are_used() -> None:
    codes = {int(code) for style in Style for code in style.value.split(";")}
    yellow, blue, cyan, white = 33, 34, 36, 37
    assert not codes & {yellow, blue, cyan, white}
    assert all(code < 40 for code in codes), "no bright colour, and no ground"


def test_what_needs_somebody_stands_out_most() -> None:
    assert {status_style(status) for status in (Status.FAILED, Status.UNKNOWN, Status.VERIFY_FAILED)} == {Style.BAD}
    assert status_style(Status.REFUSED) is Style.CARE
    assert status_style(Status.SKIPPED) is Style.FAINT


def test_a_report_in_colour_says_the_same_as_without() -> None:
    from easops.report.terminal.text import Text

    plain, painted_ = Text(), Text(colour=True)
    for number, step in enumerate(STEPS):
        text = painted_.step(step, STEPS[:number], diff=True, verbose=True)
        assert unpainted(text) == plain.step(step, STEPS[:number], diff=True, verbose=True)
    end = painted_.end(REPORT, 3)
    assert unpainted(end) == plain.end(REPORT, 3)
    assert end.splitlines()[-1] == "undo          \x1b[1measops undo 20261124-170000-abcd\x1b[0m"
