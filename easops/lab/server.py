"""A whole lab: the world, and the front that lets clients in to it.

    with start(folder, scenario="contacts-storm") as lab:
        ...  # lab.inventory names a file that works as it is

The folder then holds, beside the world, the inventory, the authority that signed the servers' certificate, and the
password of the two accounts (``admin`` with all roles, ``helpdesk`` with none).
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import json
import os
import secrets
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Literal

import attrs

from easops.errors import BadInput
from easops.lab.call import Call, Endpoint
from easops.lab.certificate import make_certificate
from easops.lab.cmdlets import CMDLETS
from easops.lab.faults import Faults
from easops.lab.scripts import SCRIPTS
from easops.lab.signatures.table import SignatureTable
from easops.lab.value import CmdletFailed, ErrorInfo, NonTerminating
from easops.lab.world import World
from easops.lab.world.host import Server
from easops.lab.world.world import Answer
from easops.lab.wsman.account import User
from easops.lab.wsman.front import Front, Site

_TICK: Final = 0.5

Auth = Literal["basic", "ntlm", "negotiate"]
"""How the inventory enters the windows endpoints: Basic over TLS, or one of the others over plain HTTP, sealed."""


@attrs.frozen
class Lab:
    """A running lab: its *world*, the *faults* of its front, its servers' *ports*, and its *inventory* file."""

    world: World
    faults: Faults
    ports: Mapping[str, int]
    plain_ports: Mapping[str, int]
    folder: Path
    inventory: Path
    users: Mapping[str, User]


class WorldBackend:
    """What the engine asks of the world. A pipeline has a thread of its own, and all its statements one moment."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._pipeline = threading.local()

    def invoke(
        self,
        server: str,
        endpoint: Endpoint,
        user: str,
        cmdlet: str,
        parameters: Mapping[str, Any],
        input: tuple[Any, ...],
    ) -> Iterable[Any]:
        call = Call(server, user, cmdlet, parameters, input)
        try:
            return self._world.perform(CMDLETS[cmdlet], call, self._moment(server))
        except CmdletFailed as error:
            if endpoint == "exchange":
                # Exchange's cmdlets write their errors and let the pipeline end as completed.
                return [NonTerminating(error.error)]
            raise

    def script(self, server: str, user: str, digest: str, parameters: Mapping[str, Any]) -> Iterable[Any]:
        for twin in SCRIPTS.values():
            if twin.digest == digest:
                return self._world.perform(twin, Call(server, user, twin.name, parameters), self._moment(server))
        raise CmdletFailed(
            ErrorInfo(
                "The lab runs no script text; it knows easops' own scripts by their digest, and this is none of them.",
                "System.NotSupportedException",
                "LabUnknownScript",
                "NotImplemented",
                target=digest,
            )
        )

    def _moment(self, server: str) -> float:
        """When this thread's pipeline began."""
        if not hasattr(self._pipeline, "moment"):
            self._pipeline.moment = self._world.begin_call(server)
        moment: float = self._pipeline.moment
        return moment

    def commands(self, endpoint: Endpoint) -> Collection[str]:
        return {cmdlet.name for cmdlet in CMDLETS.values() if cmdlet.endpoint == endpoint}


