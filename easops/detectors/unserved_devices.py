"""Whether devices are served again: since a moment, was any request of a device answered with status 200?

It is the proof after a recycle: new worker processes and no errors do not yet mean that a phone gets its mail. Only
requests that began after that moment count, because an old worker process still answers the requests it had. And only
requests of devices count, because Exchange's own health probes may be answered while no device is.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from easops.context import Context
from easops.detectors.detector import ended_on
from easops.detectors.finding import Detection, Measurement
from easops.detectors.measuring import HostJudgement, measure
from easops.iis.site import eas_log_folder
from easops.inventory.host import Host
from easops.logs.eas_request import COLUMNS, EasRequest, read_request
from easops.logs.window import Wanted, read_window
from easops.parameter import Parameter
from easops.remoting.session import Session

_WANTED: Final = Wanted(COLUMNS)


@attrs.frozen
class UnservedDevices:
    """The detector: a finding where devices send requests and none is answered with 200; undetermined where no device
    has had any answer yet."""

    name: str = "unserved_devices"
    summary: str = "servers that answered no request of a device with status 200"
    parameters: tuple[Parameter, ...] = (
        Parameter("since", "duration", "how far back to read the logs, if after is not given", "10m"),
        Parameter("after", "result", "count only requests that began after this step ended on the server", None),
    )

    def detect(self, hosts: Sequence[Host], values: Mapping[str, Any], context: Context) -> Detection:
        """Read the ActiveSync logs of *hosts*, each by its own clock."""
        return measure(self.name, hosts, context, lambda host, session: _judge(host, session, values))


def _judge(host: Host, session: Session, values: Mapping[str, Any]) -> HostJudgement:
    after: dt.datetime | None = None
    if values["after"] is not None:
        after = ended_on(values["after"], host.name)
        if after is None:
            return HostJudgement(why_not="the step named by after has not ended on this host")

    def start(now: dt.datetime) -> dt.datetime:
        return now - values["since"] if after is None else after

    folder = eas_log_folder(session, host)
    log = read_window(session, folder, start, _WANTED)
    if log.start is None:
        return HostJudgement(why_not=f"{folder} has no log; give the folder as log_folder: in the inventory")
    logged = [request for line in log.lines if (request := read_request(line.row)) is not None]
    answered = [request for request in logged if request.started > log.start and not request.is_probe]
    since = f"since {log.start:%H:%M:%S} UTC"
    if not answered:
        return HostJudgement(log.time, why_not=f"no device has had any answer {since}")
    served = [request for request in answered if request.status == 200]
    devices = f"{_devices(served)} of {_devices(answered)} devices"
    sentence = f"{len(served)} of {len(answered)} requests and {devices} were answered with status 200 {since}"
    measurement = Measurement(host.name, "answered 200", len(served), "requests", decimals=0)
    return HostJudgement(log.time, not served, (measurement,), sentence)


def _devices(requests: Sequence[EasRequest]) -> int:
    return len({request.query.device_id or request.username for request in requests})


UNSERVED_DEVICES: Final = UnservedDevices()
