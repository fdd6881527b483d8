"""The JSON Schema of inventories, for editors. It is made from the tables of the loader, so it is never out of date.

The loader checks more: that the credential of an endpoint exists, and that no server is in the inventory twice.
"""

from __future__ import annotations

from typing import Any, Final

from easops.inventory.host import AUTHS, ROLES, VERSIONS
from easops.inventory.keys import KEYS, NAME, PATHS, VARIABLE_NAME
from easops.json_schema import DIALECT, TEXT, Schema, closed

_NEEDED: Final = ("organisation", "version", "roles", "endpoints")
"""The keys that each host must have, its own or from ``defaults``."""


def inventory_schema() -> dict[str, Any]:
    """The schema, as plain JSON data."""
    keys: Schema = {
        "easops": {"const": 1, "description": "the version of the format"},
        "credentials": {"type": "object", "additionalProperties": _level("credential", _CREDENTIAL)},
        "defaults": {**_defaults(), "description": "for the hosts that do not set these keys"},
        "hosts": {"type": "array", "minItems": 1, "items": _host()},
    }
    return {
        "$schema": DIALECT,
        "title": "easops inventory",
        **_level("inventory", keys),
        "allOf": [
            {
                "if": {"not": {"properties": {"defaults": {"required": [key]}}, "required": ["defaults"]}},
                "then": {"properties": {"hosts": {"items": {"required": [key]}}}},
            }
            for key in _NEEDED
        ],
    }


def _level(name: str, keys: Schema) -> Schema:
    """The schema of the mapping that the loader reads at that level."""
    known = KEYS[name]
    return closed({key: keys[key] for key in (*known.required, *known.optional)}, known.required)


_PASSWORD: Final[Schema] = {
    **_level(
        "password",
        {
            "env": {**VARIABLE_NAME, "description": "the name of an environment variable"},
            "file": {**TEXT, "description": "a file with the password in its first line"},
            "keyring": {**TEXT, "description": "the name of a service in the keyring"},
            "prompt": {"const": True, "description": "easops asks for it at the terminal"},
        },
    ),
    "minProperties": 1,
    "maxProperties": 1,
    "description": "where the password is; never the password itself",
}
_CREDENTIAL: Final[Schema] = {"username": TEXT, "password": _PASSWORD}
_ENDPOINT: Final[Schema] = {
    "url": {"type": "string", "pattern": r"^https?://[^@?#]+(\?[Ee]xch[Cc]lient[Vv]er=\d+(\.\d+){1,3})?$"},
    "auth": {"enum": list(AUTHS)},
    "credential": {**TEXT, "description": "the name of one of the credentials"},
    "ca": {**TEXT, "description": "the PEM file of the authority that signed the server's certificate"},
}
_HOST: Final[Schema] = {
    "name": {"type": "string", "pattern": f"^{NAME.pattern}$"},
    "organisation": TEXT,
    "version": {"enum": [*VERSIONS, *(int(version) for version in VERSIONS if version.isdigit()), "se", "Se", "sE"]},
    "roles": {"type": "array", "minItems": 1, "items": {"enum": list(ROLES)}},
    "site": TEXT,
    "log_folder": {**TEXT, "description": "the folder of the IIS logs, if it is not the one that IIS reports"},
}


def _host() -> Schema:
    endpoints = _level("endpoints", {name: _level("endpoint", _ENDPOINT) for name in PATHS})
    return _level("host", {**_HOST, "endpoints": {**endpoints, "minProperties": 1}})


def _defaults() -> Schema:
    """The optional keys of a host and of its endpoints."""
    endpoint = closed({key: _ENDPOINT[key] for key in KEYS["endpoint"].optional})
    keys = {**_HOST, "endpoints": _level("endpoints", dict.fromkeys(PATHS, endpoint))}
    return closed({key: keys[key] for key in KEYS["host"].optional})
