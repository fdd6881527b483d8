"""Whole runs: generated playbooks over generated organisations, ended at generated moments, resumed and undone.

After each process that took part: nothing was changed that no intent in the record tells of, and no outcome in the
record is untrue of what the servers did. At the end everything reads as it did before.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

import attrs
import pytest
from hypothesis import HealthCheck, Phase, event, given, settings
from hypothesis import strategies as st

from easops.actions.change import Change
from easops.lab.faults import Point
from easops.lab.world.scenario import read_scenario
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.record.postgresql import postgresql_url
from easops.playbook.record.run_view import RunView, list_runs
from easops.playbook.record.state_folder import open_store
from easops.playbook.record.stored_run import changes_of
from easops.remoting.secret import Secret
from easops.status import EXIT_CODES, Status
from tests.postgresql import PostgresServer

from .killing import When
from .stage import Killed, Raised, Stage, new_stage
from .tasks import End, KillAtStep, StopAtStep, resume_run, run_text, undo_run

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is needed to kill a run")]

USERS = ("Laura Brandt", "Marco Ricci", "Victoria Chen", "Helen Strand")
SERVERS = ("AMS-EX01", "AMS-EX02")
OURS = {"EasRechargeRate": 900000, "EasMaxBurst": 240000}
UNLIMITED = {"EasRechargeRate": "Unlimited", "EasMaxBurst": "Unlimited", "EasMaxConcurrency": 20}
CHANGING = {
    "New-ThrottlingPolicy": "limit_eas_usage",
    "Set-ThrottlingPolicyAssociation": "limit_eas_usage",
    "Set-CASMailbox": "block_user",
    "Restart-WebAppPool": "recycle_app_pool",
}
"""The changing cmdlets, each with its action."""


@attrs.frozen
class Story:
    """What is generated: an organisation, a playbook, how the first processes end, and what goes wrong on the way.

    *cut_off*: the second server's windows endpoint answers nobody. *accident*: the first time that a pipeline with that
    cmdlet comes to that point, its connection is dropped.
    """

    world: Mapping[str, Any]
    playbook: Mapping[str, Any]
    ends: tuple[End, ...]
    undo_end: End
    cut_off: bool
    accident: tuple[Point, str] | None


def address(user: str) -> str:
    return f"{user.lower().replace(' ', '.')}@contoso.example"


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    flooding = draw(st.dictionaries(st.sampled_from(USERS), st.sampled_from(SERVERS), max_size=3))
    storms = [
        {"user": user, "server": server, "contacts": 2500, "folder": 5204, "interval": 240, "rpc": [2400, 4100]}
        for user, server in flooding.items()
    ]
    policies = draw(
        st.dictionaries(st.sampled_from(USERS), st.sampled_from(["VIP", "easops-eas-r900000-b240000"]), max_size=1)
    )
    return {
        **read_scenario("calm"),
        "mailboxes": 8,
        "history": 3600,
        "heavy": None,
        "first_sync": None,
        "storms": [{**storm, "device": "iPhone"} for storm in storms],
        "groups": {"Executives": ["Victoria Chen", "Helen Strand"], "Everybody": [*USERS]},
        "policies": [
            {
                "name": name,
                "values": UNLIMITED if name == "VIP" else OURS,
                "users": [user for user, has in policies.items() if has == name],
            }
            for name in sorted(set(policies.values()))
        ],
    }


@st.composite
def playbooks(draw: st.DrawFn) -> dict[str, Any]:
    steps: list[dict[str, Any]] = []
    found = draw(st.booleans())
    if found:
        steps.append({"detect": "contact_sync_storm", "as": "storm"})
    on = st.sampled_from(["all", "name=AMS-EX01", "name=AMS-EX02", *(["{{ storm.hosts }}"] if found else [])])
    kinds = ["limit", "block", "recycle", "recycle", "group", "load", "verify"]
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=3)):
        step: dict[str, Any] = {}
        if kind in ("limit", "block"):
            if found and draw(st.booleans()):
                step |= {"for_each": "{{ storm.users }}", "because": "{{ item.evidence }}"}
            user = "{{ item.user }}" if step else address(draw(st.sampled_from(USERS)))
            step |= {"do": "limit_eas_usage" if kind == "limit" else "block_user", "with": {"user": user}}
            if kind == "limit":
                step["with"]["replace_policy"] = draw(st.sampled_from(["refuse", "copy"]))
        elif kind == "recycle":
            pool = draw(st.sampled_from(["MSExchangeSyncAppPool", "MSExchangeECPAppPool"]))
            step |= {"do": "recycle_app_pool", "with": {"pool": pool}, "on": draw(on), "because": "it is a test"}
        elif kind == "group":
            step |= {
                "each_host": draw(on),
                "steps": [
                    {"do": "recycle_app_pool", "because": "it is a test"},
                    {"verify": "sync_pool_cpu", "with": {"above": 100}, "within": "1m"},
                ],
            }
        else:
            step |= {"detect" if kind == "load" else "verify": "sync_pool_cpu", "with": {"above": 100}, "on": draw(on)}
        if kind != "group" and draw(st.integers(0, 3)) == 0:
            step["on_failure"] = "continue"
        steps.append(step)
    return {
        "easops": 1,
        "name": "generated",
        "hosts": "all",
        "limits": {"changes": draw(st.sampled_from([1, 10, 10, 10])), "hosts_at_once": draw(st.sampled_from([1, 2]))},
        "protect": draw(st.sampled_from([[], [], [], [], [address("Laura Brandt")], ["Executives"]])),
        "steps": steps,
    }


ends = st.one_of(
    st.builds(KillAtStep, st.integers(0, 14), st.sampled_from([*get_args(When), "acted"])),
    st.builds(StopAtStep, st.integers(0, 14)),
)


@st.composite
def stories(draw: st.DrawFn) -> Story:
    playbook = draw(playbooks())
    text = json.dumps(playbook)
    changing = [cmdlet for cmdlet, action in CHANGING.items() if action in text]
    accident: tuple[Point, str] | None = None
    if changing and draw(st.integers(0, 2)) > 0:
        accident = (draw(st.sampled_from(get_args(Point))), draw(st.sampled_from(changing)))
    return Story(
        draw(worlds()),
        playbook,
        tuple(draw(st.lists(ends, max_size=2))),
        KillAtStep(draw(st.integers(0, 8)), draw(st.sampled_from(get_args(When)))) if draw(st.booleans()) else None,
        draw(st.integers(0, 5)) == 5,
        accident,
    )


# -- what the servers did, and what the record says of it ----------------------------------------------------------


def asked(change: Any) -> tuple[Any, ...]:
    """What a change asks of the servers, as the lab's own record has it."""
    match change.kind:
        case "throttling_policy":
            return ("Remove-ThrottlingPolicy" if change.after is None else "New-ThrottlingPolicy", change.name)
        case "throttling_policy_association":
            return ("Set-ThrottlingPolicyAssociation", change.mailbox, change.after)
        case "active_sync_enabled":
            return ("Set-CASMailbox", change.mailbox, change.after)
        case "recycle_app_pool":
            return ("Restart-WebAppPool", change.host, change.pool)
    raise AssertionError(change)


