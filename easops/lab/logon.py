"""Who the client of a connection is: Basic on every request, the rest once a connection (RFC 4559, MS-NLMP).

A context of the rest may then seal what goes over its connection (``easops.lab.sealing``), and no other.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hmac
import os
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import attrs
import spnego
from spnego.channel_bindings import GssChannelBindings

from easops.lab.call import Endpoint
from easops.lab.wsman import User

OFFERED: Final[Mapping[tuple[Endpoint, bool], tuple[str, ...]]] = {
    ("exchange", True): ("Basic", "Kerberos"),
    ("exchange", False): ("Kerberos",),
    ("windows", True): ("Negotiate", "NTLM", "Basic"),
    ("windows", False): ("Negotiate", "NTLM"),
}
"""What an endpoint takes, over TLS or not, best first."""

_USER_FILE: Final = "NTLM_USER_FILE"
_user_file_lock = threading.Lock()


class LogonRefused(Exception):
    """401, whatever it was: no such user, a wrong password, no token, another protocol."""


class Accounts:
    """The accounts of the organisation by logon name as a client sends it (``LAB\\admin``), in any case.

    A password has no colon and no line break: the file that pyspnego reads accounts from has no way to write one.
    """

    def __init__(self, users: Mapping[str, User]) -> None:
        self._users = {name.casefold(): (name, user) for name, user in users.items()}

    def named(self, name: str) -> tuple[str, User]:
        """Raises LogonRefused."""
        if name.casefold() not in self._users:
            raise LogonRefused
        return self._users[name.casefold()]

    def basic(self, encoded: str) -> tuple[str, User]:
        """The account of ``user:password`` in base64. Raises LogonRefused."""
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise LogonRefused from None
        known = self.named(name)
        if not hmac.compare_digest(known[1].password.encode(), password.encode()):
            raise LogonRefused
        return known

    @contextlib.contextmanager
    def as_user_file(self) -> Iterator[None]:
        """Let pyspnego's acceptor know the accounts: it reads them from a file that a variable of the process names,
        so both are there for a moment only, and for one lab of the process at a time."""
        with _user_file_lock, tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "accounts")
            lines = []
            for name, user in self._users.values():
                domain, backslash, short = name.partition("\\")
                lines.append(f"{domain}:{short}:{user.password}" if backslash else f":{name}:{user.password}")
            path.write_text("\n".join(lines), encoding="utf-8")
            before = os.environ.get(_USER_FILE)
            os.environ[_USER_FILE] = str(path)
            try:
                yield
            finally:
                del os.environ[_USER_FILE]
                if before is not None:
                    os.environ[_USER_FILE] = before


@attrs.define(eq=False)
class Logon:
    """The logon of one connection; *binding* is what ties it to the TLS channel (RFC 5929), b"" without one.

    *user* is the account once it is complete, and *context* what seals its messages.
    """

    accounts: Accounts
    binding: bytes
    user: tuple[str, User] | None = None
    context: spnego.ContextProxy | None = None

    def step(self, scheme: str, encoded: str) -> str:
        """The answer to a client's token, both in base64; an empty one has nothing to say.

        Raises LogonRefused; a new logon may begin then.
        """
        if self.user is not None:
            self.user = self.context = None  # the client begins anew
        try:
            token = base64.b64decode(encoded, validate=True)
            if not token:
                raise LogonRefused
            with self.accounts.as_user_file():
                if self.context is None:
                    bound = GssChannelBindings(application_data=self.binding) if self.binding else None
                    self.context = spnego.server(protocol=scheme.lower(), channel_bindings=bound)
                answer = self.context.step(token)
            if self.context.complete:
                self.user = self.accounts.named(self.context.client_principal or "")
        except Exception as error:  # pyspnego meets a bad token with whatever it stumbles over
            self.user = self.context = None
            raise LogonRefused from error
        return base64.b64encode(answer or b"").decode("ascii")
