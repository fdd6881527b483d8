"""A server: its application pools, worker processes and processors."""

from __future__ import annotations

import random
from collections.abc import Iterable
from typing import Final

import attrs

from easops.lab.world.disk import Disk
from easops.lab.world.iis_log import IisLog
from easops.lab.world.product import PRODUCTS, SYNC_POOL, Product
from easops.lab.world.scenario import ServerData

SHUTDOWN_TIME_LIMIT: Final = 90.0
"""Seconds that a recycled worker process may take to end its requests (processModel.shutdownTimeLimit)."""

LOG_ROOT: Final = r"C:\inetpub\logs\LogFiles"

_MAX_SHARE: Final = 0.965
"""The largest share of all processors that jobs of the sync pool get: the rest of the server works too."""


@attrs.define(eq=False)
class Worker:
    """One w3wp.exe.

    *cpu* are the seconds of processor time up to the last ``Server.settle``. *drains_until* is set once it is recycled.
    *stranded* are the bytes that are kept by requests that never end.
    """

    pool: str
    pid: int
    started: float
    cpu: float
    idle_rate: float
    memory: int
    drains_until: float | None = None
    stranded: int = 0


@attrs.define(eq=False)
class Job:
    """Work inside a worker process, whether or not a client still waits for it: *rate* processors, *until* its end."""

    worker: Worker
    rate: float
    until: float


@attrs.define(eq=False)
class Pool:
    name: str
    started: bool
    idle_rate: float
    worker: Worker | None = None


class Server:
    """One server.

    Processor time is settled, that is added up, whenever the set of jobs changes. A reading settles nothing: readings
    must not change the world, not even by a rounding error.
    """

    def __init__(self, data: ServerData, domain: str, seed: int, begin: float, start: float, disk: Disk) -> None:
        self.name: str = data.name
        self.fqdn: str = f"{data.name}.{domain}"
        self.ip: str = data.ip
        self.processors: int = data.processors
        self.product: Product = PRODUCTS[data.version]
        self.database: str = data.database
        self.client_access: bool = data.client_access
        self.dc: str = f"{data.dc}.{domain}"
        self.web_administration: bool = data.web_administration
        self.max_heartbeat: int = data.max_heartbeat
        self._clock: list[tuple[float, float]] = [(float("-inf"), data.clock)]
        self.disk = disk
        self._rng = random.Random(f"{seed}:server:{data.name}")
        self.booted: float = start - self._rng.uniform(30, 40) * 86_400
        self.workers: list[Worker] = []
        self.pools: dict[str, Pool] = {}
        for name, (started, rate) in self.product.pools_of(client_access=data.client_access).items():
            pool = Pool(name, started, rate)
            self.pools[name.lower()] = pool
            if started and rate:
                age = self._rng.uniform(5.0, 9.0) * 86_400
                pool.worker = self._start(pool, start - age)
                if name == SYNC_POOL:
                    pool.worker.cpu += self._rng.uniform(0.05, 0.08) * age
        self.down: bool = False
        self.jobs: list[Job] = []
        self._settled = begin
        self.logs: dict[int, IisLog] = {
            site: IisLog(disk, rf"{LOG_ROOT}\W3SVC{site}", fields, self.product.iis, self.told)
            for site, fields in self.product.fields.items()
        }

    def told(self, moment: float) -> float:
        """The world's *moment* by the clock of this server, as it was then."""
        return moment + sum(by for since, by in self._clock if since <= moment)

    def jump_clock(self, moment: float, by: float) -> None:
        """Set the clock of this server forward by so many seconds, or back."""
        self._clock.append((moment, by))

    @property
    def sync_worker(self) -> Worker:
        """The worker process that gets new ActiveSync requests."""
        worker = self.pools[SYNC_POOL.lower()].worker
        assert worker is not None  # phones use client access servers only, and nothing in the lab stops a pool
        return worker

    def _start(self, pool: Pool, moment: float) -> Worker:
        taken = {worker.pid for worker in self.workers}
        pid = next(pid for pid in iter(lambda: 4 * self._rng.randint(450, 7400), 0) if pid not in taken)
        memory = int(self._rng.uniform(180, 320) * 1024**2) * (2 if pool.name == SYNC_POOL else 1)
        worker = Worker(pool.name, pid, moment, 0.0, pool.idle_rate, memory)
        self.workers.append(worker)
        return worker

    def recycle(self, pool: Pool, old: Worker, ends: Iterable[float], moment: float) -> float:
        """Start the successor of *old*, whose requests end at *ends*; returns when *old* will end.

        It takes no new requests, and ends when its last request has, after 90 seconds at the latest.
        """
        last = max((*ends, *(job.until for job in self.jobs if job.worker is old)), default=0.0)
        old.drains_until = max(min(last + 1.5, moment + SHUTDOWN_TIME_LIMIT), moment + 1.5)
        pool.worker = self._start(pool, moment)
        return old.drains_until

    def restart(self, moment: float) -> None:
        """It comes up: each started pool has a new worker process, where it had one."""
        self.down, self.booted = False, moment
        for pool in self.pools.values():
            if pool.started and pool.idle_rate:
                pool.worker = self._start(pool, moment)

    def end(self, worker: Worker, moment: float) -> None:
        """The worker process ends, and its jobs with it."""
        self.settle(moment)
        self.jobs = [job for job in self.jobs if job.worker is not worker]
        self.workers.remove(worker)

    def add_job(self, job: Job, moment: float) -> None:
        self.settle(moment)
        self.jobs.append(job)

    def end_job(self, job: Job, moment: float) -> None:
        if job in self.jobs:
            self.settle(moment)
            self.jobs.remove(job)

    def _scale(self) -> float:
        wanted = sum(job.rate for job in self.jobs)
        most = _MAX_SHARE * self.processors
        return 1.0 if wanted <= most else most / wanted

    def settle(self, moment: float) -> None:
        """Add the processor time since the last call to each worker process."""
        if self.jobs and moment > self._settled:
            scale = self._scale() * (moment - self._settled)
            for job in self.jobs:
                job.worker.cpu += job.rate * scale
        self._settled = max(self._settled, moment)

    def cpu_seconds(self, worker: Worker, moment: float) -> float:
        """Seconds of processor time of *worker* since it started, on all processors. *moment* is now or just before."""
        running = sum(job.rate for job in self.jobs if job.worker is worker)
        since = moment - self._settled
        return worker.cpu + worker.idle_rate * max(0.0, moment - worker.started) + running * self._scale() * since

    def private_bytes(self, worker: Worker, moment: float) -> int:
        hours = max(0.0, moment - worker.started) / 3600
        work = sum(1 for job in self.jobs if job.worker is worker)
        return worker.memory + worker.stranded + int(min(hours, 100.0) * 6 * 1024**2) + work * 310 * 1024**2