def made(server: str, cmdlet: str, parameters: Mapping[str, Any]) -> tuple[Any, ...]:
    match cmdlet:
        case "New-ThrottlingPolicy":
            return (cmdlet, parameters["Name"])
        case "Remove-ThrottlingPolicy":
            return (cmdlet, parameters["Identity"])
        case "Set-ThrottlingPolicyAssociation":
            return (cmdlet, parameters["Identity"], parameters["ThrottlingPolicy"])
        case "Set-CASMailbox":
            return (cmdlet, parameters["Identity"], parameters["ActiveSyncEnabled"])
        case "Restart-WebAppPool":
            return (cmdlet, server, parameters["Name"])
    raise AssertionError(cmdlet)


def check_the_record(stage: Stage) -> None:
    """Each change that a server made was intended, and has no outcome that denies it; what is recorded as changed was
    made."""
    calls = Counter(made(*call) for call in stage.sent())
    intended: Counter[tuple[Any, ...]] = Counter()
    maybe: Counter[tuple[Any, ...]] = Counter()
    claimed: set[tuple[Any, ...]] = set()
    with open_store(stage.state) as (store, _):
        known: list[tuple[Change, Any]] = [pair for run in store.runs() for pair in changes_of(run, store)]
    for change, outcome in known:
        key = asked(change)
        intended[key] += 1
        if outcome is None or outcome.status in (Status.CHANGED, Status.VERIFY_FAILED, Status.UNKNOWN):
            maybe[key] += 1
        if outcome is not None and outcome.status is Status.CHANGED:
            claimed.add(key)
    assert not calls - intended, "made without an intent"
    assert not calls - maybe, "made, and recorded as not made"
    assert not claimed - set(calls), "recorded as made, and not made"


