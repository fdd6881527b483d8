"""The inventory file."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from easops.document import Checker, DocumentError
from easops.inventory.host import Credential, Endpoint, Host
from easops.inventory.load import load_inventory
from easops.inventory.schema import inventory_schema
from easops.yaml_reader import parse

GOOD = r"""
easops: 1
credentials:
  admin:
    username: CONTOSO\admin
    password: {file: secret/password.txt}
  other:
    username: helpdesk
    password: {env: EASOPS_PASSWORD}
defaults:
  organisation: contoso
  site: AMS
  endpoints:
    exchange: {auth: basic, credential: admin}
    windows: {auth: basic, credential: admin, ca: ca.pem}
hosts:
  - name: AMS-EX01
    version: 2016
    roles: [mailbox, client_access]
    endpoints:
      exchange: {url: "https://ams-ex01/PowerShell"}
      windows: {url: "https://ams-ex01:5986/wsman"}
    log_folder: 'D:\Logs\W3SVC2'
  - name: LON-EX01
    site: LON
    version: se
    roles: [mailbox]
    endpoints:
      windows: {url: "https://lon-ex01:5986/wsman/", credential: other}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ca.pem").write_text("PEM")
    return tmp_path


def load(folder: Path, text: str) -> tuple[Host, ...]:
    path = folder / "hosts.yml"
    path.write_text(text, encoding="utf-8")
    hosts = load_inventory(path).hosts
    SCHEMA.validate(plain(text))  # what the loader lets through, the editors' schema lets through too
    return hosts


SCHEMA = Draft202012Validator(inventory_schema())


def plain(text: str) -> Any:
    return parse(text, Checker("hosts.yml")).plain()


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        load(folder, text)
    return [str(problem).removeprefix(str(folder)).lstrip("/\\") for problem in caught.value.problems]


def test_hosts_have_their_own_values_and_the_defaults_and_paths_relative_to_the_file(folder: Path) -> None:
    admin = Credential("admin", r"CONTOSO\admin", "file", str(folder / "secret/password.txt"))
    other = Credential("other", "helpdesk", "env", "EASOPS_PASSWORD")

    assert load(folder, GOOD) == (
        Host(
            "AMS-EX01",
            "contoso",
            "2016",
            frozenset(("mailbox", "client_access")),
            "AMS",
            Endpoint("https://ams-ex01/PowerShell", "basic", admin),
            Endpoint("https://ams-ex01:5986/wsman", "basic", admin, folder / "ca.pem"),
            r"D:\Logs\W3SVC2",
        ),
        Host(
            "LON-EX01",
            "contoso",
            "SE",
            frozenset(("mailbox",)),
            "LON",
            None,
            Endpoint("https://lon-ex01:5986/wsman/", "basic", other, folder / "ca.pem"),
        ),
    )


def test_reading_an_inventory_does_not_read_passwords(folder: Path) -> None:
    assert not (folder / "secret").exists()

    assert load(folder, GOOD)


ENDPOINT = '{url: "https://ams-ex01/PowerShell", auth: basic, credential: admin}'


def with_endpoint(text: str) -> str:
    return (
        "easops: 1\n"
        "credentials: {admin: {username: a, password: {env: P}}}\n"
        "hosts:\n"
        "  - name: A\n"
        "    organisation: contoso\n"
        "    version: 2016\n"
        "    roles: [mailbox]\n"
        f"    endpoints: {text}\n"
    )


def test_an_exchange_endpoint_may_name_the_version_of_its_client(folder: Path) -> None:
    url = "https://ams-ex01/PowerShell"

    host, _ = load(folder, GOOD.replace(f'"{url}"', f'"{url}?ExchClientVer=15.0.1497.2"'))

    assert host.exchange is not None
    assert host.exchange.url == f"{url}?ExchClientVer=15.0.1497.2"


