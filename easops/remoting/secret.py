"""Secrets: read when they are used, never printed."""

from __future__ import annotations

import getpass
import os
import sys
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from easops.errors import BadInput
from easops.inventory.host import Credential, Host


class Secret:
    """A text that shows itself nowhere: not in repr, str, format, pickle or a traceback's locals."""

    __slots__ = ("_text",)

    def __init__(self, text: str) -> None:
        self._text = text

    def reveal(self) -> str:
        """The text, for the one call that needs it."""
        return self._text

    def __repr__(self) -> str:
        return "Secret(***)"

    __str__ = __repr__

    def __reduce__(self) -> str:
        raise TypeError("a Secret is not stored")


_ASKED: Final[dict[Credential, Secret]] = {}
_ASKING: Final = threading.Lock()


def ask_passwords(hosts: Iterable[Host]) -> None:
    """Ask now for the passwords that the credentials of *hosts* want asked: before progress is drawn, and once.

    Raises BadInput where there is no terminal to ask at.
    """
    ways_in = [way_in for host in hosts for way_in in (host.exchange, host.windows) if way_in is not None]
    for credential in dict.fromkeys(way_in.credential for way_in in ways_in):
        if credential is not None and credential.source == "prompt":
            read_secret(credential)


def forget_password(credential: Credential) -> None:
    """Forget a password that was asked and refused; the next run asks again."""
    with _ASKING:
        _ASKED.pop(credential, None)


def read_secret(credential: Credential) -> Secret:
    """The password of *credential*, from where the inventory says that it is. Raises BadInput."""
    match credential.source:
        case "env":
            return _from_environment(credential)
        case "file":
            return _from_file(credential)
        case "keyring":
            return _from_keyring(credential)
        case "prompt":
            return _from_terminal(credential)


def _no_password(credential: Credential, why: str, next_step: str) -> BadInput:
    return BadInput(f"credential {credential.name!r} has no password", why, next_step)


def _from_environment(credential: Credential) -> Secret:
    held = os.environ.get(credential.reference)
    if not held:
        raise _no_password(
            credential,
            f"the environment variable {credential.reference} is not set",
            f"set {credential.reference}, or name a file with password: {{file: …}} in the inventory",
        )
    return Secret(held)


def _from_file(credential: Credential) -> Secret:
    try:
        first = Path(credential.reference).read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror or type(error).__name__ if isinstance(error, OSError) else "it is no UTF-8 text"
        raise _no_password(
            credential, f"{credential.reference}: {why}", "correct the file's path in the inventory, or its permissions"
        ) from None
    if not first:
        raise _no_password(
            credential,
            f"the first line of {credential.reference} is empty",
            "put the password on the first line of that file",
        )
    return Secret(first)


def _from_keyring(credential: Credential) -> Secret:
    service = credential.reference
    try:
        import keyring
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        raise _no_password(
            credential,
            "it is in a keyring, and the extra `keyring` is not installed",
            'install it with: pip install "easops[keyring]"',
        ) from None
    try:
        held = keyring.get_password(service, credential.username)
    except KeyringError as error:
        raise _no_password(
            credential,
            f"the keyring does not give it: {str(error) or type(error).__name__}",
            "unlock the keyring, or set one up; keyring diagnose tells which is used",
        ) from None
    if not held:
        raise _no_password(
            credential,
            f"the keyring has no entry of the service {service!r} for {credential.username}",
            f'put it there with: keyring set "{service}" "{credential.username}"',
        )
    return Secret(held)


def _from_terminal(credential: Credential) -> Secret:
    with _ASKING:
        if credential not in _ASKED:
            if not (sys.stdin and sys.stderr and sys.stdin.isatty() and sys.stderr.isatty()):
                raise _no_password(
                    credential,
                    "the inventory wants it asked, and there is no terminal to ask at",
                    "run it at a terminal, or name password: {env: …}, {file: …} or {keyring: …} in the inventory",
                )
            try:
                given = getpass.getpass(f"Password of {credential.username}: ")
            except EOFError:
                given = ""
            if not given:
                raise _no_password(credential, "none was typed", "run it again, and type the password")
            _ASKED[credential] = Secret(given)
        return _ASKED[credential]
