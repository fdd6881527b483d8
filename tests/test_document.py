"""Documents: what a checker notes, and how its error reads."""

from __future__ import annotations

import pytest

from easops.document import Checker, DocumentError, Problem, suggestion
from easops.yaml_reader import parse


def test_all_problems_of_a_file_are_reported_at_once_in_the_order_of_their_lines() -> None:
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
        Problem("f.yml", 3, 1, "the key 'b' is given twice", "first in line 1"),
    )
    assert str(caught.value).count("\n") == 3
    assert caught.value.what == "f.yml has 4 problems"


def test_the_error_of_one_problem_says_what_why_and_next() -> None:
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
def test_a_value_that_is_not_text_is_named_in_words(text: str, what: str) -> None:
    checker = Checker("f.yml")
    checker.text(parse(text, checker), "it")

    assert [problem.what for problem in checker.problems] == [what]


@pytest.mark.parametrize(
    ("name", "hint"), [("theshold", "Did you mean 'threshold'?"), ("THRESHOLD", "Did you mean 'threshold'?"), ("x", "")]
)
def test_the_nearest_name_is_suggested(name: str, hint: str) -> None:
    assert suggestion(name, ["threshold", "window"]) == hint