@pytest.mark.parametrize(
    ("endpoints", "expected"),
    [
        (
            "{exchange: {url: 'http://a/PowerShell', auth: basic, credential: admin}}",
            "8:62: basic over plain http is refused: it sends the password in clear text. "
            "Use https, or kerberos, negotiate or ntlm, which encrypt every message",
        ),
        (
            "{windows: {url: 'http://a/wsman', auth: ntlm}}",
            "8:26: the windows endpoint has no 'credential': ntlm needs a user and a password. Add `credential:`",
        ),
        (
            "{exchange: {url: 'https://a/PowerShell', auth: digest, credential: admin}}",
            "8:63: auth cannot be 'digest': it is one of basic, kerberos, ntlm, negotiate",
        ),
        (
            "{exchange: {url: 'https://a/powershell-x', auth: basic, credential: admin}}",
            "8:33: 'https://a/powershell-x' cannot be the exchange endpoint: its path must be /PowerShell. "
            "Write https://server/PowerShell",
        ),
        (
            "{exchange: {url: 'https://a/PowerShell?x=1', auth: basic, credential: admin}}",
            "8:33: 'https://a/PowerShell?x=1' cannot be the exchange endpoint: after ? it may have only "
            "ExchClientVer=15.0.1497.2, a version of Exchange, and no #. Write https://server/PowerShell",
        ),
        (
            "{windows: {url: 'https://a/wsman?ExchClientVer=15.0', auth: basic, credential: admin}}",
            "8:32: 'https://a/wsman?ExchClientVer=15.0' cannot be the windows endpoint: it cannot contain ? or #. "
            "Write https://server/wsman",
        ),
        (
            "{windows: {url: 'https://a:5986/PowerShell', auth: basic, credential: admin}}",
            "8:32: 'https://a:5986/PowerShell' cannot be the windows endpoint: its path must be /wsman. "
            "Write https://server/wsman",
        ),
        (
            "{windows: {url: 'ftp://a/wsman', auth: basic, credential: admin}}",
            "8:32: 'ftp://a/wsman' cannot be the windows endpoint: it must begin with https:// or http://. "
            "Write https://server/wsman",
        ),
        (
            "{windows: {url: 'https:///wsman', auth: basic, credential: admin}}",
            "8:32: 'https:///wsman' cannot be the windows endpoint: there is no valid server name after the //. "
            "Write https://server/wsman",
        ),
        (
            "{windows: {url: 'https://a:99999/wsman', auth: basic, credential: admin}}",
            "8:32: the url of the windows endpoint is not valid: Port out of range 0-65535. Write https://server/wsman",
        ),
        (
            "{windows: {url: 'https://a:pw@b/wsman', auth: basic, credential: admin}}",
            "8:32: a url cannot contain a user name. Name it with `credential:`",
        ),
        (
            "{windows: {url: 'https://a/wsman', auth: basic, credential: amdin}}",
            "8:76: there is no credential 'amdin': there are admin. Did you mean 'admin'?",
        ),
        (
            "{windows: {url: 'https://a/wsman', auth: basic}}",
            "8:26: the windows endpoint has no 'credential': basic needs a user and a password. Add `credential:`",
        ),
        ("{}", "8:16: the host 'A' has no endpoint: there are exchange, windows"),
        (
            "{window: {url: 'https://a/wsman', auth: basic, credential: admin}}",
            "8:17: the endpoints of 'A' has no key 'window': there are exchange, windows. Did you mean 'windows'?",
        ),
    ],
    ids=[
        "basic over http",
        "ntlm of nobody",
        "unknown auth",
        "exchange path",
        "exchange query",
        "windows query",
        "windows path",
        "scheme",
        "no server",
        "port",
        "password in url",
        "unknown credential",
        "no credential",
        "no endpoint",
        "unknown endpoint",
    ],
)
def test_an_endpoint_that_cannot_be_used_is_refused(folder: Path, endpoints: str, expected: str) -> None:
    assert problems(folder, with_endpoint(endpoints)) == [f"hosts.yml:{expected}"]


