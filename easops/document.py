"""A document (an inventory, a playbook, a policy) as a tree with positions, and the problems found in it.

A file becomes a tree of ``Node`` values, each of which knows its line and column (``easops.yaml_reader`` makes it). A
``Checker`` walks the tree and collects every ``Problem``, so that a person can correct a file in one go instead of once
for each mistake.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from easops.errors import BadInput


@attrs.frozen
class Problem:
    """One mistake in a file: *what* is wrong, *why*, and the *next_step*, as in ``EasopsError``.

    *line* and *column* count from 1, in characters; None means the file as a whole.
    """

    file: str
    line: int | None
    column: int | None
    what: str
    why: str = ""
    next_step: str = ""

    @property
    def place(self) -> str:
        """``file:line:column``, the form that editors and CI services link to."""
        return self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        text = f"{self.place}: {self.what}" + (f": {self.why}" if self.why else "")
        return text + (f". {self.next_step}" if self.next_step else "")


class DocumentError(BadInput):
    """A file cannot be used. *problems* are all that were found in it, in the order of their lines."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=lambda p: (p.line or 0, p.column or 0)))
        first = self.problems[0]
        if len(self.problems) == 1:
            super().__init__(f"{first.place}: {first.what}", first.why, first.next_step)
        else:
            super().__init__(
                f"{first.file} has {len(self.problems)} problems",
                "\n".join(str(problem) for problem in self.problems),
                "Correct them; nothing was run",
            )

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


@attrs.frozen
class Node:
    """One value of a document, with the position where it starts (counted from 1).

    A mapping has *entries* and, for the positions of its keys, *keys*; a list has *items*; anything else has a *value*
    (text, int, float, bool or None). *text_column* is the column of the first character of a one-line text in the
    file, after its quotation mark; None where escapes or folding have moved the characters.
    """

    line: int
    column: int
    value: str | int | float | bool | None = None
    entries: Mapping[str, Node] | None = None
    keys: Mapping[str, Node] = attrs.field(factory=dict)
    items: tuple[Node, ...] | None = None
    text_column: int | None = None

    def plain(self) -> Any:
        """The value as dicts, lists and scalars."""
        if self.entries is not None:
            return {key: node.plain() for key, node in self.entries.items()}
        if self.items is not None:
            return [node.plain() for node in self.items]
        return self.value

    def column_of(self, offset: int) -> int:
        """The column of character *offset* (from 0) of a text, or of the text itself where that is not known."""
        return self.column if self.text_column is None else self.text_column + offset

    @property
    def kind(self) -> str:
        """What it is, in words for an error: ``a mapping``, ``a number``, …"""
        if self.entries is not None:
            return "a mapping"
        if self.items is not None:
            return "a list"
        if self.value is None:
            return "nothing"
        if isinstance(self.value, bool):
            return "true or false"
        return "text" if isinstance(self.value, str) else "a number"


def suggestion(name: str, known: Iterable[str]) -> str:
    """``Did you mean 'name'?`` for the most similar of *known*; empty where none is similar."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"Did you mean {by_lower[near[0]]!r}?" if near else ""


class Checker:
    """Collects the problems of one file.

    Each method that reads a value returns the type that it promises even where the file has something else: it notes
    the problem and goes on, so that all problems are found in one pass. ``finish`` raises them.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def add(self, node: Node, what: str, why: str = "", next_step: str = "", *, offset: int | None = None) -> None:
        """Note a problem at *node*, or at character *offset* of its text."""
        column = node.column if offset is None else node.column_of(offset)
        self.problems.append(Problem(self.file, node.line, column, what, why, next_step))

    def finish(self) -> None:
        """Raise DocumentError if any problem was noted."""
        if self.problems:
            raise DocumentError(self.problems)

    def entries(
        self, node: Node, what: str, *, required: Iterable[str] = (), optional: Iterable[str] = ()
    ) -> Mapping[str, Node]:
        """The entries of a mapping that must have the keys *required*, may have *optional*, and no others.

        *what* is the mapping's name in errors: ``a host``.
        """
        if node.entries is None:
            self.add(node, f"{what} is {node.kind}, not a mapping", "", "Write it as `key: value` lines")
            return {}
        required = tuple(required)
        known = (*required, *optional)
        for key in node.entries:
            if key not in known:
                self.add(
                    node.keys[key],
                    f"{what} has no key {key!r}",
                    f"there are {', '.join(known)}",
                    suggestion(key, known) or "Remove it",
                )
        for key in required:
            if key not in node.entries:
                self.add(node, f"{what} has no {key!r}", "the key is missing", f"Add `{key}:`")
        return {key: value for key, value in node.entries.items() if key in known}

    def named(self, node: Node, what: str) -> Mapping[str, Node]:
        """The entries of a mapping whose keys are names that the author chose, as those of credentials."""
        if node.entries is None:
            self.add(node, f"{what} is {node.kind}, not a mapping", "", "Write it as `name: value` lines")
            return {}
        return node.entries

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        """The items of a list; none where it is not a list."""
        if node.items is None:
            self.add(node, f"{what} is {node.kind}, not a list", "", "Write it as `- item` lines, or [item, item]")
            return ()
        return node.items

    def text(self, node: Node, what: str) -> str:
        """A text that is not blank; empty where it is something else."""
        if isinstance(node.value, str) and node.value.strip():
            return node.value
        if isinstance(node.value, str):
            self.add(node, f"{what} is empty")
        else:
            hint = "Put it in quotes" if node.kind in ("a number", "true or false") else ""
            self.add(node, f"{what} is {node.kind}, not text", "", hint)
        return ""

    def integer(self, node: Node, what: str, *, minimum: int) -> int:
        """A whole number; *minimum* where it is something else."""
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            if node.value < minimum:
                self.add(node, f"{what} is {node.value}", f"it cannot be below {minimum}")
            return node.value
        self.add(node, f"{what} is {node.kind}, not a whole number")
        return minimum

    def one_of(self, node: Node, what: str, choices: Iterable[str]) -> str | None:
        """One of *choices*; None where it is something else."""
        choices = tuple(choices)
        text = self.text(node, what)
        if text in choices:
            return text
        if text:
            self.add(
                node, f"{what} cannot be {text!r}", f"it is one of {', '.join(choices)}", suggestion(text, choices)
            )
        return None
