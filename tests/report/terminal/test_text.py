from __future__ import annotations

import datetime as dt

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from easops.actions.action import Plan
from easops.detectors.finding import Detection, Measurement
from easops.playbook.assessment.run_facts import OpenRun
from easops.playbook.record.run import Run
from easops.playbook.record.run_view import RunView
from easops.playbook.steps.effects import Preview
from easops.playbook.steps.step_result import StepResult
from easops.remoting.unreachable import Unreachable
from easops.report.terminal.finding import detection_lines
from easops.report.terminal.head_and_end import end_lines, head_lines
from easops.report.terminal.runs import runs_lines
from easops.report.terminal.step import MARKS, step_lines
from easops.report.terminal.text import preview_lines
from easops.status import Status

from ..samples import ANNA, AT, BOB, ENDED, LIMITED, LOST, RECYCLED, REPORT, STEPS, STORM, item


def test_every_status_has_a_mark() -> None:
    assert set(MARKS) == set(Status)


def test_a_detect_step_says_who_with_the_evidence_and_whom_it_leaves_alone() -> None:
    assert step_lines(STEPS[0]) == [
        "* Who floods                         EX1                 3.0 s  2 users found",
        "    anna@contoso.example",
        "      15 contact syncs over 2000 RPC",
        "    bob@contoso.example",
        "      9 contact syncs over 2000 RPC",
        "    to watch, not acted on: nina@contoso.example: a new phone",
        "    not judged: CONTOSO\\ghost: no mailbox",
        "    note: measured on RpcC",
    ]


PINGS = Detection(
    "stranded_pings",
    hosts=("EX1",),
    measurements=(Measurement("EX1", "stranded", 1836.0, "requests", 0.0), Measurement("EX2", "held", 5.25, "GiB")),
    sentences={"EX1": "1836 of 1968 Pings wait longer than 64 min"},
)


def test_a_hosts_sentence_stands_in_place_of_its_figures_and_before_them_where_all_is_shown() -> None:
    sentence = "    EX1: 1836 of 1968 Pings wait longer than 64 min"
    assert detection_lines(PINGS) == [sentence, "    EX2: held 5.2 GiB"]
    figures = ["    EX1: stranded 1,836 requests (limit 0)", "    EX2: held 5.2 GiB"]
    assert detection_lines(PINGS, verbose=True) == [sentence, *figures]


def test_a_changing_step_says_each_item_and_does_not_repeat_the_evidence() -> None:
    assert step_lines(STEPS[2], STEPS[:2]) == [
        "! Limit them                                                    refused",
        "    refused 1, changed 1",
        "    anna@contoso.example: changed",
        "      policy none -> ours",
        "    bob@contoso.example: refused (protected)",
        "    effective after a recycle",
    ]


def test_the_head_of_a_step_counts_its_items_by_status_where_there_is_place() -> None:
    ok = (attrs.evolve(LIMITED.items[0], status=Status.OK),) * 2
    step = attrs.evolve(STEPS[2], status=Status.OK, done=attrs.evolve(LIMITED, items=ok))
    assert step_lines(step)[0].split()[-1] == "ok"
    mixed = attrs.evolve(step, status=Status.CHANGED, done=attrs.evolve(LIMITED, items=(LIMITED.items[0], *ok)))
    assert step_lines(mixed)[0].endswith("changed 1, ok 2")


def test_runs_are_listed_one_a_line_with_what_they_were() -> None:
    def view(kind: str, playbook: str, **more: object) -> RunView:
        document = {"source": "/books/contacts-sync-storm.yml", "lab": more.pop("lab", None)}
        run = Run(f"20261124-170000-{kind:0<4}"[:20], kind, playbook, document, (), AT, **more)  # type: ignore[arg-type]
        return RunView(run, False, (), ())

    views = [
        view("undo", "undo of 20261123-120000-beef", ended=AT, status="undone", lab="calm"),
        view("run", "Cure a storm", ended=AT, status="verify_failed", unfinished=True, lab="calm"),
        view("do", "do block_user", ended=AT, status="changed", closed="undone by 20261124-180000-abcd"),
        view("run", "Cure a storm"),
    ]
    assert len(runs_lines(views)) == 1 + len(views)
    assert runs_lines(views, 80) == [
        "run                   started UTC  status                         what",
        "20261124-170000-undo  11-24 17:00  undone         lab             undo of",
        "                                                                  20261123-120000-beef",
        "20261124-170000-run0  11-24 17:00  verify failed  lab unfinished  contacts-sync-storm",
        "20261124-170000-do00  11-24 17:00  undone                         do block_user",
        "20261124-170000-run0  11-24 17:00  died                           contacts-sync-storm",
    ]


