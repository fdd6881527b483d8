"""What the pages show is what the commands print: tools/transcripts.py, and every page with a transcript."""

from __future__ import annotations

import os
import re
import runpy
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TOOL = runpy.run_path(str(ROOT / "tools" / "transcripts.py"))
COMMANDS = Path(sys.executable).parent

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("sh") is None, reason="the pages' commands need a POSIX shell"),
]


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


CARRIED_OUT = [
    page
    for page in PAGES
    # CI follows the tutorial with the wheel alone, which is more.
    if TOOL["has_transcripts"](page) and not (page.name == "tutorial.md" and "CI" in os.environ)
]


@pytest.mark.parametrize("page", CARRIED_OUT, ids=named)
def test_the_commands_of_a_page_print_what_it_shows(
    page: Path, commands: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", os.pathsep.join([str(COMMANDS), os.environ["PATH"]]))
    result = TOOL["run_page"](page, commands=commands)
    assert not result.differences, "\n".join(["", *result.differences, "see tools/transcripts.py, and its --write"])


LOOKS_PRINTED = re.compile(r"^(?:\w*\$ +\S|(?:status|undo|changed|would change|approve|go on) {3,})")


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_block_that_looks_like_a_transcript_is_checked(page: Path) -> None:
    lines = page.read_text(encoding="utf-8").splitlines()
    checked = {
        at
        for part in TOOL["parts_of"](lines)
        if hasattr(part, "command")
        for at in (part.at, *range(part.first, part.last))
    }
    left_out = [at + 1 for at, line in enumerate(lines) if LOOKS_PRINTED.match(line) and at not in checked]
    assert left_out == [], "a transcript is a fenced block of the language console"


def page_of(folder: Path, text: str) -> Any:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def check_page(folder: Path, text: str) -> Any:
    return TOOL["run_page"](page_of(folder, text), commands=COMMANDS)


FENCE = "```console\n{}\n```\n"


def test_a_word_that_differs_is_shown_with_its_line(tmp_path: Path) -> None:
    (difference,) = check_page(tmp_path, FENCE.format("$ echo four users\nfive users")).differences
    assert "page.md:2: $ echo four users" in difference
    assert "-five users\n+four users" in difference


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("run 20261128-191930-1f10", "run 20261129-000102-abcd"),
        ("since 2026-11-21 03:13:11Z, 70 s", "since 2026-11-22 13:00:00Z, 2 min"),
        ("AMS-EX01 96.1 -> 0.7 percent", "AMS-EX01 94 -> 0.45 percent"),
        ("15 contact syncs over 2000 RPC in 60 min (max 4,057)", "9 contact syncs over 2000 RPC in 60 min (max 12)"),
        ("one\n…\nfour", "one\ntwo\nthree\nfour"),
        ("one\n… three more …\nfour", "one\ntwo\nthree\nfour"),
        ("…\nfour", "one\nfour"),
        ("one\n…", "one\ntwo"),
        ("one\n…", "one"),
        ("…", ""),
        ("one\n  two three", "one two\n  three"),
    ],
)
def test_the_output_matches_the_page(shown: str, printed: str) -> None:
    assert TOOL["matches"](shown.splitlines(), printed.splitlines())


@pytest.mark.parametrize(
    ("shown", "printed"),
    [
        ("file.yml:12:25: no", "file.yml:13:25: no"),
        ("over 2000 RPC", "over 2500 RPC"),
        ("exit code 0", "exit code 3"),
        ("one\n…\nfour", "one\nfour five"),
        ("…\nfour", "one\nfour\nfive"),
        ("", "one"),
        ("one", ""),
        ("4 users found", "5 users found"),
        ("127.0.0.1:44 is up", "127.0.0.1:45 is down"),
    ],
)
def test_other_words_or_figures_do_not_match_the_page(shown: str, printed: str) -> None:
    assert not TOOL["matches"](shown.splitlines(), printed.splitlines())


def test_a_command_that_fails_is_followed_by_its_exit_code(tmp_path: Path) -> None:
    assert "ended with 3" in check_page(tmp_path, FENCE.format("$ (exit 3)")).differences[0]
    assert not check_page(tmp_path, FENCE.format("$ (exit 3)\n$ echo $?\n3")).differences


def test_an_exported_variable_and_a_file_of_the_page_exist_for_the_next_command(tmp_path: Path) -> None:
    text = "```yaml\n# one.yml\nkey: 1\n```\n" + FENCE.format(
        '$ export NAME=ada\n$ cat one.yml; echo "$NAME"\n# one.yml'
    )
    result = check_page(tmp_path, text + FENCE.format("$ pwd\n/home/ada/easops"))
    assert len(result.differences) == 1
    assert "+key: 1\n+ada" in result.differences[0]


def test_progress_is_not_shown_and_an_error_is(tmp_path: Path) -> None:
    text = FENCE.format("$ echo 'easops: step 1' >&2; printf 'easops: no\\n  why:  so\\n' >&2\neasops: no\n  why:  so")
    assert not check_page(tmp_path, text).differences


def test_a_second_terminal_runs_until_it_is_ended(tmp_path: Path) -> None:
    serve = "sh -c 'echo ready; while true; do date >>beats; sleep 0.1; done'"
    text = FENCE.format(f"lab$ {serve}\nready\n$ test -s beats\nlab$ ^C\n$ cp beats held; sleep 0.5; cmp beats held")
    assert not check_page(tmp_path, text).differences


def test_a_run_id_typed_on_the_page_is_replaced_by_the_one_just_printed(tmp_path: Path) -> None:
    text = FENCE.format(
        "$ echo 20261129-000102-$(printf %04x $$)\n20261128-191930-1f10\n$ echo undo 20261128-191930-1f10 > typed; "
        "grep -c 1f10 typed\n0\n$ echo $?\n1"
    )
    assert not check_page(tmp_path, text).differences


def test_a_rewritten_page_still_leaves_out_the_lines_that_it_left_out() -> None:
    shown = ["head", "…", "    tail of 7 s", ""]
    assert TOOL["elided"](shown, ["head", "one", "two", "    tail of 9 s", "new"]) == [
        "head",
        "…",
        "    tail of 9 s",
        "new",
        "",
    ]


def test_only_differing_lines_are_rewritten_and_a_run_keeps_its_id_on_the_page(tmp_path: Path) -> None:
    printed = "echo 20261129-000102-abcd"
    text = FENCE.format(f"$ {printed}\n20261128-191930-1f10\n$ {printed} is new\n20261128-191930-1f10 is old")
    assert "\n".join(check_page(tmp_path, text).lines) == text.replace("is old", "is new").strip()
