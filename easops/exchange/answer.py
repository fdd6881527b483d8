"""Reading properties out of answers: the right type, or an error with the evidence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from easops.errors import UnexpectedAnswer
from easops.remoting.command import Command
from easops.remoting.result import RemoteObject


def text(item: RemoteObject, name: str) -> str:
    """The property as text: the ToString of an object, a Guid's digits; empty where it is null or not there."""
    value = item.get(name)
    return "" if value is None else str(value)


def required(item: RemoteObject, name: str) -> str:
    """As ``text``, and UnexpectedAnswer where there is none."""
    found = text(item, name)
    if not found:
        raise UnexpectedAnswer(
            f"an answer has no {name}",
            f"{item.types[0] if item.types else 'an object'} with {', '.join(sorted(item.properties)) or 'nothing'}",
            "this version of the server may answer in another shape; report it with this text",
        )
    return found


def boolean(item: RemoteObject, name: str) -> bool:
    """A boolean property. Raises UnexpectedAnswer."""
    value = item.get(name)
    if isinstance(value, bool):
        return value
    raise UnexpectedAnswer(f"{name} is no boolean", f"the server answered {value!r}", "report it with this text")


def limit(item: RemoteObject, name: str) -> int | str | None:
    """A number of the type Unlimited: an int, ``"Unlimited"``, or None where it is not set (inherited).

    Whether it comes as a number, a text or an object is not documented: all are taken.
    """
    value = item.get(name)
    if value is None or str(value).strip() == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    found = str(value).replace(",", "").strip()
    if found.lower() == "unlimited":
        return "Unlimited"
    try:
        return int(found)
    except ValueError:
        raise UnexpectedAnswer(
            f"{name} is no number", f"the server answered {found!r}", "report it with this text"
        ) from None


def directory_read(name: str, parameters: Mapping[str, Any], domain_controller: str | None) -> Command:
    """A reading cmdlet that names the run's domain controller."""
    return Command(name, {**parameters, **_named(domain_controller)}, reads=True)


def directory_change(name: str, parameters: Mapping[str, Any], domain_controller: str | None) -> Command:
    """A changing cmdlet that names the run's domain controller and asks no question back."""
    return Command(name, {**parameters, "Confirm": False, **_named(domain_controller)})


def _named(domain_controller: str | None) -> dict[str, Any]:
    return {} if domain_controller is None else {"DomainController": domain_controller}
