"""What a detector is, and what it may reach."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import attrs

from easops.clock import Clock
from easops.detectors.finding import Detection
from easops.exchange.organisation import Organisation
from easops.inventory.host import Host
from easops.parameter import Parameter
from easops.remoting.pool import Sessions
from easops.remoting.session import Session


@attrs.frozen
class Surroundings:
    """What detectors and actions reach the world through: sessions, the organisation, the clock, and a way to say
    what is being waited for."""

    sessions: Sessions
    organisation: Organisation
    clock: Clock
    progress: Callable[[str], None] = lambda text: None

    def host(self, name: str) -> Host:
        """The host of that label. Raises StopIteration for one that is not in the run."""
        return next(host for host in self.organisation.hosts if host.name == name)

    def windows(self, name: str) -> Session:
        """A session to the windows endpoint of the host of that label."""
        return self.sessions.open(self.host(name), "windows")


class Detector(Protocol):
    """Reads hosts, judges, gives findings; changes nothing."""

    @property
    def name(self) -> str: ...

    @property
    def summary(self) -> str:
        """One line for help."""
        ...

    @property
    def parameters(self) -> tuple[Parameter, ...]: ...

    def detect(self, hosts: Sequence[Host], values: Mapping[str, Any], around: Surroundings) -> Detection:
        """Read *hosts* (up to 16 at once) and judge them.

        A host that cannot be reached is in the result's ``unreachable``, one that cannot be judged in
        ``undetermined``; neither raises. *values* are checked against ``parameters`` already.
        """
        ...


class EndedStep(Protocol):
    """What ``after`` takes: when an earlier step ended, by each host's own clock, and when it had ended altogether."""

    @property
    def ended(self) -> Mapping[str, dt.datetime]: ...

    @property
    def finished(self) -> dt.datetime | None: ...


def ended_on(step: EndedStep, host: str) -> dt.datetime | None:
    """When *step* ended on *host*; for a host that it did not touch, when it had ended altogether. None: never."""
    return step.ended.get(host) or step.finished
