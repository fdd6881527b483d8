"""YAML documents with positions: what inventories and playbooks are read with. The only module that knows ruamel.yaml.

A file becomes a tree of ``Node`` values, each of which knows its line and column; a ``Checker`` walks it and collects
every ``Problem``, so that a person corrects a file once and not once for each mistake.

Plain scalars are read by the core schema of YAML 1.2 (10.3.2): ``yes`` and ``2024-01-01`` are text. ``.inf`` and
``.nan`` stay text too, as nothing here can be infinite. Aliases, tags and second documents are refused: what a line
means should stand on that line.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

import attrs
from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)
from ruamel.yaml.reader import ReaderError

from easops.errors import BadInput

LARGEST: Final = 8 * 1024 * 1024
"""Bytes of the largest file that is read; some fifteen thousand hosts."""

DEEPEST: Final = 50
"""Levels of nesting; an inventory has five."""

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_OCTAL = re.compile(r"0o[0-7]{1,300}")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")


@attrs.frozen
class Problem:
    """One mistake in a file. *line* and *column* count from 1, in characters; None is the file as a whole."""

    file: str
    line: int | None
    column: int | None
    what: str
    why: str = ""
    next_step: str = ""

    @property
    def place(self) -> str:
        """``file:line:column``, as editors and CI understand it."""
        return self.file if self.line is None else f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        text = f"{self.place}: {self.what}" + (f": {self.why}" if self.why else "")
        return text + (f". {self.next_step}" if self.next_step else "")


class DocumentError(BadInput):
    """A file cannot be used: *problems* are all that were found in it, in order of place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(sorted(problems, key=lambda p: (p.line or 0, p.column or 0)))
        first = self.problems[0]
        if len(self.problems) == 1:
            super().__init__(f"{first.place}: {first.what}", first.why, first.next_step)
        else:
            super().__init__(
                f"{first.file} has {len(self.problems)} problems",
                "\n".join(str(problem) for problem in self.problems),
                "Correct them all; nothing was run",
            )

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