def test_a_run_that_somebody_stopped_is_not_listed_as_one_that_died() -> None:
    run = Run("20261124-170000-abcd", "run", "Cure a storm", {"source": "/books/storm.yml"}, (), AT)
    assert [RunView(run, False, (), (), stopped=stopped).status for stopped in (True, False)] == ["stopped", "died"]


def test_verbose_adds_devices_samples_and_the_reason_again() -> None:
    lines = [*step_lines(STEPS[0], verbose=True), *step_lines(STEPS[2], STEPS[:2], verbose=True)]
    assert "      | line 1" in lines
    assert "      iPhone APPL1: 15 syncs, 6,412 RPC at most, 90,000 in all, 2,500 contacts" in lines
    assert f"    because {ANNA.evidence}" in lines


def test_a_reason_that_is_the_evidence_above_and_no_more_is_not_said_again() -> None:
    both = attrs.evolve(STEPS[2], because=f"{ANNA.evidence}; {BOB.evidence}")
    own = attrs.evolve(STEPS[2], because=f"she asked for it: {ANNA.evidence}")
    assert not any("because" in line for line in step_lines(both, STEPS[:2]))
    assert f"    because she asked for it: {ANNA.evidence}" in step_lines(own, STEPS[:2])


def test_a_long_reason_is_shortened_on_the_screen() -> None:
    step = attrs.evolve(STEPS[3], because="a reason " * 60)
    text = " ".join(" ".join(step_lines(step)).split())
    assert " ... (-v shows all of it)" in text
    assert text.count("a reason") < 60
    assert " ".join(" ".join(step_lines(step, verbose=True)).split()).count("a reason") == 60


def test_with_diff_what_was_refused_stays_as_it_is() -> None:
    outcome = item("bob@contoso.example", Status.REFUSED, reason="protected", before={"policy": "his", "max_burst": 5})
    step = attrs.evolve(STEPS[2], done=attrs.evolve(LIMITED, items=(outcome,)))
    assert step_lines(step, diff=True)[-3:] == [
        "    bob@contoso.example: refused (protected)",
        "      policy his",
        "      max burst 5",
    ]


def test_a_name_or_an_outcome_that_has_no_place_in_its_column_stands_on_a_line_of_its_own() -> None:
    long = attrs.evolve(STEPS[5], name="The servers that were loaded breathe again", hosts=("EX1",))
    assert step_lines(long)[:2] == [
        "= The servers that were loaded breathe again",
        "                                     EX1                        proved",
    ]
    partly = attrs.evolve(STEPS[0], detection=Detection("x", judged=("EX1",), unreachable=LOST.unreachable))
    assert step_lines(partly)[:2] == [
        "= Who floods                         EX1                 3.0 s",
        "    nothing found where it could be judged",
    ]


def test_a_skipped_step_took_no_time() -> None:
    step = StepResult(5, "It has ended", "verify", "sync_pool_cpu", Status.SKIPPED, "no hosts", seconds=0.02)
    assert step_lines(step)[0].split() == ["-", "It", "has", "ended", "skipped"]


