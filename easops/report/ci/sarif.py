"""What lint found as SARIF 2.1.0, for code scanning.

There is one rule: a playbook is checked whole, and its problems have no kinds. Source: the OASIS standard, and its
schema, which a test holds this to.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from easops.document import Problem
from easops.report.document.json import dumped
from easops.report.terminal.lint import Linted, within

_RULE: Final = "playbook"


class _Sarif:
    name = "sarif"

    def render(self, linted: Sequence[Linted], root: Path) -> str:
        problems = [problem for one in linted for problem in one.problems]
        rule = {
            "id": _RULE,
            "shortDescription": {"text": "A playbook can be run as it is written"},
            "help": {"text": "easops lint shows the same; easops schema gives editors what they need to complete it."},
            "defaultConfiguration": {"level": "error"},
        }
        run = {
            "tool": {"driver": {"name": "easops", "version": version("easops"), "rules": [rule]}},
            "columnKind": "unicodeCodePoints",
            "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "the folder that files are named from"}}},
            "results": [_result(problem, root) for problem in problems],
        }
        schema = "https://json.schemastore.org/sarif-2.1.0.json"
        return dumped({"$schema": schema, "version": "2.1.0", "runs": [run]})


SARIF = _Sarif()


def _result(problem: Problem, root: Path) -> dict[str, Any]:
    text = ". ".join(part.rstrip(".") for part in (problem.what, problem.why, problem.next_step) if part)
    location: dict[str, Any] = {"artifactLocation": _artifact(problem.file, root)}
    if problem.line is not None:
        location["region"] = {"startLine": problem.line, "startColumn": problem.column or 1}
    return {
        "ruleId": _RULE,
        "ruleIndex": 0,
        "level": "error",
        "message": {"text": f"{text}."},
        "locations": [{"physicalLocation": location}],
    }


def _artifact(file: str, root: Path) -> dict[str, str]:
    inside = within(file, root)
    if inside is None:
        return {"uri": f"file://{quote(Path(file).absolute().as_posix())}"}
    return {"uri": quote(inside.as_posix()), "uriBaseId": "%SRCROOT%"}
