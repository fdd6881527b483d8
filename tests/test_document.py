"""Documents: values with places, and every mistake at its place."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.document import DEEPEST, LARGEST, Checker, DocumentError, Node, Problem, parse, read_text, suggestion


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
def test_a_character_of_a_text_is_placed_where_it_stands_or_else_at_its_start(text: str, column: int) -> None:
    node = (read(text).entries or {})["a"]

    assert node.column_of(2) == column


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["f.yml: the file is empty"]),
        ("# only a comment\n", ["f.yml: the file is empty"]),
        ("a: 1\nb: 2\na: 3\n", ["f.yml:3:1: the key 'a' is here twice: it is first in line 1"]),
        ("a: {b: 1, b: 2}", ["f.yml:1:11: the key 'b' is here twice: it is first in line 1"]),
        ("a: &x 1\nb: *x\n", ["f.yml:2:4: an alias (*) cannot be used here. Write the value out"]),
        (
            "a: !!int 3\n",
            ["f.yml:1:4: the tag 'tag:yaml.org,2002:int' cannot be used here. Write the value without a tag"],
        ),
        ("a\n---\nb\n", ["f.yml:2:1: a second document begins here: a file holds one. Remove the line `---`"]),
        ("? [a]\n: 1\n", ["f.yml:1:3: a key is a name, not a mapping, a list or an alias"]),
        ("a: \x07\n", ["f.yml:1:4: the character '\\x07' is not allowed in YAML"]),
        ("ok: 1\n\tb: 2\n", ["f.yml:2:1: this is not YAML: found character '\\t' that cannot start any token"]),
        ("a: 'x\n", ["f.yml:2:1: this is not YAML: found unexpected end of stream"]),
        ('a: "\\ud800"', ["f.yml:1:4: the text holds half of a character (a surrogate)"]),
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
def test_what_cannot_be_used_is_named_with_its_place(text: str, expected: list[str]) -> None:
    assert problems(text) == expected


def test_all_problems_of_a_file_come_at_once_in_order_of_place() -> None:
    checker = Checker("f.yml")
    root = parse("b: x\nnmae: y\nb: 2\n", checker)
    entries = checker.entries(root, "a thing", required=("name",), optional=("b",))
    checker.integer(entries["b"], "b", minimum=1)

    with pytest.raises(DocumentError) as caught:
        checker.finish()

    assert caught.value.problems == (
        Problem("f.yml", 1, 1, "a thing has no 'name'", "the key is missing", "Add `name:`"),
        Problem("f.yml", 1, 4, "b is text, not a whole number"),
        Problem("f.yml", 2, 1, "a thing has no key 'nmae'", "there are name, b", "Did you mean 'name'?"),
        Problem("f.yml", 3, 1, "the key 'b' is here twice", "it is first in line 1"),
    )
    assert str(caught.value).count("\n") == 3
    assert caught.value.what == "f.yml has 4 problems"


def test_one_problem_is_told_in_the_three_sentences_of_an_error() -> None:
    error = DocumentError([Problem("f.yml", 2, 3, "what", "why", "next")])

    assert (error.what, error.why, error.next_step) == ("f.yml:2:3: what", "why", "next")


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("5", "it is a number, not text"),
        ("true", "it is true or false, not text"),
        ("[a]", "it is a list, not text"),
        ("{a: b}", "it is a mapping, not text"),
        ("~", "it is nothing, not text"),
        ("' '", "it is empty"),
    ],
)
def test_what_is_no_text_is_named_in_words(text: str, what: str) -> None:
    checker = Checker("f.yml")
    checker.text(parse(text, checker), "it")

    assert [problem.what for problem in checker.problems] == [what]


@pytest.mark.parametrize(
    ("name", "hint"), [("theshold", "Did you mean 'threshold'?"), ("THRESHOLD", "Did you mean 'threshold'?"), ("x", "")]
)
def test_the_nearest_name_is_suggested(name: str, hint: str) -> None:
    assert suggestion(name, ["threshold", "window"]) == hint


def test_a_file_that_is_not_there_a_folder_and_a_name_that_is_none_are_told_apart(tmp_path: Path) -> None:
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
            "{}:2:6: the file is not UTF-8: the byte 0xff is none of its characters. Save it as UTF-8",
        ),
        (
            b"\xff\xfea\0",
            "{}: the file is not UTF-8: it starts like UTF-16, as Windows PowerShell's > writes. Save it as UTF-8",
        ),
        (b"x" * (LARGEST + 1), "{}: the file is too large: easops reads YAML files of at most 8 MiB"),
    ],
    ids=["a wrong byte", "UTF-16", "too large"],
)
def test_a_file_that_is_no_text_is_refused(tmp_path: Path, data: bytes, expected: str) -> None:
    path = tmp_path / "f.yml"
    path.write_bytes(data)

    with pytest.raises(DocumentError) as caught:
        read_text(path)

    assert str(caught.value) == expected.format(path)


def test_a_byte_order_mark_is_no_part_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "f.yml"
    path.write_bytes(b"\xef\xbb\xbfa: 1")

    assert read_text(path) == "a: 1"


@given(st.text(alphabet=st.one_of(st.sampled_from(list("ab:-[]{}\n \t'\"#&*!|>%@`?,0123\\~")), st.characters())))
def test_any_text_is_a_tree_or_a_document_error(text: str) -> None:
    with contextlib.suppress(DocumentError):
        read(text).plain()
