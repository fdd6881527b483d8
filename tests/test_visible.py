"""No control character gets through, and nothing else changes."""

from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.visible import visible, visible_lines


def obeyed(character: str) -> bool:
    """Whether a terminal may obey it: a control character, a line or paragraph separator, or of bidi text."""
    return (
        unicodedata.category(character) in ("Cc", "Zl", "Zp")
        or unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")
        or character in "\u200e\u200f\u061c"
    )


def test_exactly_the_characters_that_a_terminal_obeys_are_escaped() -> None:
    changed = {code for code in range(sys.maxunicode + 1) if visible(chr(code)) != chr(code)}
    assert changed == {code for code in range(sys.maxunicode + 1) if obeyed(chr(code))}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J", r"\x1b[2J"),
        ("a\x9b2J", r"a\x9b2J"),
        ("gpj\u202eexe", r"gpj\u202eexe"),
        ("one\ntwo\ttabs\r", r"one\ntwo\ttabs\r"),
        (r"CONTOSO\anna", r"CONTOSO\anna"),
    ],
)
def test_each_is_written_as_a_person_would(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_of_several_lines_the_line_ends_stay_and_a_lone_return_does_not() -> None:
    assert visible_lines("a\r\n\tb\rc\x1b\n") == "a\r\n\tb\\rc\\x1b\n"


@given(st.text())
def test_doing_it_twice_changes_nothing(text: str) -> None:
    assert visible(visible(text)) == visible(text)
    assert visible_lines(visible_lines(text)) == visible_lines(text)
    assert visible(visible_lines(text)) == visible(text)
