"""The keys of an inventory file, level by level. The loader and the JSON Schema both read this table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import attrs

from easops.inventory.host import PASSWORD_SOURCES

CLIENT_VERSION: Final = re.compile(r"ExchClientVer=\d+(\.\d+){1,3}", re.IGNORECASE)
"""What the url of an exchange endpoint may have after ``?``: a front end of 2013 and later sends the session to a
mailbox server of at least that version."""

PATHS: Final = {"exchange": "/PowerShell", "windows": "/wsman"}
"""The endpoints, and the path that the url of each must have."""


@attrs.frozen
class Keys:
    """The keys that a mapping must have, and those that it may have."""

    required: tuple[str, ...]
    optional: tuple[str, ...] = ()


KEYS: Final[Mapping[str, Keys]] = {
    "inventory": Keys(("easops", "hosts"), ("credentials", "defaults")),
    "credential": Keys(("username", "password")),
    "password": Keys((), PASSWORD_SOURCES),  # exactly one
    "host": Keys(("name",), ("organisation", "version", "roles", "site", "endpoints", "log_folder")),
    "endpoints": Keys((), tuple(PATHS)),
    "endpoint": Keys(("url",), ("auth", "credential", "ca")),
}
"""The keys at each level. ``defaults`` takes the optional ones of a host and of its endpoints."""

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
"""What a host or a notification channel may be called."""

VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
"""What an environment variable with a secret may be called. Anything else is not repeated: it may be the secret."""

VARIABLE_NAME: Final[Mapping[str, str]] = {"type": "string", "pattern": f"^{VARIABLE.pattern}$"}
"""The JSON Schema of such a name."""

NO_VARIABLE: Final = (
    "this is not the name of an environment variable",
    "a name has only letters, digits and _, and does not begin with a digit; the value itself does not belong here",
    "Write {env: NAME_OF_A_VARIABLE}, and set that variable",
)
"""What is said of another name: what, why, and the next step."""
