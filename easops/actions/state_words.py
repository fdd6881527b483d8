"""The state of a change as a person reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from easops.clock import readable_time


def value_names(*states: Mapping[str, Any]) -> list[str]:
    """The names of the values of *states*, in the order in which they are shown: the policy first, because the other
    values are its own. The order does not depend on the states: a record has its keys sorted."""
    return sorted({name for state in states for name in state}, key=lambda name: (name != "policy", name))


def state_words(state: Any) -> str:
    """``none``, ``on``, ``off``, ``policy easops-…, recharge rate 900000``, a time as ``2026-11-24 17:05:09Z``."""
    if state is None:
        return "none"
    if isinstance(state, bool):
        return "on" if state else "off"
    if isinstance(state, dict):
        shown = [f"{name} {state_words(state[name])}" for name in value_names(state) if state[name] is not None]
        return ", ".join(shown) or "none"
    if isinstance(state, list | tuple):
        return ", ".join(state_words(item) for item in state) or "none"
    return readable_time(state) if isinstance(state, str) else str(state)
