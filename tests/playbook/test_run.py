"""The main job, against the lab's real protocol."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from typing import Any

import pytest

from easops.errors import BadInput, CommandFailed, Refused
from easops.exchange import find_mailbox, list_throttling_policies
from easops.lab.value import CmdletFailed, ErrorInfo
from easops.playbook.assessment.run_facts import OpenRun
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.caller import always
from easops.playbook.language.find import find_playbook
from easops.playbook.record.run_view import show_run
from easops.playbook.resume import resume
from easops.playbook.run import run
from easops.playbook.undo import undo
from easops.remoting.command import Command
from easops.remoting.pool import SessionPool
from easops.report.terminal.head_and_end import end_lines
from easops.status import Status

from .processes import easops

pytestmark = pytest.mark.slow

STORM = {
    "laura.brandt@contoso.example",
    "marco.ricci@contoso.example",
    "tomas.novak@contoso.example",
    "victoria.chen@contoso.example",
}
OURS = "easops-eas-r900000-b240000"

Start = Callable[..., Any]


def statuses(report: RunReport) -> list[str]:
    return [str(step.status) for step in report.steps]


def items(report: RunReport, step: int) -> dict[str, str]:
    return {item.item: str(item.status) for item in report.steps[step - 1].items}


def reads(rig: Any) -> dict[str, Any]:
    """What undo has to bring back: every policy, and every mailbox's."""
    with SessionPool() as sessions:
        session = sessions.open(rig.hosts[0], "exchange")
        mailboxes = session.invoke(Command("Get-Mailbox", {"ResultSize": "Unlimited"}, reads=True)).objects()
        return {
            "policies": sorted((policy.name, policy.eas) for policy in list_throttling_policies(session)),
            "mailboxes": sorted((str(m.get("Guid")), str(m.get("ThrottlingPolicy"))) for m in mailboxes),
        }


def test_it_finds_limits_recycles_and_proves_and_a_second_run_changes_nothing(rig: Start) -> None:
    lab = rig("contacts-storm")

    report = lab.cure()

    assert statuses(report) == ["ok", "ok", "changed", "changed", "ok", "ok"]
    assert items(report, 3) == dict.fromkeys(STORM, "changed")
    assert items(report, 4) == {"AMS-EX01": "changed", "AMS-EX02": "changed"}
    assert (report.exit_code, report.changed, report.next) == (0, True, f"easops undo {report.run_id}")
    before, after = report.steps[1].detection, report.steps[5].detection
    assert before is not None
    assert after is not None
    for host in ("AMS-EX01", "AMS-EX02"):
        had, has = before.measured(host), after.measured(host)
        assert had is not None
        assert has is not None
        assert has < had / 2
    sent = lab.sent()
    assert [name for name, _ in sent] == [
        "New-ThrottlingPolicy",
        *["Set-ThrottlingPolicyAssociation"] * 4,
        *["Restart-WebAppPool"] * 2,
    ]

    again = lab.cure()

    assert (again.status, again.changed, again.exit_code) == (Status.OK, False, 0)
    assert lab.sent() == sent


def test_a_heavy_user_of_few_calls_and_a_new_phone_are_left_alone(rig: Start) -> None:
    report = rig("contacts-storm").cure(check=True)
    (storm,) = (found for found in report.findings if found.detector == "contact_sync_storm")
    assert {user.user for user in storm.users} == STORM
    assert [user.user for user in storm.watch] == ["nina.okafor@contoso.example"]


def test_a_protected_user_is_refused_while_the_others_are_treated_and_the_pool_is_recycled(rig: Start) -> None:
    report = rig("contacts-storm").cure(inputs={"protect": "Executives"})

    expected = {**dict.fromkeys(STORM, "changed"), "victoria.chen@contoso.example": "refused"}
    assert items(report, 3) == expected
    refused = [item.reason for item in report.steps[2].items if item.status is Status.REFUSED]
    assert refused == ["protected: member of Executives"]
    assert statuses(report) == ["ok", "ok", "refused", "changed", "ok", "skipped"]
    assert (report.status, report.exit_code, report.unfinished) == (Status.REFUSED, 3, False)


