"""What a detector is."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from easops.context import Context
from easops.detectors.finding import Detection
from easops.inventory.host import Host
from easops.parameter import Parameter


class Detector(Protocol):
    """Reads hosts, judges them, and gives findings with evidence. Changes nothing."""

    @property
    def name(self) -> str:
        """Its name in playbooks and on the command line."""
        ...

    @property
    def summary(self) -> str:
        """One line for help."""
        ...

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """The values that it takes (``with:``)."""
        ...

    def detect(self, hosts: Sequence[Host], values: Mapping[str, Any], context: Context) -> Detection:
        """Read *hosts* (up to 16 at once) and judge them; *values* are already checked against ``parameters``.

        A host that cannot be reached is in the result's ``unreachable``, one that cannot be judged in
        ``undetermined``; neither raises an error.
        """
        ...


class EndedStep(Protocol):
    """What ``after`` takes: when an earlier step ended on each host, by the host's own clock, and when all of it had
    ended (None: it has not)."""

    @property
    def ended(self) -> Mapping[str, dt.datetime]: ...

    @property
    def finished(self) -> dt.datetime | None: ...


def has_ended_on(step: EndedStep, host: str) -> bool:
    """Whether *step* has ended on *host*: there, or as a whole.

    On a host that it did not act on, it is not known when that was by the host's own clock, and no other clock counts:
    such a host is judged from the moment on at which it is read. A verify step reads it at its first look.
    """
    return host in step.ended or step.finished is not None
