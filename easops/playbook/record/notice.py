"""What came of the notification about a run through one channel."""

from __future__ import annotations

import datetime as dt
from typing import Literal

import attrs

NoticeStatus = Literal["sent", "failed", "unknown"]


@attrs.frozen
class Notice:
    """What came of the notification about a run through one channel.

    ``sent``: the channel accepted it. ``failed``: it did not. ``unknown``: it may have; it is not sent again. *reason*
    says why it failed. *at* is when it was recorded.
    """

    channel: str
    status: NoticeStatus
    reason: str
    at: dt.datetime
