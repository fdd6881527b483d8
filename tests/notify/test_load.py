"""The notifications file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from easops.document import Checker, DocumentError
from easops.errors import BadInput
from easops.notify import Notifications, load_notifications
from easops.notify.channel import Channel, LogFile, Mail, Reference, Webhook
from easops.notify.load import DEFAULT_WHEN, _Reader
from easops.notify.schema import notifications_schema
from easops.yaml_reader import parse

GOOD = """
easops: 1
notifications:
  - name: on-call
    when: [approval, trouble]
    webhook:
      url: {env: TEAMS_URL}
      headers: {X-Team: exchange, Authorization: {file: token.txt}}
      body: card
      ca: ca.pem
  - name: mail
    smtp:
      server: mail.contoso.com
      from: easops <easops@contoso.com>
      to: [exchange@contoso.com, 'André <andre@contoso.com>']
      username: easops
      password: {keyring: mail}
  - name: relay
    smtp: {server: localhost, tls: none, port: 2525, from: a@b, to: [c@d]}
  - name: own
    webhook: {url: "http://hooks.contoso.com:8080/easops"}
  - name: log
    when: [end]
    file: runs.jsonl
"""
SCHEMA = Draft202012Validator(notifications_schema())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_text("PEM")
    return tmp_path


def load(folder: Path, text: str) -> Notifications:
    path = folder / "notify.yml"
    path.write_text(text, encoding="utf-8")
    return load_notifications(path)


def channels(folder: Path) -> tuple[Channel, ...]:
    headers: dict[str, str | Reference] = {
        "X-Team": "exchange",
        "Authorization": Reference("file", str(folder / "token.txt")),
    }
    to = ("exchange@contoso.com", "André <andre@contoso.com>")
    password = Reference("keyring", "mail")
    mail = Mail("mail.contoso.com", 587, "starttls", "easops <easops@contoso.com>", to, "easops", password)
    hook = Webhook(Reference("env", "TEAMS_URL"), headers, "card", folder / "ca.pem")
    return (
        Channel("on-call", ("approval", "trouble"), hook),
        Channel("mail", DEFAULT_WHEN, mail),
        Channel("relay", DEFAULT_WHEN, Mail("localhost", 2525, "none", "a@b", ("c@d",))),
        Channel("own", DEFAULT_WHEN, Webhook("http://hooks.contoso.com:8080/easops")),
        Channel("log", ("end",), LogFile(folder / "runs.jsonl")),
    )


def test_a_file_gives_its_channels(folder: Path) -> None:
    assert load(folder, GOOD).channels == channels(folder)


def test_a_record_keeps_them_by_reference_and_gives_them_back(folder: Path) -> None:
    notifications = load(folder, GOOD)
    recorded = json.loads(json.dumps(notifications.recorded()))
    assert Notifications.of_record(recorded).channels == notifications.channels


def bad(channel: str) -> str:
    return f"easops: 1\nnotifications:\n  - {channel}\n"


WRONG: dict[str, tuple[str, str]] = {
    "no way": ("{name: a}", "3:5: 'a' has 0 ways of notifying"),
    "two ways": (
        "{name: a, file: x, webhook: {url: 'https://h/x'}}",
        "3:5: 'a' has 2 ways of notifying",
    ),
    "no name": ("{file: x}", "3:5: a notification has no 'name'"),
    "a name that is none": ("{name: 'a b', file: x}", "3:12: 'a b' is not a valid name of a notification"),
    "no such word": ("{name: a, when: [chnged], file: x}", "3:22: a word of when cannot be 'chnged'"),
    "no word": ("{name: a, when: [], file: x}", "3:21: when is empty"),
    "no scheme": ("{name: a, webhook: {url: h/x}}", "3:30: this is not a valid url of a webhook"),
    "a user in it": ("{name: a, webhook: {url: 'https://u:p@h/x'}}", "it contains a user name"),
    "a key in it": ("{name: a, webhook: {url: 'https://h/x?sig=abc'}}", "is usually a secret"),
    "a secret header in clear text": (
        "{name: a, webhook: {url: 'http://h/x', headers: {X-Key: {env: K}}}}",
        "would send a secret unencrypted",
    ),
    "a password in the file": (
        "{name: a, smtp: {server: m, from: a@b, to: [c@d], username: u, password: hunter2}}",
        "3:78: the password does not belong in this file",
    ),
    "a token in the file": (
        "{name: a, webhook: {url: 'https://h/x', headers: {Authorization: Bearer x}}}",
        "the value of Authorization does not belong here",
    ),
    "a header of ours": ("{name: a, webhook: {url: 'https://h/x', headers: {Host: x}}}", "easops sets it itself"),
    "a header that is two": (
        '{name: a, webhook: {url: "https://h/x", headers: {X-A: "b\\r\\nX-C: d"}}}',
        "a header is printable ASCII",
    ),
    "two places": ("{name: a, webhook: {url: {env: A, file: b}}}", "needs exactly one of env, file"),
    "no such body": ("{name: a, webhook: {url: 'https://h/x', body: crad}}", "Did you mean 'card'?"),
    "a password without a name": (
        "{name: a, smtp: {server: m, from: a@b, to: [c@d], password: {env: P}}}",
        "username and password need each other",
    ),
    "a password without tls": (
        "{name: a, smtp: {server: m, tls: none, from: a@b, to: [c@d], username: u, password: {env: P}}}",
        "tls: none with a password is refused",
    ),
    "no port": ("{name: a, smtp: {server: m, port: 99999, from: a@b, to: [c@d]}}", "the highest port is 65535"),
    "a port in the server": ("{name: a, smtp: {server: 'm/x', from: a@b, to: [c@d]}}", "is not a valid server name"),
    "nobody": ("{name: a, smtp: {server: m, from: a@b, to: []}}", "to is empty"),
    "no address": ("{name: a, smtp: {server: m, from: a, to: [c@d]}}", "from is not a valid mail address: 'a'"),
    "two in one": ("{name: a, smtp: {server: m, from: a@b, to: ['c@d, e@f']}}", "is not a valid mail address"),
    "an address with a header": (
        '{name: a, smtp: {server: m, from: "a@b\\nBcc: e@f", to: [c@d]}}',
        "is not a valid mail address",
    ),
    "no folder": ("{name: a, file: nosuch/x}", "does not exist"),
    "a folder": ("{name: a, file: .}", "it is not a regular file"),
    "no ca": ("{name: a, webhook: {url: 'https://h/x', ca: nosuch.pem}}", "ca names a PEM file"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_mistake_is_reported_with_its_place_and_no_secret_is_repeated(name: str, folder: Path) -> None:
    channel, expected = WRONG[name]
    with pytest.raises(DocumentError) as raised:
        load(folder, bad(channel))
    assert expected in str(raised.value)
    assert not [secret for secret in ("hunter2", "Bearer", "u:p", "sig=") if secret in str(raised.value)]


def test_all_mistakes_are_reported_at_once(folder: Path) -> None:
    text = "easops: 2\nnotifications:\n  - {name: a, file: x}\n  - {name: A, fle: y}\n  - 5\nmore: 1\n"
    with pytest.raises(DocumentError) as raised:
        load(folder, text)
    places = [(problem.line, problem.column) for problem in raised.value.problems]
    assert places == [(1, 9), (4, 5), (4, 15), (5, 5), (6, 1)]


def test_two_of_one_name_would_be_reported_as_one(folder: Path) -> None:
    with pytest.raises(DocumentError, match="two notifications are called 'A'"):
        load(folder, "easops: 1\nnotifications:\n  - {name: a, file: x}\n  - {name: A, file: y}\n")


def test_the_schema_takes_what_the_loader_takes(folder: Path) -> None:
    Draft202012Validator.check_schema(notifications_schema())
    assert list(SCHEMA.iter_errors(parse(GOOD, Checker("n")).plain())) == []


@pytest.mark.parametrize(
    "name", ["no way", "two ways", "no name", "a name that is none", "no such word", "no word", "no scheme",
             "a user in it", "a key in it", "a password in the file", "two places", "no such body",
             "a password without a name", "no port", "a port in the server", "nobody", "no address"]
)  # fmt: skip
def test_the_schema_finds_the_mistakes_that_an_editor_can(name: str) -> None:
    assert list(SCHEMA.iter_errors(parse(bad(WRONG[name][0]), Checker("n")).plain()))


def test_secrets_are_tried_before_anything_runs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    notifications = load(folder, bad("{name: a, webhook: {url: {env: EASOPS_HOOK}}}"))
    monkeypatch.delenv("EASOPS_HOOK", raising=False)
    with pytest.raises(BadInput, match="the url of the notification 'a' cannot be read"):
        notifications.check()
    monkeypatch.setenv("EASOPS_HOOK", "hooks.example/T0KEN")
    with pytest.raises(BadInput, match="does not begin with https://") as raised:
        notifications.check()
    assert "T0KEN" not in f"{raised.value} {raised.value.next_step}"
    monkeypatch.setenv("EASOPS_HOOK", "https://hooks.example/T0KEN")
    notifications.check()
    assert "T0KEN" not in repr(notifications)


@pytest.mark.parametrize("url", ["http://127.evil.example/x", "http://localhost.evil.example/x", "http://1.2.3.4/x"])
def test_a_name_that_only_looks_like_this_machines_gets_no_secret(folder: Path, url: str) -> None:
    with pytest.raises(DocumentError, match="unencrypted"):
        load(folder, bad(f"{{name: a, webhook: {{url: '{url}', headers: {{X-Key: {{env: K}}}}}}}}"))


def test_a_space_in_a_url_is_reported_as_that(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    monkeypatch.setenv("EASOPS_HOOK", "https://hooks.example/T0KEN\n")
    notifications = load(folder, bad("{name: a, webhook: {url: {env: EASOPS_HOOK}}}"))
    with pytest.raises(BadInput, match="a space or a line break"):
        notifications.check()


KEYS = ["name", "when", "webhook", "smtp", "file", "url", "headers", "server", "to", "from", "password", "env", "tls"]
PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["a@b", "none", "https://h/"])
MAPPINGS = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=12,
)


@given(st.lists(st.dictionaries(st.sampled_from(KEYS), MAPPINGS, max_size=4), max_size=3) | MAPPINGS)
def test_any_content_is_read_or_reported(value: Any) -> None:
    checker = Checker("n.yml")
    root = parse(json.dumps({"easops": 1, "notifications": value}), checker)
    _Reader(checker, Path()).channels(root)
