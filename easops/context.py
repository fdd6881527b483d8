"""What detectors, readings and actions use to reach servers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any, TypeVar, cast

import attrs

from easops.at_once import AtOnce, at_once
from easops.clock import Clock
from easops.exchange.organisation import Organisation
from easops.inventory.host import Host
from easops.remoting.pool import Sessions
from easops.remoting.session import Session

T = TypeVar("T")
R = TypeVar("R")


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
    at_once: AtOnce = at_once
    _kept: dict[Hashable, Any] = attrs.field(factory=dict, eq=False, repr=False)

    def once(self, key: Hashable, read: Callable[[], T], *, keep: Callable[[T], bool] = lambda value: True) -> T:
        """What *read* gave the first time, for what stays as it is during a run: where a log is, whose a name is. It is
        kept under *key* where *keep* says so; an error never is."""
        if key in self._kept:
            return cast("T", self._kept[key])
        value = read()
        if keep(value):
            self._kept[key] = value
        return value

    def each(self, things: Sequence[T], work: Callable[[T], R]) -> list[R]:
        """``work(thing)`` of each, hosts above all, up to 16 at once; in the order of *things*. Raises what *work*
        raises, for the first of *things* that it does so for."""
        return self.at_once(work, things, self.clock)

    def host(self, name: str) -> Host:
        """The host with that label. Raises StopIteration if it is not in the run."""
        return next(host for host in self.organisation.hosts if host.name == name)

    def windows(self, name: str) -> Session:
        """A session to the windows endpoint of the host with that label."""
        return self.sessions.open(self.host(name), "windows")
