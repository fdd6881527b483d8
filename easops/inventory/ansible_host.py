"""One host of an Ansible inventory: its variables, read as an easops host.

The windows endpoint follows from the variables of Ansible's connection (``easops.inventory.ansible_connection``),
everything else from those that begin with ``easops_`` (``VARIABLES``).
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, cast

import attrs

from easops.document import Problem, suggestion
from easops.inventory.ansible_connection import (
    check_validation,
    find_plugin,
    plugin_auth,
    plugin_url,
    unread_variables,
)
from easops.inventory.ansible_variables import Variables
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
from easops.inventory.keys import VARIABLE

VARIABLES: Final[Mapping[str, str]] = {
    "easops_organisation": "the Exchange organisation",
    "easops_version": "2010, 2013, 2016, 2019 or SE (for 2003 and 2007 easops only reads logs and application pools)",
    "easops_roles": "mailbox, client_access: a list, or a text with commas",
    "easops_site": "the Active Directory site, for selectors",
    "easops_log_folder": "the folder of the IIS logs, if it is not the one that IIS reports",
    "easops_exchange_url": "the Exchange endpoint, http://SERVER/PowerShell; without it the host has none",
    "easops_exchange_auth": "the authentication of the Exchange endpoint, if it is not kerberos",
    "easops_windows_url": "the windows endpoint, if it is not the one that Ansible uses",
    "easops_windows_auth": "the authentication of the windows endpoint, if it is not the one that Ansible uses",
    "easops_ca": "the PEM file of the authority that signed the server's certificates",
    "easops_password": "where the password is: {env: NAME}, {file: PATH}, {keyring: SERVICE} or {prompt: true}",
}
"""The variables that an Ansible inventory may set for easops, of a host or of a group."""

DEFAULT_VARIABLE: Final = "EASOPS_PASSWORD"
"""The environment variable with the password, unless ``easops_password`` names another place."""


@attrs.frozen
class AnsibleHost:
    """A host as its variables describe it, the problems in them, and those of the connection that were not read."""

    host: Host
    problems: tuple[Problem, ...]
    unread: tuple[str, ...]


def read_host(name: str, values: Mapping[str, Any], source: str) -> AnsibleHost:
    """Read the variables of one host. *source* is the file name that the problems show."""
    variables = Variables(name, values, source)
    reader = _Reader(name, variables)
    host = reader.host()
    return AnsibleHost(host, tuple(variables.problems), reader.unread)


class _Reader:
    """Reads the variables of one host. What is wrong is noted in them."""

    def __init__(self, name: str, variables: Variables) -> None:
        self.unread: tuple[str, ...] = ()
        self._name = name
        self._variables = variables

    def host(self) -> Host:
        variables = self._variables
        for name in variables:
            if name.startswith("easops_") and name not in VARIABLES:
                known = f"there are {', '.join(VARIABLES)}"
                variables.add(f"there is no variable {name}", known, suggestion(name, VARIABLES) or "Remove it")
        for name in ("easops_organisation", "easops_version", "easops_roles"):
            if not variables.is_set(name):
                variables.add(f"{name} is missing", VARIABLES[name], "Set it for the host or its group")
        windows = self._windows()
        return Host(
            name=self._name,
            organisation=variables.text("easops_organisation"),
            version=cast("Version", variables.text("easops_version").upper()),
            roles=cast("frozenset[Role]", frozenset(variables.texts("easops_roles"))),
            site=variables.text("easops_site"),
            exchange=self._exchange(windows.credential),
            windows=windows,
            log_folder=variables.text("easops_log_folder") or None,
        )

    def _exchange(self, credential: Credential | None) -> Endpoint | None:
        url = self._variables.text("easops_exchange_url")
        auth = self._variables.text("easops_exchange_auth") or DEFAULT_AUTH["exchange"]
        return Endpoint(url, cast("Auth", auth), credential, self._ca(url)) if url else None

    def _windows(self) -> Endpoint:
        """The endpoint that Ansible uses, or the one of ``easops_windows_url``."""
        variables = self._variables
        plugin = find_plugin(variables)
        own_url = variables.text("easops_windows_url")
        if plugin is None:
            if not variables.is_set("easops_windows_url"):
                self._no_plugin()
            auth = variables.text("easops_windows_auth") or DEFAULT_AUTH["windows"]
            return Endpoint(own_url, cast("Auth", auth), self._credential(auth, "ansible_user"), self._ca(own_url))
        url = own_url or plugin_url(plugin, variables, self._name)
        auth = variables.text("easops_windows_auth") or plugin_auth(plugin, variables)
        if url.startswith("https:"):
            check_validation(plugin, variables)
        self.unread = unread_variables(plugin, variables)
        return Endpoint(url, cast("Auth", auth), self._credential(auth, *plugin.user), self._ca(url, *plugin.ca))

    def _no_plugin(self) -> None:
        connection = self._variables.text("ansible_connection")
        self._variables.add(
            f"ansible_connection is {connection}" if connection else "ansible_connection is not set",
            "easops takes the windows endpoint from psrp and winrm only",
            "Set ansible_connection to psrp or winrm for this host, or set easops_windows_url",
        )

    def _ca(self, url: str, *variables: str) -> Path | None:
        path = self._variables.text("easops_ca") or self._variables.text(*variables)
        return Path(os.path.abspath(Path(path).expanduser())) if path and url.startswith("https:") else None

    def _credential(self, auth: str, *variables: str) -> Credential | None:
        """The credential that logs on; None for the ticket of the user who runs easops."""
        username = self._variables.text(*variables)
        if not username:
            if auth not in TICKET_AUTHS:
                needs = f"{auth} needs a user and a password"
                self._variables.add("ansible_user is missing", needs, "Set it in the inventory")
            return None
        source, reference = self._password()
        return Credential(_credential_name(username), username, source, reference)

    def _password(self) -> tuple[PasswordSource, str]:
        """The source of the password and its reference there."""
        password = self._variables.value("easops_password")
        if password is None:
            return "env", DEFAULT_VARIABLE
        is_pair = isinstance(password, dict) and len(password) == 1
        source, reference = next(iter(password.items())) if is_pair else ("", None)
        if source == "prompt" and reference is True:
            return "prompt", ""
        if (
            source not in PASSWORD_SOURCES
            or not isinstance(reference, str)
            or not reference.strip()
            or "{{" in reference
            or (source == "env" and not VARIABLE.fullmatch(reference))
        ):
            # The value is not repeated in the message: it may be the password itself.
            self._variables.add("easops_password does not say where the password is", "", VARIABLES["easops_password"])
            return "env", DEFAULT_VARIABLE
        path = os.path.abspath(Path(reference).expanduser()) if source == "file" else reference
        return cast("PasswordSource", source), path


def _credential_name(username: str) -> str:
    """A name for a credential: ``admin`` for CONTOSO\\admin and for admin@CONTOSO.COM."""
    name = username.rpartition("\\")[2].partition("@")[0]
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-.") or "user"
