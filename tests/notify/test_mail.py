"""Notices by mail, to real mail servers."""

from __future__ import annotations

import ssl
import time
from pathlib import Path
from typing import Any

import attrs
import pytest

from easops.errors import BadInput
from easops.lab.certificate import Certificate
from easops.notify.channel import Channel, Mail, Reference
from easops.notify.deliver import deliver
from easops.notify.mail import send_mail
from easops.notify.transmission import Transmission
from easops.playbook.record.notice import Notice
from easops.remoting.secret import Secret
from easops.report.message import Message
from tests.shown import everything_in

from .servers import dead_end, mail_server

MESSAGE = Message("20261124-170000-abcd.end", "[easops] changed: a run", "who: André\nwhat -> then\n", {})
PASSWORD = Reference("env", "MAIL_PASSWORD")
TO = ("exchange@contoso.example", "André <andre@contoso.example>")


def way(port: int, **more: Any) -> Mail:
    return attrs.evolve(Mail("127.0.0.1", port, "none", "easops <easops@contoso.example>", TO), **more)


def send(mail: Mail, *, seconds: float = 10.0, message: Message = MESSAGE) -> Notice:
    (notice,) = deliver([Channel("mail", ("end",), mail)], message, seconds=seconds, on_notice=lambda notice: None)
    return notice


@pytest.fixture
def password(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("MAIL_PASSWORD", "right")
    return monkeypatch


@pytest.fixture
def context(certificate: Certificate) -> ssl.SSLContext:
    return certificate.server_context()


def test_it_is_one_plain_mail_that_wants_no_answer() -> None:
    with mail_server() as post:
        assert send(way(post.port)).status == "sent"
        ((recipients, message),) = post.got
    assert recipients == ["exchange@contoso.example", "andre@contoso.example"]
    assert message["Subject"] == "[easops] changed: a run"
    assert message["From"] == "easops <easops@contoso.example>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert ".20261124-170000-abcd.end.mail@" in message["Message-ID"]
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == MESSAGE.text


@pytest.mark.parametrize("tls", ["starttls", "tls"])
def test_over_tls_it_logs_on_with_one_try(tls: Any, context: ssl.SSLContext, ca: Path, password: Any) -> None:
    with mail_server(context, tls=tls) as post:
        mail = way(post.port, tls=tls, ca=ca, username="easops", password=PASSWORD)
        assert send(mail).status == "sent"
        assert post.logons == [("PLAIN", "easops", "right")]
        assert len(post.got) == 1

        password.setenv("MAIL_PASSWORD", "wr0ng-s3cret")
        notice = send(mail)
        assert (notice.status, len(post.got)) == ("failed", 1)
        assert "refused the logon of easops: 535" in notice.reason
        assert [secret for _, _, secret in post.logons] == ["right", "wr0ng-s3cret"], "two tries are two of three"
        assert "wr0ng" not in notice.reason


def test_a_server_that_knows_only_login_is_logged_on_to_so(context: ssl.SSLContext, ca: Path, password: Any) -> None:
    with mail_server(context, tls="starttls", mechanisms=("LOGIN",)) as post:
        mail = way(post.port, tls="starttls", ca=ca, username="easops", password=PASSWORD)
        assert (send(mail).status, post.logons) == ("sent", [("LOGIN", "easops", "right")])


def test_a_certificate_of_nobodys_is_refused_and_the_password_is_not_sent(
    context: ssl.SSLContext, password: Any
) -> None:
    with mail_server(context, tls="starttls") as post:
        notice = send(way(post.port, tls="starttls", username="easops", password=PASSWORD))
    assert (notice.status, post.logons, post.got) == ("failed", [], [])
    assert "is not trusted" in notice.reason


def test_where_starttls_is_not_offered_nothing_is_sent(password: Any) -> None:
    with mail_server() as post:
        notice = send(way(post.port, tls="starttls", username="easops", password=PASSWORD))
    assert (notice.status, post.logons, post.got) == ("failed", [], [])
    assert "STARTTLS" in notice.reason


@pytest.mark.parametrize("secret", ["s3cret€", "s3cretпароль", "s3cret\udc80"])
def test_a_password_that_smtp_cannot_carry_is_refused_before_anything_is_sent(secret: str, password: Any) -> None:
    with mail_server(mechanisms=("PLAIN",)) as post:
        password.setenv("MAIL_PASSWORD", secret)
        mail = way(post.port, tls="none", username="easops", password=PASSWORD)
        notice = send(mail)
        assert (notice.status, post.logons, post.got) == ("failed", [], [])
        assert "beyond ASCII" in notice.reason
        transmission = Transmission(time.monotonic() + 5, {"password": Secret(secret)})
        assert isinstance(mail, Mail)
        with pytest.raises(BadInput) as caught:
            send_mail(mail, "s", "t", "id", transmission)
        assert "s3cret" not in everything_in(caught.value)


def test_a_mail_that_is_not_taken_failed_and_is_not_sent_again() -> None:
    with mail_server() as post:
        post.says = "554 5.7.1 no\x07t from you"
        notice = send(way(post.port))
    assert (notice.status, len(post.got)) == ("failed", 1)
    assert notice.reason == f"127.0.0.1:{post.port} refused the mail: 554 5.7.1 no\\x07t from you"


def test_a_recipient_who_is_not_known_is_named() -> None:
    with mail_server() as post:
        post.refuses = {"andre@contoso.example"}
        notice = send(way(post.port))
        assert (notice.status, notice.reason) == ("sent", "refused for andre@contoso.example")
        assert len(post.got) == 1
        post.refuses.add("exchange@contoso.example")
        notice = send(way(post.port))
        assert (notice.status, len(post.got)) == ("failed", 1)
        assert "550 5.1.1 there is no exchange@contoso.example" in notice.reason


def test_a_mail_whose_answer_does_not_come_is_unknown(tmp_path: Path) -> None:
    with mail_server() as post:
        post.hangs = True
        began = time.monotonic()
        notice = send(way(post.port), seconds=0.5)
        assert (notice.status, len(post.got)) == ("unknown", 1)
        assert time.monotonic() - began < 5


def test_a_connection_that_ends_after_the_mail_leaves_it_unknown() -> None:
    with mail_server() as post:
        post.drops = True
        notice = send(way(post.port))
        assert (notice.status, len(post.got)) == ("unknown", 1)
        assert "gave no answer" in notice.reason


@pytest.mark.parametrize(
    ("greets", "reason"),
    [
        (b"", "not sent within 0.4 s"),
        (b"421 too busy now\r\n", "accepts no connection now: 421 too busy now"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "what answers there is not a mail server"),
    ],
)
def test_a_server_that_does_not_get_as_far_as_the_mail_was_sent_nothing(greets: bytes, reason: str) -> None:
    with dead_end(greets=greets) as port:
        notice = send(way(port), seconds=0.4 if not greets else 5.0)
    assert notice.status == "failed"
    assert reason in notice.reason


def test_a_server_that_ends_each_connection_is_tried_a_few_times() -> None:
    with dead_end(closes=True) as port:
        notice = send(way(port))
    assert notice.status == "failed"
    assert "cannot be reached" in notice.reason
