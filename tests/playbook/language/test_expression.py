"""Expressions: they keep types, look at values, and do nothing else."""

from __future__ import annotations

import contextlib
import datetime as dt
import re
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.playbook.language.expression import (
    LONGEST_VALUE,
    Expression,
    ExpressionError,
    evaluate,
    expressions_in,
    is_expression,
)


@attrs.frozen
class User:
    user: str
    hits: int
    _secret: str = "hidden"


@attrs.frozen
class Result:
    users: tuple[User, ...] = (User("ada", 5), User("bob", 3))
    found: bool = True
    items: tuple[str, ...] = ("x",)

    def measured(self) -> int:
        return 1


NAMES: dict[str, Any] = {
    "storm": Result(),
    "window": dt.timedelta(minutes=90),
    "threshold": 2000,
    "protect": ("ceo", "cfo"),
    "word": "text",
    "nothing": None,
}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ threshold }}", 2000),
        ("  {{ threshold }}\n", 2000),
        ("{{ window }}", dt.timedelta(minutes=90)),
        ("{{ storm }}", Result()),
        ("{{ storm.users }}", Result().users),
        ("{{ storm['users'][0].user }}", "ada"),
        ("{{ storm.items }}", ("x",)),
        ("{{ nothing }}", None),
        ("{{ threshold * 2 - 1 }}", 3999),
        ("{{ threshold // 3 % 5 }}", 1),
        ("{{ not storm.found or threshold > 5 }}", True),
        ("{{ 'ceo' in protect }}", True),
        ("{{ nothing is none }}", True),
        ("{{ 'a' if storm.found else 'b' }}", "a"),
        ("{{ storm.users | length }}", 2),
        ("{{ storm.users | join(', ', attribute='user') }}", "ada, bob"),
        ("{{ (storm.users | first).hits }}", 5),
        ("{{ storm.users | last }}", User("bob", 3)),
        ("{{ nothing | default('none', true) }}", "none"),
        ("{{ word | upper }}", "TEXT"),
        ("{{ 2.567 | round(1) }}", 2.6),
        ("{{ 2.567 | round }}", 3),
        ("{{ '5' | int }}", 5),
        ("{{ [1, word] }}", [1, "text"]),
        ("{{ '{{' }}", "{{"),
        ("{{ threshold }} requests", "2000 requests"),
        ("{{ threshold }}{{ threshold }}", "20002000"),
        ("since {{ window }}: {{ protect }} {{ storm.found }}{{ nothing }}", "since 1h30m: ceo, cfo true"),
        ("{# no comment #} {{ word }}", "{# no comment #} text"),
        ("{{ word }}\n", "text"),
        ("a {{ word }}\n", "a text\n"),
    ],
)
def test_one_expression_keeps_its_type_and_a_text_around_it_gives_text(text: str, value: Any) -> None:
    found = Expression.parse(text).evaluate(NAMES)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("text", "names", "paths", "path"),
    [
        ("{{ threshold }}", {"threshold"}, {("threshold",)}, ("threshold",)),
        ("{{ a.b['c'][0].d }}", {"a"}, {("a", "b", "c", "[]", "d")}, ("a", "b", "c", "[]", "d")),
        ("{{ a[b.c].d }}", {"a", "b"}, {("a", "[]", "d"), ("b", "c")}, ("a", "[]", "d")),
        ("{{ a.b and not c }} {{ d | join(e) }}", set("acde"), {("a", "b"), ("c",), ("d",), ("e",)}, None),
        ("{{ (a | first).b }}", {"a"}, {("a",)}, None),
        ("{{ 5 }}", set(), set(), None),
    ],
)
def test_an_expression_says_what_it_looks_at(
    text: str, names: set[str], paths: set[tuple[str, ...]], path: tuple[str, ...] | None
) -> None:
    expression = Expression.parse(text)

    assert (set(expression.names()), set(expression.attributes()), expression.path) == (names, paths, path)


