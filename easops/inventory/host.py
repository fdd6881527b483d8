"""A host, its endpoints and its credentials, as the inventory names them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal
from urllib.parse import urlsplit

import attrs

Version = Literal["2003", "2007", "2010", "2013", "2016", "2019", "SE"]
VERSIONS: tuple[Version, ...] = ("2003", "2007", "2010", "2013", "2016", "2019", "SE")
Role = Literal["client_access", "mailbox"]
ROLES: Final[tuple[Role, ...]] = ("mailbox", "client_access")
Auth = Literal["basic", "kerberos", "ntlm", "negotiate"]
AUTHS: Final[tuple[Auth, ...]] = ("basic", "kerberos", "ntlm", "negotiate")
DEFAULT_AUTH: Final[Mapping[str, Auth]] = {"exchange": "kerberos", "windows": "negotiate"}
"""The authentication that each endpoint of a server accepts unless somebody changed its settings."""

TICKET_AUTHS: Final[tuple[Auth, ...]] = ("kerberos", "negotiate")
"""The authentications that work without a credential, with the Kerberos ticket of the user who runs easops."""

PasswordSource = Literal["env", "file", "prompt", "keyring"]
PASSWORD_SOURCES: Final[tuple[PasswordSource, ...]] = ("env", "file", "prompt", "keyring")


@attrs.frozen
class Credential:
    """A user (*username*), and where the password is: never the password itself.

    *name* is the inventory's label. *source* is ``env`` (an environment variable), ``file`` (the first line of a file),
    ``keyring`` (a service of the keyring) or ``prompt`` (asked at the terminal). *reference* is the name of the
    variable, the path or the service; empty for a prompt.
    """

    name: str
    username: str
    source: PasswordSource
    reference: str


@attrs.frozen
class Endpoint:
    """A remote PowerShell endpoint.

    *url* is ``https://fqdn/PowerShell`` (exchange) or ``https://fqdn:5986/wsman`` (windows). *credential* None means
    the Kerberos ticket of the user who runs easops. With an ``http`` url every message is encrypted with the key that
    *auth* negotiates, so ``basic``, which negotiates none, needs ``https``. *ca* is the PEM file of the authority that
    signed the server's certificate; None means the authorities that the system trusts.
    """

    url: str
    auth: Auth
    credential: Credential | None
    ca: Path | None = None

    @property
    def address(self) -> str:
        """The host name in lower case, with the port unless it is the usual one of the scheme or of WinRM."""
        parts = urlsplit(self.url)
        name = (parts.hostname or "").lower()
        usual_ports = {"http": (80, 5985), "https": (443, 5986)}.get(parts.scheme, ())
        return name if parts.port is None or parts.port in usual_ports else f"{name}:{parts.port}"


@attrs.frozen
class Host:
    """One server.

    *name* is the inventory's label, *organisation* the name of the Exchange organisation, *version* that of Exchange,
    *roles* are the server's roles, and *site* is the name of its Active Directory site. *exchange* and *windows* are
    its endpoints; None where the inventory has none. *log_folder* is used instead of the folder that IIS reports for
    the logs of the ActiveSync back end. *inventory* is the file that names the server, for commands to type next; None
    for a host that a program made.
    """

    name: str
    organisation: str
    version: Version
    roles: frozenset[Role]
    site: str = ""
    exchange: Endpoint | None = None
    windows: Endpoint | None = None
    log_folder: str | None = None
    inventory: Path | None = attrs.field(default=None, eq=False)

    @property
    def runs_activesync(self) -> bool:
        """Whether ActiveSync runs on this server, so that its load and its logs (with ``Log=``) are here.

        That is so on client access servers of 2007 and 2010, and on mailbox servers of 2003 and of 2013 and later.
        """
        return ("client_access" if self.version in ("2007", "2010") else "mailbox") in self.roles

    @property
    def has_sync_pool(self) -> bool:
        """Whether it has the application pool of ActiveSync: where ActiveSync runs, and on a client access server of
        2013, which passes the requests on."""
        return self.runs_activesync or (self.version == "2013" and "client_access" in self.roles)

    @property
    def eas_application(self) -> str:
        """The application of ActiveSync in IIS, as ``SITE/PATH``."""
        site = "Default Web Site" if self.eas_site == 1 else "Exchange Back End"
        return f"{site}/Microsoft-Server-ActiveSync"

    @property
    def eas_site(self) -> int:
        """The IIS site whose log has each request once, with its ``Log=``: 2 (the back end) from 2013 on, else 1."""
        return 1 if self.version in ("2003", "2007", "2010") else 2
