"""One thing that a person has to know about a run."""

from __future__ import annotations

import attrs


@attrs.frozen
class Point:
    """*label* says in a word or two what kind of thing it is (``refused``, ``still open``), *text* the rest."""

    label: str
    text: str

    def __str__(self) -> str:
        return f"{self.label}: {self.text}"
