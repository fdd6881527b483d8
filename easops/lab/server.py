"""A whole lab: the world, and the ports on which its servers answer.

    with start(folder, scenario="contacts-storm") as lab:
        ...  # lab.inventory is the path of an inventory that works as it is

Beside the world the folder then has the inventory, the certificate of the lab's authority, and the password of the two
accounts (``admin`` with all roles, ``helpdesk`` with none).
"""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import attrs

from easops.errors import BadInput
from easops.lab.certificate import make_certificate
from easops.lab.cmdlets import CMDLETS
from easops.lab.faults import Faults
from easops.lab.inventory import Auth, inventory_text
from easops.lab.scripts import SCRIPTS
from easops.lab.signatures.table import SignatureTable
from easops.lab.world import World
from easops.lab.world.host import Server
from easops.lab.world.world import Answer
from easops.lab.world_backend import WorldBackend
from easops.lab.wsman.account import User
from easops.lab.wsman.front import Front, Site

_TICK: Final = 0.5


@attrs.frozen
class Lab:
    """A running lab. *faults* plans faults; *ports* and *plain_ports* are those with and without TLS, by server.
    *open_shells* says how many shells clients have open on each server."""

    world: World
    faults: Faults
    ports: Mapping[str, int]
    plain_ports: Mapping[str, int]
    folder: Path
    inventory: Path
    users: Mapping[str, User]
    open_shells: Callable[[], Mapping[str, int]] = attrs.field(repr=False)


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
        folder: the state folder. A lab that is stored there is resumed.
        scenario, seed: of a new world (contacts-storm, 1). A stored world must have them, where they are given.
        speed: how many times as fast as real time its clock runs, at most 1000: a small machine cannot keep up with
            more. At 0 its clock stands, and ``lab.world.advance`` or ``lab.world.reach`` moves it.
        begin: the time at which a new world starts (now).
        port_base: the TLS port of the first server; those of the others follow, then the ports without TLS. 0: any free
            ports.
        auth: how the inventory logs on to the windows endpoints. The servers accept every kind in any case.

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
            Site(name, _signatures(server), port(index), port(len(world.servers) + index), server.fqdn)
            for index, (name, server) in enumerate(world.servers.items())
        ]
        loop = stack.enter_context(_loop())
        front = Front()
        try:
            ports = _wait(loop, front.start(sites, WorldBackend(world), users, certificate))
        except OSError as error:
            raise BadInput(
                "the lab cannot listen on its ports", error.strerror or str(error), "name another --port-base"
            ) from None
        stack.callback(lambda: _wait(loop, front.stop()))
        for data in world.scenario.servers:
            if data.executor:
                front.faults.execute_elsewhere(data.name, data.executor)
        ticking = asyncio.run_coroutine_threadsafe(_tick(world), loop)
        stack.callback(ticking.cancel)
        inventory = folder / "inventory.yml"
        inventory.write_text(inventory_text(world, ports, front.plain_ports, auth, folder.absolute()), encoding="utf-8")
        yield Lab(world, front.faults, ports, front.plain_ports, folder, inventory, users, front.open_shells)


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
    """The password of the accounts in this folder: random, made once, and readable only by this user."""
    path = folder / "password.txt"
    with contextlib.suppress(FileExistsError):
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(18) + "\n")
    return path.read_text(encoding="utf-8").strip()
