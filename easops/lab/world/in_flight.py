"""The requests in flight, by server."""

from __future__ import annotations

from easops.lab.world.host import Server, Worker
from easops.lab.world.request import Request


class InFlight:
    """The requests that each server is executing, in the order in which they started."""

    def __init__(self) -> None:
        # Dictionaries, because the order of a set does not depend on the seed alone.
        self._by_server: dict[str, dict[Request, None]] = {}

    def add(self, request: Request, *servers: Server) -> None:
        for server in servers:
            self._by_server.setdefault(server.name, {})[request] = None

    def remove(self, request: Request) -> None:
        for server in (request.back, request.front):
            self._by_server.get(server.name, {}).pop(request, None)

    def of(self, server: Server) -> tuple[Request, ...]:
        return tuple(self._by_server.get(server.name, ()))

    def inside(self, server: Server, worker: Worker) -> list[Request]:
        """The requests of which *worker* has a half, the front end's or the back end's, or both."""
        return [request for request in self.of(server) if worker in (request.front_worker, request.back_worker)]
