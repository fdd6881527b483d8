"""Sending a message through channels, all at once, in bounded time: what came of each is a value."""

from __future__ import annotations

import datetime as dt
import queue
import threading
import time
from collections.abc import Callable, Sequence

from easops.errors import BadInput, EasopsError, OutcomeUnknown
from easops.notify.channel import Channel, LogFile, Mail
from easops.notify.transmission import Transmission
from easops.playbook.record.notice import Notice, NoticeStatus
from easops.remoting.retry import retrying
from easops.report.message import Message


def deliver(
    channels: Sequence[Channel], message: Message, *, seconds: float, came_of_it: Callable[[Notice], None]
) -> tuple[Notice, ...]:
    """Send *message* through *channels*, and give what came of it for each, in their order, within *seconds*.

    *came_of_it* is told of each as it comes. Only what cannot have come is tried again, a few times. Raises nothing
    but what *came_of_it* raises.
    """
    ends = time.monotonic() + seconds
    outcomes: queue.Queue[Notice] = queue.Queue()
    under_way: dict[str, Transmission] = {}
    notices: dict[str, Notice] = {}

    def ended(notice: Notice) -> None:
        notices[notice.channel] = notice
        came_of_it(notice)

    for channel in channels:
        try:
            transmission = Transmission(ends, channel.secrets())
        except BadInput as error:
            ended(_notice(channel, "failed", error))
            continue
        under_way[channel.name] = transmission
        sending = threading.Thread(
            target=lambda channel=channel, transmission=transmission: outcomes.put(
                _sent(channel, message, transmission)
            ),
            name=f"easops-notify-{channel.name}",
            daemon=True,  # one that hangs must not keep the process
        )
        sending.start()
    while len(notices) < len(channels):
        try:
            ended(outcomes.get(timeout=max(0.0, ends - time.monotonic())))
        except queue.Empty:
            break
    for channel in channels:
        if channel.name not in notices:
            begun = under_way[channel.name].give_up()
            why = f"no answer within {seconds:g} s; it may have come" if begun else f"not sent within {seconds:g} s"
            ended(Notice(channel.name, "unknown" if begun else "failed", why, dt.datetime.now(dt.UTC)))
    return tuple(notices[channel.name] for channel in channels)


def _sent(channel: Channel, message: Message, transmission: Transmission) -> Notice:
    try:
        remark = retrying(lambda: _through(channel, message, transmission), reads=False, attempts=4)
    except OutcomeUnknown as error:
        return _notice(channel, "unknown", error)
    except EasopsError as error:
        return _notice(channel, "failed", error)
    except Exception as error:  # a bug here is no reason for a run to end otherwise than it did
        return _notice(channel, "unknown", EasopsError("a bug in easops", type(error).__name__))
    return Notice(channel.name, "sent", remark, dt.datetime.now(dt.UTC))


def _through(channel: Channel, message: Message, transmission: Transmission) -> str:
    """One try; what is to be remarked though it was taken."""
    transmission.left(1.0)
    way = channel.way
    if isinstance(way, Mail):
        from easops.notify.mail import mail

        return mail(way, message.subject, message.text, f"{message.key}.{channel.name}", transmission)
    if isinstance(way, LogFile):
        from easops.notify.logfile import append

        append(way.path, message.body("document"), transmission)
    else:
        from easops.notify.webhook import post

        post(way, message.body(way.body), transmission)
    return ""


def _notice(channel: Channel, status: NoticeStatus, error: EasopsError) -> Notice:
    return Notice(channel.name, status, str(error), dt.datetime.now(dt.UTC))
