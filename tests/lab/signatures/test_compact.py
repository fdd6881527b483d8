"""The stored signatures: what the tool checks in them, and how it shows one."""

from __future__ import annotations

import copy
import json
import runpy
from pathlib import Path
from typing import Any

import pytest

from easops.lab.signatures.compact import signature_of

TOOL = runpy.run_path(str(Path(__file__).parents[3] / "tools" / "lab_signatures.py"))

PAGE = "MicrosoftDocs/some-docs/Get-Thing.md"
ENTRY = {
    "page": PAGE,
    "sets": ["Identity", "Server"],
    "default": "Identity",
    "parameters": {
        "Identity": ["ThingIdParameter", [[0, 1, 0, 3]]],
        "Server": ["ServerIdParameter", [[1, 1, -1, 0]], 28],
        "Status": ["SwitchParameter", [[-1, 0, -1, 0]]],
    },
}


def content(**changes: Any) -> dict[str, Any]:
    return {
        "sources": {"MicrosoftDocs/some-docs": "0" * 40},
        "cmdlets": {"Get-Thing": {**copy.deepcopy(ENTRY), **changes}},
    }


@pytest.mark.parametrize("file", TOOL["FILES"])
def test_a_stored_file_has_no_problems_and_the_usual_layout(file: str) -> None:
    text = (TOOL["FOLDER"] / file).read_text(encoding="utf-8")
    stored = json.loads(text)
    assert list(TOOL["problems"](stored)) == []
    assert text == TOOL["layout"](stored), "run python tools/lab_signatures.py"


def test_the_layout_leaves_out_what_is_the_default() -> None:
    longer = content(aliases=[], should_process=False)
    longer["cmdlets"]["Get-Thing"]["parameters"]["Status"] = ["SwitchParameter", [[-1, 0, -1, 0]], 31, [], []]
    assert TOOL["layout"](longer) == TOOL["layout"](content())
    assert json.loads(TOOL["layout"](longer)) == content()


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"page": "Get-Thing.md"}, "page has to start with one of sources: MicrosoftDocs/some-docs"),
        ({"defualt": "Identity"}, "there is no key defualt;"),
        ({"default": "Name"}, "default is not one of its sets"),
        ({"parameters": {"Identity": ["String"]}}, "-Identity: it is written [type, sets,"),
        ({"parameters": {"Identity": ["String", [[2, 0, -1, 0]]]}}, "-Identity: a set has a number from 0 to 1;"),
        ({"parameters": {"Identity": ["String", [[0, 0, -1, 0], [0, 1, -1, 0]]]}}, "-Identity: it is in each set once"),
        ({"parameters": {"Identity": ["String", [[0, 2, -1, 0]]]}}, "-Identity: a set is written [number,"),
        ({"parameters": {"Identity": ["String", [[0, 0, -1, 0]], 32]}}, "-Identity: versions are bits,"),
        (
            {"parameters": {"A": ["String", [[0, 0, -1, 0]]], "B": ["String", [[0, 0, -1, 0]], 31, ["a"]]}},
            "two parameters are called a",
        ),
    ],
    ids=["page", "key", "default", "short", "set number", "set twice", "flag", "version", "alias"],
)
def test_a_mistake_in_an_entry_is_a_problem(changes: dict[str, Any], problem: str) -> None:
    (found,) = TOOL["problems"](content(**changes))
    assert found.startswith((f"Get-Thing: {problem}", f"Get-Thing {problem}"))


@pytest.mark.parametrize(
    ("version", "lines"),
    [
        ("2010", ["Get-Thing [-Identity] <ThingIdParameter> [-Status]"]),
        (
            "2016",
            [
                "Get-Thing [-Identity] <ThingIdParameter> [-Status]",
                "Get-Thing -Server <ServerIdParameter> [-Status]",
            ],
        ),
    ],
)
def test_the_syntax_is_written_as_on_a_reference_page(version: str, lines: list[str]) -> None:
    assert list(TOOL["syntax"](signature_of("Get-Thing", ENTRY, version))) == lines
