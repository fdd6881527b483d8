"""Single actions against the lab: same gates and record as a playbook's."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

import easops
from easops.actions import block_user, limit_eas_usage
from easops.exchange import EasBudget, find_mailbox, get_throttling_policy
from easops.inventory.host import Version
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.caller import always
from easops.playbook.undo import undo
from easops.remoting.command import Command
from easops.remoting.pool import SessionPool
from easops.status import Status

pytestmark = pytest.mark.slow

Start = Callable[..., Any]


def do(rig: Any, action: str, values: dict[str, Any], **more: Any) -> RunReport:
    return easops.do(action, rig.hosts, values, confirm=True, state=rig.state, **more)


@pytest.fixture
def foreign(rig: Start) -> Any:
    """A lab in which one user has a policy of somebody else's; with his address."""
    lab = rig("contacts-storm-foreign")
    with SessionPool() as sessions:
        session = sessions.open(lab.hosts[0], "exchange")
        for name in ("laura.brandt", "marco.ricci", "tomas.novak", "victoria.chen"):
            mailbox = find_mailbox(session, f"{name}@contoso.example")
            assert mailbox is not None
            if mailbox.throttling_policy is not None:
                return lab, mailbox.primary_smtp_address
    raise AssertionError("nobody has a policy")


def test_a_copy_of_a_foreign_policy_keeps_all_but_the_activesync_values_and_undo_restores_it(foreign: Any) -> None:
    lab, user = foreign
    report = do(lab, "limit_eas_usage", {"user": user, "replace_policy": "copy"})
    (item,) = report.steps[0].items
    assert item.status is Status.CHANGED, item
    with SessionPool() as sessions:
        session = sessions.open(lab.hosts[0], "exchange")
        theirs = get_throttling_policy(session, "VIP-Unlimited", explicit=True)
        ours = get_throttling_policy(session, item.after["policy"], explicit=True)
        assert theirs is not None
        assert ours is not None
        budget = ("EasRechargeRate", "EasMaxBurst")
        assert {n: v for n, v in ours.values.items() if n not in budget} == {
            n: v for n, v in theirs.values.items() if n not in budget
        }
        assert ours.eas == EasBudget(900_000, 240_000, ours.eas.values().get("cutoff_balance"))

    assert undo(str(report.run_id), confirm=always, state=lab.state).status is Status.UNDONE
    with SessionPool() as sessions:
        session = sessions.open(lab.hosts[0], "exchange")
        mailbox = find_mailbox(session, user)
        assert mailbox is not None
        assert mailbox.throttling_policy is not None
        policy = get_throttling_policy(session, mailbox.throttling_policy)
        assert policy is not None
        assert policy.name == "VIP-Unlimited"
        assert get_throttling_policy(session, item.after["policy"]) is None


OF_2007 = (
    "no remote PowerShell: to block the user, run in the Exchange Management Shell on that server: "
    "Set-CASMailbox -Identity 'laura.brandt@contoso.example' -ActiveSyncEnabled:$false"
)
OF_2003 = (
    "no remote PowerShell: to block the user, use the tab Exchange Features of the user "
    "in Active Directory Users and Computers"
)


@pytest.mark.parametrize(
    ("action", "version", "words"),
    [
        (limit_eas_usage, "2007", f"no throttling policies and {OF_2007}"),
        (block_user, "2007", f"Exchange 2007, which has {OF_2007}"),
        (block_user, "2003", f"Exchange 2003, which has {OF_2003}"),
        (limit_eas_usage, "2010", "to a host of version 2010"),
    ],
    ids=["no throttling policies", "no remote PowerShell", "no shell at all", "no endpoint of that version"],
)
def test_a_version_that_cannot_be_changed_is_refused_with_what_to_do(
    rig: Start, monkeypatch: pytest.MonkeyPatch, action: ModuleType, version: Version, words: str
) -> None:
    def old(*arguments: Any, **more: Any) -> Version:
        return version

    monkeypatch.setattr(action, "server_version", old)
    lab = rig("contacts-storm")
    report = do(lab, action.__name__.rpartition(".")[2], {"user": "laura.brandt@contoso.example"})
    (item,) = report.steps[0].items
    assert (item.status, lab.sent()) == (Status.REFUSED, [])
    assert words in item.reason


def test_the_last_undo_removes_the_policy_that_the_first_could_not(rig: Start) -> None:
    lab = rig("contacts-storm")
    users = ("laura.brandt@contoso.example", "marco.ricci@contoso.example")
    made, used = (str(do(lab, "limit_eas_usage", {"user": user}).run_id) for user in users)

    first = undo(made, confirm=always, state=lab.state)
    last = undo(used, confirm=always, state=lab.state)

    with SessionPool() as sessions:
        session = sessions.open(lab.hosts[0], "exchange")
        assert get_throttling_policy(session, "easops-eas-r900000-b240000") is None
    assert [item.status for item in first.steps[0].items] == [Status.UNDONE, Status.SKIPPED]
    assert [item.status for item in last.steps[0].items] == [Status.UNDONE, Status.UNDONE]


def test_a_blocked_user_is_blocked_once_and_undo_lets_him_in_again(rig: Start) -> None:
    lab = rig("contacts-storm")
    user = "laura.brandt@contoso.example"
    first = do(lab, "block_user", {"user": user})
    with SessionPool() as sessions:
        session = sessions.open(lab.hosts[0], "exchange")
        (mailbox,) = session.invoke(Command("Get-Mailbox", {"Identity": user}, reads=True)).objects()
    second = do(lab, "block_user", {"user": f"CONTOSO\\{mailbox.get('SamAccountName')}"})
    assert (first.status, second.status) == (Status.CHANGED, Status.OK)
    assert [name for name, _ in lab.sent()] == ["Set-CASMailbox"]
    assert undo(str(first.run_id), confirm=always, state=lab.state).status is Status.UNDONE
    assert [parameters["ActiveSyncEnabled"] for _, parameters in lab.sent()] == [False, True]


def test_a_protected_user_is_not_blocked(rig: Start) -> None:
    lab = rig("contacts-storm")
    user = "laura.brandt@contoso.example"
    report = do(lab, "block_user", {"user": "laura.brandt"}, protect=(user,))
    assert (report.status, lab.sent()) == (Status.REFUSED, [])


def test_every_changing_cmdlet_that_would_ask_is_told_not_to_and_names_the_domain_controller(rig: Start) -> None:
    lab = rig("contacts-storm")
    do(lab, "limit_eas_usage", {"user": "laura.brandt@contoso.example"})
    assert [name for name, _ in lab.sent()] == ["New-ThrottlingPolicy", "Set-ThrottlingPolicyAssociation"]
    assert {parameters["DomainController"] for _, parameters in lab.sent()} == {"dc01.contoso.example"}


def test_a_recycle_is_proved_by_new_worker_processes(rig: Start) -> None:
    lab = rig("contacts-storm")
    report = do(lab, "recycle_app_pool", {}, on="name=AMS-EX01", because="it is slow")
    (item,) = report.steps[0].items
    assert (item.item, item.status, report.undoable, report.changed) == ("AMS-EX01", Status.CHANGED, False, True)
    assert report.steps[0].because == "it is slow"


def test_a_pool_that_is_not_there_is_a_failure_that_says_so(rig: Start) -> None:
    lab = rig("contacts-storm")
    report = do(lab, "recycle_app_pool", {"pool": "Nonsense"}, on="name=AMS-EX01", because="x")
    assert (report.exit_code, lab.sent()) == (4, [])
    assert "there is no application pool Nonsense" in report.steps[0].items[0].reason
