"""The lab's front: one listening port a server, TLS, Basic authentication, and the paths of the two endpoints."""

from __future__ import annotations

import base64
import binascii
import hmac
from collections.abc import Iterable, Mapping

import attrs
from aiohttp import web

from easops.lab.call import Endpoint
from easops.lab.certificate import Certificate
from easops.lab.engine import Backend
from easops.lab.faults import ConnectionDropped, Faults
from easops.lab.law import Law
from easops.lab.wsman import Service, User

PATHS: Mapping[str, Endpoint] = {"/powershell": "exchange", "/wsman": "windows"}

_NOT_FOUND = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n'
    "<html><head><title>404 - File or directory not found.</title></head><body><h1>Server Error</h1>"
    "<h2>404 - File or directory not found.</h2></body></html>\n"
)


@attrs.frozen
class Site:
    """One server: its short name, its port (0: any free one), and the law of its version. The port serves
    ``/PowerShell`` (Microsoft.Exchange) and ``/wsman`` (Microsoft.PowerShell)."""

    server: str
    law: Law
    port: int = 0


class Front:
    """Listens for a lab's servers. ``faults`` may be added to at any time, from any thread."""

    def __init__(self) -> None:
        self.faults = Faults()
        self._runners: list[web.ServerRunner] = []
        self._services: list[Service] = []

    async def start(
        self,
        sites: Iterable[Site],
        backend: Backend,
        users: Mapping[str, User],
        certificate: Certificate,
        *,
        host: str = "127.0.0.1",
    ) -> Mapping[str, int]:
        """Listen; returns the port of each server by its name.

        Args:
            users: by logon name as a client sends it (``LAB\\admin``, ``admin@lab.example``), any case.

        Raises:
            OSError: a port is taken. What was opened is closed again.
        """
        by_name = {name.casefold(): (name, user) for name, user in users.items()}
        context = certificate.server_context()
        ports = {}
        try:
            for site in sites:
                service = Service(site.server, site.law, backend, self.faults)
                self._services.append(service)
                runner = web.ServerRunner(web.Server(_Handler(service, by_name)), shutdown_timeout=1.0)
                await runner.setup()
                self._runners.append(runner)
                await web.TCPSite(runner, host, site.port, ssl_context=context).start()
                ports[site.server] = int(runner.addresses[0][1])
        except OSError:
            await self.stop()
            raise
        return ports

    async def stop(self) -> None:
        """Stop what runs, close every connection; harmless when nothing listens."""
        for service in self._services:
            service.close()
        for runner in self._runners:
            await runner.cleanup()
        self._services.clear()
        self._runners.clear()


class _Handler:
    """HTTP of one server."""

    def __init__(self, service: Service, users: Mapping[str, tuple[str, User]]) -> None:
        self._service = service
        self._users = users

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        endpoint = PATHS.get(request.path.rstrip("/").lower())
        if endpoint is None:
            return web.Response(status=404, text=_NOT_FOUND, content_type="text/html")
        found = self._authenticated(request.headers.get("Authorization", ""))
        if found is None:
            realm = "WSMAN" if endpoint == "windows" else self._service.server
            return web.Response(status=401, headers={"WWW-Authenticate": f'Basic realm="{realm}"'})
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        name, user = found
        data = await request.read()
        try:
            status, answer = await self._service.handle(endpoint, name, user, data)
        except ConnectionDropped:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)  # goes nowhere
        return web.Response(status=status, body=answer, content_type="application/soap+xml", charset="UTF-8")

    def _authenticated(self, header: str) -> tuple[str, User] | None:
        scheme, _, encoded = header.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, _, password = base64.b64decode(encoded, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        known = self._users.get(name.casefold())
        if known is None or not hmac.compare_digest(known[1].password.encode(), password.encode()):
            return None
        return known
