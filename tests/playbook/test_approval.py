"""Approvals by the record and the engine, against the lab: approved, used up, void, and killed in between."""

from __future__ import annotations

import datetime as dt
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from easops.actions.outcome import Done, ItemOutcome
from easops.errors import Refused
from easops.identity import LOGINS, Person, this_person
from easops.lab.value import CmdletFailed, ErrorInfo
from easops.playbook.assessment.run_report import RunReport, report_of
from easops.playbook.reconcile import abandon
from easops.playbook.record.approval import PendingApproval, approve, pending_approval
from easops.playbook.record.approval_use import use_up
from easops.playbook.record.decision import Decision
from easops.playbook.record.postgresql import postgresql_url
from easops.playbook.record.run import Run
from easops.playbook.record.run_view import list_runs, show_run
from easops.playbook.record.state_folder import StateFolder, open_store
from easops.playbook.steps.approval_request import RULE, Approval, PlannedChange, digest_of
from easops.playbook.steps.codec import to_json
from easops.playbook.steps.step_result import StepResult
from easops.remoting.command import Command
from easops.remoting.pool import SessionPool
from easops.report import FORMATS
from easops.status import Status

from .kill_matrix import WORLD
from .stage import Killed, Raised, Stage, new_stage
from .tasks import Kill, KillAtName, resume_hours_later, resume_run, run_text, undo_run

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform == "win32", reason="the processes of these tests are forked"),
]

ANNA, BERT = "victoria.chen@contoso.example", "peter.lang@contoso.example"
CURE = f"""
easops: 1
name: cure
hosts: all
steps:
  - name: agree
    approval: two users flood
  - name: limit
    for_each: [{ANNA}, {BERT}]
    do: limit_eas_usage
    with: {{user: "{{{{ item }}}}"}}
    as: limited
  - name: free
    when: "{{{{ limited.changed }}}}"
    do: recycle_app_pool
    with: {{pool: MSExchangeECPAppPool}}
    on: name=AMS-EX01
    because: they hold on
"""
MADE = [
    "New-ThrottlingPolicy",
    "Set-ThrottlingPolicyAssociation",
    "Set-ThrottlingPolicyAssociation",
    "Restart-WebAppPool",
]
HOUR = dt.timedelta(hours=1)


