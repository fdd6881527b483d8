"""Commands that read or change the directory: all of a run go to the same domain controller.

A write on one domain controller and a read on another looks like a change that did not happen, because replication
takes a while.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from easops.remoting.command import Command


def directory_read(name: str, parameters: Mapping[str, Any], domain_controller: str | None) -> Command:
    """A cmdlet that reads, with -DomainController unless *domain_controller* is None."""
    return Command(name, {**parameters, **_domain_controller(domain_controller)}, reads=True)


def directory_change(name: str, parameters: Mapping[str, Any], domain_controller: str | None) -> Command:
    """A cmdlet that changes something, with -DomainController unless *domain_controller* is None."""
    # Without -Confirm:$false the cmdlet would ask, and wait: there is nobody to answer in a remote session.
    return Command(name, {**parameters, "Confirm": False, **_domain_controller(domain_controller)})


def _domain_controller(name: str | None) -> dict[str, Any]:
    return {} if name is None else {"DomainController": name}
