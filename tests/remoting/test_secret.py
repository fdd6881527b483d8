from __future__ import annotations

import pickle
import traceback
from pathlib import Path

import pytest

from easops.errors import BadInput
from easops.inventory.host import Credential
from easops.remoting.secret import Secret, read_secret


def test_a_secret_shows_itself_nowhere() -> None:
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
    "credential", [Credential("a", "u", "env", "NOT_SET_AT_ALL"), Credential("a", "u", "file", "/no")]
)
def test_a_password_that_is_not_there_is_a_clear_error(credential: Credential) -> None:
    with pytest.raises(BadInput, match="has no password"):
        read_secret(credential)


def test_no_traceback_shows_it() -> None:
    secret = Secret("tops3cret")
    try:
        raise ValueError(secret)
    except ValueError:
        assert "tops3cret" not in traceback.format_exc()
