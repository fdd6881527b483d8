"""A changing step: what is planned, refused, confirmed, predicted and applied. No server, no engine."""

from __future__ import annotations

import pytest

from easops.errors import CommandFailed, EasopsError, Refused, UnreachableHost
from easops.status import Status

from .fakes import (
    BOTH,
    HOST_BY_HOST,
    FakeEffects,
    Limit,
    Recycle,
    found,
    interpret_playbook,
    results_of,
    user,
)


def test_who_is_limited_already_is_ok_and_nothing_is_recycled() -> None:
    statuses, effects, _ = interpret_playbook(found(user("anna")), limit=Limit(ok=("anna",)))
    assert (statuses, effects.applied) == (["ok", "ok", "skipped", "skipped"], [])


def test_a_protected_user_is_refused_and_the_others_go_on() -> None:
    statuses, effects, _ = interpret_playbook(
        found(user("boss", 9), user("anna", 5)), found(), protected=("guid-boss",)
    )
    assert statuses == ["ok", "refused", "changed", "ok"]
    assert effects.applied[0] == ("organisation contoso", "anna")


def test_a_health_mailbox_is_always_protected() -> None:
    statuses, effects, _ = interpret_playbook(found(user("probe")), limit=Limit(health=("probe",)))
    assert (statuses, effects.applied) == (["ok", "refused", "skipped", "skipped"], [])


def test_over_the_limit_of_changes_nothing_is_sent() -> None:
    statuses, effects, _ = interpret_playbook(found(user("a"), user("b"), user("c")))
    assert (statuses, effects.applied) == (["ok", "refused", "not_started", "skipped"], [])


def test_who_says_no_is_obeyed() -> None:
    statuses, effects, _ = interpret_playbook(found(user("anna")), effects=FakeEffects(yes=False))
    assert (statuses, effects.applied) == (["ok", "refused", "not_started", "skipped"], [])
    assert [preview.later for preview in effects.asked] == [("free (recycle)",)]


def test_it_asks_once() -> None:
    _, effects, _ = interpret_playbook(found(user("anna")), found())
    assert len(effects.asked) == 1


@pytest.mark.parametrize(
    ("error", "status"),
    [(CommandFailed("no"), "failed"), (UnreachableHost("away"), "unreachable"), (Refused("no", rule="r"), "refused")],
)
def test_an_item_that_cannot_be_planned_does_not_stop_the_others(error: EasopsError, status: str) -> None:
    statuses, effects, _ = interpret_playbook(
        found(user("anna"), user("bert")), found(), limit=Limit(errors={"anna": error})
    )
    after = ["changed", "ok"] if status == "refused" else ["not_started", "skipped"]
    assert statuses == ["ok", status, *after]
    assert effects.applied[0] == ("organisation contoso", "bert")


def test_after_a_server_that_failed_no_further_one_starts() -> None:
    both = found(user("anna", hosts=("A", "B")), hosts=("A", "B"))
    statuses, effects, _ = interpret_playbook(both, found(), effects=FakeEffects(outcomes={"A": Status.FAILED}))
    assert statuses[2] == "failed"
    assert effects.applied[1:] == [("a", "A")]
    assert [str(item.status) for item in effects.results[2].items] == ["failed", "not_started"]


def test_after_a_server_that_cannot_be_planned_no_further_one_starts() -> None:
    both = found(user("anna", hosts=("A", "B")), hosts=("A", "B"))
    statuses, effects, _ = interpret_playbook(both, found(), recycle=Recycle(errors={"A": UnreachableHost("away")}))
    assert statuses[2] == "unreachable"
    assert effects.applied[1:] == []


def test_a_check_predicts_and_applies_nothing() -> None:
    statuses, effects, _ = interpret_playbook(found(user("anna")), effects=FakeEffects(checking=True))
    assert statuses == ["ok", "would_change", "would_change", "skipped"]
    assert (effects.applied, effects.asked) == ([], [])
    limited, freed = effects.results[1], effects.results[2]
    assert (limited.certain, freed.certain, freed.reason) == (True, False, "depends on 'limit'")


def test_the_limit_of_a_step_counts_over_the_hosts_of_its_group() -> None:
    look = "- {name: look, detect: flood, as: here}\n      "
    text = HOST_BY_HOST.replace("- {name: free, do: recycle", look + "- {name: free, do: recycle")
    _, effects, _ = interpret_playbook(BOTH, found(), text=text.replace("{changes: 2}", "{changes: 1}"))
    frees = [(host, status) for name, host, status in results_of(effects) if name == "free"]
    assert frees == [("A", "changed"), ("B", "refused")]
    assert effects.applied == [("a", "A")]
