"""One run with all logging turned on: neither the password nor anything equivalent is in any of its outputs."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import attrs
import pytest

from easops.errors import OutcomeUnknown
from easops.inventory.load import load_inventory
from easops.lab import server
from easops.lab.cmdlets import CMDLETS
from easops.lab_process import start_lab
from easops.remoting.command import Command
from easops.remoting.pool import SessionPool
from easops.remoting.secret import read_secret
from tests.machine_clock import machine_clock
from tests.notify.servers import mail_server, webhook

pytestmark = pytest.mark.slow

CANARY = "Canary-7x/Q!kuehn"
WRONG = "Wrong-5y+Z?canary"
USER = "CONTOSO\\admin"

# An embedding script that wants to know everything.
LOGGING_RUN = """
import http.client, logging, sys
logging.basicConfig(level=logging.DEBUG, filename=sys.argv.pop(1))
for name in ("pypsrp", "pypsrp.wsman", "spnego", "spnego._negotiate", "urllib3", "requests", "easops"):
    logging.getLogger(name).setLevel(logging.DEBUG)
http.client.HTTPConnection.debuglevel = 1
from easops.cli.app import main
main()
"""


def forms_of(password: str) -> dict[str, bytes]:
    """How a password may be written: as it is, in UTF-16, hexadecimal, quoted, in base64 at any offset, or hashed as
    NTLM does, where the hash is as good as the password."""
    forms = {}
    for encoding in ("utf-8", "utf-16-le"):
        plain = password.encode(encoding)
        forms[encoding] = plain
        forms[f"{encoding} hex"] = plain.hex().encode()
        for offset in range(3):
            whole = base64.b64encode(b"\0" * offset + plain)
            forms[f"{encoding} base64 +{offset}"] = whole[4 if offset else 0 : len(whole) // 4 * 4 - 4]
    forms["quoted"] = quote(password, safe="").encode()
    return forms


def found_in(data: bytes, *passwords: str) -> list[str]:
    """Which of the passwords, or of the logons with one, can be read in *data*."""
    found = [name for password in passwords for name, form in forms_of(password).items() if form in data]
    found += ["a Basic header"] if re.search(rb"Basic [A-Za-z0-9+/]{8}", data) else []
    for text in set(re.findall(rb"[A-Za-z0-9+/]{40,}={0,2}", data)):
        decoded = base64.b64decode(text[: len(text) // 4 * 4])
        # the third message of NTLM is enough to guess a password offline
        found += ["an NTLM token"] if b"NTLMSSP\0\3" in decoded else []
    return found


NOTIFICATIONS = """
easops: 1
notifications:
  - {name: hook, webhook: {url: {env: EASOPS_HOOK}, headers: {X-Key: {env: EASOPS_CANARY}}}}
  - name: mail
    smtp: {server: localhost, port: PORT, tls: none, from: a@b.example, to: [c@d.example],
           username: easops, password: {env: EASOPS_CANARY}}
