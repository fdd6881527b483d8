"""Reads YAML into the tree of ``easops.document``. The only module that imports ruamel.yaml.

Plain scalars are read by the core schema of YAML 1.2 (10.3.2): ``yes`` and ``2024-01-01`` are text. ``.inf`` and
``.nan`` stay text too, as no value here can be infinite. Aliases, tags and second documents are refused: what a line
means should be visible on that line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

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

from easops.document import Checker, DocumentError, Node, Problem

LARGEST: Final = 8 * 1024 * 1024
"""Bytes of the largest file that is read: about 15,000 hosts."""

DEEPEST: Final = 50
"""Levels of nesting that are read; an inventory has five."""

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_OCTAL = re.compile(r"0o[0-7]{1,300}")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,3})?")


def read_text(path: Path) -> str:
    """The text of a UTF-8 file, with its line ends unchanged. Raises DocumentError where it cannot be read."""

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
            f"the file is not UTF-8: the byte 0x{data[error.start]:02x} is not valid in it",
            "",
            "Save it as UTF-8",
            line=before.count("\n") + 1,
            column=len(before) - (before.rfind("\n") + 1) + 1,
        )


def parse(text: str, checker: Checker) -> Node:
    """The tree of the one YAML document in *text*. Duplicate keys, aliases and tags are noted in *checker*.

    Raises DocumentError, with the problems noted so far, where the text is not YAML or has no document.
    """

    def refuse(line: int | None, column: int | None, what: str, why: str = "", next_step: str = "") -> NoReturn:
        raise DocumentError([*checker.problems, Problem(checker.file, line, column, what, why, next_step)])

    text = text.removeprefix("\ufeff")
    try:
        events, too_deep = _events(text)
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
    if too_deep is not None:
        refuse(too_deep.line + 1, too_deep.column + 1, f"this is nested more than {DEEPEST} levels deep")
    return _Builder(text, checker, iter(events), refuse).document()


def _events(text: str) -> tuple[list[Any], Any]:
    """The parser's events, as far as nothing is nested too deeply, and where something is: for each bracket its scanner
    looks at all that are open."""
    events: list[Any] = []
    depth = 0
    for event in YAML(typ="safe", pure=True).parse(text):
        events.append(event)
        if isinstance(event, SequenceStartEvent | MappingStartEvent):
            depth += 1
            if depth > DEEPEST + 1:
                return events, event.start_mark
        elif isinstance(event, SequenceEndEvent | MappingEndEvent):
            depth -= 1
    return events, None


class _Builder:
    """Builds the tree from the parser's events: unlike its composed nodes, they say where an alias is."""

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
            self._refuse(line, column, "a second document begins here", "a file has only one", "Remove the line `---`")
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
                self._checker.add(key, "a key must be a name, not a mapping, a list or an alias")
                continue
            name = event.value  # the text as written, not as a number or a boolean: 2016 and yes are names too
            if name in keys:
                first = keys[name]
                self._checker.add(key, f"the key {name!r} is given twice", f"first in line {first.line}")
                continue
            entries[name], keys[name] = value, key
        return Node(line, column, entries=entries, keys=keys)

    def _scalar(self, event: ScalarEvent, line: int, column: int) -> Node:
        text: str = event.value
        if any("\ud800" <= character <= "\udfff" for character in text):
            # such a text can be neither printed nor stored
            self._checker.add(Node(line, column), "the text contains half a character (a lone surrogate)")
            return Node(line, column, value="")
        value = _plain(text) if event.implicit[0] else text
        quote = 1 if event.style in ('"', "'") else 0
        start = event.start_mark.index + quote
        verbatim = isinstance(value, str) and self._text[start : start + len(text)] == text and "\n" not in text
        return Node(line, column, value=value, text_column=column + quote if verbatim else None)


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
