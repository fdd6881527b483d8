"""A resumed run goes on at once: the engine looks into the queue of recovered workflows once a second, which tests that
resume a hundred runs would sit out."""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest.mock import patch

from dbos._dbos import DBOSRegistry
from dbos._queue import Queue

_get_internal_queue = DBOSRegistry.get_internal_queue


def _quick(registry: DBOSRegistry) -> Queue:
    queue = _get_internal_queue(registry)
    queue._polling_interval_sec = 0.1
    return queue


def quick_recovery() -> AbstractContextManager[object]:
    """Within the block the engine looks every 0.1 s."""
    return patch.object(DBOSRegistry, "get_internal_queue", _quick)
