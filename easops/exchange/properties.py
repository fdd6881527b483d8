"""Properties of the objects that Exchange returns: each with its type, or an error with the evidence."""

from __future__ import annotations

from easops.errors import UnexpectedAnswer
from easops.remoting.result import RemoteObject


def text(item: RemoteObject, name: str) -> str:
    """The property as text: an object's ToString, a Guid's digits; empty where it is null or missing."""
    value = item.get(name)
    return "" if value is None else str(value)


def required(item: RemoteObject, name: str) -> str:
    """As ``text``. Raises UnexpectedAnswer where it is empty."""
    value = text(item, name)
    if not value:
        raise UnexpectedAnswer(
            f"the server's answer has no {name}",
            f"{item.types[0] if item.types else 'an object'} with {', '.join(sorted(item.properties)) or 'nothing'}",
            "this version of the server may answer in another shape; report it with this text",
        )
    return value


def boolean(item: RemoteObject, name: str) -> bool:
    """A boolean property. Raises UnexpectedAnswer."""
    value = item.get(name)
    if isinstance(value, bool):
        return value
    raise UnexpectedAnswer(f"{name} is neither true nor false", f"the server answered {value!r}")


def limit(item: RemoteObject, name: str) -> int | str | None:
    """A property of Exchange's type Unlimited: an int, ``"Unlimited"``, or None where it is not set (inherited).

    The documentation does not say whether it arrives as a number, a text or an object, so all three are accepted.
    Raises UnexpectedAnswer.
    """
    value = item.get(name)
    if value is None or str(value).strip() == "":
        return None
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    digits = str(value).replace(",", "").strip()
    if digits.lower() == "unlimited":
        return "Unlimited"
    try:
        return int(digits)
    except ValueError:
        raise UnexpectedAnswer(f"{name} is not a number", f"the server answered {digits!r}") from None
