"""YAML: values with positions, and each mistake at its position."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.document import Checker, DocumentError, Node
from easops.yaml_reader import DEEPEST, LARGEST, parse, read_text
from tests.linear import LINEAR, growth


def read(text: str) -> Node:
    checker = Checker("f.yml")
    node = parse(text, checker)
    checker.finish()
    return node


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        read(text)
    return [str(problem) for problem in caught.value.problems]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("yes", "yes"),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("2016", 2016),
        ("'2016'", "2016"),
        ("0o17", 15),
        ("0x1F", 31),
        ("-1.5e3", -1500.0),
        (".inf", ".inf"),
        ("2024-01-01", "2024-01-01"),
        ("1:30", "1:30"),
        ("1_000", "1_000"),
        ("1e999", "1e999"),
        ("a: [1, {b: c}]", {"a": [1, {"b": "c"}]}),
        ("a:\n", {"a": None}),
        ("a: |\n  x\n  y\n", {"a": "x\ny\n"}),
        ("%YAML 1.1\n---\na: on\n", {"a": "on"}),
        ("\ufeffa: 1", {"a": 1}),
        ("2016: x", {"2016": "x"}),
    ],
)
def test_values_are_those_of_the_core_schema_of_yaml_1_2(text: str, value: Any) -> None:
    assert read(text).plain() == value


def test_every_node_knows_where_it_starts() -> None:
    root = read("a: 1\nb:\n  - x\n  - {c: 'd'}\n")

    entries = root.entries or {}
    (x, mapping) = (entries["b"].items) or ()
    d = (mapping.entries or {})["c"]
    assert [(n.line, n.column) for n in (root, entries["a"], root.keys["b"], x, mapping, d)] == [
        (1, 1),
        (1, 4),
        (2, 1),
        (3, 5),
        (4, 5),
        (4, 9),
    ]


@pytest.mark.parametrize(
    ("text", "column"),
    [("a: hello", 6), ("a: 'hello'", 7), ('a: "hello"', 7), ('a: "h\\u0065llo"', 4), ("a: >\n  hello\n", 4)],
    ids=["plain", "single quotes", "double quotes", "escape", "block"],
)
def test_a_character_has_its_own_column_or_else_that_of_its_text(text: str, column: int) -> None:
    node = (read(text).entries or {})["a"]

    assert node.column_of(2) == column


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["f.yml: the file is empty"]),
        ("# only a comment\n", ["f.yml: the file is empty"]),
        ("a: 1\nb: 2\na: 3\n", ["f.yml:3:1: the key 'a' is given twice: first in line 1"]),
        ("a: {b: 1, b: 2}", ["f.yml:1:11: the key 'b' is given twice: first in line 1"]),
        ("a: &x 1\nb: *x\n", ["f.yml:2:4: an alias (*) cannot be used here. Write the value out"]),
        (
            "a: !!int 3\n",
            ["f.yml:1:4: the tag 'tag:yaml.org,2002:int' cannot be used here. Write the value without a tag"],
        ),
        ("a\n---\nb\n", ["f.yml:2:1: a second document begins here: a file has only one. Remove the line `---`"]),
        ("? [a]\n: 1\n", ["f.yml:1:3: a key must be a name, not a mapping, a list or an alias"]),
        ("a: \x07\n", ["f.yml:1:4: the character '\\x07' is not allowed in YAML"]),
        ("ok: 1\n\tb: 2\n", ["f.yml:2:1: this is not YAML: found character '\\t' that cannot start any token"]),
        ("a: 'x\n", ["f.yml:2:1: this is not YAML: found unexpected end of stream"]),
        ('a: "\\ud800"', ["f.yml:1:4: the text contains half a character (a lone surrogate)"]),
        ("[" * (DEEPEST + 2) + "]" * (DEEPEST + 2), [f"f.yml:1:52: this is nested more than {DEEPEST} levels deep"]),
        (
            "a: 1\na: *x\nb: !t x\na: [\n",
            ["f.yml:5:1: this is not YAML: expected the node content, but found '<stream end>'"],
        ),
    ],
    ids=[
        "empty",
        "only a comment",
        "duplicate key",
        "duplicate key in braces",
        "alias",
        "tag",
        "second document",
        "list as key",
        "control character",
        "tab",
        "open quotation mark",
        "surrogate",
        "too deep",
        "broken at the end",
    ],
)
def test_what_cannot_be_read_is_reported_with_its_position(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_a_missing_file_a_folder_and_an_impossible_name_are_different_errors(tmp_path: Path) -> None:
    whats = []
    for path in (tmp_path / "no.yml", tmp_path, Path("a\0b")):
        with pytest.raises(DocumentError) as caught:
            read_text(path)
        whats.append(caught.value.problems[0].what)

    assert whats == ["there is no such file", "this is a folder, not a file", "the file cannot be read"]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (
            b"a: 1\nb: x\xc3\xa4\xff\n",
            "{}:2:6: the file is not UTF-8: the byte 0xff is not valid in it. Save it as UTF-8",
        ),
        (
            b"\xff\xfea\0",
            "{}: the file is not UTF-8: it starts like UTF-16, as Windows PowerShell's > writes. Save it as UTF-8",
        ),
        (b"x" * (LARGEST + 1), "{}: the file is too large: easops reads YAML files of at most 8 MiB"),
    ],
    ids=["a wrong byte", "UTF-16", "too large"],
)
def test_a_file_that_is_not_text_is_refused(tmp_path: Path, data: bytes, expected: str) -> None:
    path = tmp_path / "f.yml"
    path.write_bytes(data)

    with pytest.raises(DocumentError) as caught:
        read_text(path)

    assert str(caught.value) == expected.format(path)


def test_a_byte_order_mark_is_not_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "f.yml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")

    assert read_text(path) == "a: 1"


@given(st.text(alphabet=st.one_of(st.sampled_from(list("ab:-[]{}\n \t'\"#&*!|>%@`?,0123\\~")), st.characters())))
def test_any_text_gives_a_tree_or_a_document_error(text: str) -> None:
    with contextlib.suppress(DocumentError):
        read(text).plain()


PIECES = [
    "[",
    "{",
    "[a, ",
    "{a: ",
    "- ",
    "? ",
    "a: ",
    "[]",
    "'",
    '"',
    '"\\x41',
    "&a ",
    "*a ",
    "!!a ",
    "- a\n",
    "a: |\n",
]


@pytest.mark.parametrize("piece", PIECES)
def test_a_file_is_read_in_the_time_of_its_length(piece: str) -> None:
    def work(size: int) -> None:
        with contextlib.suppress(DocumentError):
            read(piece * size)

    assert growth(work, 500) < LINEAR


@pytest.mark.parametrize("piece", ["[", "{a: ", "- "])
def test_what_is_nested_too_deeply_is_not_read_to_its_end(piece: str) -> None:
    (problem,) = problems(piece * 10_000)
    assert f"nested more than {DEEPEST} levels deep" in problem