@pytest.mark.parametrize(
    ("endpoints", "expected"),
    [
        ("{exchange: {url: 'http://a/PowerShell'}}", Endpoint("http://a/PowerShell", "kerberos", None)),
        ("{exchange: {url: 'https://a/PowerShell'}}", Endpoint("https://a/PowerShell", "kerberos", None)),
        ("{windows: {url: 'http://a:5985/wsman'}}", Endpoint("http://a:5985/wsman", "negotiate", None)),
        (
            "{windows: {url: 'http://a:5985/wsman', auth: ntlm, credential: admin}}",
            Endpoint("http://a:5985/wsman", "ntlm", Credential("admin", "a", "env", "P")),
        ),
    ],
    ids=["exchange as it is installed", "exchange over TLS", "windows as it is installed", "ntlm"],
)
def test_the_default_authentication_is_that_of_an_unchanged_server_and_may_use_http(
    folder: Path, endpoints: str, expected: Endpoint
) -> None:
    (host,) = load(folder, with_endpoint(endpoints))

    assert (host.exchange or host.windows) == expected


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("{env: P}", ("env", "P")),
        ("{file: p.txt}", ("file", "p.txt")),
        ("{keyring: easops}", ("keyring", "easops")),
        ("{prompt: true}", ("prompt", "")),
    ],
)
def test_a_password_is_found_in_one_of_four_places(folder: Path, password: str, expected: tuple[str, str]) -> None:
    (host,) = load(folder, with_endpoint(f"{{exchange: {ENDPOINT}}}").replace("{env: P}", password))

    assert host.exchange is not None
    assert host.exchange.credential is not None
    found = host.exchange.credential
    assert (found.source, found.reference.removeprefix(f"{folder}/")) == expected


def test_a_missing_authority_file_is_found_when_the_inventory_is_read(folder: Path) -> None:
    text = with_endpoint("{windows: {url: 'https://a/wsman', auth: basic, credential: admin, ca: no.pem}}")

    assert problems(folder, text) == [
        f"hosts.yml:8:87: there is no file {str(folder / 'no.pem')!r}: "
        "ca must name the PEM file of a certificate authority"
    ]


def test_all_mistakes_of_hosts_are_reported_at_once(folder: Path) -> None:
    text = (
        "easops: 2\n"
        "hosts:\n"
        "  - name: A B\n"
        "    organisation: contoso\n"
        "    version: 2015\n"
        "    roles: [mailbx]\n"
        "    stie: AMS\n"
        f"    endpoints: {{exchange: {ENDPOINT}}}\n"
        "  - {name: C, version: [1]}\n"
        "  - x\n"
    )

    assert problems(folder, text) == [
        "hosts.yml:1:9: this version of easops reads inventory format 1. Write `easops: 1`",
        "hosts.yml:3:11: a host cannot be called 'A B': a name has letters, digits, dots, - and _",
        "hosts.yml:5:14: there is no Exchange version 2015: there are 2003, 2007, 2010, 2013, 2016, 2019, SE",
        "hosts.yml:6:13: a role cannot be 'mailbx': it is one of mailbox, client_access. Did you mean 'mailbox'?",
        "hosts.yml:7:5: a host has no key 'stie': "
        "there are name, organisation, version, roles, site, endpoints, log_folder. Did you mean 'site'?",
        "hosts.yml:8:89: there is no credential 'admin': the inventory has no credentials. Add it under `credentials:`",
        "hosts.yml:9:5: the host 'C' has no 'organisation': the key is missing. Add `organisation:`",
        "hosts.yml:9:5: the host 'C' has no 'roles': the key is missing. Add `roles:`",
        "hosts.yml:9:5: the host 'C' has no 'endpoints': the key is missing. Add `endpoints:`",
        "hosts.yml:9:24: a list is not an Exchange version: there are 2003, 2007, 2010, 2013, 2016, 2019, SE",
        "hosts.yml:10:5: a host is text, not a mapping. Write it as `key: value` lines",
    ]


