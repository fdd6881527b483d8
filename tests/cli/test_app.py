from __future__ import annotations

import errno
import json
import re
import subprocess
import sys

import pytest
import typer

from easops import errors
from easops.actions import ACTIONS
from easops.cli import app
from easops.cli.exit_code import exit_code
from easops.detectors import DETECTORS
from easops.document import DocumentError, Problem
from easops.readings import READINGS

from .conftest import Easops


def test_help_loads_the_command_line_and_nothing_else() -> None:
    code = (
        "import sys\nfrom easops.cli.app import main\n"
        "try: main(['--help'])\n"
        "except SystemExit: print('LOADED', *sorted(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.partition("LOADED ")[2].split())
    assert {name for name in loaded if name.partition(".")[0] == "easops"} - {
        "easops",
        "easops.cli",
        "easops.lazy",
    } == {
        f"easops.cli.{name}"
        for name in (
            "app approve arguments completion console detect do exit_code github_actions inventory lab lint notify "
            "options report_files run run_display run_options runs schema show stop_signals undo why worker".split()
        )
    }
    heavy = {"attr", "attrs", "rich", "pygments", "pypsrp", "requests", "dbos", "sqlalchemy", "jinja2", "ruamel.yaml"}
    assert loaded & (heavy | {"cattrs", "tenacity", "aiohttp", "psrpcore", "cryptography", "asyncio"}) == set()


def test_version_says_the_version(easops: Easops) -> None:
    assert re.fullmatch(r"easops \d+\.\d+\.\d+\n", easops("--version").out)


@pytest.mark.parametrize(
    ("command", "table"),
    [("do", ACTIONS), ("detect", DETECTORS), ("show", READINGS)],
    ids=["actions", "detectors", "readings"],
)
def test_help_names_what_there_is(command: str, table: dict[str, object], easops: Easops) -> None:
    text = " ".join(easops(command, "--help").out.split())
    assert ", ".join(table) + "." in text


EXIT_CODES = {
    "bad input": (errors.BadInput("x"), 1),
    "not a log": (errors.LogFormatError("x"), 1),
    "a document": (DocumentError([Problem("f", 1, 1, "x")]), 1),
    "usage": (typer.BadParameter("x"), 1),
    "refused": (errors.Refused("x", rule="r"), 3),
    "failed": (errors.CommandFailed("x"), 4),
    "unexpected": (errors.UnexpectedAnswer("x"), 4),
    "unreachable": (errors.UnreachableHost("x"), 5),
    "access": (errors.AccessRefused("x", reason="logon"), 5),
    "unknown": (errors.OutcomeUnknown("x"), 6),
    "bug": (KeyError("x"), 70),
    "ctrl-c": (KeyboardInterrupt(), 130),
}


@pytest.mark.parametrize("name", EXIT_CODES)
def test_each_error_has_its_exit_code(name: str) -> None:
    error, code = EXIT_CODES[name]
    assert exit_code(error)[0] == code


def failing(error: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(app, "app", fail)


def test_an_error_is_three_lines_on_stderr(easops: Easops, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(errors.UnreachableHost("EX1 is not there", "no route", "start it"), monkeypatch)
    assert easops("x") == (5, "", "easops: EX1 is not there\n  why:  no route\n  next: start it\n")


def test_with_json_an_error_is_one_document_on_stdout_too(easops: Easops, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(errors.UnreachableHost("EX1 is not there", "no route", "start it"), monkeypatch)
    assert json.loads(easops("x", "--json").out) == {
        "status": "unreachable",
        "error": {"what": "EX1 is not there", "why": "no route", "next": "start it"},
        "exit_code": 5,
    }


def test_what_the_machine_refuses_is_no_bug_and_says_what_to_do(
    easops: Easops, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(OSError(errno.ENOSPC, "No space left on device", "/var/lib/easops"), monkeypatch)
    answer = easops("x")
    assert answer.code == 4
    assert answer.err.splitlines() == [
        "easops: this machine does not let easops work",
        "  why:  /var/lib/easops: No space left on device",
        "  next: free space there, then run it again",
    ]


def test_a_bug_says_so_and_shows_its_traceback_under_debug_alone(
    easops: Easops, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(KeyError("oops"), monkeypatch)
    quiet, loud = easops("x"), easops("x", "--debug")
    assert quiet.code == loud.code == 70
    assert quiet.err.startswith("easops: this is a bug in easops\n  why:  KeyError: 'oops'\n")
    assert "Traceback" not in quiet.err
    assert "Traceback" in loud.err


def test_each_problem_of_a_document_is_one_line(easops: Easops, monkeypatch: pytest.MonkeyPatch) -> None:
    problems = [Problem("a.yml", 2, 3, "no", "because", "Do so"), Problem("a.yml", 4, 1, "neither")]
    failing(DocumentError(problems), monkeypatch)
    answer = easops("x", "--json")
    assert answer.err == "a.yml:2:3: no; because; Do so\na.yml:4:1: neither\n"
    assert [problem["line"] for problem in json.loads(answer.out)["problems"]] == [2, 4]


@pytest.mark.parametrize(
    "words", [["nosuch"], ["run"], ["run", "--nosuch"], ["undo"], ["lab", "start", "--speed", "x"]]
)
def test_wrong_usage_exits_1_and_names_the_help(words: list[str], easops: Easops) -> None:
    answer = easops(*words)
    assert (answer.code, answer.out) == (1, "")
    assert "Traceback" not in answer.err
    assert "--help" in answer.err


NAMED = {
    "undo": "easops runs list",
    "runs resume": "easops runs list",
    "worker": "easops runs list",
    "show": "there are app-pools, ",
    "detect": "contact_sync_storm, ",
    "do": "block_user, ",
    "run": "a file, or one of contacts-sync-storm, stranded-pings",
}


@pytest.mark.parametrize("command", NAMED)
def test_a_command_without_its_name_shows_the_names_that_exist(command: str, easops: Easops) -> None:
    answer = easops(*command.split())
    assert answer.code == 1
    assert "Missing argument" in answer.err
    assert NAMED[command] in answer.err


def test_the_schema_is_shown_as_one_document(easops: Easops) -> None:
    titles = {"": "easops playbook", "inventory": "easops inventory", "report": "what easops prints with --json"}
    for kind, title in titles.items():
        answer = easops("schema", *kind.split())
        assert (answer.code, answer.err) == (0, "")
        assert json.loads(answer.out)["title"] == title
    assert easops("schema", "plybook").code == 1
