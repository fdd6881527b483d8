"""The files that a run's report is written to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from .conftest import Easops

pytestmark = pytest.mark.slow


def test_a_run_leaves_its_page_and_says_where(easops: Easops, process: Easops, calm: Path, tmp_path: Path) -> None:
    page, later = tmp_path / "run.html", tmp_path / "later.html"
    page.write_text("an older one", encoding="utf-8")
    answer = process("run", "contacts-sync-storm", "-i", calm, "--html", page, "--quiet")
    assert answer.code == 0, answer.err
    assert answer.err == f"easops: wrote {page}\n"
    assert {path.name for path in tmp_path.iterdir()} == {"run.html", "state"}

    run_id = easops("runs", "list").out.splitlines()[1].split()[0]
    assert easops("runs", "show", run_id, "--html", later).code == 0
    assert run_id in later.read_text(encoding="utf-8")
    assert later.read_bytes() == page.read_bytes()


def test_under_check_too(easops: Easops, calm: Path, tmp_path: Path) -> None:
    page, other = tmp_path / "run.html", tmp_path / "other"
    other.touch()
    assert easops("run", "contacts-sync-storm", "-i", calm, "--check", "--html", page).code == 0
    assert "Cure a contact-sync storm" in page.read_text(encoding="utf-8")
    assert page.stat().st_mode == other.stat().st_mode, "as readable as any new file"


def test_a_run_that_could_not_begin_leaves_a_page_that_says_why(
    process: Easops, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EASOPS_PASSWORD", "Secret-4711")
    hosts = tmp_path / "hosts.yml"
    hosts.write_text(
        "easops: 1\ncredentials: {me: {username: me, password: {env: EASOPS_PASSWORD}}}\nhosts:\n"
        "  - {name: EX1, organisation: o, version: 2016, roles: [mailbox], endpoints: {\n"
        "     exchange: {url: 'http://127.0.0.1:9/PowerShell', credential: me, auth: negotiate},\n"
        "     windows: {url: 'http://127.0.0.1:9/wsman', credential: me}}}\n",
        encoding="utf-8",
    )
    page = tmp_path / "run.html"
    answer = process("run", "contacts-sync-storm", "-i", hosts, "--html", page)
    assert answer.code == 5, answer.err
    text = page.read_text(encoding="utf-8")
    assert "unreachable" in text
    assert "nothing listens there" in text
    assert "Secret-4711" not in text


@pytest.mark.parametrize(
    ("path", "why"),
    [
        ("nosuch/run.html", "does not exist"),
        (".", "it is a folder"),
        pytest.param(
            "/dev/null",
            "it is not a regular file",
            marks=pytest.mark.skipif(sys.platform == "win32", reason="Windows has no /dev/null"),
        ),
    ],
)
def test_a_path_that_cannot_be_written_is_refused_before_anything_runs(
    path: str, why: str, easops: Easops, calm: Path, state: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    answer = easops("run", "contacts-sync-storm", "-i", calm, "--html", path)
    assert (answer.code, answer.out) == (1, "")
    assert why in answer.err
    assert "name a file" in answer.err
    assert not state.exists()
