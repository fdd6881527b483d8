"""Clients and servers that send escape sequences, and commands as a person types them."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from easops.cli.console import Console, escape_warnings, trace_commands
from easops.lab import server
from easops.lab.world import population
from easops.lab.world.phone import Phone
from easops.remoting.command import Command
from tests.machine_clock import served_clock
from tests.test_visible import obeyed

from .conftest import Answer, Easops

EVIL = "\x1b]0;mine\x07\x9b2J\u202e"
SENT = "%1b%5d0;mine%07%c2%9b2J%e2%80%ae"
"""The same, as a client may write it in a query."""


class HostilePhone(Phone):
    """A phone whose names and agent are sequences for a terminal."""

    def __init__(self, *values: Any) -> None:
        super().__init__(*values)
        self.device_id += SENT
        self.user_agent += EVIL
        self._binary = False


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The inventory of a lab whose phones are hostile."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(population, "Phone", HostilePhone)
        folder = tmp_path_factory.mktemp("hostile")
        with (
            server.start(folder, scenario="contacts-storm", speed=0) as lab,
            served_clock(lab.world) as clock,
            clock.installed(),
        ):
            yield lab.inventory


def commands_of(answer: Answer) -> set[str]:
    return {character for character in answer.out + answer.err if obeyed(character)} - {"\n"}


@pytest.mark.slow
def test_a_detection_shows_what_a_phone_calls_itself(easops: Easops, hostile: Path) -> None:
    answer = easops("detect", "contact_sync_storm", "-i", hostile, "-v")
    assert r"\x1b]0;mine\x07\x9b2J" in answer.out
    assert commands_of(answer) == set()


@pytest.mark.slow
@pytest.mark.parametrize("debug", [(), ("--debug",)], ids=["plain", "debug"])
def test_an_error_shows_what_the_server_repeats(easops: Easops, hostile: Path, debug: tuple[str, ...]) -> None:
    answer = easops("do", "block_user", f"user={EVIL}", "-i", hostile, "--yes", "-v", *debug)
    assert answer.code != 0
    assert r"\x1b]0;mine" in answer.err + answer.out
    assert commands_of(answer) == set()


@pytest.mark.slow
def test_a_reading_shows_what_a_server_names(easops: Easops, hostile: Path) -> None:
    answer = easops("show", "requests", "-i", hostile, "-v")
    assert answer.code == 0
    assert commands_of(answer) == set()


@pytest.mark.slow
def test_a_run_and_its_record_show_it_too(easops: Easops, hostile: Path, tmp_path: Path) -> None:
    files = {name: tmp_path / f"run.{name}" for name in ("html", "junit")}
    words = [word for name, path in files.items() for word in (f"--{name}", path)]
    ran = easops("run", "contacts-sync-storm", "-i", hostile, "--check", "-v", "--diff", *words)
    assert r"\x1b]0;mine\x07" in ran.out
    assert commands_of(ran) == set()
    for path in files.values():
        assert {character for character in path.read_text(encoding="utf-8") if obeyed(character)} <= {"\n"}

    recorded = easops("run", "contacts-sync-storm", "-i", hostile, "-v", "--diff")
    (run_id,) = (run["run_id"] for run in json.loads(easops("runs", "list", "--json").out)["runs"])
    shown = easops("runs", "show", run_id, "-v", "--diff")
    assert r"\x1b]0;mine\x07" in shown.out
    assert commands_of(recorded) | commands_of(shown) | commands_of(easops("runs", "list")) == set()


def test_progress_notes_and_traced_commands_are_visible_text(capsys: pytest.CaptureFixture[str]) -> None:
    console = Console()
    console.progress(f"waiting for {EVIL}")
    console.note(f"a note on {EVIL}")
    console.commands([f"::notice::{EVIL}"])
    console.result(f"a result {EVIL}")
    log = logging.getLogger("easops.remoting")
    before = list(log.handlers), log.level
    try:
        log.handlers.clear()
        trace_commands(console)
        log.debug("%s", Command("Get-Mailbox", {"Identity": f"a\nb{EVIL}"}))
    finally:
        log.handlers[:], log.level = before
    written = Answer(0, *capsys.readouterr())
    assert (written.out + written.err).count(r"\x1b]0;mine\x07\x9b2J\u202e") == 5
    assert commands_of(written) == set()


def test_what_a_library_warns_of_is_visible_text(capsys: pytest.CaptureFixture[str]) -> None:
    last = logging.lastResort
    assert last is not None
    formatter = last.formatter
    try:
        escape_warnings()
        record = logging.LogRecord("urllib3", logging.WARNING, "", 1, f"bad header {EVIL}", (), None)
        last.handle(record)
    finally:
        last.setFormatter(formatter)
    assert capsys.readouterr().err == "bad header \\x1b]0;mine\\x07\\x9b2J\\u202e\n"