@pytest.mark.parametrize(
    "text",
    [
        "{{ word.upper() }}",
        "{{ range(9) }}",
        "{{ storm._secret }}",
        "{{ storm['_secret'] }}",
        "{{ word.__class__ }}",
        "{{ threshold ** 9 }}",
        r"{{ 'half a character: \ud800' }}",
        "{{ {'a': 1} }}",
        "{{ protect[0:1] }}",
        "{{ word | attr('upper') }}",
        "{{ word | format(1) }}",
        "{{ word | center(99999999) }}",
        "{{ word | join(*protect) }}",
        "{{ word is defined }}",
        "{% include 'x' %}",
        "{% for a in protect %}{{ a }}{% endfor %}",
        "{{",
        "}}",
        "{{ }}",
        "{{ a b }}",
        "{{ 'a }}",
        "{{ " + "(" * 900 + "1" + ")" * 900 + " }}",
        "{{ " + "not " * 900 + "1 }}",
        "{{ 1 }}" + "x" * 4000,
    ],
    ids=lambda text: text[:30],
)
def test_what_does_more_than_look_cannot_be_read(text: str) -> None:
    with pytest.raises(ExpressionError):
        Expression.parse(text)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ nope }}", "there is no 'nope'"),
        ("{{ self }}", "there is no 'self'"),
        ("{{ storm.nope }}", "has no attribute 'nope'"),
        ("{{ storm.nope }} x", "has no attribute 'nope'"),
        ("{{ storm[word] }}", "has no attribute 'text'"),
        ("{{ storm.users[0]['_' ~ 'secret'] }}", "unsafe"),
        ("{{ storm.users | join(attribute='_secret') }}", "unsafe"),
        ("{{ [] | first }}", "No first item"),
        ("{{ 1 / 0 }}", "division by zero"),
        ("{{ word + 1 }}", "can only concatenate"),
        ("{{ word * 999999999 }}", "* works only on numbers"),
        ("{{ '%999999999d' % 1 }}", "% works only on numbers"),
        ("{{ nothing > 3 }}", "not supported"),
        ("see {{ storm }}", "a whole result cannot be part of a text"),
    ],
)
def test_what_shows_only_at_run_is_an_error_with_the_place(text: str, why: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression.parse(text, "p.yml:3:9").evaluate(NAMES)

    assert caught.value.what == f"p.yml:3:9: the expression {text!r} cannot be evaluated"
    assert why in caught.value.why


@pytest.mark.parametrize(
    "text",
    [
        "{{ 1e999 }}",
        "{{ -1e999 }}",
        "{{ 9223372036854775808 }}",
        "{{ " + "9" * 3900 + " }}",
        "{{ [1, 2e400] }}",
        "over {{ 1e999 }}",
        "{{ " + "-" * 60 + "1 }}",
        "{{ threshold" + " | int" * 60 + " }}",
        "{{ storm" + ".users" * 60 + " }}",
        "{{ " + "[" * 60 + "]" * 60 + " }}",
        "{{ 1" + " + 1" * 60 + " }}",
        "{{ true" + " and true" * 60 + " }}",
    ],
    ids=lambda text: text[:30],
)
def test_large_numbers_and_deep_nesting_are_refused_when_a_playbook_is_read(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression.parse(text)
    assert re.search("out of range|nested", str(caught.value))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{{ 5 | round(-100000000) }}", "round takes -20 to 20 digits"),
        ("{{ 5 | round(100000000) }}", "round takes -20 to 20 digits"),
        ("{{ 5 | round('a') }}", "round takes"),
        ("{{ 1e308 * 10 }}", "out of range"),
        ("{{ 1e308 * 10 > 5 }}", "out of range"),
        ("{{ 1e308 + 1e308 }}", "out of range"),
        ("{{ -1e308 - 1e308 }}", "out of range"),
        ("{{ threshold / 1e-320 }}", "out of range"),
        ("{{ 4611686018427387904 * threshold // threshold }}", "out of range"),
        ("{{ '1' + '0' * 5 }}", "* works only on numbers"),
        ("{{ ('9' ~ digits) | int }}", "out of range"),
        ("{{ long + long }}", "too long"),
        ("{{ many + many }}", "too long"),
        ("{{ long ~ long }}", "too long"),
        ("{{ many | join('x' ~ 'y') }}", "too long"),
        ("{{ [1, 2, 3] | join(long) }}", "too long"),
        ("{{ protect | join(protect | join(long)) }}", "too long"),
        ("{{ long }}{{ long }}", "too long"),
        ("{{ long | upper }}x", "too long"),
    ],
    ids=lambda text: text[:30],
)
def test_what_would_take_much_time_or_memory_is_an_error_with_the_place(text: str, why: str) -> None:
    names = {**NAMES, "long": "ß" * (LONGEST_VALUE - 10), "many": (1,) * (LONGEST_VALUE // 2 + 1), "digits": "9" * 100}
    with pytest.raises(ExpressionError) as caught:
        Expression.parse(text, "p.yml:3:9").evaluate(names)
    assert caught.value.what.startswith("p.yml:3:9: ")
    assert why in caught.value.why


def test_what_is_only_passed_on_may_be_of_any_size() -> None:
    many = (1,) * (LONGEST_VALUE + 1)
    assert Expression.parse("{{ many }}").evaluate({"many": many}) is many


def test_a_text_of_many_parts_is_given_up_before_all_are_put_together() -> None:
    class Part(str):
        made = 0

        def __str__(self) -> str:
            Part.made += 1
            return super().__str__()

    with pytest.raises(ExpressionError):
        Expression.parse("{{ part }}" * 390).evaluate({"part": Part("x" * (LONGEST_VALUE // 10))})
    assert Part.made < 50


def test_an_unknown_filter_comes_with_the_nearest() -> None:
    with pytest.raises(ExpressionError) as caught:
        Expression.parse("{{ protect | lenght }}")

    assert (caught.value.what, caught.value.next_step) == ("there is no filter 'lenght'", "Did you mean 'length'?")


def test_evaluating_leaves_the_namespace_as_it_was() -> None:
    before = dict(NAMES)

    Expression.parse("{{ threshold }} and {{ word }}").evaluate(NAMES)

    assert before == NAMES


def test_settings_are_evaluated_all_the_way_down_and_a_list_in_a_list_is_spliced() -> None:
    setting = {
        "a": Expression.parse("{{ threshold }}"),
        "b": ("cto", Expression.parse("{{ protect }}"), Expression.parse("{{ word }}")),
        "c": 5,
    }

    assert evaluate(setting, NAMES) == {"a": 2000, "b": ("cto", "ceo", "cfo", "text"), "c": 5}
    assert [found.text for found in expressions_in(setting)] == ["{{ threshold }}", "{{ protect }}", "{{ word }}"]


def test_expressions_of_one_text_are_equal_wherever_they_stand() -> None:
    assert Expression.parse("{{ a }}", "p:1:1") == Expression.parse("{{ a }}", "p:2:2")


_PARTS = r"{{ }} {% a storm . _x ( ) [ ] 0 ' | first + * % ~ not if else is none in #} , = -".split()


@given(st.lists(st.sampled_from([*_PARTS, " ", "\x01{"]), max_size=14).map("".join))
def test_any_text_is_read_and_evaluated_or_an_expression_error(text: str) -> None:
    with contextlib.suppress(ExpressionError):
        if is_expression(text):
            Expression.parse(text).evaluate(NAMES)
