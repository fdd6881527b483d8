"""The types of the API: what ``public_api.py`` asserts, for mypy and for pyright; and none is unknown or ambiguous."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parents[1]

WITH_ITS_OWN_NODE = {"PYRIGHT_PYTHON_GLOBAL_NODE": "0", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
"""Use the Node.js of pyright's extra `nodejs`, whatever else is installed, and do not look for a newer pyright."""


def pyright(*words: str | Path) -> dict[str, Any]:
    pytest.importorskip("pyright", reason="pyright is not installed: pip install 'pyright[nodejs]'")
    # --verifytypes asks the first Python of PATH for its packages, whatever --pythonpath says.
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--pythonpath", sys.executable, "--outputjson", *map(str, words)],
        cwd=HERE,
        env={**os.environ, "PATH": path, "PYTHONPATH": str(ROOT), **WITH_ITS_OWN_NODE},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.startswith("{"), done.stderr
    output: dict[str, Any] = json.loads(done.stdout)
    return output


@pytest.mark.slow
def test_mypy_sees_the_types_that_are_asserted() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mypy", str(HERE / "public_api.py")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


@pytest.mark.slow
def test_pyright_sees_the_types_that_are_asserted_and_no_error_in_the_examples() -> None:
    output = pyright("--project", HERE)
    assert output["summary"]["filesAnalyzed"] == 1 + len(list((ROOT / "examples").glob("*.py")))
    assert [
        f"{error['range']['start']['line'] + 1}: {error['message']}" for error in output["generalDiagnostics"]
    ] == []


@pytest.mark.slow
def test_every_type_of_the_package_is_known_and_the_same_for_every_checker() -> None:
    """A type that a checker must infer is ambiguous: the next checker may infer another one."""
    completeness = pyright("--verifytypes", "easops", "--ignoreexternal")["typeCompleteness"]
    symbols = [symbol for symbol in completeness["symbols"] if symbol["isExported"]]
    unknown = [symbol["name"] for symbol in symbols if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"]]
    assert len(symbols) > 3000
    assert unknown == []
    assert completeness["completenessScore"] == 1
