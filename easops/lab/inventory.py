"""The inventory of a running lab."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from easops.lab.world import World

Auth = Literal["basic", "ntlm", "negotiate"]
"""How the inventory logs on to the windows endpoints: Basic over TLS, or one of the others over HTTP, with message
encryption."""


def inventory_text(
    world: World, ports: Mapping[str, int], plain_ports: Mapping[str, int], auth: Auth, folder: Path
) -> str:
    """The inventory, with absolute paths: it works in any folder.

    *folder* has the password and the authority's certificate. *auth* is how the windows endpoints are used.
    """
    scenario = world.scenario
    password, authority = (json.dumps(str(folder / name)) for name in ("password.txt", "ca.pem"))  # JSON is YAML
    lines = [
        f"# The simulated organisation of the scenario {scenario.name}; it answers while its lab runs.",
        "easops: 1",
        "credentials:",
        "  admin:",
        f"    username: {scenario.netbios}\\admin",
        f"    password: {{file: {password}}}",
        "hosts:",
    ]
    for name, port in ports.items():
        server = world.servers[name]
        roles = (["mailbox"] if server.database else []) + (["client_access"] if server.client_access else [])
        lines += [
            f"  - name: {name}",
            f"    organisation: {scenario.organisation}",
            f"    version: {server.product.version}",
            f"    roles: [{', '.join(roles)}]",
            f"    site: {scenario.site}",
            "    endpoints:",
        ]
        base = f"https://127.0.0.1:{port}"
        urls = {"exchange": f'"{base}/PowerShell", auth: basic', "windows": f'"{base}/wsman", auth: basic'}
        if auth != "basic":
            urls["windows"] = f'"http://127.0.0.1:{plain_ports[name]}/wsman", auth: {auth}'
        for endpoint, url in urls.items():
            ca = f", ca: {authority}" if "https:" in url else ""
            lines.append(f"      {endpoint}: {{url: {url}, credential: admin{ca}}}")
    return "\n".join(lines) + "\n"
