"""Writes hosts as the text of an inventory file, which ``load_inventory`` reads."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Final

from easops.inventory.host import ROLES, VERSIONS, Credential, Endpoint, Host

_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_.\\-]*")
_WORDS: Final = ("null", "true", "false")


def inventory_text(hosts: Iterable[Host]) -> str:
    """The inventory of *hosts*, with the credentials of their endpoints. Paths are not changed."""
    hosts = tuple(hosts)
    credentials = {
        endpoint.credential.name: endpoint.credential
        for host in hosts
        for endpoint in (host.exchange, host.windows)
        if endpoint is not None and endpoint.credential is not None
    }
    lines = ["easops: 1"]
    lines += ["credentials:"] if credentials else []
    for credential in credentials.values():
        lines += [
            f"  {_scalar(credential.name)}:",
            f"    username: {_scalar(credential.username)}",
            f"    password: {_password(credential)}",
        ]
    lines.append("hosts:")
    for host in hosts:
        lines += _host(host)
    return "\n".join(lines) + "\n"


def _host(host: Host) -> list[str]:
    version = host.version if host.version in VERSIONS else _scalar(host.version)
    lines = [
        f"  - name: {_scalar(host.name)}",
        f"    organisation: {_scalar(host.organisation)}",
        f"    version: {version}",
    ]
    known = [role for role in ROLES if role in host.roles]
    lines.append(f"    roles: [{', '.join(map(_scalar, (*known, *sorted(host.roles.difference(known)))))}]")
    lines += [f"    site: {_scalar(host.site)}"] if host.site else []
    lines += [f"    log_folder: {_scalar(host.log_folder)}"] if host.log_folder else []
    lines.append("    endpoints:")
    for name, endpoint in (("exchange", host.exchange), ("windows", host.windows)):
        lines += [f"      {name}: {_flow(_endpoint(endpoint))}"] if endpoint is not None else []
    return lines


def _endpoint(endpoint: Endpoint) -> Mapping[str, str]:
    return {
        "url": json.dumps(endpoint.url, ensure_ascii=False),
        "auth": _scalar(endpoint.auth),
        **({} if endpoint.credential is None else {"credential": _scalar(endpoint.credential.name)}),
        **({} if endpoint.ca is None else {"ca": _scalar(endpoint.ca.as_posix())}),
    }


def _password(credential: Credential) -> str:
    return _flow({credential.source: "true" if credential.source == "prompt" else _scalar(credential.reference)})


def _flow(entries: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in entries.items()) + "}"


def _scalar(text: str) -> str:
    """The text as YAML, in quotes where YAML would read something else. A JSON string is also a YAML string."""
    plain = _PLAIN.fullmatch(text) is not None and text.lower() not in _WORDS
    return text if plain else json.dumps(text, ensure_ascii=False)
