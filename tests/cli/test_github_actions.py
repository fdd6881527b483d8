"""easops where a forge runs it."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest

from .conftest import Easops

pytestmark = pytest.mark.slow

WRONG = "easops: 1\nname: x\nhosts: all\nsteps:\n  - name: a\n    do: block_usr\n"


@pytest.fixture
def github(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A job of GitHub's, in its clone; the file of its summary."""
    for name, value in (("ACTIONS", "true"), ("WORKSPACE", str(tmp_path)), ("STEP_SUMMARY", str(tmp_path / "sum.md"))):
        monkeypatch.setenv(f"GITHUB_{name}", value)
    (tmp_path / "wrong.yml").write_text(WRONG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "sum.md"


def messages(path: Path) -> list[str]:
    return [
        element.attrib["message"] for element in ElementTree.parse(path).iter() if element.tag in ("error", "failure")
    ]


def test_lint_annotates_beside_its_text_on_github(easops: Easops, github: Path) -> None:
    answer = easops("lint", "wrong.yml")
    assert answer.code == 1
    assert answer.out.startswith("wrong.yml:6:9: ")
    assert answer.err.startswith("::error file=wrong.yml,line=6,col=9,title=")
    assert easops("lint", "contacts-sync-storm").err.strip() == ""


@pytest.mark.usefixtures("github")
def test_a_format_that_was_asked_for_is_all_that_is_said(easops: Easops) -> None:
    answer = easops("lint", "wrong.yml", "--format", "sarif")
    assert (answer.code, answer.err) == (1, "")
    assert json.loads(answer.out)["version"] == "2.1.0"
    assert easops("lint", "wrong.yml", "--format", "github").out.startswith("::error file=wrong.yml")
    assert "there is no format of lint 'xml'" in easops("lint", "wrong.yml", "--format", "xml").err


def test_off_github_nothing_is_annotated(
    easops: Easops, github: Path, monkeypatch: pytest.MonkeyPatch, calm: Path
) -> None:
    monkeypatch.delenv("GITHUB_ACTIONS")
    assert "::" not in easops("lint", "wrong.yml").err
    assert "::" not in easops("run", "wrong.yml").err
    assert easops("run", "contacts-sync-storm", "-i", calm, "--check").code == 0
    assert not github.exists()


def test_a_run_is_in_the_jobs_summary_and_in_its_junit_file(easops: Easops, github: Path, calm: Path) -> None:
    github.write_text("an earlier step\n", encoding="utf-8")
    answer = easops("run", "contacts-sync-storm", "-i", calm, "--check", "--json", "--junit", "run.xml")
    assert answer.code == 0, answer.err
    assert json.loads(answer.out)["status"] == "ok"
    summary = github.read_text(encoding="utf-8")
    assert summary.startswith("an earlier step\n## Cure a contact\\-sync storm \\(KB 2711053\\): ok (exit code 0)\n")
    case = "testsuite/testcase[@name='1 Find users who flood the servers']"
    assert ElementTree.parse("run.xml").find(case) is not None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("wrong.yml", "--inventory", "nowhere.yml"), "no action is called 'block_usr'"),
        (("contacts-sync-storm", "--inventory", "nowhere.yml"), "there is no such file"),
        (("contacts-sync-storm", "--inventory", "INVENTORY", "--input", "x=1"), "there is no input 'x'"),
    ],
    ids=["playbook", "inventory", "input"],
)
def test_a_run_that_could_not_begin_says_why_to_ci_too(
    easops: Easops, github: Path, calm: Path, words: tuple[str, ...], message: str
) -> None:
    words_of_run = [str(calm) if word == "INVENTORY" else word for word in words]
    answer = easops("run", *words_of_run, "--junit", "run.xml")
    assert answer.code == 1
    (reported,) = messages(Path("run.xml"))
    assert message in reported
    assert [line for line in answer.err.splitlines() if line.startswith("::error ")]


@pytest.mark.usefixtures("github")
def test_no_text_is_a_command_to_github(easops: Easops) -> None:
    hostile = "::add-mask::a"
    answer = easops("run", hostile)
    assert answer.code == 1
    commands = [line for line in f"{answer.out}\n{answer.err}".splitlines() if line.lstrip().startswith("::")]
    assert [line.partition(" ")[0] for line in commands] == ["::error"]
    document = json.loads(easops("run", "##[x]y", "--json").out)
    assert document["problems"][0]["file"] == "##[x]y"
    assert "##[" not in easops("run", "##[x]y").err.replace("::error file=##[", "")
