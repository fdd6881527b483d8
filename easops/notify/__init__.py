"""Telling people of a run's end: by a webhook, by mail, in a file; each at most once."""

from easops.notify.channel import Channel
from easops.notify.load import load_notifications
from easops.notify.notifications import Notifications

__all__ = ["Channel", "Notifications", "load_notifications"]
