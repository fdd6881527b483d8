"""An approval step: what it asks for, what it lets through, and what makes it void. No server, no engine."""

from __future__ import annotations

from typing import Any

import attrs
import pytest

from easops.detectors.finding import Detection
from easops.errors import CommandFailed, Refused, UnreachableHost
from easops.playbook.language.model import LIFETIME
from easops.playbook.record.approval_use import lapsed
from easops.playbook.record.run_store import KEPT
from easops.playbook.steps.approval_request import RULE, digest_of
from easops.playbook.steps.earlier import Earlier
from easops.playbook.steps.step_result import StepResult
from easops.playbook.steps.unfinished import has_unfinished_steps
from easops.remoting.unreachable import Unreachable
from easops.status import Status

from .fakes import BERT, CURE, HOST_BY_HOST, SOON, FakeEffects, Limit, found, interpret_playbook, results_of, user

GATE = """  - name: agree
    when: "{{ storm.found }}"
    approval: "{{ storm.evidence }}"
"""
GATED = CURE.replace("  - name: limit\n", f"{GATE}  - name: limit\n")
FLOOD = found(user("anna"), user("bert", 9))
ONE = found(user("anna"))


def asked(*finds: Detection, text: str = GATED, **more: Any) -> FakeEffects:
    """A first attempt, which nobody has approved."""
    return interpret_playbook(*finds, text=text, effects=FakeEffects(), **more)[1]


def digest(effects: FakeEffects) -> str:
    return [result.approval.digest for result in effects.results if result.approval is not None][-1]


def approved(
    *finds: Detection, text: str = GATED, of: FakeEffects | None = None, **more: Any
) -> tuple[list[str], FakeEffects]:
    """An attempt for which somebody has approved what the attempt *of* asked for (by default: what it asks for)."""
    first = of or asked(*finds, text=text)
    statuses, effects, _ = interpret_playbook(*finds, text=text, effects=FakeEffects(standing=[digest(first)]), **more)
    return statuses, effects


def test_it_asks_for_all_that_follows_and_nothing_of_it_is_done() -> None:
    effects = asked(FLOOD)

    assert [str(result.status) for result in effects.results] == [
        "ok",
        "awaiting_approval",
        "not_started",
        "not_started",
        "skipped",
    ]
    assert (effects.applied, effects.asked) == ([], [])
    approval = effects.results[1].approval
    assert approval is not None
    assert [(c.step, c.action, c.target, c.item, c.before, c.after) for c in approval.changes] == [
        (3, "limit", "organisation contoso", "bert", {"policy": "none"}, {"policy": "ours"}),
        (3, "limit", "organisation contoso", "anna", {"policy": "none"}, {"policy": "ours"}),
        (4, "recycle", "A", "A", None, None),
    ]
    assert approval.told == "anna: 5 hits; bert: 9 hits"
    assert (approval.until, approval.approved_by) == (SOON, None)
    assert has_unfinished_steps(effects.results)


def test_what_was_approved_is_done_without_another_question_and_while_the_approval_is_valid() -> None:
    statuses, effects = approved(FLOOD, found(), of=asked(FLOOD))
    assert statuses == ["ok", "ok", "changed", "changed", "ok"]
    assert effects.applied == [("organisation contoso", "bert", "anna"), ("a", "A")]
    assert (effects.asked, effects.standing) == ([], [])
    assert [job.until for job in effects.jobs] == [SOON, SOON]
    approval = effects.results[1].approval
    assert approval is not None
    assert approval.approved_by == BERT


def test_an_approval_of_another_plan_lets_nothing_through() -> None:
    statuses, effects = approved(FLOOD, of=asked(ONE))
    assert statuses[:4] == ["ok", "awaiting_approval", "not_started", "not_started"]
    assert effects.applied == []


