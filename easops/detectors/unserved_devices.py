"""Whether devices are served again: of the devices that had any answer since a moment, how many had a good one?

It is the proof after a recycle: new worker processes and no errors do not yet mean that phones get their mail. Only
requests that began after that moment count, because an old worker process still answers the requests it had. Only those
of devices count that were served before, or are new: a device that was refused all along proves nothing. And only
requests of devices count, because Exchange's own health probes may be answered while no device is.

An answer is good if its HTTP status is 200 and its ActiveSync status is no refusal: an error of the server, or a device
that is not let in, comes with HTTP 200, too (MS-ASCMD 2.2.2).
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import attrs

from easops.context import Context
from easops.detectors.detector import has_ended_on
from easops.detectors.finding import Detection, Measurement
from easops.detectors.measuring import HostJudgement, measure
from easops.iis.site import eas_log_folder
from easops.inventory.host import Host
from easops.logs.eas_request import COLUMNS, EasRequest, read_request
from easops.logs.window import Wanted, read_window
from easops.parameter import Parameter
from easops.remoting.session import Session

_WANTED: Final = Wanted(COLUMNS)

_REFUSALS: Final = frozenset({5, 16, 110, 111, 112, *range(126, 132), *range(139, 146)})
"""ActiveSync statuses of an answer that does not serve a device: errors of the server, and devices not let in."""

_FEW: Final = 0.1
"""The part of the devices served before of which one must have had any answer before the share says something."""

_FEWEST: Final = 10
"""So many devices with an answer are enough to judge, however many there were before."""


@attrs.frozen
class UnservedDevices:
    """The detector: a finding where fewer than a share of the devices with an answer were served; undetermined where
    too few have had any answer yet."""

    name: str = "unserved_devices"
    summary: str = "servers that do not serve the devices that they served before"
    parameters: tuple[Parameter, ...] = (
        Parameter("since", "duration", "how far back to read the logs, if after is not given", "10m"),
        Parameter("after", "result", "count only requests that began after this step ended on the server", None),
        Parameter("before", "duration", "how long before that a device may have been served last", "30m"),
        Parameter("share", "number", "percent of the devices that must be served", 80, minimum=1, maximum=100),
    )

    def detect(self, hosts: Sequence[Host], values: Mapping[str, Any], context: Context) -> Detection:
        """Read the ActiveSync logs of *hosts*, each by its own clock."""
        return measure(self.name, hosts, context, lambda host, session: _judge(host, session, values))


def _judge(host: Host, session: Session, values: Mapping[str, Any]) -> HostJudgement:
    after: dt.datetime | None = None
    if values["after"] is not None:
        if not has_ended_on(values["after"], host.name):
            return HostJudgement(why_not="the step named by after has not ended on this host")
        after = values["after"].ended.get(host.name)
    begins: list[dt.datetime] = []
    since: dt.timedelta = values["since"]
    before: dt.timedelta = values["before"]

    def start(now: dt.datetime) -> dt.datetime:
        begins.append(after or (now - since if values["after"] is None else now))
        return begins[-1] - before

    folder = eas_log_folder(session, host)
    log = read_window(session, folder, start, _WANTED)
    if log.start is None or not begins:
        return HostJudgement(why_not=f"{folder} has no log; give the folder as log_folder: in the inventory")
    begin = begins[-1]
    logged = [request for line in log.lines if (request := read_request(line.row)) is not None]
    requests = [request for request in logged if not request.is_probe and request.status != 401]
    earlier = [request for request in requests if request.ended <= begin]
    now = [request for request in requests if request.started > begin]
    return _judgement(host.name, log.time, begin, earlier, now, values["share"])


def _judgement(
    host: str,
    time: dt.datetime | None,
    begin: dt.datetime,
    before: Sequence[EasRequest],
    now: Sequence[EasRequest],
    share: float,
) -> HostJudgement:
    """The verdict on a host whose devices sent the requests *before*, and *now* since *begin*."""
    since = f"since {begin:%H:%M:%S} UTC"
    known, good_before = _devices(before), _devices(filter(_serves, before))
    # Refused before as well: no fault of the server, so it is no sign of one now.
    counted = [request for request in now if _device(request) not in known - good_before]
    asked, served = _devices(counted), _devices(filter(_serves, counted))
    if not asked:
        return HostJudgement(time, why_not=f"no device has had any answer {since}")
    needed = min(_FEWEST, max(1, round(_FEW * len(good_before))))
    if len(asked) < needed:
        words = f"only {len(asked)} of {len(good_before)} devices that were served before have had an answer {since}"
        return HostJudgement(time, why_not=words)
    percent = 100.0 * len(served) / len(asked)
    requests_served = sum(map(_serves, counted))
    sentence = (
        f"{len(served)} of {len(asked)} devices ({percent:.0f} %, needed {share:g} %) and {requests_served} of "
        f"{len(counted)} requests were served {since}"
    )
    measurement = Measurement(host, "devices served", percent, "percent", decimals=0)
    return HostJudgement(time, percent < share, (measurement,), sentence)


def _serves(request: EasRequest) -> bool:
    log = request.query.log
    return request.status == 200 and (log is None or log.status not in _REFUSALS)


def _device(request: EasRequest) -> str:
    return (request.query.device_id or request.username or "").lower()


def _devices(requests: Iterable[EasRequest]) -> set[str]:
    return {_device(request) for request in requests}


UNSERVED_DEVICES: Final = UnservedDevices()
