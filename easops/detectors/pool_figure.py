"""Detectors of one figure of an application pool, compared with a limit or with half of an earlier figure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import attrs

from easops.context import Context
from easops.detectors.finding import Detection, Measurement
from easops.detectors.measuring import HostJudgement, measure, no_such_pool
from easops.errors import BadInput
from easops.iis.app_pool import SYNC_APP_POOL
from easops.inventory.host import Host
from easops.parameter import Parameter
from easops.remoting.session import Session

_LIMITS: Final = ("above", "half_of", "recovered_from")
"""The parameters that give the limit."""


@attrs.frozen
class Figure:
    """A pool's figure at *time*, by the server's clock; *why_not* says why there is none.

    *working* says whether the pool had any worker process: if not, the pool may not exist at all.
    """

    time: dt.datetime
    working: bool
    value: float = 0.0
    evidence: str = ""
    why_not: str = ""


@attrs.frozen
class PoolFigure:
    """A detector that *read*s a figure in *unit*. It is a finding above ``above``, above half of what ``half_of``
    measured on the same host, or above a third of what ``recovered_from`` measured there, or its limit."""

    name: str
    summary: str
    unit: str
    above: str
    """What ``above`` means, for help."""
    read: Callable[[Session, str, Context], Figure]
    decimals: int = 1
    """How many decimals of the figure are shown to a person."""

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        return (
            Parameter("pool", "text", "the application pool", SYNC_APP_POOL),
            Parameter("above", "number", f"{self.above}; give this or half_of", None, minimum=0),
            Parameter(
                "half_of",
                "result",
                "an earlier detect step: more than half of its figure is a finding; give this or above",
                None,
            ),
            Parameter(
                "recovered_from",
                "result",
                "an earlier detect step: more than a third of its figure, or than its limit, is a finding",
                None,
            ),
            Parameter(
                "explained_by",
                "result",
                "an earlier detect step: a host over the limit on which it found nobody is undetermined",
                None,
            ),
        )

    def detect(self, hosts: Sequence[Host], values: Mapping[str, Any], context: Context) -> Detection:
        """Measure *hosts* and compare; each measurement has its value and its limit.

        Raises BadInput unless exactly one of ``above`` and ``half_of`` is given.
        """
        given = [name for name in _LIMITS if values[name] is not None]
        if len(given) != 1:
            raise BadInput(
                f"{self.name} needs one of {', '.join(_LIMITS[:-1])} and {_LIMITS[-1]}",
                f"{' and '.join(given)} were given" if given else "none was given",
                f"add above=NUMBER ({self.above}); in a playbook above: NUMBER, or half_of: an earlier detect step",
            )
        return measure(self.name, hosts, context, lambda host, session: self._judge(host, session, values, context))

    def _judge(self, host: Host, session: Session, values: Mapping[str, Any], context: Context) -> HostJudgement:
        pool: str = values["pool"]
        limit = _limit(values, host.name)
        if limit is None:
            return HostJudgement(why_not="the earlier detect step has no figure for this server")
        figure = self.read(session, pool, context)
        why_not = figure.why_not if figure.working else no_such_pool(session, pool) or figure.why_not
        if why_not:
            return HostJudgement(figure.time, why_not=why_not)
        measurement = Measurement(host.name, pool, figure.value, self.unit, limit, figure.evidence, self.decimals)
        over = figure.value > limit
        unexplained = ""
        if over and values["explained_by"] is not None:
            unexplained = _unexplained(_detection(values["explained_by"], "explained_by"), host.name, measurement)
        return HostJudgement(figure.time, over, (measurement,), unexplained=unexplained)


def _limit(values: Mapping[str, Any], host: str) -> float | None:
    """The limit for *host*; None if it comes from an earlier step that has no figure for this host."""
    if values["above"] is not None:
        return float(values["above"])
    if values["half_of"] is not None:
        earlier = _measurement(_detection(values["half_of"], "half_of"), host)
        return None if earlier is None else earlier.value / 2
    earlier = _measurement(_detection(values["recovered_from"], "recovered_from"), host)
    if earlier is None:
        return None
    return min(earlier.value / 3, float("inf") if earlier.limit is None else earlier.limit)


def _measurement(detection: Detection, host: str) -> Measurement | None:
    return next((one for one in detection.measurements if one.host == host), None)


def _detection(value: Any, parameter: str) -> Detection:
    if not isinstance(value, Detection):
        why = f"it is {value!r}"[:120]
        raise BadInput(f"{parameter} is not the result of a detect step", why, "name the result of a detect step")
    return value


def _unexplained(cause: Detection, host: str, measured: Measurement) -> str:
    """What to say of a load on *host* for which nobody was found; empty if somebody was."""
    if any(host in user.hosts for user in (*cause.users, *cause.unresolved)) or host in cause.hosts:
        return ""
    floods = [f"{flood.user}: {flood.evidence}" for flood in cause.floods if host in flood.hosts]
    seen = f" Seen there: {'; '.join(floods)}." if floods else ""
    return (
        f"{measured.value:.{measured.decimals}f} {measured.unit} of {measured.name}, and {cause.detector} found nobody "
        f"who causes it.{seen} Look further back (since=6h), with a lower threshold (threshold=1000), for dropped "
        "requests in HTTPERR, and at a dump of the worker process"
    )
