"""The lab's front: two listening ports a server, TLS and plain, the logon, and the paths of the two endpoints."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import Iterable, Mapping
from weakref import WeakKeyDictionary

import attrs
from aiohttp import web

from easops.lab.call import Endpoint
from easops.lab.certificate import Certificate
from easops.lab.engine import Backend
from easops.lab.faults import ConnectionDropped, Faults
from easops.lab.law import Law
from easops.lab.logon import OFFERED, Accounts, Logon, LogonRefused
from easops.lab.sealing import NotSealed, is_sealed, seal, unseal
from easops.lab.wsman import Service, User

PATHS: Mapping[str, Endpoint] = {"/powershell": "exchange", "/wsman": "windows"}

_NOT_FOUND = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n'
    "<html><head><title>404 - File or directory not found.</title></head><body><h1>Server Error</h1>"
    "<h2>404 - File or directory not found.</h2></body></html>\n"
)


@attrs.frozen
class Site:
    """One server: its short name, the law of its version, and its ports (0: any free one), over TLS and plain. Both
    serve ``/PowerShell`` (Microsoft.Exchange) and ``/wsman`` (Microsoft.PowerShell)."""

    server: str
    law: Law
    port: int = 0
    plain_port: int = 0


class Front:
    """Listens for a lab's servers. ``faults`` may be added to at any time, from any thread; ``plain_ports`` are those
    of each server without TLS, once it has started."""

    def __init__(self) -> None:
        self.faults = Faults()
        self.plain_ports: dict[str, int] = {}
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
        """Listen; returns the TLS port of each server by its name.

        Args:
            users: by logon name as a client sends it (``LAB\\admin``, ``admin@lab.example``), any case.

        Raises:
            OSError: a port is taken. What was opened is closed again.
        """
        accounts = Accounts(users)
        context = certificate.server_context()
        binding = b"tls-server-end-point:" + hashlib.sha256(certificate.server_der()).digest()
        ports = {}
        try:
            for site in sites:
                service = Service(site.server, site.law, backend, self.faults)
                self._services.append(service)
                ports[site.server] = await self._listen(_Handler(service, accounts, binding), host, site.port, context)
                self.plain_ports[site.server] = await self._listen(
                    _Handler(service, accounts, None), host, site.plain_port, None
                )
        except OSError:
            await self.stop()
            raise
        return ports

    async def _listen(self, handler: _Handler, host: str, port: int, context: ssl.SSLContext | None) -> int:
        runner = web.ServerRunner(web.Server(handler), shutdown_timeout=1.0)
        await runner.setup()
        self._runners.append(runner)
        await web.TCPSite(runner, host, port, ssl_context=context).start()
        return int(runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop what runs, close every connection; harmless when nothing listens."""
        for service in self._services:
            service.close()
        for runner in self._runners:
            await runner.cleanup()
        self._services.clear()
        self._runners.clear()


class _Handler:
    """HTTP of one port of one server; *binding* ties a logon to its TLS, None on a plain port."""

    def __init__(self, service: Service, accounts: Accounts, binding: bytes | None) -> None:
        self._service = service
        self._accounts = accounts
        self._tls = binding is not None
        self._binding = binding or b""
        self._logons: WeakKeyDictionary[asyncio.Transport, Logon] = WeakKeyDictionary()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        endpoint = PATHS.get(request.path.rstrip("/").lower())
        if endpoint is None:
            return web.Response(status=404, text=_NOT_FOUND, content_type="text/html")
        data = await request.read()
        transport = request.transport
        if transport is None:
            return web.Response(status=500)  # the client has gone
        logon = self._logons.setdefault(transport, Logon(self._accounts, self._binding))
        headers: dict[str, str] = {}
        try:
            user, token = self._logged_on(endpoint, logon, request.headers.get("Authorization", ""))
        except LogonRefused:
            return self._challenge(endpoint)
        if user is None:
            return web.Response(status=401, headers={"WWW-Authenticate": token})
        if token:
            headers["WWW-Authenticate"] = token
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        if not data and logon.user is not None:
            return web.Response(status=200, headers=headers)  # a client that logs on before it says anything
        protocol = ""
        if is_sealed(request.headers.get("Content-Type", "")):
            if logon.context is None:
                return web.Response(status=400)
            try:
                protocol, data = unseal(logon.context, data)
            except NotSealed:
                return web.Response(status=400)
        elif not self._tls:
            return web.Response(status=500)  # as WinRM with AllowUnencrypted=false: nothing is said, nothing is done
        try:
            status, answer = await self._service.handle(endpoint, *user, data)
        except ConnectionDropped:
            transport.abort()
            return web.Response(status=500)  # goes nowhere
        headers["Content-Type"] = "application/soap+xml;charset=UTF-8"
        if protocol and logon.context is not None:
            headers["Content-Type"], answer = seal(logon.context, protocol, answer)
        return web.Response(status=status, body=answer, headers=headers)

    def _logged_on(self, endpoint: Endpoint, logon: Logon, header: str) -> tuple[tuple[str, User] | None, str]:
        """The user (None: a logon under way), and what WWW-Authenticate is to say. Raises LogonRefused."""
        scheme, _, given = header.partition(" ")
        if not header and logon.user is not None:
            return logon.user, ""
        offered = {name.lower(): name for name in OFFERED[endpoint, self._tls]}
        if scheme.lower() not in offered:
            raise LogonRefused
        if scheme.lower() == "basic":
            return self._accounts.basic(given), ""
        answer = logon.step(scheme, given)
        return logon.user, f"{offered[scheme.lower()]} {answer}" if answer else ""

    def _challenge(self, endpoint: Endpoint) -> web.Response:
        realm = "WSMAN" if endpoint == "windows" else self._service.server
        response = web.Response(status=401)
        for scheme in OFFERED[endpoint, self._tls]:
            response.headers.add("WWW-Authenticate", f'Basic realm="{realm}"' if scheme == "Basic" else scheme)
        return response