def test_the_digest_depends_on_the_planned_changes_and_not_on_the_evidence_or_their_order() -> None:
    same = digest(asked(found(user("anna", 12), user("bert", 3))))
    assert same == digest(asked(FLOOD))
    assert digest(asked(ONE)) != digest(asked(FLOOD))
    assert digest(asked(FLOOD, limit=Limit(befores={"anna": ["other"]}))) != same
    assert digest(asked(found(user("anna"), user("bert", 9), hosts=("B",)))) != same
    renumbered = GATED.replace("  - {name: look,", "  - {name: first, detect: flood}\n  - {name: look,")
    assert digest(asked(FLOOD, text=renumbered)) != same
    approval = asked(FLOOD).results[1].approval
    assert approval is not None
    assert digest_of(attrs.evolve(change, effective="in other words") for change in approval.changes) == same


def test_where_nothing_is_planned_there_is_nothing_to_approve() -> None:
    always_asking = GATED.replace('    when: "{{ storm.found }}"\n', "")
    statuses, effects, _ = interpret_playbook(found(), text=always_asking)
    assert statuses == ["ok", "skipped", "skipped", "skipped", "skipped"]
    assert effects.results[1].reason == "nothing to approve"
    assert interpret_playbook(FLOOD, text=GATED, limit=Limit(ok=("anna", "bert")))[0] == [
        "ok",
        "skipped",
        "ok",
        "skipped",
        "skipped",
    ]


LOOKS_AGAIN = GATED.replace(
    "  - name: limit\n", "  - {name: again, detect: flood, as: storm2}\n  - name: limit\n"
).replace('for_each: "{{ storm.users }}"', 'for_each: "{{ storm2.users }}"')


def test_a_user_found_after_the_approval_is_not_changed_nor_are_the_others_of_the_step() -> None:
    plan = asked(ONE, text=LOOKS_AGAIN)
    statuses, effects, _ = interpret_playbook(
        ONE, ONE, FLOOD, text=LOOKS_AGAIN, effects=FakeEffects(standing=[digest(plan)])
    )

    assert statuses == ["ok", "ok", "ok", "refused", "not_started", "skipped"]
    assert effects.applied == []
    assert {item.item: item.reason for item in effects.results[3].items} == {
        "bert": "was not in the approved plan (limit)",
        "anna": "another item of this step is not planned as it was approved",
    }
    assert {item.rule for item in effects.results[3].items} == {RULE}
    assert has_unfinished_steps(effects.results)


def test_where_there_was_nothing_to_approve_nothing_found_later_is_changed() -> None:
    text = LOOKS_AGAIN.replace('    when: "{{ storm.found }}"\n', "")
    statuses, effects, _ = interpret_playbook(found(), found(), ONE, text=text)
    assert (statuses[1], statuses[3], effects.applied) == ("skipped", "refused", [])


def test_what_somebody_changed_after_the_approval_is_refused_with_the_difference() -> None:
    limit = Limit(befores={"anna": ["none", "theirs"]})
    statuses, effects = approved(FLOOD, limit=limit)

    assert statuses[1:4] == ["ok", "refused", "not_started"]
    assert effects.applied == []
    by_item = {item.item: item.reason for item in effects.results[2].items}
    assert by_item["anna"] == "is planned as policy theirs -> policy ours; approved was policy none -> policy ours"


def test_a_smaller_plan_is_within_what_was_approved() -> None:
    plan = asked(FLOOD, text=LOOKS_AGAIN)
    statuses, effects, _ = interpret_playbook(
        FLOOD, FLOOD, ONE, found(), text=LOOKS_AGAIN, effects=FakeEffects(standing=[digest(plan)])
    )
    assert statuses == ["ok", "ok", "ok", "changed", "changed", "ok"]
    assert effects.applied[0] == ("organisation contoso", "anna")


def test_on_failure_continue_does_not_cover_an_unapproved_plan() -> None:
    text = GATED.replace("    as: limited\n", "    as: limited\n    on_failure: continue\n")
    statuses, effects = approved(ONE, text=text, limit=Limit(befores={"anna": ["none", "theirs"]}))
    assert (statuses[2], statuses[3], effects.applied) == ("refused", "not_started", [])


