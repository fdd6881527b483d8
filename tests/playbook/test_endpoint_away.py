"""A server that serves the exchange endpoint goes away in the middle of a run, or does not answer for a moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs

import easops
from easops.actions import ACTIONS
from easops.detectors import DETECTORS
from easops.playbook.language.load import load_playbook_text
from easops.playbook.run import run
from easops.status import Status

from .processes import BLOCKS, USERS

Start = Callable[..., Any]


def takes_away(lab: Any) -> Callable[[], str]:
    """The server that takes the first write goes away after it; gives its name."""
    perform = lab.world.perform
    gone: list[str] = []

    def performing(cmdlet: Any, call: Any, *more: Any) -> Any:
        output = perform(cmdlet, call, *more)
        if cmdlet.name == "Set-CASMailbox" and not gone:
            gone.append(call.server)
            lab.faults.expire_shells(server=gone[0])
            lab.faults.refuse_shells(1000, server=gone[0])
        return output

    lab.world.perform = performing
    return lambda: gone[0]


def test_the_other_users_are_changed_through_another_server_which_the_report_names(rig: Start) -> None:
    lab = rig("contacts-storm")
    gone = takes_away(lab.lab)
    playbook = load_playbook_text(BLOCKS, "blocks.yml", actions=ACTIONS, detectors=DETECTORS)

    report = run(playbook, lab.hosts, {"users": USERS[:2]}, confirm=True, state=lab.state)

    assert [item.status for item in report.steps[0].items] == [Status.CHANGED, Status.CHANGED]
    assert [name for name, _ in lab.sent()] == ["Set-CASMailbox"] * 2
    assert f"because {gone()} stopped answering" in report.steps[0].reason


def test_a_connection_that_fails_once_before_the_first_step_does_not_end_the_run(rig: Start) -> None:
    lab = rig("contacts-storm")
    first, *others = lab.hosts
    hosts = (first, *(attrs.evolve(host, exchange=None) for host in others))
    lab.lab.faults.refuse_shells(1)

    report = easops.do("block_user", hosts, {"user": USERS[0]}, confirm=True, state=lab.state)

    assert report.status is Status.CHANGED
