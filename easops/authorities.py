"""Whose certificates are trusted: the same for servers, webhooks and mail."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from easops.errors import BadInput

VARIABLES: Final = ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE")
"""The environment variables that can name a PEM file with authorities; the first that is set counts."""


def authorities(ca: Path | None) -> str | None:
    """The PEM file with the authorities to trust: *ca*, or what the environment names. None: the usual ones.

    Raises BadInput where the environment names what is not a file.
    """
    if ca is not None:
        return str(ca)
    variable = next((name for name in VARIABLES if os.environ.get(name)), None)
    if variable is None:
        return None
    path = os.environ[variable]
    if not os.path.isfile(path):
        raise BadInput(
            f"{variable} names {path!r}, which is not a file",
            "it should be a PEM file with the authorities to trust",
            f"correct or unset {variable}, or name a file with ca: in the inventory or the notifications",
        )
    return path
