"""Sending a message through several channels at once, in bounded time; the result of each is a Notice."""

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
    channels: Sequence[Channel], message: Message, *, seconds: float, on_notice: Callable[[Notice], None]
) -> tuple[Notice, ...]:
    """Send *message* through *channels* within *seconds*; returns a Notice for each channel, in their order.

    *on_notice* is called with each Notice as it becomes known. Sending is retried, a few times, only while the message
    cannot have arrived. Raises only what *on_notice* raises.
    """
    deadline = time.monotonic() + seconds
    finished: queue.Queue[Notice] = queue.Queue()
    transmissions: dict[str, Transmission] = {}
    notices: dict[str, Notice] = {}

    def add(notice: Notice) -> None:
        notices[notice.channel] = notice
        on_notice(notice)

    for channel in channels:
        try:
            transmission = Transmission(deadline, channel.secrets())
        except BadInput as error:
            add(_notice(channel, "failed", error))
            continue
        transmissions[channel.name] = transmission
        thread = threading.Thread(
            target=lambda channel=channel, transmission=transmission: finished.put(
                _send(channel, message, transmission)
            ),
            name=f"easops-notify-{channel.name}",
            daemon=True,  # a channel that hangs must not keep the process alive
        )
        thread.start()
    while len(notices) < len(channels):
        try:
            add(finished.get(timeout=max(0.0, deadline - time.monotonic())))
        except queue.Empty:
            break
    for channel in channels:
        if channel.name not in notices:
            begun = transmissions[channel.name].give_up()
            why = f"no answer within {seconds:g} s; it may have arrived" if begun else f"not sent within {seconds:g} s"
            add(Notice(channel.name, "unknown" if begun else "failed", why, dt.datetime.now(dt.UTC)))
    return tuple(notices[channel.name] for channel in channels)


def _send(channel: Channel, message: Message, transmission: Transmission) -> Notice:
    try:
        remark = retrying(lambda: _send_once(channel, message, transmission), reads=False, attempts=4)
    except OutcomeUnknown as error:
        return _notice(channel, "unknown", error)
    except EasopsError as error:
        return _notice(channel, "failed", error)
    except Exception as error:  # a bug here must not change how the run ends
        return _notice(channel, "unknown", EasopsError("a bug in easops", type(error).__name__))
    return Notice(channel.name, "sent", remark, dt.datetime.now(dt.UTC))


def _send_once(channel: Channel, message: Message, transmission: Transmission) -> str:
    """Send once; returns a remark on a message that was accepted all the same, e.g. a refused recipient."""
    transmission.seconds_left(1.0)
    way = channel.way
    if isinstance(way, Mail):
        from easops.notify.mail import send_mail

        return send_mail(way, message.subject, message.text, f"{message.key}.{channel.name}", transmission)
    if isinstance(way, LogFile):
        from easops.notify.logfile import append_line

        append_line(way.path, message.body("document"), transmission)
    else:
        from easops.notify.webhook import post

        post(way, message.body(way.body), transmission)
    return ""


def _notice(channel: Channel, status: NoticeStatus, error: EasopsError) -> Notice:
    return Notice(channel.name, status, str(error), dt.datetime.now(dt.UTC))
