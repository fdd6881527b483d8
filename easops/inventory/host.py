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
"""What each endpoint of an untouched server takes."""

TICKET_AUTHS: Final[tuple[Auth, ...]] = ("kerberos", "negotiate")
"""Those that need no credential: the ticket of the user who runs easops serves."""

PasswordSource = Literal["env", "file", "prompt", "keyring"]
PASSWORD_SOURCES: Final[tuple[PasswordSource, ...]] = ("env", "file", "prompt", "keyring")


@attrs.frozen
class Credential:
    """A user name, and where its password is found: never the password itself.

    *source* is ``env`` (an environment variable), ``file`` (a path; its first line), ``keyring`` (a service) or
    ``prompt`` (asked at the terminal), *reference* the name of it; a prompt has none.
    """

    name: str
    username: str
    source: PasswordSource
    reference: str


@attrs.frozen
class Endpoint:
    """One way in: ``https://fqdn/PowerShell`` (exchange) or ``https://fqdn:5986/wsman`` (windows).

    *credential* None is the ticket of the user who runs easops. Over plain http every message is sealed by what *auth*
    negotiates, so ``basic`` is not for it. *ca* is a PEM file of the authority that signed the server's certificate;
    None means the system's own.
    """

    url: str
    auth: Auth
    credential: Credential | None
    ca: Path | None = None

    @property
    def address(self) -> str:
        """The lower-case host name, with the port where it is not the scheme's or WinRM's own."""
        parts = urlsplit(self.url)
        name = (parts.hostname or "").lower()
        usual = {"http": (80, 5985), "https": (443, 5986)}.get(parts.scheme, ())
        return name if parts.port is None or parts.port in usual else f"{name}:{parts.port}"


@attrs.frozen
class Host:
    """One server. *name* is the inventory's label; *organisation* names its Exchange organisation.

    *log_folder* overrides the folder of the IIS logs of the ActiveSync back end that IIS itself names.
    """

    name: str
    organisation: str
    version: Version
    roles: frozenset[Role]
    site: str = ""
    exchange: Endpoint | None = None
    windows: Endpoint | None = None
    log_folder: str | None = None

    @property
    def runs_activesync(self) -> bool:
        """Whether the protocol runs here, so that the load and the ``Log=`` token are here.

        Client access servers on 2007 and 2010, mailbox servers on 2003 and from 2013 on.
        """
        return ("client_access" if self.version in ("2007", "2010") else "mailbox") in self.roles

    @property
    def eas_site(self) -> int:
        """The IIS site whose log holds each request once with its ``Log=``: 2 (back end) from 2013 on, else 1."""
        return 1 if self.version in ("2003", "2007", "2010") else 2
