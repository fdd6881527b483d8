"""What listens for clients: each server has a port with TLS and one without, both with the two PowerShell endpoints."""

from __future__ import annotations

import asyncio
import hashlib
import socket
import ssl
import struct
from collections.abc import Iterable, Mapping
from weakref import WeakKeyDictionary

import attrs
from aiohttp import web

from easops.lab.call import Endpoint
from easops.lab.certificate import Certificate
from easops.lab.faults import ConnectionDropped, Faults
from easops.lab.psrp.backend import Backend
from easops.lab.signatures.table import SignatureTable
from easops.lab.wsman.account import Accounts, LogonRefused, User
from easops.lab.wsman.encryption import NotDecryptable, decrypt, encrypt, is_encrypted
from easops.lab.wsman.logon import OFFERED, Logon
from easops.lab.wsman.service import OtherAnswer, Service

PATHS: Mapping[str, Endpoint] = {"/powershell": "exchange", "/wsman": "windows"}

_NOT_FOUND = (
    '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 Strict//EN" "http://www.w3.org/TR/xhtml1/DTD/xhtml1-strict.dtd">\n'
    "<html><head><title>404 - File or directory not found.</title></head><body><h1>Server Error</h1>"
    "<h2>404 - File or directory not found.</h2></body></html>\n"
)


@attrs.frozen
class Site:
    """One server: its short and its full name, the signatures of its version, and its ports with and without TLS (0:
    any free one).

    Both ports serve ``/PowerShell`` (Microsoft.Exchange) and ``/wsman`` (Microsoft.PowerShell).
    """

    server: str
    signatures: SignatureTable
    port: int = 0
    plain_port: int = 0
    fqdn: str = ""


class Front:
    """Listens for a lab's servers.

    ``faults`` may be added to at any time, from any thread. ``plain_ports`` are the ports without TLS by server, once
    the front has started.
    """

    def __init__(self) -> None:
        self.faults: Faults = Faults()
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
            OSError: a port is taken. Ports that were opened are closed again.
        """
        accounts = Accounts(users)
        context = certificate.server_context()
        binding = b"tls-server-end-point:" + hashlib.sha256(certificate.server_der()).digest()
        ports = {}
        sites = tuple(sites)
        fqdns = {site.server: site.fqdn for site in sites if site.fqdn}
        try:
            for site in sites:
                service = Service(site.server, site.signatures, backend, self.faults, fqdns)
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

    def open_shells(self) -> dict[str, int]:
        """How many shells are open on each server."""
        return {service.server: service.open_shells() for service in self._services}

    async def stop(self) -> None:
        """Stop all pipelines and close all connections. Harmless when nothing listens."""
        for service in self._services:
            service.close()
        for runner in self._runners:
            await runner.cleanup()
        self._services.clear()
        self._runners.clear()


class _Handler:
    """HTTP on one port of one server. *binding* ties a logon to the TLS channel; None without TLS."""

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
        if await self._service.is_down():
            transport.abort()
            return web.Response(status=500)  # never sent: the connection is closed
        logon = self._logons.setdefault(transport, Logon(self._accounts, self._binding))
        headers: dict[str, str] = {}
        try:
            user, token = self._authenticate(endpoint, logon, request.headers.get("Authorization", ""))
        except LogonRefused:
            return self._challenge(endpoint)
        if user is None:
            return web.Response(status=401, headers={"WWW-Authenticate": token})
        if token:
            headers["WWW-Authenticate"] = token
        if request.method != "POST":
            return web.Response(status=405, headers={"Allow": "POST"})
        if not data and logon.user is not None:
            return web.Response(status=200, headers=headers)  # a client that logs on before its first request
        protocol = ""
        if is_encrypted(request.headers.get("Content-Type", "")):
            if logon.context is None:
                return web.Response(status=400)
            try:
                protocol, data = decrypt(logon.context, data)
            except NotDecryptable:
                return web.Response(status=400)
        elif not self._tls:
            return web.Response(status=500)  # as WinRM with AllowUnencrypted=false: no explanation, no effect
        try:
            status, answer = await self._service.handle(endpoint, *user, data)
        except ConnectionDropped as dropped:
            if dropped.reset and (plain := transport.get_extra_info("socket")) is not None:
                plain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            transport.abort()
            return web.Response(status=500)  # never sent: the connection is closed
        except OtherAnswer as other:
            reply = other.reply
            return web.Response(
                status=reply.status, text=reply.text, content_type=reply.content_type, headers=dict(reply.headers)
            )
        headers |= self._service.headers(endpoint, routed=True)
        headers["Content-Type"] = "application/soap+xml;charset=UTF-8"
        if protocol and logon.context is not None:
            headers["Content-Type"], answer = encrypt(logon.context, protocol, answer)
        return web.Response(status=status, body=answer, headers=headers)

    def _authenticate(self, endpoint: Endpoint, logon: Logon, header: str) -> tuple[tuple[str, User] | None, str]:
        """The user (None: the logon needs another step), and the value of WWW-Authenticate. Raises LogonRefused."""
        scheme, _, token = header.partition(" ")
        if not header and logon.user is not None:
            return logon.user, ""
        offered = {name.lower(): name for name in OFFERED[endpoint, self._tls]}
        if scheme.lower() not in offered:
            raise LogonRefused
        if scheme.lower() == "basic":
            return self._accounts.basic(token), ""
        answer = logon.step(scheme, token)
        return logon.user, f"{offered[scheme.lower()]} {answer}" if answer else ""

    def _challenge(self, endpoint: Endpoint) -> web.Response:
        realm = "WSMAN" if endpoint == "windows" else self._service.server
        response = web.Response(status=401, headers=self._service.headers(endpoint, routed=False))
        for scheme in OFFERED[endpoint, self._tls]:
            response.headers.add("WWW-Authenticate", f'Basic realm="{realm}"' if scheme == "Basic" else scheme)
        return response
