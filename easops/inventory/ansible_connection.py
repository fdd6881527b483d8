"""The windows endpoint that Ansible's connection plugins ``psrp`` and ``winrm`` would use for a host.

Source: the options of ansible.builtin.psrp and ansible.builtin.winrm, with their variables and defaults.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import attrs

from easops.inventory.ansible_variables import PASSWORDS, Variables
from easops.inventory.host import DEFAULT_AUTH, Auth


@attrs.frozen
class ConnectionPlugin:
    """The variables of a connection plugin. Where one option has several, the last one that is set counts."""

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
    def variables(self) -> tuple[str, ...]:
        """Every variable that is read."""
        return (*self.host, *self.user, *self.port, *self.ca, self.scheme, self.path, self.auth, self.validation)


_PSRP: Final = ConnectionPlugin(
    host=("ansible_host", "ansible_psrp_host"),
    user=("ansible_user", "ansible_psrp_user"),
    port=("ansible_port", "ansible_psrp_port"),
    scheme="ansible_psrp_protocol",
    path="ansible_psrp_path",
    auth="ansible_psrp_auth",
    ca=("ansible_psrp_cert_trust_path", "ansible_psrp_ca_cert"),
    validation="ansible_psrp_cert_validation",
    auths={"basic": "basic", "kerberos": "kerberos", "negotiate": "negotiate", "ntlm": "ntlm"},
)
_WINRM: Final = ConnectionPlugin(
    host=("ansible_host", "ansible_winrm_host"),
    user=("ansible_user", "ansible_winrm_user"),
    port=("ansible_port", "ansible_winrm_port"),
    scheme="ansible_winrm_scheme",
    path="ansible_winrm_path",
    auth="ansible_winrm_transport",
    ca=("ansible_winrm_ca_trust_path",),
    validation="ansible_winrm_server_cert_validation",
    auths={"basic": "basic", "plaintext": "basic", "ssl": "basic", "kerberos": "kerberos", "ntlm": "ntlm"},
)
_PLUGINS: Final[Mapping[str, ConnectionPlugin]] = {"psrp": _PSRP, "winrm": _WINRM}


def find_plugin(variables: Variables) -> ConnectionPlugin | None:
    """The plugin that ``ansible_connection`` names; None where it is another one or not set."""
    return _PLUGINS.get(variables.text("ansible_connection").rpartition(".")[2])


def plugin_url(plugin: ConnectionPlugin, variables: Variables, name: str) -> str:
    """The url that *plugin* connects to for the host *name*."""
    host = variables.text(*plugin.host) or name
    port, scheme = variables.text(*plugin.port), variables.text(plugin.scheme)
    scheme = scheme or ("http" if port == "5985" else "https")
    # winrm uses port 5986 even with http, unless it is told otherwise; psrp does not.
    port = port or ("5985" if scheme == "http" and plugin is _PSRP else "5986")
    path = variables.text(plugin.path) or "wsman"
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/{path.lstrip('/')}"


def plugin_auth(plugin: ConnectionPlugin, variables: Variables) -> str:
    """The authentication that *plugin* uses; a problem is noted where easops has no such one."""
    auths = variables.texts(plugin.auth)
    if not auths and plugin is _PSRP:
        return "negotiate"
    if not auths:
        return "kerberos" if "@" in variables.text(*plugin.user) else "basic"
    if len(auths) == 1 and auths[0] in plugin.auths:
        return plugin.auths[auths[0]]
    variables.add(
        f"{plugin.auth} is {', '.join(auths)}",
        f"easops logs on with one of {', '.join(dict.fromkeys(plugin.auths.values()))}",
        "Set easops_windows_auth to the one that easops should use",
    )
    return DEFAULT_AUTH["windows"]


def check_validation(plugin: ConnectionPlugin, variables: Variables) -> None:
    """Note a problem where certificates are not to be verified, which easops always does."""
    if variables.text(plugin.validation) == "ignore" and not variables.is_set("easops_ca"):
        variables.add(
            f"{plugin.validation} is ignore",
            "easops verifies the certificate of every server",
            "Name the PEM file of the authority that signed it with easops_ca",
        )


def unread_variables(plugin: ConnectionPlugin, variables: Variables) -> tuple[str, ...]:
    """The plugin's variables that easops does not read; a problem is noted for one that leads to another endpoint."""
    configuration = variables.text("ansible_psrp_configuration_name")
    if configuration not in ("", "Microsoft.PowerShell"):
        variables.add(
            f"ansible_psrp_configuration_name is {configuration}",
            "easops opens Microsoft.PowerShell",
            "Leave it out for this host",
        )
    known = (*plugin.variables, *PASSWORDS, "ansible_psrp_configuration_name")
    return tuple(
        name for name in variables if name.startswith(("ansible_psrp_", "ansible_winrm_")) and name not in known
    )