"""


@attrs.frozen
class Outputs:
    """All outputs by name, and what went over the wire."""

    by_name: dict[str, bytes]
    wire_traffic: bytes


def easops(folder: Path, password: str, *words: str) -> tuple[int, dict[str, bytes]]:
    """The exit code of a run with all logging on, and its outputs: log, stdout, stderr, and its command line."""
    log = folder / "debug.log"
    environment = {**os.environ, "EASOPS_CANARY": password, "EASOPS_STATE": str(folder / "state")}
    environment.pop("EASOPS_DATABASE_URL", None)
    with subprocess.Popen(
        [sys.executable, "-c", LOGGING_RUN, str(log), *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
    ) as process:
        command_line = Path(f"/proc/{process.pid}/cmdline")
        while str(log).encode() not in (lines := command_line.read_bytes()) and process.poll() is None:
            time.sleep(0.01)  # the child has not started the program yet
        lines += Path("/proc/self/cmdline").read_bytes()
        out, err = process.communicate(timeout=300)
    return process.returncode, {"log": log.read_bytes(), "stdout": out, "stderr": err, "command lines": lines}


def bytes_below(folder: Path, *besides: str) -> bytes:
    return b"".join(
        path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file() and path.name not in besides
    )


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[server.Lab]:
    folder = tmp_path_factory.mktemp("lab")
    (folder / "password.txt").write_text(CANARY + "\n", encoding="utf-8")
    with server.start(folder, scenario="contacts-storm", speed=0, auth="negotiate") as lab, machine_clock(lab.world):
        yield lab


@pytest.fixture(scope="module")
def outputs(
    lab: server.Lab, tmp_path_factory: pytest.TempPathFactory, module_relay_before: Callable[[int], Any]
) -> Outputs:
    """A whole run with Basic over TLS and Negotiate over plain HTTP, and after it one whose logon is refused."""
    folder = tmp_path_factory.mktemp("run")
    password_file = json.dumps(str(lab.folder / "password.txt"))
    text = lab.inventory.read_text(encoding="utf-8").replace(f"{{file: {password_file}}}", "{env: EASOPS_CANARY}")
    relays = []
    for port in lab.plain_ports.values():
        relays.append(module_relay_before(port))
        text = text.replace(f"127.0.0.1:{port}/", f"127.0.0.1:{relays[-1].port}/")
    inventory = folder / "inventory.yml"
    inventory.write_text(text, encoding="utf-8")
    options = ("--inventory", str(inventory), "--debug")
    by_name: dict[str, bytes] = {}

    with webhook() as hook, mail_server() as post, pytest.MonkeyPatch.context() as environment:
        # Both refuse the message, and repeat the secret in their answer.
        hook.does, post.says = 404, f"554 no, not with {CANARY}"
        environment.setenv("EASOPS_HOOK", f"{hook.url}/{quote(CANARY, safe='')}")
        notifications = folder / "notify.yml"
        notifications.write_text(NOTIFICATIONS.replace("PORT", str(post.port)), encoding="utf-8")
        words = (*options, "--yes", "-v", "--notify", str(notifications))
        code, outputs_of_run = easops(folder, CANARY, "run", "contacts-sync-storm", *words)
        assert code == 0, outputs_of_run["stderr"].decode()
        assert [request.headers["X-Key"] for request in hook.got] == [CANARY]
        assert [password for _, _, password in post.logons] == [CANARY]
    by_name |= {f"run: {name}": data for name, data in outputs_of_run.items()}
    code, outputs_of_run = easops(folder, WRONG, "show", "servers", *options, "--json")
    assert code == 5, outputs_of_run["stderr"].decode()
    by_name |= {f"refused: {name}": data for name, data in outputs_of_run.items()}
    by_name["state folder"] = bytes_below(folder / "state")
    by_name["lab folder"] = bytes_below(lab.folder, "password.txt")
    return Outputs(by_name, b"".join(bytes(relay.traffic) for relay in relays))


def test_no_output_contains_a_password_or_something_equivalent(outputs: Outputs) -> None:
    assert {name: found for name, data in outputs.by_name.items() if (found := found_in(data, CANARY, WRONG))} == {}


def test_the_outputs_that_are_searched_are_not_empty(outputs: Outputs) -> None:
    assert b"Restart-WebAppPool" in outputs.by_name["run: stderr"]
    assert b"urllib3.connectionpool" in outputs.by_name["run: log"]
    assert b"hook was not notified" in outputs.by_name["run: stderr"]
    assert b"554 no, not with ***" in outputs.by_name["run: stderr"]
    assert b"Traceback" in outputs.by_name["refused: stderr"]
    assert b"servers" in outputs.by_name["refused: command lines"]
    assert len(outputs.by_name["state folder"]) > 100_000


def test_no_message_of_the_protocol_is_in_a_log(outputs: Outputs) -> None:
    logs = outputs.by_name["run: log"] + outputs.by_name["refused: log"] + outputs.by_name["run: stdout"]

    assert [sign for sign in (b"s:Envelope", b"<Obj", b"SPNEGO step", b"POST /wsman HTTP/1.1\\r") if sign in logs] == []


def test_an_encrypted_run_cannot_be_read_on_the_wire(outputs: Outputs) -> None:
    wire_traffic = outputs.wire_traffic.lower()
    words = [*(cmdlet.name for cmdlet in CMDLETS.values()), "Envelope", "MSExchangeSyncAppPool", "inetpub"]
    readable = [word for word in words for form in ("utf-8", "utf-16-le") if word.lower().encode(form) in wire_traffic]

    assert wire_traffic.count(b"multipart/encrypted") > 20
    assert (readable, [name for name, form in forms_of(CANARY).items() if form in outputs.wire_traffic]) == ([], [])


def test_no_value_shows_a_password(lab: server.Lab) -> None:
    (host, *_) = load_inventory(lab.inventory).hosts
    assert host.exchange is not None
    assert host.exchange.credential is not None
    with SessionPool() as pool:
        values = [host, read_secret(host.exchange.credential), pool, pool.open(host, "exchange"), vars(pool), lab]

        assert CANARY not in "".join(f"{value!r} {value}" for value in values)
        assert CANARY not in repr([vars(session) for session in pool._sessions.values()])


def test_no_frame_of_an_error_has_a_password(lab: server.Lab) -> None:
    (host, *_) = load_inventory(lab.inventory).hosts
    with SessionPool() as pool:
        session = pool.open(host, "exchange")
        session.connect()
        lab.faults.drop("command", cmdlet="Get-Mailbox")
        with pytest.raises(OutcomeUnknown) as lost:
            session.invoke(Command("Get-Mailbox", {"Identity": "nobody"}))

    text = "".join(traceback.TracebackException.from_exception(lost.value, capture_locals=True).format())
    assert "in urlopen" in text
    assert found_in(text.encode(), CANARY) == []


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_built_in_labs_process_is_given_no_password(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASOPS_CANARY", CANARY)
    with start_lab("calm", tmp_path) as lab:
        process = Path(f"/proc/{lab._process.pid}")
        visible = process.joinpath("environ").read_bytes() + process.joinpath("cmdline").read_bytes()

    assert b"PATH=" in visible
    assert found_in(visible, CANARY) == []
