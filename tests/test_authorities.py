"""Whose certificates are trusted."""

from __future__ import annotations

from pathlib import Path

import pytest

from easops.authorities import authorities
from easops.errors import BadInput
from easops.inventory.host import Credential, Endpoint
from easops.remoting.secret import Secret
from easops.remoting.transport import make_wsman


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    (tmp_path / "ours.pem").touch()
    return tmp_path / "ours.pem"


def test_without_a_word_they_are_the_usual_ones(file: Path) -> None:
    assert authorities(None) is None


def test_what_is_configured_counts_before_the_environment(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    assert (authorities(None), authorities(Path("x.pem"))) == (str(file), "x.pem")


def test_a_file_that_is_not_there_is_refused(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere")
    with pytest.raises(BadInput, match="names '/nowhere', which is not a file"):
        authorities(None)


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_a_session_trusts_them_too(file: Path, variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(variable, str(file))
    settings = Endpoint("https://ex1:5986/wsman", "basic", Credential("a", "u", "env", "P"))
    wsman = make_wsman(settings, "windows", Secret("p"), connect=1, poll=1)
    session = wsman.transport.session
    assert session is not None
    assert session.verify == str(file)
