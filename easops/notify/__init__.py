"""Notifying people when a run ends: by webhook, by mail or in a file, each at most once."""

from easops.notify.channel import Channel
from easops.notify.load import load_notifications
from easops.notify.notifications import Notifications

__all__ = ["Channel", "Notifications", "load_notifications"]
