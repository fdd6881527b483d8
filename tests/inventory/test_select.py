"""Selectors."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.errors import BadInput, Refused
from easops.inventory.host import Host, Role, Version
from easops.inventory.select import (
    And,
    Match,
    Not,
    Or,
    SelectorError,
    as_selector,
    limited,
    one_organisation,
    parse_selector,
    select,
    some_of,
)


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


def test_a_list_of_names_gives_those_hosts_once_in_the_inventorys_order() -> None:
    assert select(("lon-cas1", "AMS-EX01", "LON-CAS1"), HOSTS) == (HOSTS[0], HOSTS[2])


def test_a_name_that_no_host_has_is_an_error_with_the_nearest() -> None:
    with pytest.raises(BadInput) as caught:
        select(["AMS-EX1"], HOSTS)

    assert (caught.value.what, caught.value.next_step) == ("there is no host 'AMS-EX1'", "Did you mean 'AMS-EX01'?")


@pytest.mark.parametrize(
    ("selector", "column", "what"),
    [
        ("", 1, "the selector is empty"),
        ("  ", 1, "the selector is empty"),
        ("site=AMS nd role=mailbox", 10, "'nd' was not expected here"),
        ("sit=AMS", 1, "hosts have no 'sit'"),
        ("site=AMS and", 13, "a condition is missing at the end"),
        ("site=", 6, "a value is missing after ="),
        ("site=)", 6, "a value is missing after ="),
        ("site", 1, "'site' is no condition"),
        ("(site=AMS", 1, "a ( is not closed"),
        ("site=AMS)", 9, "')' was not expected here"),
        ("= AMS", 1, "'=' was not expected here"),
        ("site=AMS and role=client_acces", 19, "there is no role 'client_acces'"),
        ("version=2015", 9, "there is no version '2015'"),
        ("site='AMS", 6, "a quotation mark is not closed"),
        ("site=a!b", 7, "this is no selector"),
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


def test_hosts_of_two_organisations_are_refused() -> None:
    one_organisation(())
    one_organisation(HOSTS[:4])

    with pytest.raises(Refused) as caught:
        one_organisation(HOSTS)

    assert (caught.value.rule, caught.value.why) == ("one organisation", "contoso, fabrikam: a run acts on one")


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


@pytest.mark.parametrize(
    ("limit", "names"),
    [
        ("site=AMS", "AMS-EX02"),
        ("AMS-EX02", "AMS-EX02"),
        ("lon-cas1, AMS-EX01", "LON-CAS1"),
        ("all", "AMS-EX02 LON-CAS1"),
    ],
)
def test_a_limit_leaves_those_of_the_chosen_hosts_that_it_selects_or_names(limit: str, names: str) -> None:
    chosen = select("role=client_access", HOSTS)
    assert [found.name for found in limited(limit, chosen, HOSTS)] == names.split()


def test_a_limit_that_leaves_no_host_says_what_it_selects_and_what_there_is() -> None:
    with pytest.raises(BadInput) as caught:
        limited("name=AMS-EX01", select("role=client_access", HOSTS), HOSTS)
    assert caught.value.what == "no host is left by the limit 'name=AMS-EX01'"
    assert caught.value.why == "it selects AMS-EX01, and the playbook's hosts are AMS-EX02, LON-CAS1"


def test_a_name_that_no_host_has_is_told_with_the_nearest_one() -> None:
    with pytest.raises(BadInput) as caught:
        limited("AMS-EX9", HOSTS, HOSTS)
    assert caught.value.what == "there is no host 'AMS-EX9'"
    assert caught.value.next_step == "Did you mean 'AMS-EX02'?"
    with pytest.raises(BadInput) as caught:
        some_of("role=mailbox and not site=AMSS and name=AMS-EX9", HOSTS)
    assert caught.value.next_step == "Did you mean 'AMS'?"


def test_a_limit_that_is_neither_a_selector_nor_names_says_how_to_write_one() -> None:
    with pytest.raises(SelectorError) as caught:
        limited("AMS-*", HOSTS, HOSTS)
    assert caught.value.next_step == "Write name=AMS-* for a host of that name"


def test_names_with_commas_between_are_a_selector_too() -> None:
    assert [host.name for host in some_of("ams-ex01, LON-MBX1", HOSTS)] == ["AMS-EX01", "LON-MBX1"]
    assert as_selector("AMS-EX01,LON-CAS1", HOSTS) == 'name="AMS-EX01" or name="LON-CAS1"'
    assert as_selector("all", HOSTS) == "all"