def test_two_hosts_of_one_name_or_for_one_server_are_refused(folder: Path) -> None:
    host = "  - {{name: {}, endpoints: {{windows: {{url: 'https://{}/wsman'}}}}}}\n"
    text = (
        "easops: 1\n"
        "credentials: {c: {username: u, password: {env: P}}}\n"
        "defaults: {organisation: o, version: 2016, roles: [mailbox],\n"
        "  endpoints: {windows: {auth: basic, credential: c}}}\n"
        "hosts:\n" + host.format("A", "ex1") + host.format("a", "ex2") + host.format("B", "EX1:5986")
    )

    assert problems(folder, text) == [
        "hosts.yml:7:12: two hosts are called 'a': the first is in line 6",
        "hosts.yml:8:12: 'A' and 'B' are the same server: the windows endpoint of both is ex1",
    ]


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("hunter2", "a password does not belong in the inventory"),
        ("{}", "a password needs exactly one of env, file, prompt, keyring"),
        ("{env: A, file: b}", "a password needs exactly one of env, file, prompt, keyring"),
        ("{prompt: hunter2}", "prompt can only be true"),
        ("{prompt: false}", "prompt can only be true"),
        ("{env: 5}", "the password's env is a number, not text"),
        ("{envv: A}", "a password has no key 'envv'"),
        ('{env: "hunter2!"}', "this is not the name of an environment variable"),
        ("{env: 2hunter2}", "this is not the name of an environment variable"),
        ("{env: $hunter2}", "this is not the name of an environment variable"),
    ],
)
def test_an_inventory_says_where_a_password_is_and_never_what_it_is(folder: Path, password: str, expected: str) -> None:
    text = with_endpoint(f"{{exchange: {ENDPOINT}}}").replace("{env: P}", password)

    found = problems(folder, text)

    assert expected in found[0]
    assert "hunter2" not in "".join(found)


def test_defaults_have_no_name_and_no_url(folder: Path) -> None:
    text = GOOD.replace("  site: AMS\n", "  name: X\n").replace("{auth: basic, credential: admin}", "{url: x}")

    assert [problem.split(": ")[1] for problem in problems(folder, text)][:2] == [
        "defaults has no key 'name'",
        "the exchange endpoint of defaults has no key 'url'",
    ]


_SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.text(max_size=8),
    st.sampled_from(["basic", "c", "http://[", "https://a:b/wsman"]),
)
_KEYS = st.sampled_from(
    ["name", "version", "roles", "endpoints", "windows", "exchange", "url", "auth", "ca", "credential", "x"]
)
_TREES = st.recursive(
    _SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5), max_leaves=12
)


@given(credentials=_TREES, defaults=_TREES, hosts=st.lists(_TREES, max_size=2))
def test_an_inventory_of_any_shape_is_read_or_a_document_error(
    tmp_path_factory: pytest.TempPathFactory, credentials: object, defaults: object, hosts: object
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.yml"
    path.write_text(
        json.dumps({"easops": 1, "credentials": credentials, "defaults": defaults, "hosts": hosts}), encoding="utf-8"
    )
    with contextlib.suppress(DocumentError):
        load_inventory(path)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("easops: 1", "easops: 2"),
        ("hosts:\n  - name: AMS-EX01", "hosts:\n  - nam: AMS-EX01"),
        ("name: AMS-EX01", "name: _a"),
        ("version: 2016", "version: 2017"),
        ("roles: [mailbox, client_access]", "roles: [mailbx]"),
        ("roles: [mailbox, client_access]", "roles: []"),
        ("roles: [mailbox, client_access]", "log_folder: x"),
        ("organisation: contoso", "log_folder: x"),
        ("site: AMS", "name: AMS"),
        ("auth: basic", "auth: digest"),
        ("{env: EASOPS_PASSWORD}", "{env: A, file: b}"),
        ("{env: EASOPS_PASSWORD}", "{}"),
        ("{env: EASOPS_PASSWORD}", "hunter2"),
        ("https://ams-ex01/PowerShell", "ams-ex01"),
        ("exchange: {url", "exchnge: {url"),
        ('{url: "https://lon-ex01:5986/wsman/", ', "{"),
    ],
)
def test_a_structural_mistake_is_seen_by_the_schema(old: str, new: str) -> None:
    assert SCHEMA.is_valid(plain(GOOD))
    assert old in GOOD
    assert not SCHEMA.is_valid(plain(GOOD.replace(old, new, 1)))


def test_the_inventory_that_the_lab_writes_is_valid(lab: Path) -> None:
    assert SCHEMA.is_valid(plain(lab.read_text(encoding="utf-8")))
