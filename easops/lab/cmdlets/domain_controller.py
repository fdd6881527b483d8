"""The domain controller of a call, and the directory as that has it."""

from __future__ import annotations

from easops.lab.cmdlet import Call
from easops.lab.world import World
from easops.lab.world.view import View


def domain_controller(world: World, call: Call) -> str:
    """The domain controller that a call reads from and writes to: the one that it names, or its server's own."""
    named = world.directory.replication.named(str(call.parameters.get("DomainController")))
    return named or world.servers[call.server].dc


def view_of(world: World, call: Call) -> View:
    """The directory as the domain controller of the call has it now."""
    return View(world.directory, domain_controller(world, call), world.time)