def test_a_protect_list_that_names_nobody_refuses_the_run(rig: Start) -> None:
    lab = rig("contacts-storm")
    with pytest.raises(Refused, match=r"nobody@contoso\.example"):
        lab.cure(inputs={"protect": "nobody@contoso.example"})
    assert lab.sent() == []


def test_with_no_storm_it_finds_nothing(rig: Start) -> None:
    lab = rig("calm")
    report = lab.cure()
    assert statuses(report) == ["ok", "ok", "skipped", "skipped", "skipped", "skipped"]
    assert (report.status, report.exit_code, lab.sent()) == (Status.OK, 0, [])
    assert [step.given for step in report.steps[:2]] == [("since=2h", "threshold=2000"), ("above=60",)]


def test_a_user_with_a_policy_of_somebody_elses_is_refused_with_its_name(rig: Start) -> None:
    lab = rig("contacts-storm-foreign")
    report = lab.cure()
    refused = [item for item in report.steps[2].items if item.status is Status.REFUSED]
    assert [item.reason for item in refused] == [
        "has policy VIP-Unlimited; replace_policy=copy gives the user a copy of it with lower values"
    ]
    assert report.exit_code == 3
    user = refused[0].item
    text = end_lines(report, 3)
    assert f"still open    {user}: refused; not checked again" in text
    assert f"alternative   easops do limit_eas_usage {user} replace_policy=copy --inventory {lab.lab.inventory}" in text


def test_a_cure_that_does_not_cure_is_not_called_one(rig: Start) -> None:
    lab = rig("contacts-storm-stubborn")
    report = lab.cure()
    user = "marco.ricci@contoso.example"
    because = f"still found after run {report.run_id}"
    stronger = f'easops do block_user {user} --because "{because}" --inventory {lab.lab.inventory}'
    assert f"stronger      {stronger}" in end_lines(report, 6)
    assert "verify_failed" in statuses(report)
    assert (report.status, report.exit_code) == (Status.VERIFY_FAILED, 6)


def test_a_check_sends_no_changing_cmdlet(rig: Start) -> None:
    lab = rig("contacts-storm", read_only=True)
    report = lab.cure(check=True)
    assert statuses(report) == ["ok", "ok", "would_change", "would_change", "skipped", "skipped"]
    assert (report.run_id, report.would_change, report.changed, report.exit_code) == (None, True, False, 0)
    assert not lab.state.path.exists()


def test_nothing_is_changed_without_a_yes(rig: Start) -> None:
    lab = rig("contacts-storm")
    report = lab.cure(confirm=False)
    assert statuses(report) == ["ok", "ok", "refused", "not_started", "skipped", "skipped"]
    assert (report.exit_code, report.unfinished, lab.sent()) == (3, False, [])


def test_undo_brings_back_the_identical_reads(rig: Start) -> None:
    lab = rig("contacts-storm")
    before = reads(lab)
    report = lab.cure()
    assert reads(lab) != before

    predicted = undo(str(report.run_id), check=True, state=lab.state)
    undone = undo(str(report.run_id), confirm=always, state=lab.state)

    assert predicted.would_change
    assert (undone.status, undone.exit_code) == (Status.UNDONE, 0)
    assert reads(lab) == before
    with pytest.raises(Refused, match="undone by"):
        undo(str(report.run_id), state=lab.state)
    associations = [back for back in undone.steps[-1].items if back.item.startswith("throttling policy of")]
    assert len(associations) == 4
    assert all("a recycle of the application pools" in back.effective for back in associations)
    sent = len(lab.sent())
    with easops(lab.state, *shlex.split(undone.next)[1:], "--yes") as recycle:
        assert recycle.wait(120) == 0
    assert lab.sent()[sent:] == [("Restart-WebAppPool", {"Name": "MSExchangeSyncAppPool"})] * 2


def associated(lab: Any, policy: str | None, user: str = "laura.brandt@contoso.example") -> None:
    """Somebody else gives a user another policy."""
    with SessionPool() as sessions:
        session = sessions.open(lab.hosts[0], "exchange")
        if policy == "Other":
            session.invoke(Command("New-ThrottlingPolicy", {"Name": policy, "Confirm": False}))
        parameters = {"Identity": user, "ThrottlingPolicy": policy, "Confirm": False}
        session.invoke(Command("Set-ThrottlingPolicyAssociation", parameters))


