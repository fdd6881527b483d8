"""Passwords: read when they are needed, never printed."""

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
    """A text that is never shown: not by repr, str, format or pickle, nor in a traceback with local variables."""

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
        raise TypeError("a Secret cannot be stored")


_TYPED: Final[dict[Credential, Secret]] = {}
"""The passwords that were typed: each is asked for once in a process."""

_TYPED_LOCK: Final = threading.Lock()


def ask_passwords(hosts: Iterable[Host]) -> None:
    """Ask for the passwords of *hosts* that must be typed, before there is any output of progress.

    Raises BadInput where there is no terminal to ask at.
    """
    endpoints = [endpoint for host in hosts for endpoint in (host.exchange, host.windows) if endpoint is not None]
    for credential in dict.fromkeys(endpoint.credential for endpoint in endpoints):
        if credential is not None and credential.source == "prompt":
            read_secret(credential)


def forget_password(credential: Credential) -> None:
    """Forget a password that was typed and then refused, so that the next run asks again."""
    with _TYPED_LOCK:
        _TYPED.pop(credential, None)


def read_secret(credential: Credential) -> Secret:
    """The password of *credential*, from the place that the inventory names. Raises BadInput."""
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
    password = os.environ.get(credential.reference)
    if not password:
        raise _no_password(
            credential,
            f"the environment variable {credential.reference} is not set",
            f"set {credential.reference}, or name a file with password: {{file: …}} in the inventory",
        )
    return Secret(password)


def _from_file(credential: Credential) -> Secret:
    password, why = _first_line(Path(credential.reference))
    if why:
        raise _no_password(
            credential, f"{credential.reference}: {why}", "correct the file's path in the inventory, or its permissions"
        )
    if not password:
        raise _no_password(
            credential,
            f"the first line of {credential.reference} is empty",
            "put the password on the first line of that file",
        )
    return Secret(password)


def _first_line(path: Path) -> tuple[str, str]:
    """The first line of a file, or why it cannot be read. An error would keep the bytes that it could not decode."""
    try:
        return path.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r"), ""
    except OSError as error:
        return "", error.strerror or type(error).__name__
    except UnicodeDecodeError:
        return "", "it is not UTF-8 text"


def _from_keyring(credential: Credential) -> Secret:
    service = credential.reference
    try:
        import keyring
        from keyring.errors import KeyringError
    except ModuleNotFoundError:
        raise _no_password(
            credential,
            "it is in a keyring, but the extra `keyring` is not installed",
            'install it with: pip install "easops[keyring]"',
        ) from None
    try:
        password = keyring.get_password(service, credential.username)
    except KeyringError as error:
        raise _no_password(
            credential,
            f"the keyring cannot be read: {str(error) or type(error).__name__}",
            "unlock the keyring, or set one up; `keyring diagnose` shows which one is used",
        ) from None
    if not password:
        raise _no_password(
            credential,
            f"the keyring has no entry for {credential.username} under the service {service!r}",
            f'add it with: keyring set "{service}" "{credential.username}"',
        )
    return Secret(password)


def _from_terminal(credential: Credential) -> Secret:
    # Under the lock: two sessions that start together must not ask twice.
    with _TYPED_LOCK:
        if credential not in _TYPED:
            if not (sys.stdin and sys.stderr and sys.stdin.isatty() and sys.stderr.isatty()):
                raise _no_password(
                    credential,
                    "the inventory says {prompt: true}, but there is no terminal to ask at",
                    "run it at a terminal, or write password: {env: …}, {file: …} or {keyring: …} in the inventory",
                )
            try:
                password = getpass.getpass(f"Password of {credential.username}: ")
            except EOFError:
                password = ""
            if not password:
                raise _no_password(credential, "nothing was typed", "run it again, and type the password")
            _TYPED[credential] = Secret(password)
        return _TYPED[credential]
