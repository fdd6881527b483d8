"""What detectors, readings and actions use to reach servers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

import attrs

from easops.clock import Clock
from easops.exchange.organisation import Organisation
from easops.inventory.host import Host
from easops.remoting.pool import Sessions
from easops.remoting.session import Session


@attrs.frozen
class Context:
    """What detectors, readings and actions use to reach servers: sessions, the organisation, the clock, and *progress*,
    which shows a person what is being waited for.

    *evidence* says, for a planned step of a playbook, when each host was read for the detections that the step names in
    its expressions, by the host's own clock.
    """

    sessions: Sessions
    organisation: Organisation
    clock: Clock
    progress: Callable[[str], None] = lambda text: None
    evidence: Mapping[str, dt.datetime] = attrs.field(factory=dict)

    def host(self, name: str) -> Host:
        """The host with that label. Raises StopIteration if it is not in the run."""
        return next(host for host in self.organisation.hosts if host.name == name)

    def windows(self, name: str) -> Session:
        """A session to the windows endpoint of the host with that label."""
        return self.sessions.open(self.host(name), "windows")