@attrs.frozen
class Node:
    """One value of a document, with the place where it starts (counted from 1).

    A mapping has *entries* and, for the places of its keys, *keys*; a list has *items*; all else has *value*
    (text, int, float, bool or None). *text_column* is the column of the first character of a one-line text as it
    stands in the file, after its quotation mark; None where escapes or folding moved its characters.
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
        """The column of character *offset* (from 0) of a text; that of the whole text where it is not known."""
        return self.column if self.text_column is None else self.text_column + offset

    @property
    def kind(self) -> str:
        """What it is, in the words of an error."""
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
    """``Did you mean 'name'?`` for the nearest of *known*, or nothing."""
    by_lower = {candidate.lower(): candidate for candidate in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1, cutoff=0.6)
    return f"Did you mean {by_lower[near[0]]!r}?" if near else ""


class Checker:
    """Collects the problems of one file.

    Its readers give a value of the type that they promise even where the file has another one: the problem is noted,
    and ``finish`` raises.
    """

    def __init__(self, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []

    def add(self, node: Node, what: str, why: str = "", next_step: str = "", *, offset: int | None = None) -> None:
        """Note a problem at *node*, or at character *offset* of its text."""
        column = node.column if offset is None else node.column_of(offset)
        self.problems.append(Problem(self.file, node.line, column, what, why, next_step))

    def finish(self) -> None:
        """Raise DocumentError if there was any problem."""
        if self.problems:
            raise DocumentError(self.problems)

    def entries(
        self, node: Node, what: str, *, required: Iterable[str] = (), optional: Iterable[str] = ()
    ) -> Mapping[str, Node]:
        """The entries of a mapping, of which *required* must and *optional* may be there, and no others."""
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
        """The entries of a mapping whose keys are names that the author chose."""
        if node.entries is None:
            self.add(node, f"{what} is {node.kind}, not a mapping", "", "Write it as `name: value` lines")
            return {}
        return node.entries

    def items(self, node: Node, what: str) -> tuple[Node, ...]:
        if node.items is None:
            self.add(node, f"{what} is {node.kind}, not a list", "", "Write it as `- item` lines, or [item, item]")
            return ()
        return node.items

    def text(self, node: Node, what: str) -> str:
        """A text that is not blank."""
        if isinstance(node.value, str) and node.value.strip():
            return node.value
        if isinstance(node.value, str):
            self.add(node, f"{what} is empty")
        else:
            hint = "Put it in quotes" if node.kind in ("a number", "true or false") else ""
            self.add(node, f"{what} is {node.kind}, not text", "", hint)
        return ""

    def integer(self, node: Node, what: str, *, minimum: int) -> int:
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            if node.value < minimum:
                self.add(node, f"{what} is {node.value}", f"it cannot be below {minimum}")
            return node.value
        self.add(node, f"{what} is {node.kind}, not a whole number")
        return minimum

    def one_of(self, node: Node, what: str, choices: Iterable[str]) -> str | None:
        """One of *choices*, or None with the problem noted."""
        choices = tuple(choices)
        given = self.text(node, what)
        if given in choices:
            return given
        if given:
            self.add(
                node, f"{what} cannot be {given!r}", f"it is one of {', '.join(choices)}", suggestion(given, choices)
            )
        return None


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, line ends as they are. Raises DocumentError where there is none to read."""

    def refuse(what: str, why: str = "", next_step: str = "", *, line: int | None = None, column: int = 1) -> NoReturn:
        raise DocumentError([Problem(str(path), line, None if line is None else column, what, why, next_step)])

    try:
        if path.is_dir():
            refuse("this is a folder, not a file", "", "Name the file in it")
        with path.open("rb") as file:
            data = file.read(LARGEST + 1)
    except FileNotFoundError:
        refuse("there is no such file", "", "Check the path and the current folder")
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        refuse("the file cannot be read", getattr(error, "strerror", None) or str(error))
    if len(data) > LARGEST:
        refuse("the file is too large", f"easops reads YAML files of at most {LARGEST // 1024 // 1024} MiB")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        refuse("the file is not UTF-8", "it starts like UTF-16, as Windows PowerShell's > writes", "Save it as UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode("utf-8-sig", "replace")
        refuse(
            f"the file is not UTF-8: the byte 0x{data[error.start]:02x} is none of its characters",
            "",
            "Save it as UTF-8",
            line=before.count("\n") + 1,
            column=len(before) - (before.rfind("\n") + 1) + 1,
        )


def parse(text: str, checker: Checker) -> Node:
    """The tree of the one YAML document in *text*; duplicate keys, aliases and tags are noted in *checker*.

    Raises DocumentError, with what was noted before, where the text is no YAML or holds no document.
    """

    def refuse(line: int | None, column: int | None, what: str, why: str = "", next_step: str = "") -> NoReturn:
        raise DocumentError([*checker.problems, Problem(checker.file, line, column, what, why, next_step)])

    text = text.removeprefix("\ufeff")
    try:
        events = iter(list(YAML(typ="safe", pure=True).parse(text)))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (None, None)
        refuse(line, column, "this is not YAML", " ".join((error.problem or error.context or "").split()))
    except ReaderError as error:
        before = text[: error.position]
        column = len(before) - (before.rfind("\n") + 1) + 1
        character = text[error.position : error.position + 1]
        refuse(before.count("\n") + 1, column, f"the character {character!r} is not allowed in YAML")
    except (YAMLError, ValueError, OverflowError, RecursionError) as error:
        # ValueError and OverflowError: the scanner's own, for a %YAML version or a \U escape out of range
        refuse(None, None, "this is not YAML", " ".join(str(error).split()))
    return _Builder(text, checker, events, refuse).document()


class _Builder:
    """Builds the tree from the parser's events: they, unlike composed nodes, say where an alias stands."""

    def __init__(self, text: str, checker: Checker, events: Iterator[Any], refuse: Callable[..., NoReturn]) -> None:
        self._text = text
        self._checker = checker
        self._events = events
        self._refuse = refuse

    def document(self) -> Node:
        next(self._events)  # the stream's start
        if isinstance(next(self._events), StreamEndEvent):
            self._refuse(None, None, "the file is empty")
        root = self._node(next(self._events), 0)
        next(self._events)  # the document's end
        after = next(self._events)
        if isinstance(after, DocumentStartEvent):
            line, column = after.start_mark.line + 1, after.start_mark.column + 1
            self._refuse(line, column, "a second document begins here", "a file holds one", "Remove the line `---`")
        return root

    def _node(self, event: Any, depth: int) -> Node:
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        here = Node(line, column)
        if depth > DEEPEST:
            self._refuse(line, column, f"this is nested more than {DEEPEST} levels deep")
        if isinstance(event, AliasEvent):
            self._checker.add(here, "an alias (*) cannot be used here", "", "Write the value out")
            return here
        if event.tag is not None:
            self._checker.add(here, f"the tag {event.tag!r} cannot be used here", "", "Write the value without a tag")
        if isinstance(event, ScalarEvent):
            return self._scalar(event, line, column)
        if isinstance(event, SequenceStartEvent):
            items = []
            while not isinstance(item := next(self._events), SequenceEndEvent):
                items.append(self._node(item, depth + 1))
            return Node(line, column, items=tuple(items))
        assert isinstance(event, MappingStartEvent)
        return self._mapping(line, column, depth)

    def _mapping(self, line: int, column: int, depth: int) -> Node:
        entries: dict[str, Node] = {}
        keys: dict[str, Node] = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key = self._node(event, depth + 1)
            value = self._node(next(self._events), depth + 1)
            if not isinstance(event, ScalarEvent):
                self._checker.add(key, "a key is a name, not a mapping, a list or an alias")
                continue
            name = event.value  # the text as written: 2016 and yes are names too
            if name in keys:
                first = keys[name]
                self._checker.add(key, f"the key {name!r} is here twice", f"it is first in line {first.line}")
                continue
            entries[name], keys[name] = value, key
        return Node(line, column, entries=entries, keys=keys)

    def _scalar(self, event: ScalarEvent, line: int, column: int) -> Node:
        text: str = event.value
        if any("\ud800" <= character <= "\udfff" for character in text):
            # it could be neither printed nor stored
            self._checker.add(Node(line, column), "the text holds half of a character (a surrogate)")
            return Node(line, column, value="")
        value = _plain(text) if event.implicit[0] else text
        quote = 1 if event.style in ('"', "'") else 0
        start = event.start_mark.index + quote
        stands = isinstance(value, str) and self._text[start : start + len(text)] == text and "\n" not in text
        return Node(line, column, value=value, text_column=column + quote if stands else None)


def _plain(text: str) -> str | int | float | bool | None:
    """The value of a plain scalar by the core schema."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text):
        return True
    if _FALSE.fullmatch(text):
        return False
    if _INTEGER.fullmatch(text):
        return int(text)
    if _OCTAL.fullmatch(text):
        return int(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return int(text[2:], 16)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if abs(number) != float("inf") else text
    return text
