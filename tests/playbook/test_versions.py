"""The same playbook on Exchange 2010, and on 2010 and 2016 servers in one organisation, against the lab's protocol."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import attrs
import pytest

from easops.actions import ACTIONS
from easops.actions.change import Change
from easops.detectors import DETECTORS
from easops.exchange import EasBudget, EasPercentTime, find_mailbox, get_throttling_policy, list_throttling_policies
from easops.inventory.host import Host
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.caller import always
from easops.playbook.language.find import find_playbook
from easops.playbook.language.load import load_playbook_text
from easops.playbook.language.one_action import one_action_inputs, one_action_playbook
from easops.playbook.record.run_view import show_run
from easops.playbook.resume import resume
from easops.playbook.run import run
from easops.playbook.steps.codec import from_json
from easops.playbook.steps.observer import Silent
from easops.playbook.undo import undo
from easops.readings import READINGS
from easops.readings.take import take
from easops.remoting.command import Command
from easops.remoting.pool import SessionPool
from easops.status import Status

pytestmark = pytest.mark.slow

Start = Callable[..., Any]

OF_2010 = "easops-eas-p30"
OF_2016 = "easops-eas-r900000-b240000"
LAURA = "laura.brandt@contoso.example"  # on 2010 in both worlds
CURES = {
    "contacts-storm-2010": {
        LAURA: OF_2010,
        "marco.ricci@contoso.example": OF_2010,
        "tomas.novak@contoso.example": OF_2010,
    },
    "contacts-storm-mixed": {
        LAURA: OF_2010,
        "marco.ricci@contoso.example": OF_2010,
        "tomas.novak@contoso.example": OF_2016,
        "victoria.chen@contoso.example": OF_2016,
    },
}


def of_each_version(hosts: tuple[Host, ...]) -> dict[str, Host]:
    """The first host of each version."""
    return {host.version: host for host in reversed(hosts)}


def reads(lab: Any) -> dict[str, Any]:
    """What undo has to bring back: every policy as each version shows it, and every mailbox's."""
    found: dict[str, Any] = {}
    with SessionPool() as sessions:
        for version, host in of_each_version(lab.hosts).items():
            session = sessions.open(host, "exchange")
            mailboxes = session.invoke(Command("Get-Mailbox", {"ResultSize": "Unlimited"}, reads=True)).objects()
            found[version] = (
                sorted((policy.name, dict(policy.values)) for policy in list_throttling_policies(session)),
                sorted((str(m.get("Guid")), str(m.get("ThrottlingPolicy"))) for m in mailboxes),
            )
    return found


def do(lab: Any, action: Any, values: dict[str, Any]) -> RunReport:
    playbook = one_action_playbook(action, values)
    inputs = one_action_inputs(values, on=None, because=None, protect=())
    return run(playbook, lab.hosts, inputs, state=lab.state, confirm=always)


def calls(lab: Any) -> list[dict[str, Any]]:
    """All calls that the servers took, with the server and the endpoint of each."""
    return [json.loads(line) for line in (lab.lab.folder / "calls.jsonl").read_text(encoding="utf-8").splitlines()]


def names_one_domain_controller(asked: list[dict[str, Any]]) -> None:
    """All that a run asks of the organisation names the one that answered its first read; but before the recycles the
    domain controllers that each server uses are asked what they know."""
    first, *others = asked
    assert (first["cmdlet"], "DomainController" in first["parameters"]) == ("Get-ExchangeServer", False)
    unnamed = [call for call in others if "DomainController" not in call["parameters"]]
    changes = [call for call in others if not call["cmdlet"].startswith("Get-")]
    written = max(others.index(call) for call in changes)
    assert [(call["cmdlet"], call["parameters"]) for call in unnamed] == []
    assert {call["parameters"]["DomainController"] for call in others[: written + 1]} == {"dc01.contoso.example"}
    asked_later = {call["parameters"]["DomainController"] for call in others[written + 1 :]}
    used = {call["parameters"]["Identity"] for call in others[written + 1 :] if call["parameters"].get("Status")}
    assert asked_later <= {"dc01.contoso.example", "dc02.contoso.example"}
    assert used


