"""Completion: the words that there are, and that bash, zsh, fish and PowerShell offer them, with the script that easops
itself prints for each."""

from __future__ import annotations

import base64
import datetime as dt
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
import typer

from easops.actions import ACTIONS
from easops.cli import app, completion
from easops.detectors import DETECTORS
from easops.lab.world.scenario import scenario_names
from easops.playbook.language.load import shipped_playbooks
from easops.playbook.record.run import Run
from easops.playbook.record.run_store import RunStore
from easops.playbook.record.state_folder import StateFolder
from easops.readings import READINGS

pytestmark = pytest.mark.slow

PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


@pytest.fixture
def offered(state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Offered:
    return Offered(monkeypatch, capsys)


class Offered:
    """The words that bash is given behind a line, in this process."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys
        monkeypatch.setattr(completion, "disable_rich", lambda: None)  # what comes after in this process may draw

    def __call__(self, line: str) -> list[str]:
        self._monkeypatch.setenv("_EASOPS_COMPLETE", "complete_bash")
        self._monkeypatch.setenv("COMP_WORDS", line)
        self._monkeypatch.setenv("COMP_CWORD", str(len(line.split(" ")) - 1))
        with pytest.raises(SystemExit) as ended:
            app.main([])
        out, err = self._capsys.readouterr()
        assert (ended.value.code, err) == (0, "")
        return [word for word in out.splitlines() if word]


def test_commands_and_options_are_offered(offered: Offered) -> None:
    assert offered("easops ru") == ["run", "runs"]
    assert offered("easops runs re") == ["resume", "reconcile"]
    assert {"--check", "--diff", "--limit", "--input"} <= set(offered("easops run x --"))


TABLES = {"detect": DETECTORS, "do": ACTIONS, "show": READINGS, "run --lab": shipped_playbooks()}


@pytest.mark.parametrize("command", TABLES)
def test_the_names_of_a_table_are_offered(command: str, offered: Offered) -> None:
    assert set(offered(f"easops {command} ")) >= set(TABLES[command])


def test_scenarios_are_offered(offered: Offered) -> None:
    assert offered("easops run x --lab --scenario ") == list(scenario_names())
    assert offered("easops lab start --scenario ca") == ["calm"]


def test_parameters_are_offered_with_their_defaults_until_they_are_given(offered: Offered) -> None:
    assert offered("easops detect contact_sync_storm ") == [
        "since=2h",
        "threshold=2000",
        "attempts=3",
        "users=",
        "intervals=2",
    ]
    assert "since=2h" not in offered("easops detect contact_sync_storm since=1h ")
    assert offered("easops do block_user ") == ["user="]
    assert "half_of=" not in offered("easops detect sync_pool_cpu "), "only a playbook has an earlier step"


def test_the_inputs_of_the_playbook_at_hand_are_offered(offered: Offered) -> None:
    assert offered("easops run contacts-sync-storm --input ") == [
        "window=2h",
        "threshold=2000",
        "busy=60",
        "force=false",
        "protect=",
        "changes=10",
        "unreachable=",
    ]
    assert offered("easops run stranded-pings --check --input m") == ["margin=5m", "memory=3"]


def test_playbooks_of_the_folder_are_offered_and_no_other_yaml(
    offered: Offered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "books").mkdir()
    (tmp_path / "books" / "mine.yml").write_text("easops: 1\nname: Mine\n", encoding="utf-8")
    (tmp_path / "books" / "hosts.yml").write_text("easops: 1\nhosts: []\n", encoding="utf-8")
    assert offered("easops lint books/") == ["books/mine.yml"]
    assert "books/mine.yml" not in offered("easops lint ")


def recorded(state: Path, *runs: Run) -> None:
    store = RunStore(StateFolder(state).prepared().database_url)
    for run in runs:
        store.add(run)
    store.close()


def run_of(run_id: str, day: int, **more: object) -> Run:
    started = dt.datetime(2026, 11, day, 17, tzinfo=dt.UTC)
    document = {"source": "/books/storm.yml", "lab": more.pop("lab", None)}
    return Run(run_id, "run", "Cure a storm", document, (), started, **more)  # type: ignore[arg-type]


def test_runs_are_offered_the_newest_first_with_what_they_are(offered: Offered, state: Path) -> None:
    recorded(
        state, run_of("20261124-170000-aaaa", 24, lab="calm"), run_of("20261125-170000-bbbb", 25, status="changed")
    )
    assert offered("easops undo ") == ["20261125-170000-bbbb", "20261124-170000-aaaa"]
    assert offered("easops runs show 20261124") == ["20261124-170000-aaaa"]
    assert completion.runs(typer.Context(typer.main.get_command(app.app)), "") == [
        ("20261125-170000-bbbb", "storm changed"),
        ("20261124-170000-aaaa", "storm in the lab"),
    ]


def test_without_a_record_nothing_is_offered_and_nothing_is_made(offered: Offered, state: Path) -> None:
    assert offered("easops undo ") == []
    assert not state.exists()


def test_what_cannot_be_completed_is_passed_over_in_silence(offered: Offered) -> None:
    assert offered("easops detect no_such_detector ") == []
    assert offered("easops run no-such-playbook --input ") == []


@pytest.mark.skipif(os.name == "nt", reason="there a path is written with it, and no zsh completes")
def test_a_word_in_which_zsh_would_evaluate_a_command_is_not_offered(
    offered: Offered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "easops: 1\nname: x\ninputs:\n  a: {type: text, default: '\\$(touch it)'}\n  b: {type: text}\nhosts: all\n"
    text += "steps: [{detect: contact_sync_storm}]\n"
    for name in ("mine.yml", "\\$(touch it).yml"):
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert offered("easops run mine.yml --input ") == ["b="]
    assert [word for word in offered("easops lint ") if word.endswith(".yml")] == ["mine.yml"]


def test_help_holds_nothing_that_a_shell_evaluates() -> None:
    assert completion._plain("a 'b' (c) [d] `e`\n $f: \"g\"") == "a ’b’ c d e f g"


def in_shell(*command: str) -> str:
    found = shutil.which(command[0], path=PATH)
    assert found is not None
    done = subprocess.run(
        [found, *command[1:]],
        env={**os.environ, "PATH": PATH, "TERM": "xterm"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def needs(shell: str) -> None:
    if shutil.which(shell) is None or os.name == "nt":
        pytest.skip(f"there is no {shell} here, or none that this test can drive")


def test_bash_offers_them(state: Path) -> None:
    needs("bash")
    script = """
        eval "$(easops --show-completion)"
        words() {
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
            _easops_completion easops
            echo "${COMPREPLY[@]}"
        }
        complete -p easops
        words easops run con
        words easops do ''
    """
    registered, playbook, actions = in_shell("bash", "--norc", "-c", script).splitlines()
    assert registered == "complete -o default -F _easops_completion easops"
    assert playbook == "contacts-sync-storm"
    assert actions.split() == list(ACTIONS)


def test_fish_offers_them_with_what_they_are(state: Path) -> None:
    needs("fish")
    script = (
        "easops --show-completion | source; complete -C 'easops run con'; complete -C 'easops lab start --scenario c'"
    )
    playbook, *scenarios = in_shell("fish", "--no-config", "-c", script).splitlines()
    assert playbook == "contacts-sync-storm\tCure a contact-sync storm KB 2711053"
    assert [line.partition("\t")[0] for line in scenarios] == [n for n in scenario_names() if n.startswith("c")]


def test_zsh_offers_them_at_a_tab(state: Path, tmp_path: Path) -> None:
    needs("zsh")
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    environment = {**os.environ, "PATH": PATH, "TERM": "xterm", "HOME": str(tmp_path), "ZDOTDIR": str(tmp_path)}
    with subprocess.Popen(
        ["zsh", "-f", "-i"], stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
    ) as shell:
        os.close(theirs)
        output = bytearray()

        def wait_for(what: bytes) -> None:
            ends = time.monotonic() + 60
            while what not in output:
                assert time.monotonic() < ends, output.decode("utf-8", "replace")
                output.extend(os.read(ours, 65536))

        os.write(ours, b"autoload -Uz compinit; compinit -u -D; eval \"$(easops --show-completion)\"; print rea''dy\n")
        wait_for(b"ready")
        os.write(ours, b"easops run con\t")
        wait_for(b"contacts-sync-storm")
        output.clear()
        os.write(ours, b"\x15easops do \t")
        wait_for(b"recycle_app_pool")
        assert b"prove that its old worker processes are gone" in output or b"Recycle an application pool" in output
        shell.kill()
        os.close(ours)


def test_powershell_offers_them(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    needs("pwsh")
    # Which shell it is typer learns from the process that calls; here that is Python.
    monkeypatch.setenv("_TYPER_COMPLETE_TEST_DISABLE_SHELL_DETECTION", "1")
    script = in_shell("easops", "--show-completion", "pwsh")
    stubs = "function Import-Module {}\nfunction Set-PSReadLineKeyHandler {}\n"  # of an interactive host
    ask = """
        foreach ($line in 'easops run con', 'easops do ') {
            $found = [System.Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null)
            foreach ($match in $found.CompletionMatches) { $match.CompletionText + '|' + $match.ToolTip }
        }
    """
    encoded = base64.b64encode((stubs + script + ask).encode("utf-16-le")).decode()
    playbook, *actions = in_shell("pwsh", "-EncodedCommand", encoded).split("\n")
    assert playbook.strip() == "contacts-sync-storm|Cure a contact-sync storm KB 2711053"
    assert [line.partition("|")[0] for line in actions if line.strip()] == list(ACTIONS)