ON_BOTH = pytest.mark.parametrize("stage", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture(scope="module")
def stage(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One lab and database for all of these, and one of PostgreSQL: each test puts back what it changed."""
    database = None
    if getattr(request, "param", "sqlite") == "postgresql":
        server = request.getfixturevalue("postgres")
        database = postgresql_url(server.url(server.new_database(request.getfixturevalue("prepared_database"))))
    with new_stage(tmp_path_factory.mktemp("approval"), WORLD, database=database) as on:
        yield on


@attrs.define
class Case:
    """A run of the gated cure, which waits for its approval."""

    stage: Stage
    run_id: str
    sent_before: int

    @property
    def asked(self) -> PendingApproval:
        return pending_approval(self.run_id, state=self.stage.state)

    def approved(self, **more: Any) -> None:
        approve(self.run_id, self.asked.approval.digest, state=self.stage.state, **more)

    def resumed(self, *more: Any) -> RunReport:
        return self.stage.in_process(resume_run, self.run_id, *more)

    def made(self) -> list[str]:
        return [cmdlet for _, cmdlet, _ in self.stage.sent()[self.sent_before :]]

    def sent(self, name: str, *, endpoint: str = "exchange", **parameters: Any) -> None:
        """Somebody else changes something."""
        with SessionPool() as sessions:
            session = sessions.open(self.stage.hosts[0], endpoint)  # type: ignore[arg-type]
            session.invoke(Command(name, parameters))
        self.sent_before += 1


@pytest.fixture
def case(stage: Stage) -> Iterator[Case]:
    before, at = stage.reads(), len(stage.sent())
    report = stage.in_process(run_text, CURE, stage.lab.inventory)
    assert [str(step.status) for step in report.steps] == ["awaiting_approval", "not_started", "not_started"]
    assert (report.exit_code, report.unfinished, report.next) == (3, True, f"easops approve {report.run_id}")
    case = Case(stage, str(report.run_id), at)
    assert case.made() == []
    yield case
    if not show_run(case.run_id, stage.state).run.closed:
        stage.in_process(undo_run, case.run_id)
    assert stage.reads() == before


def statuses(report: RunReport) -> list[str]:
    return [str(step.status) for step in report.steps]


@ON_BOTH
def test_an_approved_run_goes_on_once_and_is_undone(case: Case) -> None:
    state = case.stage.state
    assert statuses(case.resumed())[0] == "awaiting_approval", "nobody has approved it"
    with pytest.raises(Refused, match="does not plan what you decided on"):
        approve(case.run_id, "0" * 64, state=state)
    with pytest.raises(Refused, match="no longer waits"):
        approve(case.run_id, case.asked.approval.digest, state=state, now=dt.datetime.now(dt.UTC) + 2 * HOUR)
    with pytest.raises(Raised) as again:
        case.stage.in_process(run_text, CURE, case.stage.lab.inventory)
    assert f"run {case.run_id} of this playbook ended as awaiting_approval" in str(again.value)

    case.approved()

    with pytest.raises(Refused, match="was approved already"):
        case.approved()
    view = show_run(case.run_id, state)
    text = FORMATS["text"].run_view(view, report_of(view), diff=False, verbose=False)
    assert "decided       approved by " in text
    report = case.resumed()
    assert statuses(report) == ["ok", "changed", "changed"]
    assert case.made() == MADE
    assert report.steps[0].approval is not None
    assert report.steps[0].approval.approved_by is not None
    with pytest.raises(Refused, match="waits for no approval"):
        case.approved()
    with pytest.raises(Raised, match="has no unfinished steps"):
        case.resumed()


def test_a_policy_that_somebody_changed_voids_the_approval_and_the_new_plan_is_asked_for(case: Case) -> None:
    case.approved()
    case.sent("New-ThrottlingPolicy", Name="Theirs", Confirm=False)
    case.sent("Set-ThrottlingPolicyAssociation", Identity=ANNA, ThrottlingPolicy="Theirs", Confirm=False)

    report = case.resumed()

    assert statuses(report) == ["awaiting_approval", "not_started", "not_started"]
    assert "is void: the plan has changed" in report.steps[0].reason
    assert f"{ANNA}: no longer planned" in report.steps[0].reason, "a policy of somebody else's is refused"
    assert case.made() == []
    assert [change.item for change in case.asked.approval.changes] == [BERT, "AMS-EX01"]

    case.approved()
    assert statuses(case.resumed()) == ["ok", "refused", "changed"]
    assert case.made() == [MADE[0], MADE[1], MADE[3]]

    case.sent("Set-ThrottlingPolicyAssociation", Identity=ANNA, ThrottlingPolicy=None, Confirm=False)
    case.sent("Remove-ThrottlingPolicy", Identity="Theirs", Confirm=False)


def test_a_pool_that_somebody_recycled_voids_the_approval(case: Case) -> None:
    case.approved()
    case.sent("Restart-WebAppPool", endpoint="windows", Name="MSExchangeECPAppPool")

    report = case.resumed()

    assert statuses(report)[0] == "awaiting_approval"
    assert "AMS-EX01: is planned as workers " in report.steps[0].reason
    assert case.made() == []


def test_a_user_who_is_gone_is_not_asked_for_again_but_told(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.approved()
    directory = case.stage.lab.world.directory
    find = directory.find_mailboxes
    with monkeypatch.context() as patch:
        patch.setattr(directory, "find_mailboxes", lambda name: () if name.lower() == ANNA else find(name))
        report = case.resumed()

    assert statuses(report) == ["failed", "not_started", "not_started"]
    assert f"the changes to approve cannot be planned: limit: {ANNA}: " in report.steps[0].reason
    assert case.made() == []
    assert report.unfinished

    assert statuses(case.resumed()) == ["ok", "changed", "changed"], "he is back, and the plan is the approved one"


def test_an_approval_that_expired_is_asked_for_again(case: Case) -> None:
    case.approved(now=dt.datetime.now(dt.UTC) - 2 * HOUR)

    report = case.resumed()

    assert statuses(report)[0] == "awaiting_approval"
    assert "is void: it expired " in report.steps[0].reason
    assert case.made() == []
    with open_store(case.stage.state) as (store, _):
        (entry,) = store.entries(case.run_id, "approval")
    assert entry.body["void"].startswith("it expired")


def test_a_denied_run_does_not_go_on_and_can_be_closed(case: Case) -> None:
    state = case.stage.state
    approve(case.run_id, case.asked.approval.digest, deny=True, state=state)
    with pytest.raises(Refused, match="was denied already"):
        case.approved()
    with pytest.raises(Raised, match="was denied"):
        case.resumed()
    abandon(case.run_id, state=state, hosts=case.stage.hosts)
    assert list_runs(state)[0].status == "abandoned"
    assert case.made() == []

    undone = case.stage.in_process(undo_run, case.run_id)
    assert show_run(case.run_id, state).status == f"undone by {undone.run_id}, abandoned before"


def test_an_approval_can_be_taken_back_before_it_is_used(case: Case) -> None:
    case.approved()
    approve(case.run_id, case.asked.approval.digest, deny=True, state=case.stage.state)
    with pytest.raises(Raised, match="was denied"):
        case.resumed()


def test_while_a_process_executes_the_run_nobody_approves_it(case: Case) -> None:
    lock = case.stage.state.lock(case.run_id)
    assert lock.take()
    with pytest.raises(Refused, match="is alive"):
        case.approved()
    lock.release()


def test_where_it_takes_somebody_else_neither_who_started_nor_who_resumed_it_approves(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = CURE.replace("approval: two users flood", "approval: two users flood\n    by: somebody_else")
    case = Case(stage, str(stage.in_process(run_text, text, stage.lab.inventory).run_id), len(stage.sent()))
    with pytest.raises(Refused, match="needs the approval of somebody else"):
        case.approved()
    colleague = Person("colleague", "adm02")
    monkeypatch.setattr("easops.playbook.record.approval.this_person", lambda: colleague)
    with open_store(stage.state) as (store, _):
        store.write(case.run_id, "resumed", "by hand", to_json(colleague))
    case.resumed()
    assert colleague in case.asked.approval.asked_by
    with pytest.raises(Refused, match="colleague on adm02 started or resumed it"):
        case.approved()

    monkeypatch.setattr("easops.playbook.record.approval.this_person", lambda: Person("third", "adm03"))
    case.approved()

    assert case.resumed().status is Status.CHANGED
    assert stage.in_process(undo_run, case.run_id).status is Status.UNDONE


@pytest.mark.parametrize(
    ("one", "other", "perhaps"),
    [
        (Person("anna", "a"), Person("Anna", "b"), True),
        (Person("anna", "a"), Person("bert", "a"), False),
        (Person("runner", "a", {"GITHUB_ACTOR": "anna"}), Person("runner", "b", {"GITHUB_ACTOR": "bert"}), False),
        (Person("x", "a", {"GITHUB_ACTOR": "anna"}), Person("y", "b", {"GITHUB_ACTOR": "Anna"}), True),
        (Person("runner", "a", {"GITHUB_ACTOR": "anna"}), Person("runner", "b"), True),
        (Person("runner", "a", {"GITHUB_ACTOR": "anna"}), Person("Anna", "adm01"), True),
        (Person("runner", "a", {"GITHUB_ACTOR": "anna"}), Person("bert", "adm01"), False),
        (Person("runner", "a", {"GITHUB_ACTOR": "anna"}), Person("root", "b", {"GITLAB_USER_LOGIN": "Anna"}), True),
        (Person("runner", "a", {"GITHUB_ACTOR": "x"}), Person("runner", "b", {"GITLAB_USER_LOGIN": "y"}), True),
    ],
)
def test_two_are_perhaps_one_by_their_login_at_a_forge_or_else_by_any_name_that_both_have(
    one: Person, other: Person, perhaps: bool
) -> None:
    assert one.is_perhaps(other) is other.is_perhaps(one) is perhaps


def test_a_person_is_who_the_process_runs_as_whatever_its_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in LOGINS:
        monkeypatch.delenv(variable, raising=False)
    me = this_person()
    for variable in ("LOGNAME", "USER", "USERNAME", "LNAME"):
        monkeypatch.setenv(variable, "somebody.else")
    monkeypatch.setenv("GITHUB_ACTOR", "anna")
    assert this_person() == Person(me.user, me.machine, {"GITHUB_ACTOR": "anna"})
    assert str(this_person()).endswith("(GITHUB_ACTOR is anna)")


# -- begun again before the approval ---------------------------------------------------------------------------------

NOON = dt.datetime(2026, 11, 24, 12, 0, tzinfo=dt.UTC)


def limiting(item: str, before: str = "none") -> PlannedChange:
    states = {"policy": before}, {"policy": "ours"}
    return PlannedChange(2, None, "limit", "organisation contoso", item, "policy", None, *states, "exact")


def outcome(item: str, status: Status = Status.CHANGED, *, touched: bool = True, rule: str = "") -> ItemOutcome:
    return ItemOutcome(item, "organisation contoso", status, touched=touched, rule=rule)


LEFT = (outcome("anna"), outcome("bert", Status.FAILED, touched=False))


@pytest.mark.parametrize(
    ("asks", "done", "now", "stands"),
    [
        ([limiting("bert")], LEFT, NOON, True),
        ([limiting("bert", before="theirs")], LEFT, NOON, False),
        ([limiting("anna"), limiting("bert")], LEFT, NOON, False),
        ([limiting("bert"), limiting("carl")], LEFT, NOON, False),
        ([limiting("bert")], (outcome("bert", Status.REFUSED, touched=False, rule=RULE),), NOON, False),
        ([limiting("bert")], LEFT, NOON + HOUR, False),
    ],
    ids=["the rest", "is another now", "put back since", "one more", "refused as another", "expired"],
)
def test_an_approval_that_an_earlier_walk_used_stands_for_the_rest_of_it_alone(
    tmp_path: Path, asks: list[PlannedChange], done: tuple[ItemOutcome, ...], now: dt.datetime, stands: bool
) -> None:
    changes = (limiting("anna"), limiting("bert"))
    me = Person("anna", "adm01")
    decision = Decision("1", digest_of(changes), changes, True, me, NOON, NOON + HOUR, used="R.2")
    run = Run("R", "run", "cure", {"by": "anna", "machine": "adm01"}, (), NOON, attempts=3)
    step = StepResult(2, "limit", "do", "limit", Status.FAILED, done=Done("limit", done))
    with open_store(StateFolder(tmp_path)) as (store, _):
        store.add(run)
        store.write("R", "approval", "0", to_json(decision))
        store.write("R", "step", "2", to_json(step))
        verdict = use_up(store, run, "R.3", "1", Approval("x", tuple(asks), digest_of(asks), expires=HOUR), now)
    assert (verdict.approved_by, verdict.until) == ((me, NOON + HOUR) if stands else (None, now + HOUR))


def test_a_run_that_begins_again_before_its_approval_does_the_rest_under_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = "steps:\n  - {name: look, verify: sync_pool_cpu, with: {above: 0}, on_failure: continue}\n"
    first = stage.in_process(run_text, CURE.replace("steps:\n", look), stage.lab.inventory)
    assert statuses(first) == ["verify_failed", "awaiting_approval", "not_started", "not_started"]
    case = Case(stage, str(first.run_id), len(stage.sent()))
    case.approved()
    perform = stage.lab.world.perform

    def failing(cmdlet: Any, call: Any, *more: Any) -> Any:
        if cmdlet.name == MADE[2] and case.made() == MADE[:2]:
            raise CmdletFailed(ErrorInfo("no", "System.InvalidOperationException", "no", "InvalidOperation"))
        return perform(cmdlet, call, *more)

    with monkeypatch.context() as patch:
        patch.setattr(stage.lab.world, "perform", failing)
        assert statuses(case.resumed()) == ["verify_failed", "ok", "failed", "not_started"]

    report = case.resumed()

    assert statuses(report) == ["verify_failed", "ok", "changed", "changed"]
    assert case.made() == MADE
    assert stage.in_process(undo_run, case.run_id).status is Status.UNDONE


# -- killed between ------------------------------------------------------------------------------------------------

USE = "1.approval.approval.use"
FIRST = "2.organisation contoso.0.0"
ENDS = {
    "the approval stands and is not used": KillAtName(USE, "before"),
    "it is used, and the engine has not heard": KillAtName(USE, "done"),
    "it is used, nothing is planned": KillAtName(USE, "after"),
    "nothing is sent yet": Kill("after-intent", FIRST),
}


@ON_BOTH
@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_a_killed_run_neither_loses_its_approval_nor_uses_it_twice(case: Case, end: KillAtName | Kill) -> None:
    case.approved()
    with pytest.raises(Killed):
        case.resumed(end)
    assert case.made() == []

    report = case.resumed()

    assert statuses(report) == ["ok", "changed", "changed"]
    assert case.made() == MADE
    with open_store(case.stage.state) as (store, _):
        (entry,) = store.entries(case.run_id, "approval")
    assert entry.body["used"] == f"{case.run_id}.2"


def test_after_a_kill_too_nothing_is_done_that_was_not_approved(case: Case) -> None:
    case.approved()
    with pytest.raises(Killed):
        case.resumed(KillAtName(USE, "after"))
    case.sent("Restart-WebAppPool", endpoint="windows", Name="MSExchangeECPAppPool")

    report = case.resumed()

    assert statuses(report) == ["ok", "changed", "refused"]
    assert case.made() == MADE[:3]
    assert report.steps[2].items[0].reason.startswith("is planned as workers ")
    assert report.unfinished

    again = case.resumed()
    assert statuses(again) == ["awaiting_approval", "not_started", "not_started"]
    assert [change.item for change in case.asked.approval.changes] == ["AMS-EX01"]
    case.approved()
    assert statuses(case.resumed()) == ["ok", "changed", "changed"]
    assert case.made() == MADE


def test_what_a_killed_run_intended_is_not_sent_when_its_approval_has_expired_meanwhile(case: Case) -> None:
    case.approved()
    with pytest.raises(Killed):
        case.resumed(Kill("after-intent", FIRST))

    report = case.stage.in_process(resume_hours_later, case.run_id, 2)

    assert statuses(report) == ["ok", "refused", "not_started"]
    assert {item.rule for item in report.steps[1].items} == {"approval"}
    assert case.made() == []
    assert report.unfinished
    assert statuses(case.stage.in_process(resume_hours_later, case.run_id, 2))[0] == "awaiting_approval"
