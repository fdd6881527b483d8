"""The reference pages are what the tables say now."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

TOOL = runpy.run_path(str(Path(__file__).parent.parent / "tools" / "reference.py"))


@pytest.mark.parametrize("name", sorted(TOOL["PAGES"]))
def test_a_page_is_what_its_table_says(name: str) -> None:
    written = (TOOL["FOLDER"] / name).read_text(encoding="utf-8")
    assert written == TOOL["PAGES"][name](), "type: python tools/reference.py"
