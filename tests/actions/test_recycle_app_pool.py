"""Which worker processes a recycle replaces: those that the evidence for it saw."""

from __future__ import annotations

import datetime as dt

import pytest

from easops.actions.outcome import Done, ItemOutcome
from easops.actions.recycle_app_pool import _recycled_since
from easops.iis.worker_process import WorkerProcess
from easops.status import Status

READ = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)


def worker(pid: int, minutes: float) -> WorkerProcess:
    """A worker process that started so many minutes after the evidence was read."""
    return WorkerProcess("MSExchangeSyncAppPool", pid, READ + dt.timedelta(minutes=minutes), 0.0, 0)


def limited(status: Status) -> Done:
    return Done("limit_eas_usage", (ItemOutcome("laura", "contoso", status),))


@pytest.mark.parametrize(
    ("workers", "evidence", "after", "recycled"),
    [
        ([worker(1, -60)], READ, None, False),
        ([worker(1, 0)], READ, None, False),
        ([worker(2, 1)], READ, None, True),
        ([worker(1, -60), worker(2, 1)], READ, None, True),
        ([worker(2, 1)], None, None, False),
        ([worker(2, 1)], READ, limited(Status.CHANGED), False),
        ([worker(2, 1)], READ, limited(Status.OK), True),
    ],
    ids=[
        "the one that the evidence saw",
        "started in the same moment",
        "started since",
        "started since, the old one is still ending",
        "no evidence",
        "started since, before the users were limited perhaps",
        "started since, and nobody was limited",
    ],
)
def test_a_pool_whose_worker_is_younger_than_the_evidence_is_not_recycled(
    workers: list[WorkerProcess], evidence: dt.datetime | None, after: Done | None, recycled: bool
) -> None:
    assert bool(_recycled_since(workers, evidence, after)) is recycled
