"""Hosts chosen by a selector, by names, and by a limit."""

from __future__ import annotations

from typing import cast

import pytest

from easops.errors import BadInput, Refused
from easops.inventory.host import Host, Role, Version
from easops.inventory.select import apply_limit, as_selector, require_one_organisation, select, select_some
from easops.inventory.selector import SelectorError


def host(name: str, version: str, roles: str, site: str, organisation: str = "contoso") -> Host:
    return Host(name, organisation, cast("Version", version), frozenset(cast("list[Role]", roles.split())), site)


HOSTS = (
    host("AMS-EX01", "2016", "mailbox", "AMS"),
    host("AMS-EX02", "2016", "mailbox client_access", "AMS"),
    host("LON-CAS1", "2010", "client_access", "LON"),
    host("LON-MBX1", "2010", "mailbox", "New York"),
    host("FAB-EX01", "SE", "mailbox", "", "fabrikam"),
)


def test_a_list_of_names_gives_those_hosts_once_in_the_inventorys_order() -> None:
    assert select(("lon-cas1", "AMS-EX01", "LON-CAS1"), HOSTS) == (HOSTS[0], HOSTS[2])


def test_a_name_that_no_host_has_is_an_error_with_the_nearest() -> None:
    with pytest.raises(BadInput) as caught:
        select(["AMS-EX1"], HOSTS)

    assert (caught.value.what, caught.value.next_step) == ("there is no host 'AMS-EX1'", "Did you mean 'AMS-EX01'?")


def test_hosts_of_two_organisations_are_refused() -> None:
    require_one_organisation(())
    require_one_organisation(HOSTS[:4])

    with pytest.raises(Refused) as caught:
        require_one_organisation(HOSTS)

    assert (caught.value.rule, caught.value.why) == (
        "one organisation",
        "a run works on one, and there are contoso, fabrikam",
    )


@pytest.mark.parametrize(
    ("limit", "names"),
    [
        ("site=AMS", "AMS-EX02"),
        ("AMS-EX02", "AMS-EX02"),
        ("lon-cas1, AMS-EX01", "LON-CAS1"),
        ("all", "AMS-EX02 LON-CAS1"),
    ],
)
def test_a_limit_leaves_the_chosen_hosts_that_it_selects_or_names(limit: str, names: str) -> None:
    chosen = select("role=client_access", HOSTS)
    assert [found.name for found in apply_limit(limit, chosen, HOSTS)] == names.split()


def test_a_limit_that_leaves_no_host_says_what_it_selects_and_what_there_is() -> None:
    with pytest.raises(BadInput) as caught:
        apply_limit("name=AMS-EX01", select("role=client_access", HOSTS), HOSTS)
    assert caught.value.what == "the limit 'name=AMS-EX01' leaves no host"
    assert caught.value.why == "it selects AMS-EX01, and the playbook's hosts are AMS-EX02, LON-CAS1"


def test_a_limit_with_a_name_that_no_host_has_suggests_the_nearest() -> None:
    with pytest.raises(BadInput) as caught:
        apply_limit("AMS-EX9", HOSTS, HOSTS)
    assert caught.value.what == "there is no host 'AMS-EX9'"
    assert caught.value.next_step == "Did you mean 'AMS-EX02'?"
    with pytest.raises(BadInput) as caught:
        select_some("role=mailbox and not site=AMSS and name=AMS-EX9", HOSTS)
    assert caught.value.next_step == "Did you mean 'AMS'?"


def test_a_limit_that_is_neither_a_selector_nor_names_says_how_to_write_one() -> None:
    with pytest.raises(SelectorError) as caught:
        apply_limit("AMS-*", HOSTS, HOSTS)
    assert caught.value.next_step == "Write name=AMS-* for a host of that name"


def test_names_separated_by_commas_are_a_selector_too() -> None:
    assert [host.name for host in select_some("ams-ex01, LON-MBX1", HOSTS)] == ["AMS-EX01", "LON-MBX1"]
    assert as_selector("AMS-EX01,LON-CAS1", HOSTS) == 'name="AMS-EX01" or name="LON-CAS1"'
    assert as_selector("all", HOSTS) == "all"
