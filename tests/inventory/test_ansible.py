"""Hosts imported from the output of ``ansible-inventory --list``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from easops.document import DocumentError
from easops.inventory.ansible import ImportedInventory, from_ansible
from easops.inventory.host import Credential, Endpoint

EASOPS = {"easops_organisation": "contoso", "easops_version": 2016, "easops_roles": ["mailbox", "client_access"]}
PSRP = {**EASOPS, "ansible_connection": "psrp", "ansible_host": "ex1.contoso.com", "ansible_user": "CONTOSO\\admin"}
WINRM = {**PSRP, "ansible_connection": "ansible.builtin.winrm"}
URL = "https://ex1.contoso.com:5986/wsman"
ADMIN = Credential("admin", "CONTOSO\\admin", "env", "EASOPS_PASSWORD")


def imported(*machines: dict[str, Any], **named: dict[str, Any]) -> ImportedInventory:
    hostvars = {**{f"EX{number}": variables for number, variables in enumerate(machines, 1)}, **named}
    tree = {"_meta": {"hostvars": hostvars}, "all": {"children": ["ungrouped"]}, "ungrouped": {"hosts": [*hostvars]}}
    return from_ansible(json.dumps(tree), "stdin")


def windows(**variables: Any) -> Endpoint:
    (host,) = imported({**PSRP, **variables}).hosts
    assert host.windows is not None
    return host.windows


def problems(*machines: dict[str, Any]) -> list[str]:
    with pytest.raises(DocumentError) as raised:
        imported(*machines)
    return [problem.what for problem in raised.value.problems]


def test_a_host_has_what_its_variables_say() -> None:
    (host,) = imported({**PSRP, "easops_site": "AMS", "easops_exchange_url": "http://ex1.contoso.com/PowerShell"}).hosts
    assert (host.name, host.organisation, host.version, host.site) == ("EX1", "contoso", "2016", "AMS")
    assert host.roles == {"mailbox", "client_access"}
    assert host.exchange == Endpoint("http://ex1.contoso.com/PowerShell", "kerberos", ADMIN)
    assert host.windows == Endpoint(URL, "negotiate", ADMIN)


@pytest.mark.parametrize(
    ("variables", "url", "auth"),
    [
        ({}, URL, "negotiate"),
        ({"ansible_port": 5985}, "http://ex1.contoso.com:5985/wsman", "negotiate"),
        ({"ansible_psrp_protocol": "http"}, "http://ex1.contoso.com:5985/wsman", "negotiate"),
        ({"ansible_psrp_protocol": "http", "ansible_port": "8080"}, "http://ex1.contoso.com:8080/wsman", "negotiate"),
        ({"ansible_port": 1, "ansible_psrp_port": 443}, "https://ex1.contoso.com:443/wsman", "negotiate"),
        ({"ansible_psrp_host": "fe80::1"}, "https://[fe80::1]:5986/wsman", "negotiate"),
        ({"ansible_host": None}, "https://EX1:5986/wsman", "negotiate"),
        ({"ansible_psrp_auth": "ntlm", "ansible_psrp_path": "/wsman"}, URL, "ntlm"),
        ({"ansible_psrp_auth": "credssp", "easops_windows_auth": "kerberos"}, URL, "kerberos"),
        ({"easops_windows_url": "http://other/wsman"}, "http://other/wsman", "negotiate"),
        ({"ansible_connection": "ssh", "easops_windows_url": "http://other/wsman"}, "http://other/wsman", "negotiate"),
        ({"ansible_connection": "winrm"}, URL, "basic"),
        ({"ansible_connection": "winrm", "ansible_winrm_transport": "ntlm"}, URL, "ntlm"),
        ({"ansible_connection": "winrm", "ansible_winrm_transport": ["ssl"]}, URL, "basic"),
        ({"ansible_connection": "winrm", "ansible_user": "a@CONTOSO.COM"}, URL, "kerberos"),
        (
            {"ansible_connection": "winrm", "ansible_winrm_scheme": "http", "ansible_winrm_transport": "kerberos"},
            "http://ex1.contoso.com:5986/wsman",
            "kerberos",
        ),
    ],
)  # fmt: skip
def test_the_windows_endpoint_is_the_one_that_ansible_uses(variables: dict[str, Any], url: str, auth: str) -> None:
    endpoint = windows(**variables)
    assert (endpoint.url, endpoint.auth) == (url, auth)


@pytest.mark.parametrize(
    ("variables", "what"),
    [
        ({"easops_version": None}, "EX1: easops_version is missing"),
        ({"easops_version": 2020}, "EX1: there is no Exchange version '2020'"),
        ({"easops_roles": "mailbox, cas"}, "EX1: a role cannot be 'cas'"),
        ({"easops_orgnisation": "x"}, "EX1: there is no variable easops_orgnisation"),
        ({"ansible_connection": "ssh"}, "EX1: ansible_connection is ssh"),
        ({"ansible_connection": None}, "EX1: ansible_connection is not set"),
        ({"ansible_psrp_auth": "credssp"}, "EX1: ansible_psrp_auth is credssp"),
        ({"ansible_connection": "winrm", "ansible_winrm_transport": ["kerberos", "ntlm"]},
         "EX1: ansible_winrm_transport is kerberos, ntlm"),
        ({"ansible_connection": "winrm", "ansible_port": 5985}, "EX1: basic over plain http is refused"),
        ({"ansible_psrp_cert_validation": "ignore"}, "EX1: ansible_psrp_cert_validation is ignore"),
        ({"ansible_psrp_ca_cert": "nowhere.pem"}, f"EX1: there is no file {str(Path('nowhere.pem').absolute())!r}"),
        ({"ansible_psrp_configuration_name": "jea"}, "EX1: ansible_psrp_configuration_name is jea"),
        ({"ansible_psrp_path": "other"}, "EX1: 'https://ex1.contoso.com:5986/other' cannot be the windows endpoint"),
        ({"ansible_user": None, "ansible_psrp_auth": "basic"}, "EX1: ansible_user is missing"),
        ({"ansible_host": "{{ lookup('dns', 'x') }}"}, "EX1: ansible_host is a template"),
        ({"ansible_host": "{{ ansible_password }}", "ansible_password": "s3cret"}, "EX1: ansible_host is a template"),
        ({"ansible_host": {"__ansible_vault": "$ANSIBLE_VAULT;1.1"}}, "EX1: ansible_host is encrypted"),
        ({"ansible_host": True}, "EX1: ansible_host is not text"),
        ({"easops_password": "s3cret"}, "EX1: easops_password does not say where the password is"),
        ({"easops_password": {"env": "{{ x }}"}}, "EX1: easops_password does not say where the password is"),
    ],
)  # fmt: skip
def test_what_easops_does_not_support_or_cannot_read_is_a_problem_of_that_host(
    variables: dict[str, Any], what: str
) -> None:
    assert problems({**PSRP, **variables}) == [what]


def test_all_problems_of_all_hosts_are_reported_at_once_and_no_password() -> None:
    wrong = {**PSRP, "ansible_password": "s3cret", "easops_version": 1, "easops_password": "s3cret"}
    with pytest.raises(DocumentError) as raised:
        imported(wrong, {**wrong, "ansible_host": "other"})
    assert len(raised.value.problems) == 2
    assert "s3cret" not in str(raised.value)


def test_plain_references_to_other_variables_are_resolved() -> None:
    endpoint = windows(
        ansible_host="{{ inventory_hostname_short }}.{{domain}}", domain="{{ top }}.contoso.com", top="int"
    )
    assert endpoint.url == "https://EX1.int.contoso.com:5986/wsman"


def test_the_certificate_authority_is_an_absolute_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "ca.pem").write_text("PEM")
    monkeypatch.chdir(tmp_path)
    own = {**PSRP, "easops_exchange_url": "https://ex1/PowerShell", "ansible_psrp_ca_cert": "ca.pem"}
    (host,) = imported(own).hosts
    assert host.windows is not None
    assert host.exchange is not None
    assert (host.windows.ca, host.exchange.ca) == (tmp_path / "ca.pem", None)  # Ansible only knows the windows endpoint
    (host,) = imported({**own, "easops_ca": "ca.pem"}).hosts
    assert host.exchange is not None
    assert host.exchange.ca == tmp_path / "ca.pem"


def test_a_password_is_never_imported_and_a_note_says_so() -> None:
    answer = imported(
        {**PSRP, "ansible_password": "s3cret"}, {**WINRM, "ansible_host": "b", "ansible_winrm_pass": "s3cret"}
    )
    assert "s3cret" not in answer.text
    assert answer.notes[0] == (
        "the password of CONTOSO\\admin is not imported: easops reads it from the environment variable EASOPS_PASSWORD"
    )


def test_two_users_cannot_have_the_same_place_for_their_passwords() -> None:
    other = {**PSRP, "ansible_host": "b", "ansible_user": "FABRIKAM\\admin"}
    assert problems(PSRP, other) == ["EX2: CONTOSO\\admin and FABRIKAM\\admin have the same password"]
    assert problems(PSRP, {**PSRP, "ansible_host": "b", "easops_password": {"keyring": "x"}}) == [
        "EX2: CONTOSO\\admin has two passwords"
    ]
    first, second = imported(PSRP, {**other, "easops_password": {"env": "FABRIKAM_PASSWORD"}}).hosts
    assert first.windows is not None
    assert second.windows is not None
    assert (first.windows.credential, second.windows.credential) == (
        ADMIN,
        Credential("admin-2", "FABRIKAM\\admin", "env", "FABRIKAM_PASSWORD"),
    )


def test_hosts_without_easops_variables_are_left_out_and_named_in_a_note() -> None:
    answer = imported(PSRP, web01={"ansible_host": "10.0.0.1"}, **{f"db{number}": {} for number in range(9)})
    assert [host.name for host in answer.hosts] == ["EX1"]
    assert answer.notes[-1] == ("not imported, as no easops_… variable is set: web01, db0, db1, db2, db3 and 5 more")


def test_variables_that_easops_does_not_use_are_named_in_a_note() -> None:
    notes = imported({**PSRP, "ansible_psrp_proxy": "http://proxy"}).notes
    assert "ansible_psrp_proxy is not imported: easops does not use it (EX1)" in notes
    assert "no exchange endpoint: EX1 (set easops_exchange_url)" in notes


def test_two_names_of_one_server_are_refused() -> None:
    with pytest.raises(DocumentError, match="'EX1' and 'EX2' are the same server"):
        imported(PSRP, PSRP)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "this is not JSON"),
        ("all:\n  hosts: {}", "this is not JSON"),
        ("[" * 100_000, "this is not JSON"),
        ("[]", "this is not an Ansible inventory"),
        ('{"all": {"hosts": {"EX1": {}}}}', "this is not an Ansible inventory"),
        ('{"_meta": {"hostvars": {}}, "exchange": {"vars": {"easops_version": 2016}}}', "this was made with --export"),
        ('{"_meta": {"hostvars": {"web01": {}}}}', "no host has a variable easops_…"),
    ],
)
def test_what_is_not_an_ansible_inventory_is_refused(text: str, what: str) -> None:
    with pytest.raises(DocumentError) as raised:
        from_ansible(text, "stdin")
    assert [problem.what for problem in raised.value.problems] == [what]