@contextlib.contextmanager
def start(
    folder: Path,
    *,
    scenario: str | None = None,
    seed: int | None = None,
    speed: float = 1.0,
    begin: dt.datetime | None = None,
    read_only: bool = False,
    port_base: int = 0,
    auth: Auth = "basic",
) -> Iterator[Lab]:
    """Run a lab in a thread until the block ends, on 127.0.0.1 only.

    Args:
        folder: the state folder. One that holds a world goes on where that stopped.
        scenario, seed: of a new world (contacts-storm, 1); an old one has to be that where they are named.
        speed: seconds of the world's time in one of ours, at most 1000: beyond that a small machine cannot follow.
            At 0 its clock stands, and ``lab.world.advance`` or ``lab.world.reach`` moves it.
        begin: the time of a new world at its start (now).
        port_base: the port of the first server, the others follow, then those without TLS; 0 takes free ones.
        auth: how the inventory enters the windows endpoints. The servers take all of it in any case.

    Raises:
        BadInput: an unknown scenario, a folder that cannot be used, a port that is taken.
    """
    answers: dict[str, Answer] = {**CMDLETS, **SCRIPTS}
    world = World.open(folder, answers, scenario=scenario, seed=seed, speed=speed, start=begin, read_only=read_only)
    with contextlib.ExitStack() as stack:
        stack.callback(world.close)
        password = _password(folder)
        netbios = world.scenario.netbios
        users = {f"{netbios}\\admin": User(password), f"{netbios}\\helpdesk": User(password, roles=frozenset())}
        certificate = make_certificate([server.fqdn for server in world.servers.values()])
        certificate.write_authority(folder / "ca.pem")

        def port(offset: int) -> int:
            return port_base + offset if port_base else 0

        sites = [
            Site(name, _signatures(server), port(index), port(len(world.servers) + index))
            for index, (name, server) in enumerate(world.servers.items())
        ]
        loop = stack.enter_context(_loop())
        front = Front()
        try:
            ports = _wait(loop, front.start(sites, WorldBackend(world), users, certificate))
        except OSError as error:
            raise BadInput("the lab cannot listen", error.strerror or str(error), "name another --port-base") from None
        stack.callback(lambda: _wait(loop, front.stop()))
        ticking = asyncio.run_coroutine_threadsafe(_tick(world), loop)
        stack.callback(ticking.cancel)
        inventory = folder / "inventory.yml"
        inventory.write_text(_inventory(world, ports, front.plain_ports, auth, folder.absolute()), encoding="utf-8")
        yield Lab(world, front.faults, ports, front.plain_ports, folder, inventory, users)


def _signatures(server: Server) -> SignatureTable:
    return SignatureTable(server.product.version, lacks=() if server.web_administration else ("WebAdministration",))


async def _tick(world: World) -> None:
    while True:
        await asyncio.to_thread(world.catch_up)
        await asyncio.sleep(_TICK)


@contextlib.contextmanager
def _loop() -> Iterator[asyncio.AbstractEventLoop]:
    """An event loop in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="easops lab", daemon=True)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


def _wait(loop: asyncio.AbstractEventLoop, coroutine: Any) -> Any:
    return asyncio.run_coroutine_threadsafe(coroutine, loop).result(30)


def _password(folder: Path) -> str:
    """The password of this folder's accounts: random, made once, and readable by nobody else."""
    path = folder / "password.txt"
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(18) + "\n")
    return path.read_text(encoding="utf-8").strip()


def _inventory(world: World, ports: Mapping[str, int], plain_ports: Mapping[str, int], auth: Auth, folder: Path) -> str:
    """An inventory that works in whatever folder its text is put."""
    scenario = world.scenario
    password, authority = (json.dumps(str(folder / name)) for name in ("password.txt", "ca.pem"))  # JSON is YAML
    lines = [
        f"# The simulated organisation of the scenario {scenario.name}; it answers while its lab runs.",
        "easops: 1",
        "credentials:",
        "  admin:",
        f"    username: {scenario.netbios}\\admin",
        f"    password: {{file: {password}}}",
        "hosts:",
    ]
    for name, port in ports.items():
        server = world.servers[name]
        roles = (["mailbox"] if server.database else []) + (["client_access"] if server.client_access else [])
        lines += [
            f"  - name: {name}",
            f"    organisation: {scenario.organisation}",
            f"    version: {server.product.version}",
            f"    roles: [{', '.join(roles)}]",
            f"    site: {scenario.site}",
            "    endpoints:",
        ]
        base = f"https://127.0.0.1:{port}"
        ways = {"exchange": f'"{base}/PowerShell", auth: basic', "windows": f'"{base}/wsman", auth: basic'}
        if auth != "basic":
            ways["windows"] = f'"http://127.0.0.1:{plain_ports[name]}/wsman", auth: {auth}'
        for endpoint, way_in in ways.items():
            ca = f", ca: {authority}" if "https:" in way_in else ""
            lines.append(f"      {endpoint}: {{url: {way_in}, credential: admin{ca}}}")
    return "\n".join(lines) + "\n"
