"""What a script may rely on: nothing is printed, one session serves many calls, one bad host does not affect others."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import attrs
import pytest

import easops
from easops.errors import BadInput, UnreachableHost
from easops.inventory import Host, load_inventory
from easops.lab import server
from easops.lab.wsman.service import Service
from tests.machine_clock import machine_clock

pytestmark = pytest.mark.slow

PLAYBOOK = """\
easops: 1
name: Two steps
hosts: all
steps:
  - detect: pool_memory
    with: {above: 1000}
  - do: block_user
    with: {user: nina.okafor@contoso.example}
"""


@attrs.frozen
class Script:
    """``tests/api_script.py`` after it ran: its process, its *result*, and how often each endpoint got a verb."""

    done: subprocess.CompletedProcess[str]
    result: dict[str, Any]
    verbs: Counter[tuple[str, str, str]]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Lab]:
    with (
        server.start(tmp_path_factory.mktemp("lab"), scenario="contacts-storm", speed=0) as lab,
        machine_clock(lab.world),
    ):
        yield lab


@pytest.fixture
def hosts(lab: server.Lab) -> tuple[Host, ...]:
    return load_inventory(lab.inventory).hosts


@pytest.fixture(scope="module")
def script(lab: server.Lab, tmp_path_factory: pytest.TempPathFactory) -> Script:
    folder = tmp_path_factory.mktemp("script")
    (folder / "two.yml").write_text(PLAYBOOK, encoding="utf-8")
    verbs: Counter[tuple[str, str, str]] = Counter()
    answer = Service._answer

    async def counting(service: Service, endpoint: Any, name: str, user: Any, request: Any) -> bytes:
        verbs[service.server, endpoint, request.verb] += 1
        return await answer(service, endpoint, name, user, request)

    with patch.object(Service, "_answer", counting):
        done = subprocess.run(
            [sys.executable, "-m", "tests.api_script", lab.inventory, folder / "two.yml", folder / "result.json"],
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "EASOPS_STATE": str(folder / "state")},
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
    assert (folder / "result.json").exists(), done.stderr
    return Script(done, json.loads((folder / "result.json").read_text(encoding="utf-8")), verbs)


def test_the_api_neither_prints_nor_ends_the_process(script: Script) -> None:
    assert (script.done.returncode, script.done.stdout, script.done.stderr) == (0, "", "")
    assert script.result["statuses"] == ["changed", "undone", "would_change", "changed", "ok"]


def test_an_observer_is_called_for_the_run_before_its_steps_and_for_each_step(script: Script) -> None:
    assert script.result["started"] == script.result["ids"]
    assert script.result["ids"][2] is None  # a check leaves no record
    assert script.result["steps"] == ["changed", "undone", "ok", "would_change", "ok", "changed", "ok", "ok"]
    assert "step 2 of 2: do block_user" in script.result["texts"]


def test_with_one_session_pool_many_calls_log_on_once_to_each_endpoint(script: Script) -> None:
    assert script.result["judged"] == [["AMS-EX01", "AMS-EX02"]] * 3
    assert script.result["workers"] == ["AMS-EX01", "AMS-EX02"]
    logons = {key: count for key, count in script.verbs.items() if key[2] == "Create"}
    assert logons == {
        ("AMS-EX01", "windows", "Create"): 1,
        ("AMS-EX02", "windows", "Create"): 1,
        ("AMS-EX01", "exchange", "Create"): 1,
    }
    assert {key[:2] for key in script.verbs if key[2] == "Delete"} == {key[:2] for key in logons}


def test_each_host_gives_its_value_or_its_error(hosts: tuple[Host, ...]) -> None:
    from easops.iis import read_worker_processes

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"https://127.0.0.1:{free.getsockname()[1]}/wsman"
    assert hosts[0].windows is not None
    away = attrs.evolve(hosts[0], name="AWAY", windows=attrs.evolve(hosts[0].windows, url=url))
    bare = attrs.evolve(hosts[0], name="BARE", windows=None)

    answers = easops.read_hosts((away, bare, *hosts), read_worker_processes)

    assert list(answers) == ["AWAY", "BARE", "AMS-EX01", "AMS-EX02"]
    assert isinstance(answers["AWAY"], UnreachableHost)
    assert isinstance(answers["BARE"], BadInput)
    assert not any(isinstance(answers[host.name], easops.EasopsError) for host in hosts)


def test_an_error_that_is_not_of_easops_is_a_bug_and_is_raised(hosts: tuple[Host, ...]) -> None:
    with pytest.raises(ZeroDivisionError):
        easops.read_hosts(hosts, lambda session: 1 // 0)


def test_a_session_pool_treats_a_host_with_another_address_as_another_host(hosts: tuple[Host, ...]) -> None:
    windows = hosts[0].windows
    assert windows is not None
    moved = attrs.evolve(hosts[0], windows=attrs.evolve(windows, url="https://127.0.0.1:9/wsman"))
    with easops.SessionPool() as sessions:
        assert sessions.open(hosts[0], "windows") is sessions.open(hosts[0], "windows")
        assert sessions.open(hosts[0], "windows") is not sessions.open(moved, "windows")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda hosts: easops.do("block_usr", hosts), "there is no action 'block_usr'"),
        (lambda hosts: easops.do("block_user", hosts), "the values for block_user are not valid: user is missing"),
        (
            lambda hosts: easops.do("block_user", hosts, {"usr": 1}),
            "the values for block_user are not valid: there is no parameter",
        ),
        (lambda hosts: easops.do("recycle_app_pool", hosts, because="x"), "recycle_app_pool acts on servers"),
        (lambda hosts: easops.do("recycle_app_pool", hosts, on="all"), "recycle_app_pool needs a reason"),
        (lambda hosts: easops.detect("storm", hosts), "there is no detector 'storm'"),
        (lambda hosts: easops.detect("contact_sync_storm"), "contact_sync_storm has nothing to read"),
        (lambda hosts: easops.detect("contact_sync_storm", hosts, logs=["x"]), "has hosts and logs"),
        (
            lambda hosts: easops.detect("pool_memory", logs=["x"]),
            "pool_memory cannot judge log files alone",
        ),
        (
            lambda hosts: easops.detect("pool_memory", hosts, {"above": 1}, on="name=X"),
            "no host is selected by 'name=X'",
        ),
        (lambda hosts: easops.run("nothing.yml", hosts), "nothing.yml"),
    ],
)
def test_an_unknown_name_is_bad_input_that_lists_the_known_names(
    hosts: tuple[Host, ...], call: Any, message: str
) -> None:
    with pytest.raises(BadInput) as error:
        call(hosts)
    assert message in str(error.value)
    assert error.value.next_step


def test_the_api_has_a_dozen_names_each_with_its_docstring() -> None:
    assert len(easops.__all__) <= 14
    assert all(getattr(easops, name).__doc__ for name in easops.__all__)


def test_the_script_on_the_page_for_scripts_runs(lab: server.Lab, tmp_path: Path) -> None:
    page = Path(__file__).parent.parent / "docs" / "how-to" / "call-it-from-a-script.md"
    blocks = re.findall(r"^```python\n(.*?)^```", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    assert len(blocks) >= 6
    script = "\n".join(blocks).replace("hosts.yml", lab.inventory.as_posix())
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "EASOPS_STATE": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )
    assert (done.returncode, done.stderr) == (0, "")
    for sentence in ("GiB", "AMS-EX02 [", "changed", "easops undo 2"):
        assert sentence in done.stdout
