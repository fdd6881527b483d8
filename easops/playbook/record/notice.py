"""The outcome of one notification of a run's end."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import attrs

NoticeStatus = Literal["sent", "failed", "unknown"]


@attrs.frozen
class Notice:
    """The outcome of one notification of a run's end.

    *channel* is the name of the channel, *at* the time. *status* is ``sent``, ``failed`` (*reason* says why), or
    ``unknown``: it may have arrived, and is not sent again.
    """

    channel: str
    status: NoticeStatus
    reason: str
    at: dt.datetime