def test_undo_after_a_drift_is_refused_whole_with_the_difference_and_skips_it_where_told_to(rig: Start) -> None:
    lab = rig("contacts-storm")
    before = reads(lab)
    run_id = str(lab.cure().run_id)
    associated(lab, "Other")
    sent = lab.sent()

    undone = undo(run_id, confirm=always, state=lab.state)

    assert (undone.status, undone.exit_code) == (Status.REFUSED, 3)
    reasons = [item.reason for step in undone.steps for item in step.items if "changed since" in item.reason]
    assert reasons == [
        f"changed since: throttling policy of laura.brandt@contoso.example is Other, neither {OURS} nor none"
    ]
    assert {"--skip-drifted puts back the rest" in step.reason for step in undone.steps} == {True}
    assert all(item.reason for step in undone.steps for item in step.items), "what has not drifted says why it stays"
    assert lab.sent() == sent

    skipping = undo(run_id, skip_drifted=True, confirm=always, state=lab.state)

    done = [(item.item, item.status) for step in skipping.steps for item in step.items]
    assert ("throttling policy of laura.brandt@contoso.example", Status.REFUSED) in done
    assert [status for _, status in done].count(Status.UNDONE) == 4  # three users, and the policy that none has now
    assert (skipping.status, skipping.exit_code) == (Status.REFUSED, 3)
    assert show_run(run_id, lab.state).run.closed == ""
    assert show_run(str(skipping.run_id), lab.state).run.document["skip_drifted"]  # for a resume of it

    associated(lab, None)
    rest = undo(run_id, confirm=always, state=lab.state)

    assert rest.exit_code == 0
    assert show_run(run_id, lab.state).status == f"undone by {rest.run_id}"
    assert reads(lab)["mailboxes"] == before["mailboxes"]


def test_a_run_whose_later_step_failed_is_unfinished_and_can_be_resumed(rig: Start) -> None:
    lab = rig("contacts-storm")
    breaking(lab, "Restart-WebAppPool")
    report = lab.cure()
    assert statuses(report)[2:4] == ["changed", "failed"]
    assert items(report, 4) == {"AMS-EX01": "failed", "AMS-EX02": "not_started"}
    assert report.unfinished
    assert report.next == f"easops runs resume {report.run_id}"

    with pytest.raises(Refused, match="with unfinished steps"):
        lab.cure()
    checked = lab.cure(check=True)
    assert checked.earlier == OpenRun(str(report.run_id), "ended as verify_failed with unfinished steps")
    assert checked.exit_code == 0
    resumed = resume(str(report.run_id), confirm=always, state=lab.state)

    assert statuses(resumed) == ["ok", "ok", "changed", "changed", "ok", "ok"]
    assert [name for name, _ in lab.sent()].count("Set-ThrottlingPolicyAssociation") == 4
    assert not show_run(str(report.run_id), lab.state).run.unfinished


def test_no_host_that_is_selected_is_an_error(rig: Start) -> None:
    lab = rig("calm")
    with pytest.raises(BadInput, match="no host is selected"):
        run(find_playbook("contacts-sync-storm"), (), state=lab.state)


def test_a_limited_run_acts_on_the_findings_of_its_hosts_alone_and_so_does_its_resume(rig: Start) -> None:
    lab = rig("contacts-storm")
    breaking(lab, "Restart-WebAppPool")
    report = lab.cure(limit="AMS-EX01")
    there = {user for user in STORM if user.partition(".")[0] in ("laura", "marco")}
    assert items(report, 3) == dict.fromkeys(there, "changed")
    assert items(report, 4) == {"AMS-EX01": "failed"}

    resumed = resume(str(report.run_id), confirm=always, state=lab.state)

    assert (resumed.exit_code, resumed.limit) == (0, "AMS-EX01")
    assert items(resumed, 4) == {"AMS-EX01": "changed"}
    assert {host for step in resumed.steps for host in step.hosts} == {"AMS-EX01"}


