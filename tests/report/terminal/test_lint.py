"""What lint found, in each of its formats."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from jsonschema import Draft4Validator

from easops.document import Problem
from easops.report import LINTS
from easops.report.terminal.lint import Linted

SCHEMA = json.loads(
    (Path(__file__).parents[2] / "data" / "schemas" / "sarif-2.1.0-rtm.5.json").read_text(encoding="utf-8")
)


@pytest.fixture
def linted(tmp_path: Path) -> tuple[Linted, ...]:
    inside, outside = str(tmp_path / "play books" / "eas.yml"), str(tmp_path.parent / "other.yml")
    return (
        Linted(
            inside,
            (
                Problem(inside, 12, 7, "no action is called 'x, y: z'", "there are 100% others", "Correct it"),
                Problem(inside, None, None, "the file\nis empty"),
            ),
        ),
        Linted(outside, (Problem(outside, 1, 1, "this is not YAML"),)),
        Linted("contacts-sync-storm"),
    )


def test_text_has_a_line_a_problem_and_says_what_is_well(linted: tuple[Linted, ...], tmp_path: Path) -> None:
    lines = LINTS["text"].render(linted, tmp_path).splitlines()
    assert len(lines) == 4
    assert lines[0].endswith("eas.yml:12:7: no action is called 'x, y: z'; there are 100% others; Correct it")
    assert lines[-1] == "contacts-sync-storm: ok"


def test_github_has_an_annotation_a_problem_and_no_text_breaks_out_of_it(
    linted: tuple[Linted, ...], tmp_path: Path
) -> None:
    first, second, third = LINTS["github"].render(linted, tmp_path).splitlines()
    assert first == (
        "::error file=play books/eas.yml,line=12,col=7,title=no action is called 'x%2C y%3A z'::"
        "there are 100%25 others. Correct it"
    )
    assert second == "::error file=play books/eas.yml,title=the file is empty::the file%0Ais empty"
    assert re.fullmatch(r"::error file=\S+other\.yml,line=1,col=1,title=this is not YAML::this is not YAML", third)


def test_sarif_is_valid_and_places_are_from_the_root(linted: tuple[Linted, ...], tmp_path: Path) -> None:
    document = json.loads(LINTS["sarif"].render(linted, tmp_path))
    Draft4Validator(SCHEMA).validate(document)
    (run,) = document["runs"]
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    assert places[0] == {
        "artifactLocation": {"uri": "play%20books/eas.yml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 12, "startColumn": 7},
    }
    assert "region" not in places[1]
    assert places[2]["artifactLocation"]["uri"].startswith("file:///")
    assert run["results"][0]["message"]["text"] == "no action is called 'x, y: z'. there are 100% others. Correct it."
    assert {result["ruleId"] for result in run["results"]} == {rule["id"] for rule in run["tool"]["driver"]["rules"]}


def test_sarif_of_nothing_wrong_is_valid(tmp_path: Path) -> None:
    document = json.loads(LINTS["sarif"].render([Linted("x")], tmp_path))
    Draft4Validator(SCHEMA).validate(document)
    assert document["runs"][0]["results"] == []
