from __future__ import annotations

import datetime as dt

from easops.actions.outcome import Done, ItemOutcome
from easops.detectors.finding import Detection, Measurement
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.steps.step_result import Kind, StepResult
from easops.report.page import before_after as bars
from easops.status import Status

AT = dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC)


def recycled(number: int, host: str = "EX1") -> StepResult:
    item = ItemOutcome(host, host, Status.CHANGED, ended=AT, touched=True)
    done = Done("recycle_app_pool", (item,), {host: AT}, AT)
    return StepResult(number, "Recycle", "do", "recycle_app_pool", Status.CHANGED, hosts=(host,), done=done)


def limited(number: int) -> StepResult:
    item = ItemOutcome("anna@contoso.example", "organisation", Status.CHANGED, touched=True)
    done = Done("limit_eas_usage", (item,), finished=AT)
    return StepResult(number, "Limit", "do", "limit_eas_usage", Status.CHANGED, done=done)


def report(*steps: StepResult) -> RunReport:
    return RunReport("r", "x", "run", Status.OK, steps)


def measured(number: int, *loads: tuple[str, float], kind: Kind = "detect", judged: tuple[str, ...] = ()) -> StepResult:
    figures = tuple(Measurement(host, "pool", value, "percent", 60.0) for host, value in loads)
    detection = Detection("sync_pool_cpu", measurements=figures, judged=judged)
    hosts = ("EX1", "EX2")
    return StepResult(
        number,
        f"step {number}",
        kind,
        "sync_pool_cpu",
        Status.OK,
        hosts=hosts,
        detection=detection,
    )


def test_each_host_has_a_bar_before_and_one_after_and_none_where_nothing_was_measured() -> None:
    (chart,) = bars.bar_charts(
        report(
            measured(1, ("EX2", 95.0), ("EX1", 90.0)),
            limited(2),
            measured(3, ("EX1", 5.0), kind="verify"),
        )
    )
    assert [(bar.host, bar.when, bar.words, bar.width, bar.limit_at, bar.over) for bar in chart.bars] == [
        ("EX1", "before", "90.0 percent", 90.0, 60.0, True),
        ("EX1", "after", "5.0 percent", 5.0, 60.0, False),
        ("EX2", "before", "95.0 percent", 95.0, 60.0, True),
        ("EX2", "after", "not measured", None, None, False),
    ]


def test_on_a_host_that_is_not_changed_a_figure_is_neither_before_nor_after() -> None:
    (chart,) = bars.bar_charts(report(measured(1, ("EX1", 90.0), ("EX2", 1.0)), recycled(2)))
    assert [(bar.host, bar.when) for bar in chart.bars] == [("EX1", "before"), ("EX2", "measured")]


def test_a_figure_that_a_judged_host_has_no_more_is_none() -> None:
    (chart,) = bars.bar_charts(
        report(measured(1, ("EX1", 90.0)), recycled(2), measured(3, judged=("EX1",), kind="verify"))
    )
    assert [bar.words for bar in chart.bars] == ["90.0 percent", "none"]
