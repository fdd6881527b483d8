"""The API's types are what ``public_api.py`` asserts, for mypy and for pyright, and none of them is unknown."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import easops

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

RINGS = {*easops._ROOMS.values(), "easops.errors", "easops.exchange", "easops.iis", "easops.inventory", "easops.logs"}
"""Where the names of the API are defined, and the rooms' own lists."""

WITH_ITS_OWN_NODE = {"PYRIGHT_PYTHON_GLOBAL_NODE": "0", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
"""Use the Node.js of the extra `nodejs`, whatever else the machine has, and do not check for a newer version."""


def pyright(*words: str | Path) -> dict[str, Any]:
    pytest.importorskip("pyright", reason="pyright is not installed: pip install 'pyright[nodejs]'")
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", *map(str, words)],
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": str(ROOT), **WITH_ITS_OWN_NODE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stderr
    output: dict[str, Any] = json.loads(done.stdout)
    return output


def test_mypy_sees_the_types_that_are_asserted() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(HERE / "public_api.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def test_pyright_sees_the_types_that_are_asserted_and_no_error_in_the_examples() -> None:
    output = pyright("--project", HERE)
    assert output["summary"]["filesAnalyzed"] == 1 + len(list((ROOT / "examples").glob("*.py")))
    errors = output["generalDiagnostics"]
    assert [f"{error['range']['start']['line'] + 1}: {error['message']}" for error in errors] == []


def test_every_name_that_a_script_may_use_has_a_known_type() -> None:
    output = pyright("--verifytypes", "easops", "--ignoreexternal")["typeCompleteness"]
    ours = [symbol for symbol in output["symbols"] if _of_the_api(symbol["name"])]
    assert len(ours) > 100
    assert [symbol["name"] for symbol in ours if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]] == []


def _of_the_api(name: str) -> bool:
    return any(name.startswith(f"{module}.") for module in RINGS) and not any(
        part.startswith("_") and not part.startswith("__") for part in name.split(".")
    )
