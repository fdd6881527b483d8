"""Detectors of one figure of an application pool, compared with a limit or with half of an earlier figure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs

from easops.context import Context
from easops.detectors.finding import Detection, Measurement
from easops.detectors.measuring import HostJudgement, measure, no_such_pool
from easops.errors import BadInput
from easops.iis.app_pool import SYNC_APP_POOL
from easops.inventory.host import Host
from easops.parameter import Parameter
from easops.remoting.session import Session


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
    """A detector that *read*s a figure in *unit*. It is a finding above ``above``, or above half of what ``half_of``
    measured on the same host."""

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
        )

    def detect(self, hosts: Sequence[Host], values: Mapping[str, Any], context: Context) -> Detection:
        """Measure *hosts* and compare; each measurement has its value and its limit.

        Raises BadInput unless exactly one of ``above`` and ``half_of`` is given.
        """
        if (values["above"] is None) == (values["half_of"] is None):
            raise BadInput(
                f"{self.name} needs either above or half_of",
                "both were given" if values["above"] is not None else "neither was given",
                f"add above=NUMBER ({self.above}); in a playbook above: NUMBER, or half_of: an earlier detect step",
            )
        return measure(self.name, hosts, context, lambda host, session: self._judge(host, session, values, context))

    def _judge(self, host: Host, session: Session, values: Mapping[str, Any], context: Context) -> HostJudgement:
        pool: str = values["pool"]
        limit: float | None = values["above"]
        if limit is None:
            earlier = _measured(values["half_of"], host.name)
            if earlier is None:
                return HostJudgement(why_not="the earlier detect step has no figure for this server")
            limit = earlier / 2
        figure = self.read(session, pool, context)
        why_not = figure.why_not if figure.working else no_such_pool(session, pool) or figure.why_not
        if why_not:
            return HostJudgement(figure.time, why_not=why_not)
        measurement = Measurement(host.name, pool, figure.value, self.unit, limit, figure.evidence, self.decimals)
        return HostJudgement(figure.time, figure.value > limit, (measurement,))


def _measured(half_of: Any, host: str) -> float | None:
    if not isinstance(half_of, Detection):
        raise BadInput(
            "half_of is not the result of a detect step", f"it is {half_of!r}"[:120], "name the result of a detect step"
        )
    return half_of.measured(host)
