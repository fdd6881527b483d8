"""The JSON Schema of notifications, for editors. It is made from the loader's own tables, so it is never out of date.

The loader checks more: what is a valid address, and whether a secret would be sent unencrypted.
"""

from __future__ import annotations

from typing import Any, Final

from easops.inventory.keys import NAME, VARIABLE_NAME
from easops.json_schema import DIALECT, TEXT, Schema, closed
from easops.notify.channel import BODIES, TLS_PORTS
from easops.notify.load import HEADER, KEYS, MAX_CHANNELS, WAYS
from easops.playbook.assessment.ending import WORDS


def notifications_schema() -> dict[str, Any]:
    """The schema, as plain JSON data."""
    channels = {"type": "array", "minItems": 1, "maxItems": MAX_CHANNELS, "items": _channel()}
    keys: Schema = {"easops": {"const": 1, "description": "version of the format"}, "notifications": channels}
    return {"$schema": DIALECT, "title": "easops notifications", **_level("notifications", keys)}


def _level(name: str, keys: Schema) -> Schema:
    """The schema of the mapping that the loader reads at that level."""
    level = KEYS[name]
    return closed({key: keys[key] for key in (*level.required, *level.optional)}, level.required)


_PLACES: Final[Schema] = {
    "env": {**VARIABLE_NAME, "description": "the name of an environment variable that holds the secret"},
    "file": {**TEXT, "description": "a file; its first line is the secret"},
    "keyring": {**TEXT, "description": "the name of a service in the keyring"},
}
_CA: Final[Schema] = {**TEXT, "description": "a PEM file with the authority that signed the server's certificate"}


def _secret(level: str) -> Schema:
    return {
        **_level(level, _PLACES),
        "minProperties": 1,
        "maxProperties": 1,
        "description": "where the secret is found; never the secret itself",
    }


def _described(words: Any) -> Schema:
    return {"oneOf": [{"const": word, "description": meaning} for word, meaning in words.items()]}


def _channel() -> Schema:
    ways = {
        "webhook": _webhook(),
        "smtp": _smtp(),
        "file": {**TEXT, "description": "a file to which one line of JSON is appended per end of a run"},
    }
    keys: Schema = {
        "name": {"type": "string", "pattern": f"^{NAME.pattern}$"},
        "when": {"type": "array", "minItems": 1, "items": _described(WORDS)},
        **ways,
    }
    return {**_level("channel", keys), "oneOf": [{"required": [way]} for way in WAYS]}


def _webhook() -> Schema:
    value = {"oneOf": [TEXT, _secret("secret")]}
    keys: Schema = {
        "url": {"oneOf": [{"type": "string", "pattern": "^https?://[^@?]+$"}, _secret("secret")]},
        "headers": {
            "type": "object",
            "propertyNames": {"pattern": f"^{HEADER.pattern}$"},
            "additionalProperties": value,
        },
        "body": _described(BODIES),
        "ca": _CA,
    }
    return _level("webhook", keys)


def _smtp() -> Schema:
    keys: Schema = {
        "server": {"type": "string", "pattern": "^[A-Za-z0-9._:-]+$"},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "tls": {"enum": list(TLS_PORTS)},
        "from": {**TEXT, "pattern": "@"},
        "to": {"type": "array", "minItems": 1, "items": {**TEXT, "pattern": "@"}},
        "username": TEXT,
        "password": _secret("password"),
        "ca": _CA,
    }
    together = {"dependentRequired": {"username": ["password"], "password": ["username"]}}
    return {**_level("smtp", keys), **together}
