"""Select-Object as the engine of a restricted endpoint does it."""

from __future__ import annotations

from typing import Any

import pytest

from easops.lab.psrp.select_object import select_object
from easops.lab.value import CmdletFailed, NonTerminating, Obj

ROWS = tuple(Obj(types=("T",), properties={"Name": f"n{i}", "Size": i}, notes={"Tags": [i, i]}) for i in range(5))


@pytest.mark.parametrize(
    ("parameters", "names"),
    [
        ({"First": 2}, ["n0", "n1"]),
        ({"First": 0}, []),
        ({"Last": 2}, ["n3", "n4"]),
        ({"Skip": 3}, ["n3", "n4"]),
        ({"Skip": 1, "First": 1}, ["n1"]),
        ({"Skip": 1, "Last": 2}, ["n2", "n3"]),
        ({"First": 9}, ["n0", "n1", "n2", "n3", "n4"]),
    ],
)
def test_rows_are_chosen_by_number(parameters: dict[str, Any], names: list[str]) -> None:
    assert [row.properties["Name"] for row in select_object(parameters, ROWS)] == names


@pytest.mark.parametrize(
    ("parameters", "notes"),
    [
        ({"Property": ["name", "Nothing"]}, {"Name": "n0", "Nothing": None}),
        ({"Property": ["*"]}, {"Name": "n0", "Size": 0, "Tags": [0, 0]}),
        ({"Property": ["*"], "ExcludeProperty": ["T*"]}, {"Name": "n0", "Size": 0}),
    ],
)
def test_selected_properties_are_notes_of_a_new_object(parameters: dict[str, Any], notes: dict[str, Any]) -> None:
    assert list(select_object(parameters, ROWS[:1])) == [
        Obj(types=("Selected.T", "System.Management.Automation.PSCustomObject", "System.Object"), notes=notes)
    ]


def test_a_list_is_expanded_into_its_items_and_a_missing_property_is_an_error() -> None:
    assert list(select_object({"ExpandProperty": "tags", "First": 1}, ROWS)) == [0, 0]
    (error,) = select_object({"ExpandProperty": "nothing", "First": 1}, ROWS)
    assert isinstance(error, NonTerminating)
    assert error.error.message == 'Property "nothing" cannot be found.'


@pytest.mark.parametrize("parameters", [{"Unique": True}, {"Property": [{"n": "x"}]}])
def test_a_parameter_that_is_not_simulated_is_an_error(parameters: dict[str, Any]) -> None:
    with pytest.raises(CmdletFailed, match="does not simulate"):
        list(select_object(parameters, ROWS))
