"""Notices to a webhook, over real HTTP."""

from __future__ import annotations

import http.client
import logging
import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from easops.errors import EasopsError
from easops.lab.certificate import Certificate
from easops.notify.channel import Body, Channel, Reference, Webhook
from easops.notify.deliver import deliver
from easops.notify.transmission import Transmission
from easops.notify.webhook import post
from easops.playbook.record.notice import Notice
from easops.remoting.secret import Secret
from easops.report.message import Message
from tests.shown import everything_in

from .servers import Hook, webhook

MESSAGE = Message("run.end", "changed: a run", "who\nwhat -> then\n", {"text": "who", "status": "changed"})


def send(way: Webhook, *, seconds: float = 10.0, message: Message = MESSAGE) -> Notice:
    (notice,) = deliver([Channel("on-call", ("end",), way)], message, seconds=seconds, on_notice=lambda notice: None)
    return notice


def test_it_gets_one_post_of_json(hook: Hook) -> None:
    assert send(Webhook(hook.url)).status == "sent"
    (request,) = hook.got
    assert request.json == {"text": "who", "status": "changed"}
    assert request.headers["Content-Type"] == "application/json"
    assert request.headers["User-Agent"] == "easops"
    assert "Transfer-Encoding" not in request.headers


def test_the_url_and_headers_may_be_secrets(hook: Hook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token.txt").write_text("Bearer s3cret\n", encoding="utf-8")
    monkeypatch.setenv("HOOK_URL", hook.url)
    headers = {"Authorization": Reference("file", str(tmp_path / "token.txt")), "X-Team": "exchange"}
    assert send(Webhook(Reference("env", "HOOK_URL"), headers)).status == "sent"  # type: ignore[arg-type]
    (request,) = hook.got
    assert (request.headers["Authorization"], request.headers["X-Team"]) == ("Bearer s3cret", "exchange")
    assert request.path == "/hook/T0KEN-in-the-path"


def test_a_secret_that_is_not_there_is_a_notice_that_failed(hook: Hook) -> None:
    notice = send(Webhook(Reference("env", "EASOPS_NOT_SET")))
    assert (notice.status, hook.got) == ("failed", [])
    assert "the environment variable EASOPS_NOT_SET is not set" in notice.reason


@pytest.mark.parametrize(
    ("does", "status", "reason"),
    [
        (204, "sent", ""),
        (404, "failed", "answered 404 Not Found"),
        (302, "failed", "redirects are not followed"),
        (500, "unknown", "answered 500 Internal Server Error: it may have accepted it"),
        ("drop", "unknown", "gave no answer"),
    ],
)
def test_each_answer_is_reported_as_what_it_is_and_nothing_is_sent_twice(
    hook: Hook, does: Any, status: str, reason: str
) -> None:
    hook.does = does
    notice = send(Webhook(hook.url))
    assert (notice.status, len(hook.got)) == (status, 1)
    assert reason in notice.reason
    assert "T0KEN" not in notice.reason


@pytest.mark.parametrize("does", ["hang", "drip"])
def test_one_that_does_not_come_to_an_answer_is_given_up_at_the_deadline(hook: Hook, does: Any) -> None:
    hook.does = does
    began = time.monotonic()
    notice = send(Webhook(hook.url), seconds=0.5)
    assert (notice.status, len(hook.got)) == ("unknown", 1)
    assert "it may have arrived" in notice.reason
    assert time.monotonic() - began < 5


def test_a_server_that_is_not_there_yet_is_tried_again_since_nothing_was_sent(
    hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect, refusals = socket.socket.connect, [1, 2]

    def connecting(self: socket.socket, address: Any) -> None:
        if address == ("127.0.0.1", hook.port) and refusals:
            refusals.pop()
            raise ConnectionRefusedError(111, "Connection refused")
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connecting)
    assert (send(Webhook(hook.url)).status, len(hook.got), refusals) == ("sent", 1, [])


def test_a_server_that_is_not_there_at_all_is_named_with_the_reason() -> None:
    with socket.socket() as bound:  # and nobody listens
        bound.bind(("127.0.0.1", 0))
        port = bound.getsockname()[1]
        notice = send(Webhook(f"http://127.0.0.1:{port}/"))
    assert notice.status == "failed"
    assert notice.reason == f"127.0.0.1:{port} cannot be reached: Connection refused"


def test_what_was_given_up_before_it_began_is_not_sent_afterwards(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    released, connect, ended = threading.Event(), socket.socket.connect, threading.Event()

    def connecting(self: socket.socket, address: Any) -> None:
        if address == ("127.0.0.1", hook.port):
            released.wait(10)
        connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", connecting)
    hook.at = ended.set
    notice = send(Webhook(hook.url), seconds=0.3)
    assert (notice.status, notice.reason) == ("failed", "not sent within 0.3 s")
    released.set()
    for thread in threading.enumerate():
        if thread.name == "easops-notify-on-call":
            thread.join(10)
    assert (hook.got, ended.is_set()) == ([], False)


def test_tls_is_verified_with_ones_own_authority(certificate: Certificate, ca: Path) -> None:
    with webhook(certificate.server_context()) as hook:
        assert send(Webhook(hook.url, ca=ca)).status == "sent"
        assert len(hook.got) == 1

        connections = hook.connections
        notice = send(Webhook(hook.url))
        assert (notice.status, len(hook.got)) == ("failed", 1)
        assert "is not trusted: " in notice.reason
        assert hook.connections - connections <= 1, "a certificate is not tried again"


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_environment_may_name_the_authorities(
    certificate: Certificate, ca: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    monkeypatch.setenv(variable, str(ca))
    with webhook(certificate.server_context()) as hook:
        assert send(Webhook(hook.url)).status == "sent"
        monkeypatch.setenv(variable, str(ca.with_name("gone.pem")))
        notice = send(Webhook(hook.url))
    assert (notice.status, len(hook.got)) == ("failed", 1)
    assert f"{variable} names" in notice.reason


def test_a_secret_goes_to_nobody_in_clear_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOOK_URL", "http://chat.contoso.example/T0KEN")
    notice = send(Webhook(Reference("env", "HOOK_URL")))
    assert notice.status == "failed"
    assert "would send a secret unencrypted" in notice.reason
    assert "T0KEN" not in notice.reason


def test_a_proxy_of_the_environment_is_used_and_netrc_is_not(
    hook: Hook, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine chat.contoso.example login me password netrc-s3cret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{hook.port}")
    monkeypatch.delenv("no_proxy", raising=False)
    monkeypatch.delenv("NO_PROXY", raising=False)
    assert send(Webhook("http://chat.contoso.example/hook")).status == "sent"
    (request,) = hook.got
    assert request.path == "http://chat.contoso.example/hook"
    assert "Authorization" not in request.headers


def test_nothing_is_logged_or_printed_of_the_address(
    hook: Hook,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOOK_URL", hook.url)
    monkeypatch.setattr(http.client.HTTPConnection, "debuglevel", 1)
    with caplog.at_level(logging.DEBUG):
        conducts: tuple[Any, ...] = (200, 404, "drop")
        for does in conducts:
            hook.does = does
            send(Webhook(Reference("env", "HOOK_URL"), {"X-Key": Reference("env", "HOOK_URL")}))
        logging.getLogger("urllib3.connectionpool").debug("of somebody else")
    assert len(hook.got) == 3
    assert "T0KEN" not in caplog.text + str(capsys.readouterr())
    assert "of somebody else" in caplog.text


@pytest.mark.parametrize("body", ["text", "card"])
def test_a_chat_gets_what_it_can_read(hook: Hook, body: Body) -> None:
    message = Message("k", "found <!channel>", "a [link](http://evil.example) @here <http://evil.example|x> ```", {})
    assert send(Webhook(hook.url, body=body), message=message).status == "sent"
    (request,) = hook.got
    if body == "text":
        assert set(request.json) == {"text"}
        assert request.json["text"].startswith("```\n")
        assert request.json["text"].endswith("\n```")
        assert request.json["text"].count("```") == 2
        assert "<" not in request.json["text"]
    else:
        assert request.json["type"] == "message"
        (attachment,) = request.json["attachments"]
        assert attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
        kinds = {block["type"] for block in attachment["content"]["body"]}
        assert kinds == {"RichTextBlock"}, "a TextBlock would read Markdown"


@pytest.mark.parametrize("does", [404, "drop"])
def test_no_error_keeps_the_address_or_a_header(hook: Hook, does: Any) -> None:
    hook.does = does
    secrets = {"url": Secret(f"{hook.url}/T0KEN"), "header X-Key": Secret("s3cret")}
    reference = Reference("env", "HOOK_URL")
    with pytest.raises(EasopsError) as caught:
        post(Webhook(reference, {"X-Key": reference}), b"{}", Transmission(time.monotonic() + 5, secrets))
    assert len(hook.got) == 1
    assert "T0KEN" not in everything_in(caught.value)
    assert "s3cret" not in everything_in(caught.value)
