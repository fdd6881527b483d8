from __future__ import annotations

from typing import Any

import pytest

from easops.lab.value import Warning_


def blocked(ask: Any) -> tuple[str, ...]:
    (found,) = ask("Get-CASMailbox", Identity="Laura Brandt")
    ids = found.properties["ActiveSyncBlockedDeviceIDs"].items
    assert isinstance(ids, tuple)
    return ids


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (["C"], ("C",)),
        ({"Add": "C"}, ("A", "B", "C")),
        ({"Add": ["C", "A"]}, ("A", "B", "C")),
        ({"Remove": "a"}, ("B",)),
        ({"Add": ["C"], "Remove": ["A", "B"]}, ("C",)),
        (None, ()),
    ],
    ids=["list-replaces", "add", "add-twice", "remove-any-case", "both", "null-empties"],
)
def test_a_list_is_replaced_or_edited(ask: Any, value: Any, expected: tuple[str, ...]) -> None:
    ask("Set-CASMailbox", Identity="Laura Brandt", ActiveSyncBlockedDeviceIDs=["A", "B"])
    ask("Set-CASMailbox", Identity="Laura Brandt", ActiveSyncBlockedDeviceIDs=value)
    assert blocked(ask) == expected


def test_a_change_to_the_same_value_is_a_warning(ask: Any) -> None:
    (answer,) = ask("Set-CASMailbox", Identity="Laura Brandt", ActiveSyncEnabled=True)
    assert isinstance(answer, Warning_)


def test_a_setting_that_is_not_simulated_is_a_typed_error(ask: Any) -> None:
    assert (
        ask.error("Set-CASMailbox", Identity="Laura Brandt", OWAEnabled=True).fqid == "LabNotSimulated,Set-CASMailbox"
    )


def test_a_blocked_device_is_shown_as_blocked(ask: Any) -> None:
    (device,) = ask("Get-MobileDevice", Mailbox="Laura Brandt")
    ask("Set-CASMailbox", Identity="Laura Brandt", ActiveSyncBlockedDeviceIDs=[device.properties["DeviceId"]])
    (device,) = ask("Get-MobileDevice", Mailbox="Laura Brandt")
    assert device.properties["DeviceAccessState"].text == "Blocked"
    assert device.properties["DeviceAccessStateReason"].text == "Individual"
