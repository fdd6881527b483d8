"""One host of an Ansible inventory: its variables, read as an easops host.

The windows endpoint follows from the variables of Ansible's connection, ``psrp`` or ``winrm``, all else from those that
begin with ``easops_`` (``VARIABLES``). Source: the options of ansible.builtin.psrp and ansible.builtin.winrm, with
their variables and defaults.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import attrs

from easops.document import Problem, suggestion
from easops.inventory.host import (
    DEFAULT_AUTH,
    PASSWORD_SOURCES,
    TICKET_AUTHS,
    Auth,
    Credential,
    Endpoint,
    Host,
    PasswordSource,
    Role,
    Version,
)

VARIABLES: Final[Mapping[str, str]] = {
    "easops_organisation": "the Exchange organisation",
    "easops_version": "2010, 2013, 2016, 2019 or SE (of 2003 and 2007 logs and pools alone)",
    "easops_roles": "mailbox, client_access: a list, or with commas between",
    "easops_site": "the Active Directory site, for selectors",
    "easops_log_folder": "in place of the folder of the logs that IIS itself names",
    "easops_exchange_url": "the Exchange endpoint, as http://SERVER/PowerShell; none without it",
    "easops_exchange_auth": "how it is entered, where that is not kerberos",
    "easops_windows_url": "the windows endpoint, where it is not the one that Ansible itself uses",
    "easops_windows_auth": "how that is entered, where that is not as Ansible does it",
    "easops_ca": "the PEM file of the authority that signed the server's certificates",
    "easops_password": "where the password is found: {env: NAME}, {file: PATH}, {keyring: SERVICE} or {prompt: true}",
}
"""What an Ansible inventory may say for easops, of a host or of a group."""

DEFAULT_VARIABLE: Final = "EASOPS_PASSWORD"
"""The environment variable with the password, where no ``easops_password`` names another place."""

_PASSWORDS: Final = ("ansible_password", "ansible_winrm_pass", "ansible_winrm_password", "ansible_psrp_password")
_REFERENCE: Final = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_DEEPEST: Final = 10


@attrs.frozen
class _Plugin:
    """The variables of a connection plugin; where one option has several, the last that is set counts."""

    host: tuple[str, ...]
    user: tuple[str, ...]
    port: tuple[str, ...]
    scheme: str
    path: str
    auth: str
    ca: tuple[str, ...]
    validation: str
    auths: Mapping[str, Auth]

    @property
    def read(self) -> tuple[str, ...]:
        ones = (self.scheme, self.path, self.auth, self.validation)
        return (*self.host, *self.user, *self.port, *self.ca, *ones)


_PLUGINS: Final[Mapping[str, _Plugin]] = {
    "psrp": _Plugin(
        host=("ansible_host", "ansible_psrp_host"),
        user=("ansible_user", "ansible_psrp_user"),
        port=("ansible_port", "ansible_psrp_port"),
        scheme="ansible_psrp_protocol",
        path="ansible_psrp_path",
        auth="ansible_psrp_auth",
        ca=("ansible_psrp_cert_trust_path", "ansible_psrp_ca_cert"),
        validation="ansible_psrp_cert_validation",
        auths={"basic": "basic", "kerberos": "kerberos", "negotiate": "negotiate", "ntlm": "ntlm"},
    ),
    "winrm": _Plugin(
        host=("ansible_host", "ansible_winrm_host"),
        user=("ansible_user", "ansible_winrm_user"),
        port=("ansible_port", "ansible_winrm_port"),
        scheme="ansible_winrm_scheme",
        path="ansible_winrm_path",
        auth="ansible_winrm_transport",
        ca=("ansible_winrm_ca_trust_path",),
        validation="ansible_winrm_server_cert_validation",
        auths={"basic": "basic", "plaintext": "basic", "ssl": "basic", "kerberos": "kerberos", "ntlm": "ntlm"},
    ),
}


@attrs.frozen
class ReadHost:
    """A host as its variables have it, what is wrong with them, and those of the connection that were not read."""

    host: Host
    problems: tuple[Problem, ...]
    unread: tuple[str, ...]


def read_host(name: str, variables: Mapping[str, Any], source: str) -> ReadHost:
    """Read the *variables* of one host; *source* is what the place of its problems is called."""
    reader = _Reader(name, variables, source)
    host = reader.host()
    return ReadHost(host, tuple(reader.problems), tuple(reader.unread))


class _Reader:
    """Reads the variables of one host; what is wrong is noted in ``problems``."""

    def __init__(self, name: str, held: Mapping[str, Any], source: str) -> None:
        self.problems: list[Problem] = []
        self.unread: list[str] = []
        self._name = name
        self._held = held
        self._source = source

    def host(self) -> Host:
        for variable in self._held:
            if variable.startswith("easops_") and variable not in VARIABLES:
                there = f"there are {', '.join(VARIABLES)}"
                self._add(f"there is no variable {variable}", there, suggestion(variable, VARIABLES) or "Remove it")
        for variable in ("easops_organisation", "easops_version", "easops_roles"):
            if not self._is_set(variable):
                self._add(f"{variable} is missing", VARIABLES[variable], "Set it for the host or its group")
        windows = self._windows()
        return Host(
            name=self._name,
            organisation=self._text("easops_organisation"),
            version=cast("Version", self._text("easops_version").upper()),
            roles=cast("frozenset[Role]", frozenset(self._list("easops_roles"))),
            site=self._text("easops_site"),
            exchange=self._exchange(windows.credential),
            windows=windows,
            log_folder=self._text("easops_log_folder") or None,
        )

    def _exchange(self, credential: Credential | None) -> Endpoint | None:
        url = self._text("easops_exchange_url")
        auth = self._text("easops_exchange_auth") or DEFAULT_AUTH["exchange"]
        return Endpoint(url, cast("Auth", auth), credential, self._ca(url)) if url else None

    def _windows(self) -> Endpoint:
        """As Ansible enters it, or as ``easops_windows_url`` says; a bad one is noted."""
        plugin = self._plugin()
        own = self._text("easops_windows_url")
        if plugin is None:
            auth = self._text("easops_windows_auth") or DEFAULT_AUTH["windows"]
            return Endpoint(own, cast("Auth", auth), self._credential(auth, "ansible_user"), self._ca(own))
        url = own or self._url(plugin)
        auth = self._text("easops_windows_auth") or self._auth(plugin)
        if url.startswith("https:"):
            self._validation(plugin)
        self._told(plugin)
        return Endpoint(url, cast("Auth", auth), self._credential(auth, *plugin.user), self._ca(url, *plugin.ca))

    def _plugin(self) -> _Plugin | None:
        connection = self._text("ansible_connection")
        plugin = _PLUGINS.get(connection.rpartition(".")[2])
        if plugin is None and not self._is_set("easops_windows_url"):
            self._add(
                f"ansible_connection is {connection}" if connection else "ansible_connection is not set",
                "how Windows is entered follows from psrp and winrm alone",
                "Set ansible_connection to psrp or winrm for it, or say it with easops_windows_url",
            )
        return plugin

    def _url(self, plugin: _Plugin) -> str:
        host = self._text(*plugin.host) or self._name
        port, scheme = self._text(*plugin.port), self._text(plugin.scheme)
        scheme = scheme or ("http" if port == "5985" else "https")
        port = port or ("5985" if scheme == "http" and plugin is _PLUGINS["psrp"] else "5986")
        path = self._text(plugin.path) or "wsman"
        return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/{path.lstrip('/')}"

    def _auth(self, plugin: _Plugin) -> str:
        given = self._list(plugin.auth)
        if not given and plugin is _PLUGINS["psrp"]:
            return "negotiate"
        if not given:
            return "kerberos" if "@" in self._text(*plugin.user) else "basic"
        if len(given) == 1 and given[0] in plugin.auths:
            return plugin.auths[given[0]]
        self._add(
            f"{plugin.auth} is {', '.join(given)}",
            f"easops enters by one of {', '.join(dict.fromkeys(plugin.auths.values()))}",
            "Set easops_windows_auth to the one that it shall use",
        )
        return DEFAULT_AUTH["windows"]

    def _validation(self, plugin: _Plugin) -> None:
        if self._text(plugin.validation) == "ignore" and not self._is_set("easops_ca"):
            self._add(
                f"{plugin.validation} is ignore",
                "easops verifies the certificate of every server",
                "Name the PEM file of the authority that signed it with easops_ca",
            )

    def _told(self, plugin: _Plugin) -> None:
        """Note the variables of the plugin that are not read, and those that would lead elsewhere."""
        configuration = self._text("ansible_psrp_configuration_name")
        if configuration not in ("", "Microsoft.PowerShell"):
            self._add(
                f"ansible_psrp_configuration_name is {configuration}",
                "easops opens Microsoft.PowerShell",
                "Leave it out for this host",
            )
        for variable in self._held:
            own = variable.startswith(("ansible_psrp_", "ansible_winrm_"))
            if own and variable not in (*plugin.read, *_PASSWORDS, "ansible_psrp_configuration_name"):
                self.unread.append(variable)

    def _ca(self, url: str, *variables: str) -> Path | None:
        named = self._text("easops_ca") or self._text(*variables)
        return Path(os.path.abspath(Path(named).expanduser())) if named and url.startswith("https:") else None

    def _credential(self, auth: str, *variables: str) -> Credential | None:
        """Who logs on; None is the ticket of whoever runs easops."""
        username = self._text(*variables)
        if not username:
            if auth not in TICKET_AUTHS:
                self._add("ansible_user is missing", f"{auth} needs a user and a password", "Set it in the inventory")
            return None
        source, reference = self._password()
        return Credential(_slug(username), username, source, reference)

    def _password(self) -> tuple[PasswordSource, str]:
        held = self._held.get("easops_password")
        if held is None:
            return "env", DEFAULT_VARIABLE
        way, value = next(iter(held.items())) if isinstance(held, dict) and len(held) == 1 else ("", None)
        if way == "prompt" and value is True:
            return "prompt", ""
        if way not in PASSWORD_SOURCES or not isinstance(value, str) or not value.strip() or "{{" in value:
            # not repeated: it may be the password itself
            self._add("easops_password does not say where the password is found", "", VARIABLES["easops_password"])
            return "env", DEFAULT_VARIABLE
        reference = os.path.abspath(Path(value).expanduser()) if way == "file" else value
        return cast("PasswordSource", way), reference

    def _is_set(self, variable: str) -> bool:
        return self._held.get(variable) not in (None, "")

    def _text(self, *variables: str) -> str:
        """The value of the last of *variables* that is set; an empty text where none is."""
        for variable in reversed(variables):
            if self._is_set(variable):
                return self._resolved(variable, self._held[variable])
        return ""

    def _list(self, variable: str) -> list[str]:
        held = self._held.get(variable)
        if isinstance(held, list):
            return [self._resolved(variable, item) for item in held]
        return [part.strip() for part in self._text(variable).split(",") if part.strip()]

    def _resolved(self, variable: str, value: Any) -> str:
        """A value as text, plain references to other variables of the host put in."""
        if isinstance(value, dict) and set(value) == {"__ansible_unsafe"}:
            return str(value["__ansible_unsafe"])
        if isinstance(value, dict) and set(value) == {"__ansible_vault"}:
            self._add(
                f"{variable} is encrypted",
                "ansible-inventory leaves it as Ansible Vault made it",
                "Hand over the hostvars of a play, which are decrypted",
            )
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            self._add(f"{variable} is no text", f"it is {json.dumps(value)[:40]}", "Write it as one text")
            return ""
        text = str(value)
        for _ in range(_DEEPEST):
            text = _REFERENCE.sub(self._referred, text)
        if "{{" in text or "{%" in text:
            self._add(
                f"{variable} is a template",
                f"ansible-inventory leaves {value} as it is, and easops resolves no more than the names of variables",
                "Write its value, or hand over the hostvars of a play, which are resolved",
            )
            return ""
        return text

    def _referred(self, reference: re.Match[str]) -> str:
        name = reference[1]
        if name in ("inventory_hostname", "inventory_hostname_short"):
            return self._name.partition(".")[0] if name.endswith("short") else self._name
        value = self._held.get(name)
        plain = isinstance(value, str | int) and not isinstance(value, bool) and name not in _PASSWORDS
        return str(value) if plain else reference[0]

    def _add(self, what: str, why: str, next_step: str) -> None:
        problem = Problem(self._source, None, None, f"{self._name}: {what}", why, next_step)
        if problem not in self.problems:
            self.problems.append(problem)


def _slug(username: str) -> str:
    """The name of a credential: ``admin`` of CONTOSO\\admin and of admin@CONTOSO.COM."""
    name = username.rpartition("\\")[2].partition("@")[0]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "user"
