"""Get-WebRequest: the requests that a worker process is executing.

The properties are those of IIS's run-time data (Microsoft.Web.Administration.Request, and the HttpRequest class of its
WMI provider); the numbers are long integers, as the IIS provider gives them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.errors import not_simulated
from easops.lab.cmdlets.parameters import parameters_of
from easops.lab.value import I64, Obj
from easops.lab.world import World
from easops.lab.world.eas_line import BACK_STEM, FRONT_STEM
from easops.lab.world.host import Server, Worker
from easops.lab.world.request import Request

_ELEMENT: Final = "Microsoft.IIs.PowerShell.Framework.ConfigurationElement"
_WRAP: Final = 2**32
"""Elapsed times are unsigned 32 bit milliseconds, and start again at 0 after 49.7 days."""


def _get_web_request(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "AppPool", "Process")
    if call.input:
        raise not_simulated(call, "requests of piped objects")
    server = world.servers[call.server]
    workers = server.workers
    if "AppPool" in parameters:
        name = str(parameters["AppPool"]).lower()
        if name not in server.pools:
            raise not_simulated(call, f"the requests of {parameters['AppPool']}: there is no such pool")
        workers = [worker for worker in workers if worker.pool.lower() == name]
    if "Process" in parameters:
        pid = int(parameters["Process"])
        workers = [worker for worker in workers if worker.pid == pid]
        if not workers:
            raise not_simulated(call, f"the requests of process {pid}: it is not a worker process")
    for worker in workers:
        for notes in executing(world, server, worker):
            yield Obj((f"{_ELEMENT}#request", _ELEMENT, "System.Object"), {}, notes, _ELEMENT)


def executing(world: World, server: Server, worker: Worker) -> Iterator[dict[str, Any]]:
    """The requests in *worker*, properties by IIS's own names.

    The back end (site 2) and the front end (site 1) share the pool, and each has its own half of a request.
    """
    for request in world.in_flight.of(server):
        if request.front_worker is worker:
            yield _properties(world, server, request, 1)
        if request.back_worker is worker and server.product.has_back_end:
            yield _properties(world, server, request, 2)


def _properties(world: World, server: Server, request: Request, site: int) -> dict[str, Any]:
    phone = request.client.phone
    options = request.command == "OPTIONS"
    stem, query = (FRONT_STEM, phone.front_query) if site == 1 else (BACK_STEM, phone.query)
    elapsed = max(0, int((world.moment - request.start) * 1000))
    number = hashlib.blake2b(f"{phone.device_id}:{request.command}:{request.start}:{site}".encode(), digest_size=14)
    digits = number.hexdigest()
    return {
        "requestId": f"f{digits[:7]}80{digits[7:13]}",
        "connectionId": f"f{digits[13:20]}60{digits[20:26]}",
        "processId": I64((request.front_worker if site == 1 else request.back_worker).pid),
        "url": stem if options else f"{stem}?{query(request.command)}",
        "verb": "OPTIONS" if options else "POST",
        "siteId": I64(site),
        "timeElapsed": I64(elapsed % _WRAP),
        "clientIPAddr": phone.ip if site == 1 else request.front.ip,
        "hostName": f"mail.{world.scenario.domain}" if site == 1 else server.fqdn.lower(),
        "localIPAddress": server.ip,
        "localPort": I64(443 if site == 1 else 444),
        "pipelineState": "ExecuteRequestHandler",
        "currentModule": "ManagedPipelineHandler",
        "timeInState": I64(max(0, elapsed - 2) % _WRAP),
        "timeInModule": I64(max(0, elapsed - 2) % _WRAP),
    }


GET_WEB_REQUEST: Final = Cmdlet("Get-WebRequest", "windows", _get_web_request)