def test_a_run_that_did_nothing_about_what_it_found_does_not_look_as_if_all_were_well() -> None:
    limited = attrs.evolve(STEPS[2], status=Status.OK, done=attrs.evolve(LIMITED, items=(item(ANNA.user, Status.OK),)))
    skipped = StepResult(4, "It has ended", "verify", "contact_sync_storm", Status.SKIPPED, "nothing was changed")
    found = attrs.evolve(STEPS[0], detection=attrs.evolve(STORM, times={"EX1": AT + dt.timedelta(minutes=12)}))
    report = attrs.evolve(REPORT, steps=(found, limited, skipped), status=Status.OK)
    assert end_lines(report, 0) == [
        "",
        "changed           nothing",
        "possibly ongoing  Who floods: 2 users found, the last hit 12 min before the look",
        "                    (17:00 UTC; one came every 4 min); nothing was changed, and",
        "                    no step checked whether it has ended",
        "status            ok (exit code 0)",
        "check again       easops detect contact_sync_storm since=20m",
    ]
    proved = attrs.evolve(report, steps=(found, limited, STEPS[4]))
    assert not any(line.startswith("possibly ongoing") for line in end_lines(proved, 0))


def test_a_proof_says_whom_it_was_not_asked_about() -> None:
    assert "    it was not asked about bob@contoso.example" in step_lines(STEPS[4], STEPS[:4])
    both = attrs.evolve(ENDED, asked=(ANNA.user, BOB.user))
    assert not any("not asked" in line for line in step_lines(attrs.evolve(STEPS[4], detection=both), STEPS[:4]))


def test_a_run_that_found_nothing_says_where_and_in_what_and_what_it_did_not_look_at() -> None:
    looked = attrs.evolve(STEPS[0], detection=ENDED, given=("since=1h", "threshold=2000"))
    skipped = attrs.evolve(STEPS[1], status=Status.SKIPPED, reason="no hosts", detection=None, given=("above=60",))
    report = attrs.evolve(REPORT, steps=(looked, skipped), status=Status.OK)
    assert end_lines(report, 0) == [
        "",
        "changed       nothing",
        "checked       Who floods, since=1h, threshold=2000: nothing found on EX1",
        "not checked   How loaded: no hosts; faults that only this step can detect are",
        "                not ruled out",
        "status        ok (exit code 0)",
        "also check    easops detect sync_pool_cpu above=60",
    ]


def test_the_end_of_what_is_not_known_or_not_proved_says_what_to_type() -> None:
    def ended(status: Status) -> list[str]:
        done = attrs.evolve(LIMITED, items=(item(ANNA.user, status, reason="no answer", touched=True),))
        step = attrs.evolve(STEPS[2], status=status, done=done)
        return end_lines(attrs.evolve(REPORT, steps=(step,), status=status), 6)

    assert ended(Status.UNKNOWN)[-2:] == [
        "reconcile     easops runs reconcile 20261124-170000-abcd",
        "undo          easops undo 20261124-170000-abcd",
    ]
    assert ended(Status.VERIFY_FAILED)[-2] == "look          easops runs show 20261124-170000-abcd --verbose"


def test_the_end_says_what_could_not_be_judged() -> None:
    step = attrs.evolve(STEPS[0], status=Status.UNREACHABLE, detection=LOST, reason="EX2: no route", stops=True)
    lines = end_lines(attrs.evolve(REPORT, steps=(step,), status=Status.UNREACHABLE), 5)
    assert lines == [
        "",
        "changed       nothing",
        "not judged    Who floods: EX2: no route",
        "status        unreachable (exit code 5)",
    ]
    allowed = attrs.evolve(REPORT, steps=(attrs.evolve(step, status=Status.OK, stops=False),), status=Status.OK)
    assert "not judged    Who floods: EX2: no route" in end_lines(allowed, 0)


def test_a_command_to_type_is_never_broken() -> None:
    path = "/a/long/folder/of/somebody/" * 4 + "storm.yml"
    lines = end_lines(attrs.evolve(REPORT, lab="calm", status=Status.CHANGED, command=path), 0)
    assert f"on real servers  easops run {path} --inventory hosts.yml --check" in lines


def test_a_note_is_not_repeated() -> None:
    again = StepResult(7, "Again", "detect", "contact_sync_storm", Status.OK, detection=STORM)
    assert not any("note:" in line for line in step_lines(again, STEPS))


