"""Secrets: read when they are used, never printed."""

from __future__ import annotations

import os
from pathlib import Path

from easops.errors import BadInput
from easops.inventory.host import Credential


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


def read_secret(credential: Credential) -> Secret:
    """The password of *credential*, from its environment variable or the first line of its file. Raises BadInput."""
    if credential.source == "env":
        held = os.environ.get(credential.reference)
        if not held:
            raise BadInput(
                f"credential {credential.name!r} has no password",
                f"the environment variable {credential.reference} is not set",
                f"set {credential.reference}, or name a file with password: {{file: …}} in the inventory",
            )
        return Secret(held)
    try:
        first = Path(credential.reference).read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
    except OSError as error:
        raise BadInput(
            f"credential {credential.name!r} has no password",
            f"{credential.reference}: {error.strerror or type(error).__name__}",
            "correct the file's path in the inventory, or its permissions",
        ) from None
    if not first:
        raise BadInput(
            f"credential {credential.name!r} has no password",
            f"the first line of {credential.reference} is empty",
            "put the password on the first line of that file",
        )
    return Secret(first)