def test_a_check_shows_what_would_be_asked_for_and_continues_the_prediction() -> None:
    statuses, effects, _ = interpret_playbook(FLOOD, text=GATED, effects=FakeEffects(checking=True))
    assert statuses == ["ok", "skipped", "would_change", "would_change", "skipped"]
    assert effects.results[1].reason == "check: an approval would be requested"
    assert digest(effects) == digest(asked(FLOOD))


def test_it_is_not_asked_for_after_a_stop() -> None:
    away = tuple(Unreachable(host, "away", "x") for host in "AB")
    effects = asked(found(user("anna"), unreachable=away))
    assert [str(result.status) for result in effects.results][:4] == [
        "unreachable",
        "not_started",
        "not_started",
        "not_started",
    ]
    assert effects.results[1].approval is None


@pytest.mark.parametrize(
    ("error", "status"), [(CommandFailed("no"), "failed"), (UnreachableHost("away"), "unreachable")]
)
def test_what_cannot_be_planned_completely_is_not_asked_for(error: Exception, status: str) -> None:
    errors: Any = {"anna": error}
    effects = asked(FLOOD, limit=Limit(errors=errors))
    assert [str(result.status) for result in effects.results][1:3] == [status, "not_started"]
    assert effects.results[1].approval is None
    assert effects.results[1].reason.startswith("the changes to approve cannot be planned: limit: anna: ")
    assert has_unfinished_steps(effects.results)


@pytest.mark.parametrize("expires", ["0s", "401d"])
def test_a_lifetime_that_is_known_only_in_the_run_has_bounds_too(expires: str) -> None:
    text = GATED.replace("    approval:", f"    expires: \"{{{{ '{expires}' }}}}\"\n    approval:")
    effects = asked(FLOOD, text=text)
    assert [str(result.status) for result in effects.results][1:3] == ["failed", "not_started"]
    assert f"expires of step 'agree' is not valid: '{expires}' is" in effects.results[1].reason


def test_no_approval_is_valid_longer_than_a_record_is_kept() -> None:
    assert LIFETIME.maximum == KEPT.total_seconds()


def test_who_is_refused_is_not_asked_for_and_the_others_are() -> None:
    effects = asked(FLOOD, limit=Limit(errors={"anna": Refused("no", rule="r")}))
    approval = effects.results[1].approval
    assert approval is not None
    assert [change.item for change in approval.changes] == ["bert", "A"]


SECOND_GATE = '  - {name: agree again, when: "{{ limited.changed }}", approval: x}\n'
TWICE = GATED.replace("  - name: free\n", f"{SECOND_GATE}  - name: free\n")


def test_each_of_two_approvals_is_for_the_steps_up_to_the_next() -> None:
    first = asked(FLOOD, text=TWICE)
    approval = first.results[1].approval
    assert approval is not None
    assert [change.item for change in approval.changes] == ["bert", "anna"]

    statuses, second = approved(FLOOD, text=TWICE, of=first)

    assert statuses[:5] == ["ok", "ok", "changed", "awaiting_approval", "not_started"]
    approval = second.results[3].approval
    assert approval is not None
    assert [change.item for change in approval.changes] == ["A"]


def test_an_approval_whose_condition_is_not_met_is_not_asked_for() -> None:
    text = GATED.replace("{{ storm.found }}", "{{ storm.users | length > 2 }}")
    statuses, effects, _ = interpret_playbook(FLOOD, found(), text=text)
    assert statuses == ["ok", "skipped", "changed", "changed", "ok"]
    assert len(effects.asked) == 1


BY_HOST = HOST_BY_HOST.replace(
    "- {name: free, do: recycle", '- {name: agree, approval: "{{ host }}"}\n      - {name: free, do: recycle'
)


