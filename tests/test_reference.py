"""The reference pages are what the tables say now."""

from __future__ import annotations

import inspect
import re
import runpy
from pathlib import Path

import pytest

from easops.playbook.record.run_view import RunView

TOOL = runpy.run_path(str(Path(__file__).parent.parent / "tools" / "reference.py"))


@pytest.mark.parametrize("name", sorted(TOOL["PAGES"]))
def test_a_page_is_what_its_table_says(name: str) -> None:
    written = (TOOL["FOLDER"] / name).read_text(encoding="utf-8")
    assert written == TOOL["PAGES"][name](), "type: python tools/reference.py"


def test_every_environment_variable_that_easops_reads_is_documented() -> None:
    read = re.compile(r'"(EASOPS_[A-Z_]+|(?:NO|FORCE)_COLOR|TERM|GIT(?:HUB|LAB)_[A-Z_]+)"')
    code = "".join(file.read_text(encoding="utf-8") for file in (Path(__file__).parent.parent / "easops").rglob("*.py"))
    assert set(read.findall(code)) - set(TOOL["VARIABLES"]) == set()


def test_every_state_of_a_recorded_run_is_documented() -> None:
    source = inspect.getsource(RunView.status.fget)  # type: ignore[attr-defined]
    assert set(re.findall(r'"([a-z]+)"', source)) - set(TOOL["STATES"]) == set()
