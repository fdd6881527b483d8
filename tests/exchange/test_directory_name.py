"""Names as the directory compares them."""

from __future__ import annotations

import pytest

from easops.exchange.directory_name import folded, matches


@pytest.mark.parametrize(
    ("identity", "name"),
    [
        ("lbrandt", "lbrändt"),
        ("LBRÄNDT", "lbrandt"),
        ("contoso\\lbrandt", "lbrändt"),
        ("strasse", "straße"),
        ("lbra\u0308ndt", "lbr\u00e4ndt"),
        (" laura ", "Laura"),
    ],
)
def test_names_that_the_directory_takes_for_one_are_one(identity: str, name: str) -> None:
    assert matches(identity, {name})


@pytest.mark.parametrize(("identity", "name"), [("lbrandt", "lbrand"), ("a\\b", "a"), ("brandt", "lbrändt")])
def test_other_names_are_other_names(identity: str, name: str) -> None:
    assert not matches(identity, {name})


def test_a_name_without_letters_to_fold_stays_as_it_is() -> None:
    assert folded("anna.meier@contoso.com") == "anna.meier@contoso.com"
