from __future__ import annotations

import pickle
import sys
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import keyring
import keyring.backend
import keyring.errors
import pytest

from easops.errors import BadInput
from easops.inventory.host import Credential, Endpoint, Host
from easops.remoting import secret as secrets
from easops.remoting.secret import Secret, ask_passwords, forget_password, read_secret
from tests.shown import everything_in

ASKED = Credential("me", "CONTOSO\\me", "prompt", "")


def test_a_secret_is_never_shown() -> None:
    secret = Secret("tops3cret")
    assert "tops3cret" not in f"{secret} {secret!r} {[secret]}"
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.reveal() == "tops3cret"


def test_a_password_comes_from_the_first_line_of_its_file(tmp_path: Path) -> None:
    path = tmp_path / "password.txt"
    path.write_bytes(b"tops3cret\r\nmore")
    assert read_secret(Credential("a", "u", "file", str(path))).reveal() == "tops3cret"


def test_a_password_comes_from_an_environment_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EASOPS_TEST_PW", "tops3cret")
    assert read_secret(Credential("a", "u", "env", "EASOPS_TEST_PW")).reveal() == "tops3cret"


@pytest.mark.parametrize(
    "credential",
    [
        Credential("a", "u", "env", "NOT_SET_AT_ALL"),
        Credential("a", "u", "file", "/no"),
        Credential("a", "u", "file", sys.executable),
    ],
    ids=["no variable", "no file", "not text"],
)
def test_a_missing_password_is_a_clear_error(credential: Credential) -> None:
    with pytest.raises(BadInput, match="has no password"):
        read_secret(credential)


def test_no_traceback_shows_a_secret() -> None:
    secret = Secret("tops3cret")
    try:
        raise ValueError(secret)
    except ValueError:
        assert "tops3cret" not in traceback.format_exc()


class Terminal:
    """Answers each question with the next of *answers*, if there is a terminal at all."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *answers: str, there: bool = True) -> None:
        self.asked: list[str] = []
        self._answers = list(answers)
        monkeypatch.setattr("getpass.getpass", self._answer)
        monkeypatch.setattr(secrets, "_TYPED", {})
        for stream in (sys.stdin, sys.stderr):
            monkeypatch.setattr(stream, "isatty", lambda: there)

    def _answer(self, question: str) -> str:
        self.asked.append(question)
        return self._answers.pop(0)


def host(name: str, credential: Credential | None) -> Host:
    endpoint = Endpoint(f"https://{name}/PowerShell", "negotiate", credential)
    return Host(name, "contoso", "2016", frozenset(("mailbox",)), "AMS", endpoint, endpoint)


def test_a_password_is_asked_for_once_for_all_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, "tops3cret")

    ask_passwords([host("a", ASKED), host("b", ASKED), host("c", None)])

    assert read_secret(ASKED).reveal() == "tops3cret"
    assert terminal.asked == ["Password of CONTOSO\\me: "]


def test_a_refused_password_is_asked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal(monkeypatch, "wrong", "right")
    read_secret(ASKED)

    forget_password(ASKED)

    assert (read_secret(ASKED).reveal(), len(terminal.asked)) == ("right", 2)


@pytest.mark.parametrize(
    ("answers", "there", "expected"),
    [((), False, "there is no terminal to ask at"), (("",), True, "nothing was typed")],
    ids=["no terminal", "nothing typed"],
)
def test_a_password_that_cannot_be_asked_for_is_a_clear_error(
    monkeypatch: pytest.MonkeyPatch, answers: tuple[str, ...], there: bool, expected: str
) -> None:
    Terminal(monkeypatch, *answers, there=there)

    with pytest.raises(BadInput, match="'me' has no password") as refused:
        ask_passwords([host("a", ASKED)])

    assert expected in refused.value.why
    assert refused.value.next_step


class Keyring(keyring.backend.KeyringBackend):
    """A keyring in memory, or one that is locked."""

    priority = 1

    def __init__(self, *, locked: bool = False) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._locked = locked
        self._passwords: dict[tuple[str, str], str] = {}

    def get_password(self, service: str, username: str) -> str | None:
        if self._locked:
            raise keyring.errors.KeyringLocked("the collection is locked")
        return self._passwords.get((service, username))

    def set_password(self, service: str, username: str, password: str) -> None:
        self._passwords[service, username] = password


@pytest.fixture
def use_keyring() -> Iterator[Callable[[Keyring], None]]:
    before = keyring.get_keyring()
    yield keyring.set_keyring
    keyring.set_keyring(before)


KEPT = Credential("a", "CONTOSO\\admin", "keyring", "easops")


def test_a_password_comes_from_the_keyring(use_keyring: Callable[[Keyring], None]) -> None:
    use_keyring(Keyring())
    keyring.set_password("easops", "CONTOSO\\admin", "tops3cret")

    assert read_secret(KEPT).reveal() == "tops3cret"


@pytest.mark.parametrize(
    ("backend", "why", "next_step"),
    [
        (
            Keyring(),
            "the keyring has no entry for CONTOSO\\admin under the service 'easops'",
            'keyring set "easops" "CONTOSO\\admin"',
        ),
        (Keyring(locked=True), "the collection is locked", "unlock the keyring"),
    ],
    ids=["no entry", "locked"],
)
def test_a_keyring_without_the_password_is_a_clear_error(
    use_keyring: Callable[[Keyring], None], backend: Keyring, why: str, next_step: str
) -> None:
    use_keyring(backend)

    with pytest.raises(BadInput) as refused:
        read_secret(KEPT)

    assert why in refused.value.why
    assert next_step in refused.value.next_step


def test_a_keyring_that_is_not_installed_is_a_clear_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(BadInput, match="not installed") as refused:
        read_secret(KEPT)

    assert 'pip install "easops[keyring]"' in refused.value.next_step


def test_a_file_that_is_not_text_is_not_in_the_error(tmp_path: Path) -> None:
    path = tmp_path / "password.txt"
    path.write_bytes(b"s3cret\xa4")
    with pytest.raises(BadInput, match="not UTF-8") as caught:
        read_secret(Credential("a", "u", "file", str(path)))
    assert "s3cret" not in everything_in(caught.value)
