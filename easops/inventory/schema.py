"""The JSON Schema of inventories, for editors, made from the tables that the loader reads with: it cannot lag.

The loader knows more: that a credential is there which an endpoint names, and that no server stands there twice.
"""

from __future__ import annotations

from typing import Any, Final

from easops.inventory.host import AUTHS, ROLES, VERSIONS
from easops.inventory.load import KEYS, NAME, PATHS
from easops.json_schema import DIALECT, TEXT, Schema, closed

_NEEDED: Final = ("organisation", "version", "roles", "endpoints")
"""What each host must have, by itself or from ``defaults``."""


def inventory_schema() -> dict[str, Any]:
    """The schema, as plain JSON data."""
    keys: Schema = {
        "easops": {"const": 1, "description": "the format"},
        "credentials": {"type": "object", "additionalProperties": _level("credential", _CREDENTIAL)},
        "defaults": {**_defaults(), "description": "for the hosts that do not say it themselves"},
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
    """The mapping that the loader reads at that level."""
    held = KEYS[name]
    return closed({key: keys[key] for key in (*held.required, *held.optional)}, held.required)


_PASSWORD: Final[Schema] = {
    **_level(
        "password",
        {
            "env": {**TEXT, "description": "the name of an environment variable"},
            "file": {**TEXT, "description": "a file whose first line it is"},
            "keyring": {**TEXT, "description": "a service of the keyring"},
            "prompt": {"const": True, "description": "asked for at the terminal"},
        },
    ),
    "minProperties": 1,
    "maxProperties": 1,
    "description": "where it is found; never the password itself",
}
_CREDENTIAL: Final[Schema] = {"username": TEXT, "password": _PASSWORD}
_ENDPOINT: Final[Schema] = {
    "url": {"type": "string", "pattern": "^https?://[^@?#]+$"},
    "auth": {"enum": list(AUTHS)},
    "credential": {**TEXT, "description": "a name of credentials"},
    "ca": {**TEXT, "description": "a PEM file of the authority that signed the server's certificate"},
}
_HOST: Final[Schema] = {
    "name": {"type": "string", "pattern": f"^{NAME.pattern}$"},
    "organisation": TEXT,
    "version": {"enum": [*VERSIONS, *(int(one) for one in VERSIONS if one.isdigit()), "se", "Se", "sE"]},
    "roles": {"type": "array", "minItems": 1, "items": {"enum": list(ROLES)}},
    "site": TEXT,
    "log_folder": {**TEXT, "description": "in place of the folder of the logs that IIS itself names"},
}


def _host() -> Schema:
    endpoints = _level("endpoints", {name: _level("endpoint", _ENDPOINT) for name in PATHS})
    return _level("host", {**_HOST, "endpoints": {**endpoints, "minProperties": 1}})


def _defaults() -> Schema:
    """The optional keys of a host and of its endpoints."""
    endpoint = closed({key: _ENDPOINT[key] for key in KEYS["endpoint"].optional})
    keys = {**_HOST, "endpoints": _level("endpoints", dict.fromkeys(PATHS, endpoint))}
    return closed({key: keys[key] for key in KEYS["host"].optional})