def test_a_host_that_is_not_there_is_named_with_the_reason() -> None:
    assert detection_lines(LOST) == ["    unreachable: EX2 is not there: no route", "      next: start it"]


def test_the_end_says_what_changed_what_it_did_to_the_fault_and_how_to_undo_it() -> None:
    assert end_lines(REPORT, 3) == [
        "",
        "changed       limit_eas_usage: anna@contoso.example",
        "              recycle_app_pool: EX1",
        "refused       bob@contoso.example: protected",
        "proved        It has ended: no more hits of anna@contoso.example",
        "              It breathes: EX1 95.0 -> 12.0 percent",
        "still open    bob@contoso.example: refused; not checked again",
        "status        refused (exit code 3)",
        "undo          easops undo 20261124-170000-abcd",
    ]


def test_a_verify_that_failed_is_not_proved() -> None:
    failed = attrs.evolve(STEPS[4], status=Status.VERIFY_FAILED, reason="anna floods on")
    lines = end_lines(attrs.evolve(REPORT, steps=(*STEPS[:4], failed), status=Status.VERIFY_FAILED), 6)
    assert "not proved    It has ended: anna floods on" in lines
    assert not any(line.startswith("proved") for line in lines)


def test_a_recycle_alone_offers_no_undo() -> None:
    recycled = StepResult(1, "Recycle", "do", "recycle_app_pool", Status.CHANGED, done=RECYCLED)
    lines = end_lines(attrs.evolve(REPORT, steps=(recycled,), status=Status.CHANGED), 0)
    assert lines[-1] == "undo          not applicable (what was changed cannot be undone)"


def test_a_lab_run_says_how_to_run_it_on_real_servers() -> None:
    command = "on real servers  easops run storm --inventory hosts.yml --check"
    good, bad = (
        attrs.evolve(REPORT, lab="contacts-storm", status=status) for status in (Status.CHANGED, Status.REFUSED)
    )
    assert command in end_lines(good, 0)
    assert command not in end_lines(bad, 3)


def test_a_check_says_what_would_change() -> None:
    items = tuple(attrs.evolve(outcome, status=Status.WOULD_CHANGE) for outcome in RECYCLED.items)
    step = StepResult(
        1, "Recycle", "do", "recycle_app_pool", Status.WOULD_CHANGE, done=attrs.evolve(RECYCLED, items=items)
    )
    report = attrs.evolve(REPORT, run_id=None, checked=True, steps=(step,), status=Status.WOULD_CHANGE)
    assert end_lines(report, 0) == [
        "",
        "would change  recycle_app_pool: EX1",
        "status        would change (exit code 0)",
        "to do it      the same command without --check",
    ]
    undo = attrs.evolve(report, kind="undo", command="20261124-170000-abcd")
    assert end_lines(undo, 0)[-1] == "to do it      easops undo 20261124-170000-abcd"


def test_a_check_that_could_not_look_everywhere_knows_not_what_would_change_and_names_the_check_of_the_rest() -> None:
    look = attrs.evolve(LOST, judged=("EX1", "EX3"))
    steps = (
        StepResult(1, "Who", "detect", "x", Status.UNREACHABLE, "EX2: no route", detection=look, stops=True),
        StepResult(2, "Limit", "do", "limit_eas_usage", Status.NOT_STARTED, "the run stopped at 'Who'"),
    )
    report = attrs.evolve(REPORT, run_id=None, checked=True, steps=steps, status=Status.UNREACHABLE)
    assert end_lines(report, 5) == [
        "",
        "would change            not known",
        "not judged              Who: EX2: no route",
        "not started             Limit",
        "status                  unreachable (exit code 5)",
        "excluding failed hosts  the same command with --limit EX1,EX3",
    ]
    nobody = attrs.evolve(report, steps=(attrs.evolve(steps[0], detection=LOST), steps[1]))
    assert end_lines(nobody, 5)[-1] == "status        unreachable (exit code 5)"


