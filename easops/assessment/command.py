"""Commands to type: what for, and as words that every shell takes."""

from __future__ import annotations

import re
from typing import Final

import attrs


@attrs.frozen
class Way:
    """A *command* to type; *label* says in a word what for, *what* in a sentence."""

    label: str
    what: str
    command: str


_PLAIN: Final = re.compile(r"[\w.@+=/:-]+")
_QUOTED: Final = re.compile(r"(?!.*\\\\)[\w.@+=,/:\-'&()#;* \\]*[^\W_]")
"""What sh, PowerShell and cmd take as it stands in double quotes."""


def typed(*words: str) -> str:
    """*words* as a command, quoted where they have to be; empty where a shell would evaluate one even so: an address
    with a part left out could be somebody else's."""
    held = [text if _PLAIN.fullmatch(text) else f'"{text}"' if _QUOTED.fullmatch(text) else "" for text in words]
    return " ".join(held) if all(held) else ""
