from __future__ import annotations

import attrs
import pytest

from easops.registry import table


@attrs.frozen
class Thing:
    name: str


def test_a_table_refuses_two_entries_of_one_name() -> None:
    with pytest.raises(ValueError, match="two entries are called 'a'"):
        table(Thing("a"), Thing("b"), Thing("a"))


def test_a_table_cannot_be_changed() -> None:
    things = table(Thing("a"))
    with pytest.raises(TypeError):
        things["b"] = Thing("b")  # type: ignore[index]