def test_a_check_says_that_an_earlier_run_is_open() -> None:
    earlier = OpenRun("20261123-120000-beef", "ended as failed with unfinished steps")
    report = attrs.evolve(REPORT, run_id=None, checked=True, steps=(), status=Status.OK, earlier=earlier)
    assert end_lines(report, 0) == [
        "",
        "would change  nothing",
        "earlier run   run 20261123-120000-beef ended as failed with unfinished steps;",
        "                resume, undo or abandon it first, or this one is refused",
        "status        ok (exit code 0)",
        "anyway        the same command with --anew",
        "look          easops runs show 20261123-120000-beef",
    ]


@pytest.mark.parametrize("verbose", [False, True])
def test_no_line_is_wider_than_80(verbose: bool) -> None:
    lines = [
        line
        for number, step in enumerate(STEPS)
        for line in step_lines(step, STEPS[:number], diff=True, verbose=verbose)
    ]
    assert max(map(len, [*lines, *end_lines(REPORT, 3)])) <= 80


WORDS = st.lists(st.text("abc-.@\u00e9", min_size=1, max_size=40), max_size=8).map(" ".join)
NAME = st.text("ABC-1", min_size=1, max_size=40)


@given(name=WORDS.filter(bool), hosts=st.lists(NAME, max_size=4), words=WORDS, status=st.sampled_from(Status))
def test_whatever_a_step_has_no_line_but_a_command_is_wider_than_80(
    name: str, hosts: list[str], words: str, status: Status
) -> None:
    found = Detection(
        "contact_sync_storm",
        users=(attrs.evolve(ANNA, evidence=words),),
        hosts=tuple(hosts),
        unreachable=tuple(Unreachable(host, f"{host} is not there", words, next_step=words) for host in hosts),
        judged=tuple(hosts),
        notes=(words,),
        sentences=dict.fromkeys(hosts, words),
    )
    outcome = item(words or "anna", status, reason=words, before={"policy": words}, after=None, effective=words)
    steps = (
        StepResult(1, name, "detect", "contact_sync_storm", status, words, tuple(hosts), detection=found, seconds=9e4),
        StepResult(
            2, name, "do", "x", status, words, because=words, done=attrs.evolve(LIMITED, items=(outcome, outcome))
        ),
        StepResult(3, name, "verify", "contact_sync_storm", status, words, tuple(hosts), detection=found),
    )
    report = attrs.evolve(REPORT, run_id="R", steps=steps, status=status, lab=words or None)
    lines = [*head_lines(name, "R", words, words, checked=True), *end_lines(report, 3)]
    for number, step in enumerate(steps):
        lines += step_lines(step, steps[:number], diff=True)
    commands = {command.command for command in report.assessment.next}
    assert max(len(line) for line in lines if not any(line.endswith(command) for command in commands)) <= 80


@pytest.mark.parametrize("touched", [True, False])
def test_a_failed_item_offers_the_undo_of_what_it_changed(touched: bool) -> None:
    items = (attrs.evolve(LIMITED.items[0], status=Status.FAILED, reason="no", touched=touched),)
    step = StepResult(1, "Limit", "do", "limit_eas_usage", Status.FAILED, done=attrs.evolve(LIMITED, items=items))
    lines = end_lines(attrs.evolve(REPORT, steps=(step,), status=Status.FAILED), 4)
    assert (lines[-1] == "undo          easops undo 20261124-170000-abcd") is touched


def test_who_is_asked_to_go_on_reads_first_what_the_changes_may_do_to_a_user() -> None:
    plans = tuple(
        Plan(name, Status.WOULD_CHANGE, before={"policy": None}, after={"policy": "ours"}, effective="after a recycle")
        for name in (ANNA.user, BOB.user)
    )
    refused = Plan("cleo", Status.REFUSED, "protected", effective="never")
    lines = preview_lines(Preview("Limit them", (*plans, refused), ("Recycle",), ("EX1",), 9, 1))
    assert lines[-5:-2] == ["    cleo: refused (protected)", "    effective after a recycle", "then          Recycle"]
    assert lines.count("    effective after a recycle") == 1
