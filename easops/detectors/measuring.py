"""Measuring hosts: each is judged by itself, up to 16 at once, and their judgements become one detection."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Sequence

import attrs

from easops.context import Context
from easops.detectors.finding import Detection, Measurement, Undetermined
from easops.errors import EasopsError, UnreachableHost
from easops.iis.app_pool import list_app_pools
from easops.inventory.host import Host
from easops.remoting.session import Session
from easops.remoting.unreachable import Unreachable


@attrs.frozen
class HostJudgement:
    """What a detector says of one host.

    *time* is the host's clock at the reading; *why_not* says why the host cannot be judged (then nothing else counts);
    *sentence* says what the figures do not show by themselves; *unexplained* says that a fault has no known cause.
    """

    time: dt.datetime | None = None
    found: bool = False
    measurements: tuple[Measurement, ...] = ()
    sentence: str = ""
    why_not: str = ""
    unexplained: str = ""


def measure(
    detector: str, hosts: Sequence[Host], context: Context, judge: Callable[[Host, Session], HostJudgement]
) -> Detection:
    """Call *judge* for each host with a session to its windows endpoint, in a thread of its own.

    A host for which it raises UnreachableHost is unreachable; any other EasopsError makes it undetermined, with the
    error's sentences as the reason.
    """

    def judged_or_lost(host: Host) -> HostJudgement | Unreachable:
        try:
            return judge(host, context.sessions.open(host, "windows"))
        except UnreachableHost as error:
            return Unreachable.of(host.name, error)
        except EasopsError as error:
            return HostJudgement(why_not=str(error))

    answers = dict(zip((host.name for host in hosts), context.each(hosts, judged_or_lost), strict=True))
    judgements = {host: answer for host, answer in answers.items() if isinstance(answer, HostJudgement)}
    judged = {host: judgement for host, judgement in judgements.items() if not judgement.why_not}
    return Detection(
        detector,
        hosts=tuple(sorted(host for host, judgement in judged.items() if judgement.found)),
        undetermined=tuple(
            Undetermined("host", host, judgement.why_not or judgement.unexplained, True, host)
            for host, judgement in judgements.items()
            if judgement.why_not or judgement.unexplained
        ),
        unreachable=tuple(answer for answer in answers.values() if isinstance(answer, Unreachable)),
        measurements=tuple(measurement for judgement in judged.values() for measurement in judgement.measurements),
        judged=tuple(sorted(judged)),
        times={host: judgement.time for host, judgement in judgements.items() if judgement.time is not None},
        sentences={host: judgement.sentence for host, judgement in judged.items() if judgement.sentence},
    )


def no_such_pool(session: Session, pool: str) -> str:
    """Why a pool without worker processes cannot be judged: the server has no such pool. Empty if it has one."""
    exists = any(app_pool.name.lower() == pool.lower() for app_pool in list_app_pools(session))
    return "" if exists else f"there is no application pool {pool}"