def test_nothing_is_recycled_before_the_limits_of_a_child_domains_users_are_in_their_domain(rig: Start) -> None:
    lab = rig("contacts-storm-domains")
    report = lab.cure()
    assert [str(step.status) for step in report.steps] == ["ok", "ok", "changed", "changed", "ok", "ok"]
    assert [item.effective for item in report.steps[3].items if "Not checked" in item.effective] == []
    controllers = {call["parameters"].get("DomainController") for call in calls(lab) if call["cmdlet"] == "Get-Mailbox"}
    assert "dc12.child.contoso.example" in controllers


@pytest.mark.parametrize("scenario", sorted(CURES))
def test_each_user_is_limited_by_his_own_version_and_undo_restores_identical_reads(rig: Start, scenario: str) -> None:
    lab = rig(scenario)
    before = reads(lab)
    asked_before = len(calls(lab))

    report = lab.cure()

    asked = [call for call in calls(lab)[asked_before:] if call["endpoint"] == "exchange"]
    assert [str(step.status) for step in report.steps] == ["ok", "ok", "changed", "changed", "ok", "ok"]
    limited = {item.item: item for item in report.steps[2].items}
    assert {user: item.after["policy"] for user, item in limited.items()} == CURES[scenario]
    assert (limited[LAURA].before["percent_time_in_cas"], limited[LAURA].after["percent_time_in_cas"]) == (100, 30)
    with SessionPool() as sessions:
        by_version = {v: sessions.open(host, "exchange") for v, host in of_each_version(lab.hosts).items()}
        made = get_throttling_policy(by_version["2010"], OF_2010)
        assert made is not None
        assert (made.scope, made.eas) == ("", EasPercentTime(30))
        for version, session in by_version.items():
            if version != "2010":
                newer = get_throttling_policy(session, OF_2016, explicit=True)
                assert newer is not None
                assert (newer.scope, newer.eas) == ("Regular", EasBudget(900_000, 240_000))
    names_one_domain_controller(asked)
    sent = lab.sent()

    again = lab.cure()

    assert (again.status, again.changed, lab.sent()) == (Status.OK, False, sent)
    assert undo(str(report.run_id), confirm=always, state=lab.state).status is Status.UNDONE
    assert reads(lab) == before


def test_an_undo_goes_through_another_domain_controller_where_the_runs_own_is_gone_and_says_so(rig: Start) -> None:
    lab = rig("contacts-storm-mixed")
    before = reads(lab)
    report = do(lab, ACTIONS["limit_eas_usage"], {"user": LAURA})
    world = lab.lab.world
    world.advance(60)  # the other one has it by now
    world.directory.replication = attrs.evolve(world.directory.replication, dcs=("dc02.contoso.example",))
    for server in world.servers.values():
        server.dc = "dc02.contoso.example"
    asked_before = len(calls(lab))

    checked = undo(str(report.run_id), check=True, state=lab.state)
    undone = undo(str(report.run_id), confirm=always, state=lab.state)
    again = undo(str(undone.run_id), check=True, state=lab.state)

    assert (checked.would_change, undone.status, again.would_change) == (True, Status.UNDONE, True)
    assert reads(lab) == before
    moved = (
        "written on dc01.contoso.example, which does not answer; "
        "read on dc02.contoso.example, which may not have these changes yet"
    )
    assert [[step.reason for step in report.steps] for report in (checked, undone, again)] == [[moved], [moved], [""]]
    changes = [call["parameters"] for call in calls(lab)[asked_before:] if not call["cmdlet"].startswith("Get-")]
    assert {parameters["DomainController"] for parameters in changes} == {"dc02.contoso.example"}


