"""The playbook of a single action: one step, so that it has the rules and the record of any other playbook."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from typing import Any

import attrs

from easops.actions.action import Action
from easops.errors import BadInput
from easops.playbook.language.load import load_playbook_text
from easops.playbook.language.model import Playbook


def one_action_playbook(
    action: Action, arguments: Collection[str], *, on: bool = False, because: bool = False
) -> Playbook:
    """The playbook that does *action* once. *arguments* are the names of the parameters that get a value.

    All values are inputs of the playbook: the parameters by their names, ``protect`` (a list) and, with *on* or
    *because*, ``selected_hosts`` (a selector) and ``reason``. So the text of the playbook contains no value, and no
    value can be taken for an expression. Raises BadInput where an action on servers has no hosts, a one-way action has
    no reason, or a parameter takes the result of an earlier step.
    """
    if action.scope == "server" and not on:
        raise BadInput(
            f"{action.name} acts on servers, and none are named",
            "",
            "add --on (in a script on=) with a selector, such as name=EX01",
        )
    if action.one_way and not because:
        raise BadInput(
            f"{action.name} needs a reason",
            "it cannot be undone, and the record keeps the reason",
            "add --because (in a script because=) with a sentence",
        )
    parameters = {parameter.name: parameter for parameter in action.parameters}
    for name in arguments:
        if parameters[name].kind == "result":
            what = f"{name} of {action.name} is the result of an earlier step"
            raise BadInput(what, "a single action has no earlier step", "leave it out, or write a playbook")
    inputs: dict[str, Any] = {}
    for name in arguments:
        choices = parameters[name].choices
        inputs[name] = {"type": parameters[name].kind, **({"choices": list(choices)} if choices else {})}
    inputs["protect"] = {"type": "list", "default": []}
    step: dict[str, Any] = {"do": action.name, "with": {name: f"{{{{ {name} }}}}" for name in arguments}}
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
    text = json.dumps(document, indent=2)  # JSON is YAML, and json is always there to write it
    playbook = load_playbook_text(text, f"do {action.name}", actions={action.name: action}, detectors={})
    return attrs.evolve(playbook, kind="do")


def one_action_inputs(
    arguments: Mapping[str, Any], *, on: str | None, because: str | None, protect: tuple[str, ...]
) -> dict[str, Any]:
    """The inputs of a ``one_action_playbook``."""
    inputs = {**arguments, "protect": list(protect)}
    if on is not None:
        inputs["selected_hosts"] = on
    if because is not None:
        inputs["reason"] = because
    return inputs
