"""A single action: a playbook of one step, so that it has the gates and the record of any other.

``easops.do`` and the command line's ``easops do`` are this.
"""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import attrs

from easops.actions import ACTIONS
from easops.actions.action import Action
from easops.errors import BadInput
from easops.inventory.host import Host
from easops.inventory.select import as_selector, select_some
from easops.parameter import values_of
from easops.playbook.assessment.ending import Announcer
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.execute_run import WAIT, Confirm
from easops.playbook.language.load import load_playbook_text
from easops.playbook.language.model import Playbook
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.run import run
from easops.playbook.steps.observer import Observer
from easops.registry import entry_of
from easops.remoting.pool import SessionPool


def do(
    action: str,
    hosts: Sequence[Host],
    values: Mapping[str, Any] | None = None,
    *,
    on: str | None = None,
    because: str | None = None,
    protect: Sequence[str] = (),
    check: bool = False,
    confirm: Confirm = False,
    anew: bool = False,
    wait: dt.timedelta = WAIT,
    observer: Observer | None = None,
    sessions: SessionPool | None = None,
    state: StateFolder | None = None,
    stopper: Callable[[Callable[[], None]], None] = lambda stop: None,
    announcer: Announcer | None = None,
) -> RunReport:
    """Carry out one action: ``do("block_user", hosts, {"user": "anna@contoso.com"}, confirm=True)``.

    It has the gates, the record, the proof and the undo of a playbook's step: what is as wanted already is left alone,
    a recycle is proved by the worker processes that are gone, and ``undo(report.run_id)`` puts back what was set.

    Args:
        action: its name; docs/reference/actions.md has them all, with their values.
        hosts: those of an inventory. An action on a user goes through any of their exchange endpoints.
        values: the action's parameters by name.
        on: which of the hosts an action on servers acts on: a selector, as in ``site=AMS``, or names with
            commas between.
        because: why, for the record; a recycle needs it.
        protect: mailboxes and groups that are never touched.
        check: make every read, change nothing, leave no record; the report says what would change.
        confirm: True for a script that has decided; or a function that is shown what is to come and says whether to go
            on. False: the change is refused.
        anew: begin although an earlier one of the same action on the same target died, or owes something.
        wait: how long to wait for a target that another run is changing.
        observer: is told how it goes on.
        sessions: a pool that stays open, instead of one that ends with the action.
        state: where the record is kept, as for ``run``.
        stopper: as for ``run``.
        announcer: as for ``run``.

    Returns:
        One step, with an item for the user, or for each host; ``report.next`` is the command that undoes it.

    Raises:
        BadInput: there is no such action, a value is wrong, no host is selected, or a recycle has no reason.
        Refused, UnreachableHost, CommandFailed, Interrupted: as for ``run``.
    """
    chosen = entry_of(ACTIONS, action, "action")
    given = dict(values or {})
    values_of(chosen.parameters, given, action)
    if on is not None:
        select_some(on, hosts)
        on = as_selector(on, hosts)
    return run(
        single(chosen, given, on=on is not None, because=because is not None),
        hosts,
        inputs_of(given, on=on, because=because, protect=tuple(protect)),
        check=check,
        confirm=confirm,
        anew=anew,
        wait=wait,
        observer=observer,
        sessions=sessions,
        state=state,
        stopper=stopper,
        announcer=announcer,
    )


def single(action: Action, given: Collection[str], *, on: bool = False, because: bool = False) -> Playbook:
    """The playbook that carries out *action* once, with its parameters *given* by name.

    All values are inputs: the parameters by their names, ``protect`` (a list), and, where *on* or *because* are set,
    ``selected_hosts`` (a selector) and ``reason``. So no value ever stands in the text, and none can be taken for an
    expression. Raises BadInput where a server action has no hosts, or a one-way action has no reason.
    """
    if action.scope == "server" and not on:
        raise BadInput(
            f"{action.name} acts on servers, and none are named",
            "",
            "add --on (in a script on=) with a selector, as in name=EX01",
        )
    if action.one_way and not because:
        raise BadInput(
            f"{action.name} needs a reason",
            "it cannot be undone; the reason stands in the record",
            "add --because (in a script because=) with a sentence",
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
    playbook = load_playbook_text(text, f"do {action.name}", actions={action.name: action}, detectors={})
    return attrs.evolve(playbook, kind="do")


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
