"""A playbook of one step: what ``easops do`` runs, so that it has the gates and the record of any other."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

from easops.actions.action import Action
from easops.errors import BadInput
from easops.playbook.load import load_playbook_text
from easops.playbook.model import Playbook


def single(action: Action, given: Collection[str], *, on: bool = False, because: bool = False) -> Playbook:
    """The playbook that carries out *action* once, with its parameters *given* by name.

    All values are inputs: the parameters by their names, ``protect`` (a list), and, where *on* or *because* are set,
    ``selected_hosts`` (a selector) and ``reason``. So no value ever stands in the text, and none can be taken for an
    expression. Raises BadInput where a server action has no hosts, or a pulse no reason.
    """
    if action.scope == "server" and not on:
        raise BadInput(
            f"{action.name} acts on servers, and none are named", "", "add --on with a selector, as in --on name=EX01"
        )
    if action.pulse and not because:
        raise BadInput(
            f"{action.name} needs a reason",
            "it cannot be undone; the reason stands in the record",
            "add --because with a sentence",
        )
    declared = {parameter.name: parameter for parameter in action.parameters}
    results = [name for name in given if declared[name].kind == "result"]
    if results:
        what = f"{results[0]} of {action.name} is the result of an earlier step"
        raise BadInput(what, "a single action has none before it", "leave it out, or write a playbook")
    inputs: dict[str, Any] = {}
    for name in given:
        parameter = declared[name]
        inputs[name] = {"type": parameter.kind, **({"choices": list(parameter.choices)} if parameter.choices else {})}
    inputs["protect"] = {"type": "list", "default": []}
    step: dict[str, Any] = {"do": action.name, "with": {name: f"{{{{ {name} }}}}" for name in given}}
    hosts = "all"
    if on:
        inputs["selected_hosts"] = {"type": "text"}
        hosts = "{{ selected_hosts }}"
        if action.scope == "server":
            step["on"] = hosts
    if because:
        inputs["reason"] = {"type": "text"}
        step["because"] = "{{ reason }}"
    document = {
        "easops": 1,
        "name": f"do {action.name}",
        "inputs": inputs,
        "hosts": hosts,
        "protect": "{{ protect }}",
        "steps": [step],
    }
    # JSON is YAML, and needs no emitter.
    text = json.dumps(document, indent=2)
    return load_playbook_text(text, f"do {action.name}", actions={action.name: action}, detectors={})


def inputs_of(
    values: Mapping[str, Any], *, on: str | None, because: str | None, protect: tuple[str, ...]
) -> dict[str, Any]:
    """The inputs of a ``single`` playbook."""
    named = {"selected_hosts": on, "reason": because}
    return {
        **values,
        "protect": list(protect),
        **{name: value for name, value in named.items() if value is not None},
    }
