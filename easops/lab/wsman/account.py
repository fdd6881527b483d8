"""The accounts of the simulated organisation: who may log on, with which password and roles."""

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

ADMINISTRATORS: Final = "Administrators"
"""The role that the Windows endpoint asks for."""

_USER_FILE: Final = "NTLM_USER_FILE"
_user_file_lock = threading.Lock()


class LogonRefused(Exception):
    """HTTP 401, whatever the reason: no such user, a wrong password, no token, another protocol."""


@attrs.frozen
class User:
    """An account. *roles* are management roles or role groups, and ``Administrators``.

    Exchange refuses a user who has no role other than ``Administrators``, Windows one who does not have that.
    """

    password: str = attrs.field(repr=False)
    roles: frozenset[str] = frozenset({"Organization Management", ADMINISTRATORS})


class Accounts:
    """The accounts by logon name as a client sends it (``LAB\\admin``), in any case.

    A password has no colon and no line break: the file that pyspnego reads accounts from cannot express them.
    """

    def __init__(self, users: Mapping[str, User]) -> None:
        self._users = {name.casefold(): (name, user) for name, user in users.items()}

    def named(self, name: str) -> tuple[str, User]:
        """The account of that name. Raises LogonRefused."""
        if name.casefold() not in self._users:
            raise LogonRefused
        return self._users[name.casefold()]

    def basic(self, encoded: str) -> tuple[str, User]:
        """The account of ``user:password`` in base64. Raises LogonRefused."""
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            raise LogonRefused from None
        account = self.named(name)
        if not hmac.compare_digest(account[1].password.encode(), password.encode()):
            raise LogonRefused
        return account

    @contextlib.contextmanager
    def as_user_file(self) -> Iterator[None]:
        """Give pyspnego's acceptor the accounts for the length of the block.

        pyspnego reads them from a file that an environment variable names. Both exist only inside the block, and for
        one lab of the process at a time.
        """
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
