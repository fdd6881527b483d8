"""The parameters of a call that the lab simulates."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from easops.lab.cmdlet import Call
from easops.lab.cmdlets.errors import exchange_error, not_simulated
from easops.lab.world import World

_WITHOUT_EFFECT: Final = frozenset({"DomainController", "ReadFromDomainController", "IgnoreDefaultScope", "Force"})
"""Parameters that change nothing in what a cmdlet answers here (the common ones do not get this far)."""

T = TypeVar("T")


def parameters_of(call: Call, *names: str) -> Mapping[str, Any]:
    """The parameters *names* of a call that are not null.

    Any other parameter is a typed error: the lab does not answer what it does not simulate.
    """
    for name, value in call.parameters.items():
        if name not in names and name not in _WITHOUT_EFFECT and value is not False:
            raise not_simulated(call, f"parameter {name} of {call.cmdlet}")
    return {name: call.parameters[name] for name in names if call.parameters.get(name) is not None}


def checks_domain_controller(run: Callable[[World, Call], Iterable[Any]]) -> Callable[[World, Call], Iterable[Any]]:
    """Let *run* have -DomainController: any other name than one of the world's domain controllers is an error.

    Exception and message are those of servers for a domain controller that is not there.
    """

    def checked(world: World, call: Call) -> Iterable[Any]:
        wanted = call.parameters.get("DomainController")
        if wanted is not None and world.directory.replication.named(str(wanted)) is None:
            raise exchange_error(
                world,
                call,
                "Microsoft.Exchange.Data.Directory.SuitabilityDirectoryException",
                f"An Active Directory error 0x51 occurred when trying to check the suitability of server '{wanted}'. "
                "Error: 'Active directory response: The LDAP server is unavailable.'",
                "RecipientTasks",
            )
        return run(world, call)

    return checked


def limited(results: Iterable[T], parameters: Mapping[str, Any]) -> tuple[list[T], bool]:
    """The first -ResultSize results (1000 unless given), and whether there are more."""
    wanted = parameters.get("ResultSize", 1000)
    every = list(results)
    if str(wanted).lower() == "unlimited":
        return every, False
    return every[: int(wanted)], len(every) > int(wanted)


MORE_RESULTS: Final = (
    "There are more results available than are currently displayed. To view them, increase the value for the "
    "ResultSize parameter."
)
