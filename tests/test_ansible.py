"""Ansible itself: the example play on a lab, and Ansible's own connection to the lab."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from easops.document import DocumentError
from easops.inventory.ansible import from_ansible
from easops.inventory.ansible_host import VARIABLES
from easops.inventory.load import load_inventory
from easops.lab import server
from tests.conftest import StandingLab

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="Ansible's control node is never Windows"),
]

ROOT = Path(__file__).parent.parent
CURE = ROOT / "examples" / "ansible" / "cure.yml"
USER = "nina.okafor@contoso.example"
SPELT_OUT = "hunter2-of-the-connection"
"""A password as text, under the other names that Ansible's connections accept."""
BLOCK = """
easops: 1
name: Block one user
inputs:
  user: {type: text, help: whose ActiveSync is turned off}
  protect: {type: list, default: [], help: who is never touched}
hosts: all
protect: "{{ protect }}"
steps:
  - name: Block
    do: block_user
    with: {user: "{{ user }}"}
"""


_COMMANDS: list[str] = []
"""The folder with an ``easops`` that starts at once."""


@pytest.fixture(autouse=True)
def quick(commands: Path) -> None:
    _COMMANDS[:] = [str(commands)]


def ansible(command: str, *words: str | Path, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """``ansible-COMMAND``; easops is found beside this interpreter, Ansible's own files are in *folder*."""
    here = os.pathsep.join([*_COMMANDS, str(Path(sys.executable).parent), os.environ["PATH"]])
    return subprocess.run(
        [sys.executable, "-m", "ansible", command, *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={
            **os.environ,
            "PATH": here,
            "LC_ALL": "C.UTF-8",
            "ANSIBLE_HOME": str(folder / "ansible"),
            "ANSIBLE_NOCOLOR": "1",
            "EASOPS_STATE": str(folder / "state"),
            **environment,
        },
        timeout=180,
    )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("ansible")


@pytest.fixture(scope="module")
def inventory(storm_lab: StandingLab, folder: Path) -> Path:
    """The lab as an Ansible inventory, which also has a web server that easops does not use."""
    hosts = load_inventory(storm_lab.inventory).hosts
    ports = {host.name: host.windows.url.rpartition(":")[2].partition("/")[0] for host in hosts if host.windows}
    path = folder / "hosts.yml"
    described: Mapping[str, Any] = {
        "ansible_connection": "psrp",
        "ansible_host": "127.0.0.1",
        "ansible_user": "CONTOSO\\admin",
        "ansible_password": "{{ lookup('ansible.builtin.env', 'EASOPS_PASSWORD') }}",
        "ansible_psrp_auth": "basic",
        "ansible_psrp_password": SPELT_OUT,
        "ansible_winrm_pass": SPELT_OUT,
        "easops_organisation": "contoso",
        "easops_version": 2016,
        "easops_roles": ["mailbox", "client_access"],
        "easops_exchange_url": "https://{{ ansible_host }}:{{ ansible_port | string }}/PowerShell",
        "easops_exchange_auth": "basic",
        "easops_ca": str(storm_lab.inventory.parent / "ca.pem"),
    }
    machines = {name: {"ansible_port": int(port)} for name, port in ports.items()}
    exchange = {"vars": described, "hosts": machines}
    path.write_text(json.dumps({"all": {"hosts": {"web01": {}}, "children": {"exchange": exchange}}}), encoding="utf-8")
    return path


class Play:
    """Plays the example with a small playbook; returns its output, and the numbers of its recap by host."""

    def __init__(self, inventory: Path, folder: Path, password: str) -> None:
        self._inventory = inventory
        self._folder = folder
        self._password = password
        (folder / "block.yml").write_text(BLOCK, encoding="utf-8")

    def __call__(self, *words: str, inputs: tuple[str, ...] = (), **more: Any) -> tuple[str, dict[str, dict[str, int]]]:
        variables = {
            "playbook": str(self._folder / "block.yml"),
            "servers": str(self._folder / "easops-hosts.yml"),
            "inputs": [f"user={USER}", *inputs],
            **more,
        }
        done = ansible(
            "playbook",
            "-i",
            self._inventory,
            CURE,
            "-e",
            json.dumps(variables),
            *words,
            folder=self._folder,
            EASOPS_PASSWORD=self._password,
        )
        rows = re.findall(r"^(\S+) +: (ok=.*)$", done.stdout, re.MULTILINE)
        recap = {host: {key: int(number) for key, number in re.findall(r"(\w+)=(\d+)", row)} for host, row in rows}
        assert recap, done.stdout + done.stderr
        return done.stdout + done.stderr, recap


@pytest.fixture(scope="module")
def play(inventory: Path, folder: Path, storm_lab: StandingLab) -> Play:
    return Play(inventory, folder, (storm_lab.inventory.parent / "password.txt").read_text(encoding="utf-8").strip())


def test_a_play_checks_then_changes_once_and_fails_with_the_message_of_easops(
    play: Play, folder: Path, lab: Path
) -> None:
    made = lab.parent / "changes.jsonl"
    before = made.read_bytes() if made.exists() else b""

    output, checked = play("--check", "--limit", "AMS-EX02", "-vvv")
    assert checked["AMS-EX02"]["changed"] == 1
    assert f"PLAY [easops {folder / 'block.yml'}]" in output
    assert f'"would change: {USER}: ' in output
    assert '"--limit", "AMS-EX02", "--check"' in re.sub(r",\s+", ", ", output)
    assert '\\"ansible_psrp_auth\\": \\"basic\\"' in output  # from standard input, which -vvv shows
    assert SPELT_OUT not in output
    assert (made.read_bytes() if made.exists() else b"") == before  # the lab's own list of changes

    output, first = play()
    (undo,) = re.findall(r"easops undo \S+", output)
    assert f'"changed: {USER}: ' in output
    assert (first["AMS-EX01"]["changed"], first["AMS-EX01"]["failed"]) == (1, 0)
    assert made.read_bytes() != before

    output, second = play()
    assert (second["AMS-EX01"]["changed"], second["AMS-EX01"]["failed"]) == (0, 0)

    words = [sys.executable, "-m", *undo.split(), "--yes", "-i", str(lab)]
    subprocess.run(words, env={**os.environ, "EASOPS_STATE": str(folder / "state")}, check=True, capture_output=True)

    output, refused = play(inputs=(f"protect={USER}",))
    assert (refused["AMS-EX01"]["changed"], refused["AMS-EX01"]["failed"]) == (0, 1)
    assert "refused (exit code 3): a rule refused it\nBlock" in output
    assert f"Block\n  {USER}: protected\nnext: easops runs show " in output

    output, wrong = play(playbook="contacts-sync-strom")
    assert wrong["AMS-EX01"]["failed"] == 1
    assert "bad_input (exit code 1)" in output, output
    assert "Did you mean 'contacts-sync-storm'?" in output, output


def test_the_output_of_ansible_inventory_is_imported_where_it_resolves_to_text(inventory: Path, folder: Path) -> None:
    listed = ansible("inventory", "-i", inventory, "--list", "--limit", "exchange", folder=folder)
    assert listed.returncode == 0, listed.stderr
    with pytest.raises(DocumentError, match="easops_exchange_url is a template"):
        from_ansible(listed.stdout, "stdin")

    taken = from_ansible(listed.stdout.replace(" | string }}", " }}"), "stdin")
    assert [host.name for host in taken.hosts] == ["AMS-EX01", "AMS-EX02"]


@pytest.fixture(scope="module")
def both_logons(folder: Path) -> Iterator[Path]:
    """An Ansible inventory that logs on to the windows endpoint of one server in two ways; the lab's clock stands."""
    with server.start(folder / "lab", scenario="calm", speed=0.0) as running:
        name = next(iter(running.ports))
        user, account = next((name, user) for name, user in running.users.items() if user.roles)
        variables = {
            "ansible_connection": "psrp",
            "ansible_host": "127.0.0.1",
            "ansible_user": user,
            "ansible_password": account.password,
            "ansible_psrp_ca_cert": str(running.folder / "ca.pem"),
        }
        logons = {
            "tls": {"ansible_port": running.ports[name], "ansible_psrp_auth": "basic"},
            "encrypted": {
                "ansible_port": running.plain_ports[name],
                "ansible_psrp_protocol": "http",
                "ansible_psrp_auth": "ntlm",
            },
            "nobody": {"ansible_port": running.ports[name], "ansible_psrp_auth": "basic", "ansible_password": "guess"},
        }
        path = folder / "doors.json"
        path.write_text(json.dumps({"all": {"vars": variables, "hosts": logons}}), encoding="utf-8")
        yield path


def test_ansibles_own_connection_logs_on_and_the_lab_refuses_its_script(both_logons: Path, folder: Path) -> None:
    done = ansible("adhoc", "-i", both_logons, "all", "-m", "raw", "-a", "Get-Date", folder=folder)
    for name in ("tls", "encrypted"):
        assert f"{name} | FAILED | rc=1 >>\nThe lab cannot run script text; it recognises" in done.stdout
    assert done.stdout.count("FullyQualifiedErrorId : LabUnknownScript") == 2
    assert "nobody | UNREACHABLE!" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_an_ansible_module_is_refused_and_does_not_hang(both_logons: Path, folder: Path) -> None:
    modules = folder / "library"
    modules.mkdir()
    (modules / "hello.ps1").write_text(
        "#!powershell\n#AnsibleRequires -CSharpUtil Ansible.Basic\n"
        "[Ansible.Basic.AnsibleModule]::Create($args, @{options = @{}}).ExitJson()\n"
    )
    done = ansible("adhoc", "-i", both_logons, "-M", modules, "tls", "-m", "hello", folder=folder)
    assert "tls | FAILED!" in done.stdout
    assert '"rc": 1' in done.stdout
    assert "The lab cannot run script text" in done.stdout


def test_the_example_inventory_and_the_page_name_the_variables_that_exist(folder: Path) -> None:
    listed = ansible("inventory", "-i", CURE.parent / "hosts.yml", "--list", folder=folder)
    assert [host.name for host in from_ansible(listed.stdout, "stdin").hosts] == ["AMS-EX01", "AMS-EX02"]

    page = (ROOT / "docs" / "how-to" / "call-it-from-ansible.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(easops_\w+)` \| (.*) \|$", page, re.MULTILINE) == list(VARIABLES.items())
