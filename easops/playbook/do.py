"""Doing a single action, as a playbook of one step: with the same rules and the same record.

``easops.do`` and the command ``easops do`` call this.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from easops.actions import ACTIONS
from easops.inventory.host import Host
from easops.inventory.select import as_selector, select_some
from easops.parameter import values_of
from easops.playbook.assessment.ending import Announcer
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.caller import Caller, Confirm
from easops.playbook.execution.run_options import WAIT, RunOptions
from easops.playbook.language.one_action import one_action_inputs, one_action_playbook
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.run import start_run
from easops.playbook.steps.observer import Observer
from easops.registry import entry_of
from easops.remoting.pool import SessionPool


def do(
    action: str,
    hosts: Sequence[Host] | None = None,
    values: Mapping[str, Any] | None = None,
    *,
    lab: bool = False,
    scenario: str | None = None,
    seed: int | None = None,
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
    """Do one action: ``do("block_user", hosts, {"user": "anna@contoso.com"}, confirm=True)``.

    The rules, the record and the undo are those of a playbook's step: what is already as wanted is not changed, a
    recycle is proved by the worker processes that are gone, and ``undo(report.run_id)`` puts back what was set.

    Args:
        action: its name; docs/reference/actions.md has all of them, with their values.
        hosts: the hosts of an inventory. An action on a user goes through any of their exchange endpoints.
        values: the action's parameters by name.
        lab: act on a simulated organisation, made for this run and kept for its undo. Then there are no *hosts*, and
            nothing is asked.
        scenario: the lab's scenario (``contacts-storm``); docs/reference/scenarios.md has all of them.
        seed: which variant of the scenario (1).
        on: the hosts that an action on servers acts on: a selector such as ``site=AMS``, or host names separated by
            commas.
        because: the reason, for the record; a recycle needs one.
        protect: mailboxes and groups that are never changed.
        check: make every read, but change and record nothing; the report says what would change.
        confirm: True makes the change, False refuses it. A function is called with a ``Preview``, and returns whether
            to make it.
        anew: start even if an earlier run of the same action on the same target is unfinished or died.
        wait: how long to wait for a target that another run is changing.
        observer: its methods are called as the run goes on.
        sessions: a pool that stays open. Without one, the run has its own and closes it.
        state: where the record is kept, as for ``run``.
        stopper: as for ``run``.
        announcer: as for ``run``.

    Returns:
        One step, with an item for the user, or for each host; ``report.next`` is the command that undoes it.

    Raises:
        BadInput: there is no such action, a value is not valid, no host is selected, or a recycle has no reason.
        Refused, Interrupted, and the errors of a read before the first step: as for ``run``.
    """
    chosen = entry_of(ACTIONS, action, "action")
    arguments = dict(values or {})
    values_of(chosen.parameters, arguments, action)
    playbook = one_action_playbook(chosen, arguments, on=on is not None, because=because is not None)

    def arguments_for(hosts: Sequence[Host]) -> Mapping[str, Any]:
        if on is not None:
            select_some(on, hosts)
        selector = None if on is None else as_selector(on, hosts)
        return one_action_inputs(arguments, on=selector, because=because, protect=tuple(protect))

    if hosts is not None:
        arguments_for(hosts)  # raises before anything is made in the state folder
    conduct = RunOptions(Caller(observer, confirm), wait, stopper, sessions, announcer)
    return start_run(
        playbook,
        hosts,
        arguments_for,
        conduct,
        check=check,
        lab=lab,
        scenario=scenario,
        seed=seed,
        anew=anew,
        state=state,
    )