def test_a_missing_mailbox_is_none_and_an_empty_name_is_never_sent(rig: Start) -> None:
    lab = rig("calm")
    with SessionPool() as sessions:
        session = sessions.open(lab.hosts[0], "exchange")
        assert find_mailbox(session, "nobody@contoso.example") is None
        with pytest.raises(BadInput):
            find_mailbox(session, " ")
        with pytest.raises(CommandFailed) as refused:
            session.invoke(Command("Get-Mailbox", {"Nonsense": 1}, reads=True))
        assert refused.value.records[0].fqid.startswith("NamedParameterNotFound")


def breaking(lab: Any, cmdlet: str, *, times: int = 1) -> None:
    """The world refuses the next *times* calls of *cmdlet*."""
    perform, left = lab.lab.world.perform, [cmdlet] * times

    def failing(called: Any, call: Any, moment: Any = None) -> Any:
        if called.name == cmdlet and left:
            left.pop()
            raise CmdletFailed(ErrorInfo("Not now.", "System.Exception", "X", "NotSpecified", cmdlet))
        return perform(called, call, moment)

    lab.lab.world.perform = failing


def owing(lab: Any) -> str:
    """A run whose recycle failed after its users were limited; its id."""
    breaking(lab, "Restart-WebAppPool")
    report = lab.cure()
    assert report.unfinished
    return str(report.run_id)


def test_a_resume_that_reaches_nobody_leaves_the_debt(rig: Start) -> None:
    lab = rig("contacts-storm")
    run_id = owing(lab)
    lab.lab.faults.refuse_shells(50)
    resumed = resume(run_id, confirm=always, state=lab.state)
    assert (resumed.steps[3].status, resumed.unfinished) == (Status.UNREACHABLE, True)
    assert show_run(run_id, lab.state).run.unfinished


def test_a_resumed_run_names_the_same_domain_controller_and_asks_nobody_twice(rig: Start) -> None:
    lab = rig("contacts-storm")
    run_id = owing(lab)
    resumed = resume(run_id, confirm=False, state=lab.state)  # it was confirmed in its first attempt
    assert [str(step.status) for step in resumed.steps] == ["ok", "ok", "changed", "changed", "ok", "ok"]
    named = {parameters.get("DomainController") for name, parameters in lab.sent() if "Throttling" in name}
    assert named == {"dc01.contoso.example"}


def test_an_undo_can_itself_be_undone_through_the_same_domain_controller(rig: Start) -> None:
    lab = rig("contacts-storm")
    report = lab.cure()
    cured = reads(lab)["mailboxes"]
    undone = undo(str(report.run_id), confirm=always, state=lab.state)
    sent = len(lab.sent())

    back = undo(str(undone.run_id), confirm=always, state=lab.state)

    assert back.status is Status.UNDONE
    assert [guid for guid, _ in reads(lab)["mailboxes"]] == [guid for guid, _ in cured]
    assert {parameters["DomainController"] for _, parameters in lab.sent()[sent:]} == {"dc01.contoso.example"}


def test_an_undo_that_failed_in_its_middle_can_be_gone_on_with_and_then_closes_its_run(rig: Start) -> None:
    lab = rig("contacts-storm")
    report = lab.cure()
    breaking(lab, "Set-ThrottlingPolicyAssociation")
    first = undo(str(report.run_id), confirm=always, state=lab.state)
    assert first.status is Status.UNDO_FAILED

    second = undo(str(report.run_id), confirm=always, state=lab.state)

    assert second.status is Status.UNDONE
    assert show_run(str(report.run_id), lab.state).status == f"undone by {second.run_id}"
    assert OURS not in [name for name, _ in reads(lab)["policies"]]


def test_an_organisations_own_default_is_what_a_user_has_before(rig: Start) -> None:
    lab = rig("contacts-storm")
    with SessionPool() as sessions:
        low = {"EasRechargeRate": "300000", "EasMaxBurst": "60000", "ThrottlingPolicyScope": "Organization"}
        session = sessions.open(lab.hosts[0], "exchange")
        session.invoke(Command("New-ThrottlingPolicy", {"Name": "Low", "Confirm": False, **low}))
    report = lab.cure(check=True)
    assert items(report, 3) == dict.fromkeys(STORM, "ok")