def test_what_another_domain_controller_has_not_learned_of_yet_is_not_called_undone(rig: Start) -> None:
    lab = rig("contacts-storm-mixed")
    before = reads(lab)
    world = lab.lab.world
    world.directory.replication = attrs.evolve(world.directory.replication, delay=3600.0)
    report = do(lab, ACTIONS["limit_eas_usage"], {"user": LAURA})
    world.directory.replication = attrs.evolve(world.directory.replication, dcs=("dc02.contoso.example",))
    for server in world.servers.values():
        server.dc = "dc02.contoso.example"

    early = undo(str(report.run_id), confirm=always, state=lab.state)
    assert not early.changed
    assert show_run(str(report.run_id), lab.state).status == "changed"
    world.advance(3601)

    assert undo(str(report.run_id), confirm=always, state=lab.state).status is Status.UNDONE
    assert reads(lab) == before


LIMIT_AND_RECYCLE = """
easops: 1
name: Limit and recycle
hosts: name=AMS-EX02
steps:
  - do: limit_eas_usage
    with: {user: tomas.novak@contoso.example}
    as: limited
  - do: recycle_app_pool
    with: {after: "{{ limited }}"}
    on: [AMS-EX02]
    because: the user is limited
"""


def test_a_server_is_recycled_when_its_own_domain_controller_knows_of_the_change(rig: Start) -> None:
    lab = rig("contacts-storm-mixed")
    playbook = load_playbook_text(LIMIT_AND_RECYCLE, "test", actions=ACTIONS, detectors=DETECTORS)

    report = run(playbook, lab.hosts, state=lab.state, confirm=always)

    assert [str(step.status) for step in report.steps] == ["changed", "changed"]
    when = {call["cmdlet"]: dt.datetime.fromisoformat(call["time"]) for call in calls(lab)}
    waited = when["Restart-WebAppPool"] - when["Set-ThrottlingPolicyAssociation"]
    assert dt.timedelta(seconds=15) <= waited < dt.timedelta(seconds=30)


def test_a_worker_process_that_starts_during_that_wait_is_recycled_too(rig: Start) -> None:
    lab = rig("contacts-storm-mixed")
    world, server = lab.lab.world, lab.lab.world.servers["AMS-EX02"]
    pids: list[int] = []

    class Restarting(Silent):
        """The pool gets a new worker process by itself while the domain controller is waited for, once."""

        def progress(self, text: str) -> None:
            if text.startswith("waiting until the changes to") and not pids:
                with world._lock:
                    world.recycle(server, server.pools["msexchangesyncapppool"])
                    pids.append(server.sync_worker.pid)

    playbook = load_playbook_text(LIMIT_AND_RECYCLE, "test", actions=ACTIONS, detectors=DETECTORS)
    report = run(playbook, lab.hosts, state=lab.state, confirm=always, observer=Restarting())

    assert [str(step.status) for step in report.steps] == ["changed", "changed"]
    (item,) = report.steps[1].items
    assert [int(worker.split()[0]) for worker in item.before["workers"]][-1:] == pids
    assert [name for name, _ in lab.sent()].count("Restart-WebAppPool") == 1
    assert server.sync_worker.pid not in pids


