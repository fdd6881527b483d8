"""Text from outside, harmless to whoever reads it: characters that a terminal obeys instead of showing are escaped."""

from __future__ import annotations

import re
from typing import Final

# C0, DEL and C1; then the marks, separators, embeddings and isolates that reorder a line or end it (UAX 9, UAX 14)
CONTROLS: Final = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
_CONTROLS_IN_LINES: Final = re.compile(
    "(?!\r\n)[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]"
)
_NAMED: Final = {"\t": r"\t", "\n": r"\n", "\r": r"\r"}


def visible(text: str) -> str:
    r"""*text* as a part of one line: each control character as a person would write it, ``\x1b``, ``\n``, ``\u202e``.

    A backslash stays as it is, so doing it twice changes nothing.
    """
    return CONTROLS.sub(_escape, text)


def visible_lines(text: str) -> str:
    """As ``visible``, of a text of several lines: its line ends and tabs stay."""
    return _CONTROLS_IN_LINES.sub(_escape, text)


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _NAMED.get(character) or (f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}")
