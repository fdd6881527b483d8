from __future__ import annotations

from typing import Any

import pytest

from easops.remoting.command import Command, Pipeline, Script

TYPED: list[tuple[Any, str]] = [
    (None, "-X $null"),
    (True, "-X:$true"),
    (5, "-X 5"),
    ("EX01.contoso.example", "-X EX01.contoso.example"),
    ("C:\\inetpub\\logs\\*.log", "-X C:\\inetpub\\logs\\*.log"),
    ("anna@contoso.example", "-X 'anna@contoso.example'"),  # @ begins a splat
    ("O'Brien, Pat", "-X 'O''Brien, Pat'"),
    ("", "-X ''"),
    ("$x", "-X '$x'"),
    (["Name", "a b"], "-X Name, 'a b'"),
    ((), "-X @()"),
    ({"Name": "a b", "At": [1, 2]}, "-X @{Name = 'a b'; At = 1, 2}"),
    (b"\x00\x01", "-X <2 bytes>"),
]


@pytest.mark.parametrize(("value", "text"), TYPED, ids=[text for _, text in TYPED])
def test_a_value_is_shown_as_a_person_would_type_it(value: Any, text: str) -> None:
    assert str(Pipeline.of(Command("Get-It", {"X": value}))) == f"Get-It {text}"


def test_all_of_a_pipeline_is_shown_and_a_script_by_its_name() -> None:
    pipe = Pipeline(((Command("Import-Module", {"Name": "A"}),), (Script("look", "secret text"), Command("Select"))))
    assert str(pipe) == "Import-Module -Name A; look | Select"