def test_where_it_does_not_learn_of_it_in_time_nothing_is_recycled_and_the_run_can_go_on(
    rig: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab = rig("contacts-storm-mixed")
    playbook = load_playbook_text(LIMIT_AND_RECYCLE, "test", actions=ACTIONS, detectors=DETECTORS)
    with monkeypatch.context() as impatient:
        impatient.setattr("easops.actions.recycle_app_pool._REPLICATION_TIME", 0.0)
        report = run(playbook, lab.hosts, state=lab.state, confirm=always)

    assert [str(step.status) for step in report.steps] == ["changed", "failed"]
    (item,) = report.steps[1].items
    assert item.reason.startswith(
        "the changes to tomas.novak@contoso.example have not reached the domain controllers of AMS-EX02"
    )
    assert "Restart-WebAppPool" not in [name for name, _ in lab.sent()]
    assert report.next == f"easops runs resume {report.run_id}"

    resumed = resume(str(report.run_id), state=lab.state, confirm=always)

    assert resumed.status is Status.CHANGED
    assert [name for name, _ in lab.sent()].count("Restart-WebAppPool") == 1


def test_a_user_of_a_version_without_an_endpoint_is_refused_and_the_others_are_cured(rig: Start) -> None:
    lab = rig("contacts-storm-mixed")
    hosts = tuple(attrs.evolve(host, exchange=None) if host.version == "2010" else host for host in lab.hosts)

    report = run(find_playbook("contacts-sync-storm"), hosts, state=lab.state, confirm=always, check=True)

    items = {item.item: item for item in report.steps[2].items}
    assert items[LAURA].status is Status.REFUSED
    assert "to a host of version 2010" in items[LAURA].reason
    assert items["tomas.novak@contoso.example"].status is Status.WOULD_CHANGE
    assert report.exit_code == 3


def test_a_foreign_policy_of_2010_is_copied_with_its_values_that_are_null(rig: Start) -> None:
    lab = rig("contacts-storm-2010")
    foreign = {"Name": "Mine", "EASMaxConcurrency": None, "EWSMaxConcurrency": 7, "Confirm": False}
    with SessionPool() as sessions:
        session = sessions.open(lab.hosts[0], "exchange")
        session.invoke(Command("New-ThrottlingPolicy", foreign))
        associate = {"Identity": LAURA, "ThrottlingPolicy": "Mine", "Confirm": False}
        session.invoke(Command("Set-ThrottlingPolicyAssociation", associate))
        theirs = get_throttling_policy(session, "Mine")
    before = reads(lab)
    refused = do(lab, ACTIONS["limit_eas_usage"], {"user": LAURA})
    assert [item.reason for item in refused.steps[0].items] == [
        "has policy Mine; replace_policy=copy gives the user a copy of it with lower values"
    ]

    report = do(lab, ACTIONS["limit_eas_usage"], {"user": LAURA, "replace_policy": "copy"})

    (item,) = report.steps[0].items
    assert (item.status, item.reason) == (Status.CHANGED, "")
    with SessionPool() as sessions:
        ours = get_throttling_policy(sessions.open(lab.hosts[0], "exchange"), item.after["policy"])
    assert theirs is not None
    assert ours is not None
    assert ours.values == {**theirs.values, "EASPercentTimeInCAS": 30}
    assert ours.values["EASMaxConcurrency"] is None
    assert undo(str(report.run_id), confirm=always, state=lab.state).status is Status.UNDONE
    assert reads(lab) == before


def test_a_policy_that_others_use_is_not_removed_on_2010_either(rig: Start) -> None:
    lab = rig("contacts-storm-2010")
    report = do(lab, ACTIONS["limit_eas_usage"], {"user": LAURA})
    other = do(lab, ACTIONS["limit_eas_usage"], {"user": "marco.ricci@contoso.example"})

    undone = undo(str(report.run_id), confirm=always, state=lab.state)

    assert other.status is Status.CHANGED
    reasons = [item.reason for step in undone.steps for item in step.items if item.reason]
    assert reasons == ["not removed, because another user is associated with it; undoing that user's change removes it"]


def test_a_user_of_2010_is_blocked_through_2010_and_let_in_again(rig: Start) -> None:
    lab = rig("contacts-storm-mixed")
    report = do(lab, ACTIONS["block_user"], {"user": LAURA})
    assert undo(str(report.run_id), confirm=always, state=lab.state).status is Status.UNDONE
    changes = [call for call in calls(lab) if call["cmdlet"] == "Set-CASMailbox"]
    assert [(call["server"], call["parameters"]["ActiveSyncEnabled"]) for call in changes] == [
        ("AMS-CAS01", False),
        ("AMS-CAS01", True),
    ]


def test_the_global_policy_that_somebody_named_for_a_user_is_put_back_by_name(rig: Start) -> None:
    lab = rig("contacts-storm")
    with SessionPool() as sessions:
        session = sessions.open(lab.hosts[0], "exchange")
        everybody = next(policy for policy in list_throttling_policies(session) if policy.is_default)
        strict = {"Name": "All", "ThrottlingPolicyScope": "Organization", "EasRechargeRate": "500000", "Confirm": False}
        session.invoke(Command("New-ThrottlingPolicy", strict))
        associate = {"Identity": LAURA, "ThrottlingPolicy": everybody.name, "Confirm": False}
        session.invoke(Command("Set-ThrottlingPolicyAssociation", associate))

    report = do(lab, ACTIONS["limit_eas_usage"], {"user": LAURA})

    (item,) = report.steps[0].items
    # No more than the organisation's policy gives: a server may name the Global one where none is associated.
    assert item.after["recharge_rate"] == 500_000
    assert undo(str(report.run_id), confirm=always, state=lab.state).status is Status.UNDONE
    with SessionPool() as sessions:
        mailbox = find_mailbox(sessions.open(lab.hosts[0], "exchange"), LAURA)
    assert mailbox is not None
    assert mailbox.throttling_policy == everybody.name


def test_a_mixed_organisation_shows_each_policy_with_its_own_versions_values(rig: Start) -> None:
    lab = rig("contacts-storm-mixed")
    rows = [row.values for row in take(READINGS["throttling-policies"], {}, lab.hosts).rows]
    assert [(str(row[0]).partition("_")[0], *row[1:]) for row in rows] == [
        ("DefaultThrottlingPolicy", "Default", 100, None, None, None),
        ("GlobalThrottlingPolicy", "Global", None, 1_800_000, 480_000, 600_000),
    ]


def test_a_server_of_2010_shows_the_same_readings(rig: Start) -> None:
    lab = rig("contacts-storm-2010")
    shown = {
        name: take(READINGS[name], {"user": LAURA} if name == "cas-mailbox" else {"pool": None}, lab.hosts).rows
        for name in ("servers", "sites", "app-pools", "worker-processes", "cas-mailbox")
    }
    assert next(row.values[:3] for row in shown["servers"]) == ("AMS-CAS01", "2010", "14.3.123.4")
    sites = {row.host: row.values for row in shown["sites"]}
    assert sites["AMS-CAS01"] == sites["AMS-CAS02"]  # by the module, and by appcmd
    assert sites["AMS-CAS02"] == (1, "Default Web Site", "Started", "C:\\inetpub\\logs\\LogFiles\\W3SVC1")
    for name in ("app-pools", "worker-processes"):
        of_host = {
            host: [row.values[0] for row in shown[name] if row.host == host] for host in ("AMS-CAS01", "AMS-CAS02")
        }
        assert of_host["AMS-CAS01"] == of_host["AMS-CAS02"]
        assert "MSExchangeSyncAppPool" in of_host["AMS-CAS02"]
    assert shown["cas-mailbox"][0].values[:4] == (LAURA, shown["cas-mailbox"][0].values[1], True, None)


@pytest.mark.parametrize(
    "recorded",
    [
        {"kind": "throttling_policy", "name": "p", "before": None, "after": {"max_burst": 1}, "copied": None},
        {"kind": "throttling_policy_association", "user": "u", "mailbox": "m", "before": None, "after": "p"},
        {"kind": "active_sync_enabled", "user": "u", "mailbox": "m", "before": True, "after": False},
    ],
    ids=lambda recorded: str(recorded["kind"]),
)
def test_a_change_that_the_first_release_recorded_has_no_version(recorded: dict[str, Any]) -> None:
    change: Any = from_json(recorded, Change)  # type: ignore[type-abstract]
    assert change.version is None
    assert change.inverse().version is None
