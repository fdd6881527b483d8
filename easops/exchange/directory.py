"""Commands that read or change the directory: all of a run go to the same domain controller.

A write on one domain controller and a read on another looks like a change that did not happen, because replication
takes a while.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from easops.errors import CommandFailed
from easops.remoting.command import Command
from easops.remoting.session import Session

FOREST_VIEW: Final = "Set-ADServerSettings"
"""What lets a session see the whole forest. It is in ``Session.lacks`` if the account may not."""


def directory_read(name: str, parameters: Mapping[str, Any], domain_controller: str | None) -> Command:
    """A cmdlet that reads, with -DomainController unless *domain_controller* is None."""
    return Command(name, {**parameters, **_domain_controller(domain_controller)}, reads=True)


def directory_change(name: str, parameters: Mapping[str, Any], domain_controller: str | None) -> Command:
    """A cmdlet that changes something, with -DomainController unless *domain_controller* is None."""
    # Without -Confirm:$false the cmdlet would ask, and wait: there is nobody to answer in a remote session.
    return Command(name, {**parameters, "Confirm": False, **_domain_controller(domain_controller)})


def view_entire_forest(session: Session) -> bool:
    """Let *session* see the whole forest; False if the account may not. It changes this session alone.

    Raises UnreachableHost, OutcomeUnknown.
    Source: Set-ADServerSettings -ViewEntireForest (2010 to SE).
    """
    if FOREST_VIEW in session.lacks:
        return False
    try:
        session.invoke(Command(FOREST_VIEW, {"ViewEntireForest": True}, reads=True))
    except CommandFailed:
        session.lacks.add(FOREST_VIEW)
        return False
    return True


def domain_of(name: str) -> str:
    """The DNS name of the domain, in lower case, of a distinguished name (``CN=Anna,DC=child,DC=contoso,DC=com``) or of
    a canonical one (``child.contoso.com/Users/Anna``); empty where it has none."""
    parts = re.findall(r"(?i)(?:^|,)\s*DC=([^,]+)", name)
    if parts:
        return ".".join(part.strip().lower() for part in parts)
    domain, slash, _ = name.partition("/")
    return domain.lower() if slash and "=" not in domain else ""


def _domain_controller(name: str | None) -> dict[str, Any]:
    return {} if name is None else {"DomainController": name}
