"""Commands to type: what for, and as words that every shell takes."""

from __future__ import annotations

import re
from typing import Final

import attrs


@attrs.frozen
class NextCommand:
    """A *command* to type; *label* says in a word what for, *meaning* in a sentence what it does."""

    label: str
    command: str
    meaning: str


@attrs.frozen
class Repeat:
    """The same command once more, with a *difference* (``without --check``): *label* says in a word what for,
    *meaning* what it does then. It is no command by itself, since only the caller knows the options it was given."""

    label: str
    difference: str
    meaning: str


_PLAIN: Final = re.compile(r"[\w.@+=/:-]+")
_QUOTED: Final = re.compile(r"(?!.*\\\\)[\w.@+=,/:\-'&()#;* \\]*[^\W_]")
"""What sh, PowerShell and cmd take as it stands in double quotes."""


def typed(*words: str) -> str:
    """*words* as a command, quoted where they have to be; empty where a shell would evaluate one even so: an address
    with a part left out could be somebody else's."""
    quoted = [text if _PLAIN.fullmatch(text) else f'"{text}"' if _QUOTED.fullmatch(text) else "" for text in words]
    return " ".join(quoted) if all(quoted) else ""