# -- the whole run -------------------------------------------------------------------------------------------------


def run_task(stage: Stage, task: Any, *arguments: Any) -> RunReport | None:
    """The report of a task, None where its process or its run was ended before; and the record is true after it."""
    try:
        report: RunReport = stage.in_process(task, *arguments)
    except Killed:
        event("killed")
        return None
    except Raised as error:
        if error.kind != "Interrupted":
            raise
        event("stopped")
        return None
    finally:
        check_the_record(stage)
    return report


def latest(stage: Stage, kind: str) -> RunView:
    return next(view for view in list_runs(stage.state) if view.run.kind == kind)


def live_through(story: Story, folder: Path, database: Secret | None) -> None:
    with new_stage(folder, story.world, database=database) as stage:
        before = stage.reads()
        inventory = stage.lab.inventory
        if story.cut_off:
            text, port = inventory.read_text(encoding="utf-8"), stage.lab.ports["AMS-EX02"]
            inventory = inventory.with_name("cut-off.yml")
            inventory.write_text(text.replace(f":{port}/wsman", ":1/wsman"), encoding="utf-8")
        if story.accident is not None:
            stage.lab.faults.drop(story.accident[0], cmdlet=story.accident[1])
        left = [*story.ends, None, None]
        report = run_task(stage, run_text, json.dumps(story.playbook), inventory, left.pop(0))
        run_id = latest(stage, "run").run.run_id
        while left and (report is None or report.unfinished):
            report = run_task(stage, resume_run, run_id, left.pop(0))
        assert report is not None
        event(f"ended {report.status}")
        recycled = Counter(made(*call) for call in stage.sent() if call[1] == "Restart-WebAppPool")
        asked_for = json.dumps(story.playbook).count("recycle_app_pool")
        assert all(times <= asked_for for times in recycled.values()), "a recycle that was made is not made again"

        undone = run_task(stage, undo_run, run_id, story.undo_end)
        for _ in range(3):
            if undone is None:
                undone = run_task(stage, resume_run, latest(stage, "undo").run.run_id)
            elif EXIT_CODES[undone.status] != 0:  # the accident was still to come
                undone = run_task(stage, undo_run, run_id)
        assert undone is not None
        assert EXIT_CODES[undone.status] == 0, undone
        assert stage.reads() == before


def generated(examples: int) -> settings:
    """A test of that many generated runs: the same ones in CI, where a failure has to be seen again."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize="CI" in os.environ,
        print_blob=True,
        phases=[Phase.explicit, Phase.generate],  # to shrink a whole run takes minutes: the story is shown as it is
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.function_scoped_fixture],
    )


@generated(10)
@given(story=stories())
def test_a_run_is_true_to_its_record_however_it_ends_and_undo_restores(story: Story) -> None:
    with tempfile.TemporaryDirectory() as folder:
        live_through(story, Path(folder), None)


@generated(3)
@given(story=stories())
def test_a_run_on_postgresql_is_true_to_its_record_too(
    story: Story, postgres: PostgresServer, prepared_database: str
) -> None:
    database = postgresql_url(postgres.url(postgres.new_database(prepared_database)))
    with tempfile.TemporaryDirectory() as folder:
        live_through(story, Path(folder), database)
