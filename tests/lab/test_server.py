from __future__ import annotations

import datetime as dt
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from easops.errors import BadInput
from easops.lab.server import Lab, start
from easops.lab.world.scenario import scenario_names

pytestmark = pytest.mark.slow

BEGIN = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


def connection(lab: Lab, server: str, path: str, user: str = "CONTOSO\\admin") -> WSMan:
    return WSMan(
        "127.0.0.1",
        port=lab.ports[server],
        path=path,
        auth="basic",
        username=user,
        password=lab.users[user].password,
        cert_validation=str(lab.folder / "ca.pem"),  # type: ignore[arg-type]  # pypsrp takes a path too
        no_proxy=True,
    )


def ask(lab: Lab, cmdlet: str, **parameters: Any) -> PowerShell:
    with (
        connection(lab, "AMS-EX01", "PowerShell") as wsman,
        RunspacePool(wsman, configuration_name="Microsoft.Exchange") as pool,
    ):
        shell = PowerShell(pool)
        shell.add_cmdlet(cmdlet).add_parameters(parameters)
        shell.invoke()
        return shell


def test_unmodified_pypsrp_uses_both_endpoints_and_an_error_does_not_end_an_exchange_pipeline(tmp_path: Path) -> None:
    with start(tmp_path, scenario="calm", speed=0.0, begin=BEGIN) as lab:
        servers = ask(lab, "Get-ExchangeServer")
        assert [server.adapted_properties["Name"] for server in servers.output] == ["AMS-EX01", "AMS-EX02"]
        nobody = ask(lab, "Get-Mailbox", Identity="nobody")
        assert not nobody.had_errors
        assert "couldn't be found on 'dc01.contoso.example'" in str(nobody.streams.error[0])
        with connection(lab, "AMS-EX02", "wsman") as wsman, RunspacePool(wsman) as pool:
            shell = PowerShell(pool)
            shell.add_cmdlet("Import-Module").add_parameter("Name", "WebAdministration").add_statement()
            shell.add_cmdlet("Restart-WebAppPool").add_parameter("Name", "MSExchangeSyncAppPool").add_statement()
            shell.add_cmdlet("Get-CimInstance").add_parameters({"ClassName": "Win32_Process"})
            processes = shell.invoke()
            assert len(processes) == 11


def test_all_statements_of_one_call_read_the_same_time(tmp_path: Path) -> None:
    with (
        start(tmp_path, scenario="calm", speed=1000.0, begin=BEGIN) as lab,
        connection(lab, "AMS-EX01", "wsman") as wsman,
        RunspacePool(wsman) as pool,
    ):
        shell = PowerShell(pool)
        for _ in range(3):
            shell.add_cmdlet("Get-Date").add_statement()
        times = {str(time) for time in shell.invoke()}
        assert len(times) == 1


def test_a_state_folder_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput) as refused, start(tmp_path / "file"):
        pass
    assert refused.value.next_step == "name another with --state"


def test_a_restarted_lab_keeps_its_time_and_its_password(tmp_path: Path) -> None:
    with start(tmp_path, scenario="calm", speed=0.0, begin=BEGIN) as lab:
        lab.world.advance(60)
        password = lab.users["CONTOSO\\admin"].password
    with start(tmp_path, speed=0.0) as again:
        assert again.world.now() == BEGIN + dt.timedelta(seconds=60)
        assert again.users["CONTOSO\\admin"].password == password
        assert ask(again, "Get-OrganizationConfig").output[0].adapted_properties["Name"] == "contoso"


def run(*arguments: str) -> subprocess.Popen[str]:
    code = "from easops.cli.lab import app; app(prog_name='easops lab')"
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )


def test_the_command_says_in_one_line_that_it_is_ready_and_ends_with_its_input(tmp_path: Path) -> None:
    state = str(tmp_path / "state")
    process = run(
        "start", "--scenario", "calm", "--state", state, "--speed", "60", "--auth", "ntlm", "--until-stdin-closes"
    )
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert set(ready) == {"inventory", "start", "speed", "scenario"}
    assert (ready["speed"], ready["scenario"]) == (60.0, "calm")
    assert '/wsman", auth: ntlm' in Path(ready["inventory"]).read_text(encoding="utf-8")
    rest, errors = process.communicate(timeout=20)  # which closes its input
    assert (process.returncode, rest, errors) == (0, "", "")
    assert json.loads((tmp_path / "state" / "clock.json").read_text())["elapsed"] > 0


def test_the_command_lists_the_scenarios() -> None:
    listed, _ = run("list").communicate(timeout=20)
    assert tuple(line.split()[0] for line in listed.splitlines() if not line.startswith(" ")) == scenario_names()


def test_a_program_moves_the_clock_of_a_lab_by_standard_input(tmp_path: Path) -> None:
    arguments = ("--scenario", "calm", "--state", str(tmp_path / "state"), "--begin", "2026-11-24T12:00:00Z")
    process = run("start", *arguments, "--clock-by-stdin")
    assert process.stdin is not None
    assert process.stdout is not None
    ready = json.loads(process.stdout.readline())
    assert (ready["start"], ready["speed"]) == (BEGIN.isoformat(), 0.0)
    answers = []
    for line in ('{"until": 0}', '{"until": 90.5}', '{"until": 30}', "90", '{"until": 100}'):
        process.stdin.write(line + "\n")
        process.stdin.flush()
        answers.append(json.loads(process.stdout.readline()))
    wrong = {"error": 'a line is {"until": SECONDS}'}
    assert answers == [{"now": 0.0}, {"now": 90.5}, {"now": 90.5}, wrong, {"now": 100.0}]
    rest, errors = process.communicate(timeout=20)
    assert (process.returncode, rest, errors) == (0, "", "")
    assert json.loads((tmp_path / "state" / "clock.json").read_text())["elapsed"] == 100.0


def test_a_begin_that_is_not_a_time_is_refused() -> None:
    process = run("start", "--begin", "noon")
    _, errors = process.communicate(timeout=20)
    assert process.returncode != 0
    assert "--begin: 'noon' is not a valid time" in errors


def test_calls_of_one_moment_are_counted_by_server_when_the_clock_is_next_moved(tmp_path: Path) -> None:
    with start(tmp_path, scenario="calm", speed=0.0, begin=BEGIN) as lab:
        for _ in range(3):
            ask(lab, "Get-ExchangeServer")
        assert lab.world.now() == BEGIN
        assert lab.world.reach(0.0) == 0.75
        assert lab.world.now() == BEGIN + dt.timedelta(seconds=0.75)
        assert lab.world.reach(10.0) == 10.0
