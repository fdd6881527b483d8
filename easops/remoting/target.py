"""The endpoint that a call goes to: what errors name, and what decides their advice."""

from __future__ import annotations

from typing import Final

import attrs

from easops.inventory.host import Endpoint
from easops.remoting.session import EndpointName
from easops.remoting.trust import CURRENT_USER

CONFIGURATIONS: Final[dict[EndpointName, str]] = {"exchange": "Microsoft.Exchange", "windows": "Microsoft.PowerShell"}
"""The session configuration that each endpoint opens."""


@attrs.frozen
class Target:
    """An endpoint of a host, with its settings in the inventory."""

    host: str
    endpoint: EndpointName
    settings: Endpoint

    def __str__(self) -> str:
        return f"{self.host} ({self.endpoint} endpoint, {self.settings.address})"

    @property
    def username(self) -> str | None:
        """The user that logs on; None for the current user's ticket."""
        return self.settings.credential.username if self.settings.credential is not None else None

    @property
    def user(self) -> str:
        """The same, in words."""
        return self.username or CURRENT_USER
