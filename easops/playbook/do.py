"""A single action: a playbook of one step, so that it has the gates and the record of any other.

``easops.do`` and the command line's ``easops do`` are this.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from easops.actions import ACTIONS
from easops.inventory.host import Host
from easops.inventory.select import as_selector, select_some
from easops.parameter import values_of
from easops.playbook.execution.execute_run import WAIT, Caller, Conduct, Confirm
from easops.playbook.language.one_action import one_action_inputs, one_action_playbook
from easops.playbook.record.notice_ledger import Announcer
from easops.playbook.record.state_folder import StateFolder
from easops.playbook.run import start_run
from easops.playbook.steps.observer import Observer
from easops.playbook.steps.report import RunReport
from easops.registry import entry_of
from easops.remoting.pool import SessionPool


def do(
    action: str,
    hosts: Sequence[Host] | None = None,
    values: Mapping[str, Any] | None = None,
    *,
    lab: bool = False,
    scenario: str | None = None,
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
        lab: do it on a simulated organisation, made for this run and kept for its undo; then there are no *hosts*, and
            nothing is asked.
        scenario: which one (``contacts-storm``); docs/reference/scenarios.md has them all.
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
    playbook = one_action_playbook(chosen, given, on=on is not None, because=because is not None)

    def inputs_for(hosts: Sequence[Host]) -> Mapping[str, Any]:
        if on is not None:
            select_some(on, hosts)
        selector = None if on is None else as_selector(on, hosts)
        return one_action_inputs(given, on=selector, because=because, protect=tuple(protect))

    if hosts is not None:
        inputs_for(hosts)  # raises before anything is made in the state folder
    conduct = Conduct(Caller(observer, confirm), wait, stopper, sessions, announcer)
    return start_run(
        playbook, hosts, inputs_for, conduct, check=check, lab=lab, scenario=scenario, anew=anew, state=state
    )
