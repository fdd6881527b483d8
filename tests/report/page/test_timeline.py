from __future__ import annotations

import datetime as dt

import attrs
import pytest

from easops.actions.outcome import Done, ItemOutcome
from easops.detectors.finding import Detection, Series
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.steps.step_result import Kind, StepResult
from easops.report.page import timeline
from easops.status import Status

AT = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)


def after(minutes: float) -> dt.datetime:
    return AT + dt.timedelta(minutes=minutes)


def series(*values: int, start: float = 0, host: str = "EX1", step: int = 60) -> Series:
    return Series(host, "syncs", "requests", after(start), step, values)


def looked(number: int, *series_: Series, kind: Kind = "detect") -> StepResult:
    return StepResult(number, f"step {number}", kind, "storm", Status.OK, detection=Detection("storm", series=series_))


def recycled(number: int, ended: float, host: str = "EX1") -> StepResult:
    item = ItemOutcome(host, host, Status.CHANGED, ended=after(ended), touched=True)
    done = Done("recycle_app_pool", (item,), {host: after(ended)}, after(ended + 30))
    return StepResult(number, "Recycle", "do", "recycle_app_pool", Status.CHANGED, hosts=(host,), done=done)


def limited(number: int, finished: float) -> StepResult:
    item = ItemOutcome("anna@contoso.example", "organisation", Status.CHANGED, touched=True)
    done = Done("limit_eas_usage", (item,), finished=after(finished))
    return StepResult(number, "Limit", "do", "limit_eas_usage", Status.CHANGED, done=done)


def report(*steps: StepResult) -> RunReport:
    return RunReport("r", "x", "run", Status.OK, steps)


def values(plot: timeline.Plot) -> list[int | None]:
    return [span.value for span in plot.spans]


def test_before_and_after_are_laid_together_and_what_lies_between_is_a_gap() -> None:
    (chart,) = timeline.timelines(report(looked(1, series(1, 2)), looked(2, series(0, 3, start=4), kind="verify")))
    (plot,) = chart.plots
    assert (chart.begin, chart.end, values(plot)) == (AT, after(6), [1, 2, None, None, 0, 3])
    assert [(round(left), round(width)) for left, width in timeline.gaps(plot)] == [(33, 33)]
    assert [kind for _, _, kind in timeline.observed(plot)] == [False, False]


def test_of_one_minute_the_later_reading_counts() -> None:
    (chart,) = timeline.timelines(report(looked(1, series(1, 1)), looked(2, series(4, 5, start=1), kind="verify")))
    assert values(chart.plots[0]) == [1, 4, 5]


def test_series_of_two_steps_are_laid_together_in_the_longer_and_a_part_of_it_is_no_value() -> None:
    (chart,) = timeline.timelines(
        report(looked(1, series(1, 1, 1, 1, 1, 9)), looked(2, series(20, start=10, step=300), kind="verify"))
    )
    assert (values(chart.plots[0]), chart.per) == ([5, None, 20], "in 5 minutes")


def test_hosts_have_plots_of_their_own_on_one_scale() -> None:
    (chart,) = timeline.timelines(report(looked(1, series(0, 7), series(1, host="EX2", start=1))))
    assert [(plot.host, values(plot)) for plot in chart.plots] == [("EX1", [0, 7]), ("EX2", [None, 1])]
    assert chart.top == 8
    assert [span.height for span in chart.plots[0].spans] == [0, 87.5]


def test_a_change_is_marked_where_it_ended_and_parts_before_from_after() -> None:
    (chart,) = timeline.timelines(
        report(looked(1, series(2, 2)), limited(2, 1), recycled(3, 1.5), looked(4, series(2, 0, 0, start=1)))
    )
    (plot,) = chart.plots
    assert [(at, mark.number, mark.host) for at, mark in plot.marks] == [(25.0, 1, None), (37.5, 2, "EX1")]
    assert [span.after for span in plot.spans] == [False, False, True, True]
    assert plot.summary == (
        "2.0 a minute (2 minutes observed) before the last change, 0 a minute (2 minutes observed) after it"
    )


def test_the_numbers_of_changes_that_lie_close_together_stand_together() -> None:
    (chart,) = timeline.timelines(
        report(looked(1, series(*[1] * 100)), limited(2, 50), recycled(3, 52), looked(4), recycled(5, 80))
    )
    assert [(round(at), text) for at, text in timeline.labels(chart.plots[0])] == [(51, "1 2"), (80, "3")]


def test_a_change_that_nobody_looked_after_is_marked_beyond_what_was_observed() -> None:
    (chart,) = timeline.timelines(report(looked(1, series(2, 2)), recycled(2, 4)))
    assert values(chart.plots[0]) == [2, 2, None, None]
    assert "after it nothing was observed" in chart.plots[0].summary


def test_a_change_on_one_host_is_no_mark_on_another() -> None:
    (chart,) = timeline.timelines(report(looked(1, series(1), series(1, host="EX2")), recycled(2, 0.5, host="EX2")))
    assert [len(plot.marks) for plot in chart.plots] == [0, 1]


def test_under_check_nothing_is_marked() -> None:
    assert timeline.marks(attrs.evolve(report(recycled(1, 1)), checked=True)) == ()


def test_a_day_is_drawn_in_few_bars() -> None:
    (chart,) = timeline.timelines(report(looked(1, series(*[1] * 300)), recycled(2, 60 * 24)))
    assert chart.per == "in 5 minutes"
    assert len(chart.plots[0].spans) <= 300
    assert len(chart.ticks) <= 7


def test_a_figure_that_was_zero_all_the_time_is_a_sentence() -> None:
    run = report(looked(1, series(0, 0), series(0, host="EX2")))
    assert timeline.timelines(run) == ()
    assert timeline.always_zero(run) == ("syncs: none on EX1, EX2",)


@pytest.mark.parametrize(("most", "top"), [(1, 1), (3, 3), (7, 8), (9, 10), (11, 20), (8000, 8000), (41_000, 50_000)])
def test_a_scale_ends_at_a_round_figure(most: int, top: int) -> None:
    (chart,) = timeline.timelines(report(looked(1, series(most))))
    assert chart.top == top
