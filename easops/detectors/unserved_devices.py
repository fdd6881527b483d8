"""Whether devices are served again: since a moment, has any of their requests been answered 200?

A proof, for after a recycle: new worker processes and no error are not yet a phone that has its mail. Only requests
that began after that moment count, as an old worker process answers what it had; and only devices', since Exchange's
own probes may well be answered while no device is.
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
    """The detector: found where devices ask and none is answered; undetermined where none has asked yet."""

    name: str = "unserved_devices"
    summary: str = "servers on which no request of a device was answered with status 200"
    parameters: tuple[Parameter, ...] = (
        Parameter("since", "duration", "how far back the logs are read, where after is not given", "10m"),
        Parameter("after", "result", "only requests that began after this step ended there", None),
    )

    def detect(self, hosts: Sequence[Host], values: Mapping[str, Any], context: Context) -> Detection:
        """Read the ActiveSync logs of *hosts*, each by its own clock."""
        return measure(self.name, hosts, context, lambda host, session: _judge(host, session, values))


def _judge(host: Host, session: Session, values: Mapping[str, Any]) -> HostJudgement:
    after: dt.datetime | None = None
    if values["after"] is not None:
        after = ended_on(values["after"], host.name)
        if after is None:
            return HostJudgement(why_not="the step named by after never ended here")

    def start(now: dt.datetime) -> dt.datetime:
        return now - values["since"] if after is None else after

    folder = eas_log_folder(session, host)
    log = read_window(session, folder, start, _WANTED)
    if log.start is None:
        return HostJudgement(why_not=f"{folder} holds no log; give the folder as log_folder: in the inventory")
    read = [request for line in log.lines if (request := read_request(line.row)) is not None]
    asked = [request for request in read if request.started > log.start and not request.is_probe]
    since = f"since {log.start:%H:%M:%S} UTC"
    if not asked:
        return HostJudgement(log.time, why_not=f"no device has been answered anything yet {since}")
    served = [request for request in asked if request.status == 200]
    devices = f"{_devices(served)} of {_devices(asked)} devices"
    told = f"{len(served)} of {len(asked)} requests and {devices} were answered 200 {since}"
    return HostJudgement(log.time, not served, (Measurement(host.name, "answered 200", len(served), "requests"),), told)


def _devices(requests: Sequence[EasRequest]) -> int:
    return len({request.query.device_id or request.username for request in requests})


UNSERVED_DEVICES: Final = UnservedDevices()
