"""The grammar of selectors, and which hosts one describes."""

from __future__ import annotations

import contextlib
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.inventory.host import Host, Role, Version
from easops.inventory.select import select
from easops.inventory.selector import LONGEST, And, Match, Not, Or, SelectorError, parse_selector
from tests.linear import LINEAR, growth


def host(name: str, version: str, roles: str, site: str, organisation: str = "contoso") -> Host:
    return Host(name, organisation, cast("Version", version), frozenset(cast("list[Role]", roles.split())), site)


HOSTS = (
    host("AMS-EX01", "2016", "mailbox", "AMS"),
    host("AMS-EX02", "2016", "mailbox client_access", "AMS"),
    host("LON-CAS1", "2010", "client_access", "LON"),
    host("LON-MBX1", "2010", "mailbox", "New York"),
    host("FAB-EX01", "SE", "mailbox", "", "fabrikam"),
)


@pytest.mark.parametrize(
    ("selector", "names"),
    [
        ("all", "AMS-EX01 AMS-EX02 LON-CAS1 LON-MBX1 FAB-EX01"),
        ("name=AMS-EX01", "AMS-EX01"),
        ("name=ams-*", "AMS-EX01 AMS-EX02"),
        ("role=client_access and site=AMS", "AMS-EX02"),
        ("role!=client_access", "AMS-EX01 LON-MBX1 FAB-EX01"),
        ("version=2016 or version=se", "AMS-EX01 AMS-EX02 FAB-EX01"),
        ("not site=AMS and not (version=2010 or name=x)", "FAB-EX01"),
        ("site='New York'", "LON-MBX1"),
        ("organisation=contoso", "AMS-EX01 AMS-EX02 LON-CAS1 LON-MBX1"),
        ("runs=activesync", "AMS-EX01 AMS-EX02 LON-CAS1 FAB-EX01"),
        ("site=LON or site=AMS and role=client_access", "AMS-EX02 LON-CAS1"),
        ("site=''", "FAB-EX01"),
        ("name=and or name=*-MBX?", "LON-MBX1"),
        ("( NOT not\tsite = AMS )", "AMS-EX01 AMS-EX02"),
    ],
)
def test_a_selector_gives_the_hosts_that_it_describes_in_their_order(selector: str, names: str) -> None:
    assert [found.name for found in select(selector, HOSTS)] == names.split()


@pytest.mark.parametrize(
    ("selector", "column", "what"),
    [
        ("", 1, "it is empty"),
        ("  ", 1, "it is empty"),
        ("site=AMS nd role=mailbox", 10, "unexpected 'nd'"),
        ("sit=AMS", 1, "hosts have no attribute 'sit'"),
        ("site=AMS and", 13, "a condition is missing at the end"),
        ("site=", 6, "a value is missing after ="),
        ("site=)", 6, "a value is missing after ="),
        ("site", 1, "'site' is not a condition"),
        ("(site=AMS", 1, "a ( is not closed"),
        ("site=AMS)", 9, "unexpected ')'"),
        ("= AMS", 1, "unexpected '='"),
        ("site=AMS and role=client_acces", 19, "there is no role 'client_acces'"),
        ("version=2015", 9, "there is no version '2015'"),
        ("site='AMS", 6, "a quotation mark is not closed"),
        ("site=a!b", 7, "this is not a selector"),
        ("(" * 60 + "all" + ")" * 60, 50, "it is nested more than 50 levels deep"),
    ],
)
def test_a_selector_that_cannot_be_read_says_at_which_column(selector: str, column: int, what: str) -> None:
    with pytest.raises(SelectorError) as caught:
        parse_selector(selector)

    assert (caught.value.column, caught.value.what) == (
        column,
        f"the selector {selector!r} cannot be read at column {column}: {what}",
    )


@pytest.mark.parametrize("selector", ["version=2016*", "role=*"])
def test_a_wildcard_may_stand_for_a_known_value(selector: str) -> None:
    assert select(selector, HOSTS)


_MATCHES = st.one_of(
    st.builds(Match, st.just("name"), st.sampled_from(["AMS-*", "*1", "LON-CAS1", "[AF]*"])),
    st.builds(Match, st.just("site"), st.sampled_from(["AMS", "new york", "*o*"])),
    st.builds(Match, st.just("version"), st.sampled_from(["2016", "SE"])),
    st.builds(Match, st.just("runs"), st.just("activesync")),
)
_SELECTORS = st.recursive(
    _MATCHES, lambda s: st.builds(Not, s) | st.builds(And, s, s) | st.builds(Or, s, s), max_leaves=8
)


def written(selector: object) -> str:
    match selector:
        case Match(attribute, pattern):
            return f"{attribute}='{pattern}'"
        case Not(operand):
            return f"not ({written(operand)})"
        case And(left, right):
            return f"({written(left)}) and ({written(right)})"
        case Or(left, right):
            return f"({written(left)}) or ({written(right)})"
    raise AssertionError(selector)


@given(_SELECTORS)
def test_what_is_written_is_read_back(selector: object) -> None:
    assert parse_selector(written(selector)) == selector


@given(_SELECTORS, _SELECTORS)
def test_de_morgans_laws_hold(a: object, b: object) -> None:
    left, right = written(a), written(b)

    assert select(f"not (({left}) and ({right}))", HOSTS) == select(f"not ({left}) or not ({right})", HOSTS)
    assert select(f"not (({left}) or ({right}))", HOSTS) == select(f"not ({left}) and not ({right})", HOSTS)


@given(_SELECTORS)
def test_a_selector_and_its_opposite_part_the_hosts(selector: object) -> None:
    text = written(selector)

    chosen, others = select(text, HOSTS), select(f"not ({text})", HOSTS)

    assert set(chosen) | set(others) == set(HOSTS)
    assert not set(chosen) & set(others)


@given(st.text(alphabet=st.sampled_from(list("names=!() '\"*-or d")) | st.characters()))
def test_any_text_is_a_selector_or_an_error_with_a_column_in_it(text: str) -> None:
    column = 1
    try:
        parse_selector(text)
    except SelectorError as error:
        column = error.column

    assert 1 <= column <= len(text) + 1


@pytest.mark.parametrize("piece", ["(", "not ", "name=b or ", "name=b and ", "(name=b) or ", "'a'", '"', " ", "!"])
def test_a_selector_is_read_in_the_time_of_its_length(piece: str) -> None:
    def work(size: int) -> None:
        with contextlib.suppress(SelectorError):
            parse_selector(piece * size + "name=b")

    assert growth(work, 1000) < LINEAR


@pytest.mark.parametrize("word", ["or", "and"])
def test_a_long_chain_selects_hosts_too(word: str) -> None:
    selector = parse_selector(f"name=AMS-EX01 {word} " * 2000 + "name=AMS-EX01")
    assert [host.name for host in HOSTS if selector.matches(host)] == ["AMS-EX01"]


def test_a_selector_that_is_too_long_is_not_read_and_not_repeated_whole() -> None:
    with pytest.raises(SelectorError, match="too long") as caught:
        parse_selector("(" * (LONGEST + 1))
    assert len(str(caught.value)) < 500