def test_in_a_group_each_host_has_an_approval_of_its_own() -> None:
    both = found(user("anna", hosts=("A", "B")), hosts=("A", "B"))
    first = asked(both, found(), text=BY_HOST)
    result = next(result for result in first.results if result.approval is not None)
    assert result.approval is not None
    assert (result.host, result.approval.told) == ("A", "A")
    assert [(change.host, change.item) for change in result.approval.changes] == [("A", "A")]

    effects = FakeEffects(standing=[digest(first)])
    interpret_playbook(both, found(), text=BY_HOST, effects=effects)

    assert effects.applied == [("a", "A")]
    reasons = {result.host: result.because for result in effects.results if result.name == "free"}
    assert reasons["A"] == "A is full", "looking ahead at the next host does not change the current one"
    awaiting = [(host, status) for name, host, status in results_of(effects) if name == "agree"]
    assert awaiting == [("A", "ok"), ("B", "awaiting_approval")]


# -- a later attempt of the same run ----------------------------------------------------------------------------------


def later(
    before: FakeEffects, *finds: Detection, lapsed: str = "", standing: tuple[str, ...] = (), **more: Any
) -> FakeEffects:
    effects = FakeEffects(standing=list(standing))
    earlier = Earlier(tuple(before.results), asked=True, lapsed=lapsed)
    interpret_playbook(*finds, text=GATED, effects=effects, earlier=earlier, **more)
    return effects


def half_done() -> FakeEffects:
    """Approved, both users limited, and the recycle failed."""
    plan = asked(FLOOD)
    effects = FakeEffects(standing=[digest(plan)], outcomes={"A": Status.FAILED})
    interpret_playbook(FLOOD, found(), text=GATED, effects=effects)
    assert [str(result.status) for result in effects.results][:4] == ["ok", "ok", "changed", "failed"]
    return effects


def statuses_of(effects: FakeEffects) -> dict[int, str]:
    return {result.number: str(result.status) for result in effects.results}


def test_while_it_is_valid_a_later_attempt_continues_under_it_and_within_it() -> None:
    effects = later(half_done(), found())
    assert statuses_of(effects) == {4: "changed", 5: "ok"}
    assert [job.until for job in effects.jobs] == [SOON]

    of_the_users_alone = half_done()
    of_the_users_alone.results[1] = without_the_recycle(of_the_users_alone.results[1])
    assert statuses_of(later(of_the_users_alone, found()))[4] == "refused"


def without_the_recycle(result: StepResult) -> StepResult:
    assert result.approval is not None
    changes = tuple(change for change in result.approval.changes if change.action != "recycle")
    return attrs.evolve(result, approval=attrs.evolve(result.approval, changes=changes))


def test_when_it_has_expired_what_is_left_is_asked_for_again_and_what_was_done_still_counts() -> None:
    limited = Limit(ok=("anna", "bert"))

    resumed = later(half_done(), found(), lapsed="2", limit=limited)

    assert statuses_of(resumed) == {2: "awaiting_approval", 3: "not_started", 4: "not_started", 5: "skipped"}
    approval = resumed.results[0].approval
    assert approval is not None
    assert [change.item for change in approval.changes] == ["A"]

    done = later(half_done(), found(), lapsed="2", limit=limited, standing=(approval.digest,))

    assert statuses_of(done) == {2: "ok", 3: "changed", 4: "changed", 5: "ok"}
    assert done.applied == [("a", "A")]


def test_an_approval_lapses_by_its_time_or_by_a_plan_that_it_does_not_cover_and_only_while_something_is_left() -> None:
    after = SOON.replace(hour=5)
    half = half_done().results
    assert lapsed(half, SOON.replace(hour=3)) == ""
    assert lapsed(half, after) == "2"
    whole = approved(FLOOD, found(), of=asked(FLOOD))[1].results
    assert lapsed(whole, after) == ""
    voided = approved(ONE, limit=Limit(befores={"anna": ["none", "theirs"]}))[1].results
    assert lapsed(voided, SOON.replace(hour=3)) == "2"
    assert lapsed(asked(FLOOD).results, after) == ""
    at_the_second = approved(FLOOD, text=TWICE, of=asked(FLOOD, text=TWICE))[1].results
    assert lapsed(at_the_second, after) == "", "what the first was for is done"
    unplanned = attrs.evolve(at_the_second[3], status=Status.UNREACHABLE, approval=None)
    assert lapsed([*at_the_second[:3], unplanned], after) == ""
