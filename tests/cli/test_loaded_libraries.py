"""What each command loads: everybody pays for start-up, so a heavy import is added here on purpose only."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_architecture import DOORS

pytestmark = pytest.mark.slow

RUN = "20260101-000000-abcd"

ALWAYS: set[str] = {"typer"}
READS_SERVERS = {"cattrs", "jinja2", "pypsrp", "requests", "ruamel", "spnego", "tenacity", "typer", "urllib3"} | {
    "cryptography"  # pypsrp loads it
}
READS_RUNS = {"cattrs", "filelock", "jinja2", "platformdirs", "ruamel", "sqlalchemy", "tenacity", "typer"}

LOADED: dict[str, set[str]] = {
    "--help": ALWAYS,
    "run --help": ALWAYS,
    "lint contacts-sync-storm": {"cattrs", "jinja2", "ruamel", "typer"},
    "show servers -i LAB": READS_SERVERS,
    "detect sync_pool_cpu above=60 -i LAB": READS_SERVERS,
    "detect contact_sync_storm --logs LOGS": {"cattrs", "jinja2", "ruamel", "typer"},
    "runs list": READS_RUNS,
    f"runs show {RUN}": READS_RUNS,
}
"""Of the libraries that have a door in the code, those that a command loads; a library that is missing here must not
be loaded by it. None of them loads DBOS, and only commands that read recorded runs load SQLAlchemy."""

TYPED: dict[str, set[str]] = {
    "easops ": ALWAYS,
    "easops show ": {"ruamel", "typer"},
    "easops detect ": {"ruamel", "typer"},
    "easops run ": {"jinja2", "ruamel", "typer"},
    "easops undo ": {"platformdirs", "typer"},
}
"""The same, for what a person has typed when they press Tab."""

LIST_LOADED = """
import sys
from easops.cli.app import main
try:
    main(sys.argv[1:])
except SystemExit:
    pass
print("LOADED", *{name.partition(".")[0] for name in sys.modules if sys.modules[name] is not None}, file=sys.stderr)
"""


def loaded(words: list[str], **environment: str) -> set[str]:
    """The libraries with a door that a process has loaded when the command ends."""
    done = subprocess.run(
        [sys.executable, "-c", LIST_LOADED, *words],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, **environment},
    )
    assert "Traceback" not in done.stderr
    assert "bug" not in done.stderr
    return set(done.stderr.rpartition("LOADED ")[2].split()) & DOORS.keys()


@pytest.mark.parametrize("command", LOADED)
def test_a_command_loads_the_libraries_that_it_needs_and_no_other(command: str, state: Path, calm: Path) -> None:
    logs = Path(__file__).parent.parent / "data" / "logs" / "2010"
    words = [{"LAB": str(calm), "LOGS": str(logs)}.get(word, word) for word in command.split()]
    assert loaded(words) == LOADED[command]


@pytest.mark.parametrize("typed", TYPED)
def test_completion_loads_no_engine_and_no_database(typed: str, state: Path) -> None:
    words = {"COMP_WORDS": typed, "COMP_CWORD": str(len(typed.split()))}
    assert loaded([], _EASOPS_COMPLETE="complete_bash", **words) == TYPED[typed]
