"""The fault of KB 4337638: now and then a Ping never ends.

Its phone hangs up and sends another. The stranded Ping stays in the worker process, with its memory, until that ends.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from typing import Final

from easops.lab.world.host import Server
from easops.lab.world.in_flight import InFlight
from easops.lab.world.phone import Phone
from easops.lab.world.request import Client, Request
from easops.lab.world.scenario import StrandingData

_PING_BYTES: Final = 6 * 1024**2
"""The memory of one stranded Ping: some hundred of them a week add up to the gigabytes that administrators saw."""


class Stranding:
    """Which Pings strand on one server, and when.

    Weeks of them are made at once when the world opens. Nothing else is simulated for that time: it left no trace.
    """

    def __init__(
        self,
        data: StrandingData,
        server: Server,
        phones: Sequence[Phone],
        in_flight: InFlight,
        seed: int,
        start: float,
    ) -> None:
        self._server = server
        self._in_flight = in_flight
        self._every = data.every
        self._phones = [phone for phone in phones if phone.back is server]
        self._rng = random.Random(f"{seed}:stranding:{server.name}")
        server.sync_worker.started = start - data.days * 86_400
        self._next = server.sync_worker.started + self._gap()

    def strand(self, until: float) -> float:
        """Strand all Pings that are due by *until*; returns when the next one is due: never, where no phone's work is
        done on the server."""
        if not self._phones:
            return math.inf
        while self._next <= until:
            phone = self._rng.choice(self._phones)
            if self._server.down or phone.front.down:
                self._next += self._gap()
                continue
            worker = self._server.sync_worker
            client = Client(phone, self._rng)
            # Where another server was the front end, its half ended when the phone hung up.
            front = phone.front.sync_worker
            request = Request(client, "Ping", self._next, math.inf, phone.front, self._server, front, worker)
            request.stranded = True
            self._in_flight.add(request, self._server)
            worker.stranded += _PING_BYTES
            self._next += self._gap()
        return self._next

    def _gap(self) -> float:
        return self._every * self._rng.uniform(0.3, 1.7)
