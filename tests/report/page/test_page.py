"""The page of a run as a real browser shows it."""

from __future__ import annotations

import datetime as dt
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import attrs
import pytest

from easops.detectors.finding import Detection, Measurement, Series
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.steps.step_result import StepResult
from easops.report import FILES
from easops.status import Status

from ..samples import ANNA, AT, LIMITED, PHONE, RECYCLED, REPORT, STORM

playwright = pytest.importorskip("playwright.sync_api", reason="the browser is driven with playwright")

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
SWITCHES = (
    "--no-sandbox --disable-gpu --disable-dev-shm-usage --disable-quic --no-first-run --disable-background-networking "
    "--disable-component-update --disable-sync"
)
HOSTS = tuple(f"AMS-EXCHANGE{number:02}" for number in range(1, 4))
LONG = "x" * 300 + "<script>alert(1)</script>"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium on this machine")]


def _minutes(first: int, *values: int) -> tuple[Series, ...]:
    start = AT + dt.timedelta(minutes=first)
    return tuple(Series(host, "contact syncs over 2000 RPC", "requests", start, 60, values) for host in HOSTS)


def _loads(value: float) -> Detection:
    return Detection("sync_pool_cpu", measurements=tuple(Measurement(h, "Pool", value, "percent", 60.0) for h in HOSTS))


def _report() -> RunReport:
    """A storm of an hour on three hosts, two changes, eight minutes in which nobody looked, and the end of it."""
    phone = attrs.evolve(PHONE, user_agent=LONG, device_id="A" * 64)
    user = attrs.evolve(ANNA, devices=(phone,) * 3, samples=(LONG,), user=f"{'anna.' * 20}@contoso.example")
    found = attrs.evolve(STORM, users=(user, ANNA), series=_minutes(0, *[4, 0, 2] * 20), notes=(LONG,))
    calm = Detection("contact_sync_storm", series=_minutes(68, 1, 0, 0))
    ended = {host: AT + dt.timedelta(minutes=63) for host in HOSTS}
    recycled = [attrs.evolve(RECYCLED.items[0], item=host, ended=at, touched=True) for host, at in ended.items()]
    steps = (
        attrs.evolve(REPORT.steps[0], detection=found),
        attrs.evolve(REPORT.steps[1], detection=_loads(95.0), hosts=HOSTS),
        attrs.evolve(REPORT.steps[2], done=attrs.evolve(LIMITED, finished=AT + dt.timedelta(minutes=61)), because=LONG),
        attrs.evolve(REPORT.steps[3], done=attrs.evolve(RECYCLED, items=tuple(recycled), ended=ended), hosts=HOSTS),
        StepResult(5, "Ended", "verify", "contact_sync_storm", Status.OK, detection=calm),
        attrs.evolve(REPORT.steps[5], detection=_loads(12.0), hosts=HOSTS),
    )
    return attrs.evolve(REPORT, steps=steps, lab="contacts-storm", limit=LONG)


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        started = driver.chromium.launch(executable_path=CHROMIUM, args=SWITCHES.split())
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("page") / "run.html"
    path.write_text(FILES["html"].render(_report()), encoding="utf-8")
    return path.as_uri()


@pytest.fixture(params=["light", "dark"])
def scheme(request: Any) -> str:
    return str(request.param)


@pytest.fixture(params=[400, 1000, 1600])
def width(request: Any) -> int:
    return int(request.param)


@pytest.fixture
def page(browser: Any, address: str, width: int, scheme: str) -> Iterator[Any]:
    """The page, opened; everything that it said or asked for is in ``page.heard``."""
    opened = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened.heard = []
    opened.on("console", lambda message: opened.heard.append(message.text))
    opened.on("pageerror", lambda error: opened.heard.append(str(error)))
    opened.on("request", lambda request: opened.heard.append(request.url))
    opened.on("dialog", lambda dialog: (opened.heard.append(dialog.message), dialog.dismiss()))
    opened.goto(address)
    yield opened
    opened.close()


OUTSIDE = """() => {
    const whole = document.documentElement;
    const wide = [...document.querySelectorAll('body *')]
        .filter(e => e.checkVisibility() && e.getBoundingClientRect().right > whole.clientWidth + 0.5)
        .map(e => e.outerHTML.slice(0, 120));
    return whole.scrollWidth > whole.clientWidth ? ['it scrolls sideways', ...wide] : wide;
}"""

PALE = """() => {
    const canvas = document.createElement('canvas').getContext('2d', {willReadFrequently: true});
    const parts = colour => {
        canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
        return [...canvas.getImageData(0, 0, 1, 1).data];
    };
    const light = ([r, g, b]) => [[r, .2126], [g, .7152], [b, .0722]].map(([value, share]) =>
        share * (value / 255 <= .03928 ? value / 255 / 12.92 : ((value / 255 + .055) / 1.055) ** 2.4))
        .reduce((sum, part) => sum + part);
    const behind = e => {
        for (; e; e = e.parentElement) {
            const colour = parts(getComputedStyle(e).backgroundColor);
            if (colour[3] === 255) return colour;
        }
        return [255, 255, 255, 255];
    };
    const pale = [];
    for (const e of document.querySelectorAll('body *')) {
        const own = [...e.childNodes].some(node => node.nodeType === 3 && node.textContent.trim());
        const colour = parts(getComputedStyle(e).color);
        if (!own || e.closest('svg') || !e.checkVisibility() || colour[3] === 0) continue;
        const [one, other] = [light(colour), light(behind(e))].sort((a, b) => b - a);
        if ((one + .05) / (other + .05) < 4.5) pale.push(e.outerHTML.slice(0, 120));
    }
    return pale;
}"""

PLOTS = """() => [...document.querySelectorAll('.plot svg')].map(svg => {
    const whole = svg.getBoundingClientRect();
    const of = selector => [...svg.querySelectorAll(selector)].map(e => {
        const box = e.getBoundingClientRect();
        return [(box.left - whole.left) / whole.width, box.width / whole.width, box.height / whole.height];
    });
    return {bars: of('rect.sum'), gaps: of('rect.gap'), marks: of('line.mark'),
            before: of('rect.sum.before').length, after: of('rect.sum.after').length};
})"""

BARS = """() => [...document.querySelectorAll('.measured td.wide')].map(cell => {
    const whole = cell.getBoundingClientRect();
    const [bar, limit] = [...cell.children].map(e => e.getBoundingClientRect());
    return [bar.width, limit.left - whole.left].map(length => Math.round(100 * length / whole.width));
})"""

COLLIDING = """selector => [...document.querySelectorAll(selector)].flatMap(box => {
    const spans = [...box.querySelectorAll(':scope > span')].map(e => e.getBoundingClientRect());
    const meet = (one, other) => one.right > other.left && other.right > one.left;
    return spans.filter((one, at) => spans.slice(at + 1).some(other => meet(one, other))).map(one => one.left);
})"""


def test_it_is_silent_fits_its_width_and_can_be_read(page: Any, address: str) -> None:
    assert page.heard == [address]
    assert page.evaluate(OUTSIDE) == []
    assert page.evaluate(PALE) == []
    assert page.evaluate(COLLIDING, ".axis") == []
    assert page.evaluate(COLLIDING, ".above") == []
    for text in ("What was found", "Before and after", "none → ours", "easops undo 20261124-170000-abcd", "protected"):
        assert page.get_by_text(text).first.is_visible(), text


def test_the_bars_stand_where_the_syncs_were_and_the_marks_where_the_changes(page: Any) -> None:
    plots = page.evaluate(PLOTS)
    assert len(plots) == 3
    minutes = 71  # from 17:00 to the last look
    for plot in plots:
        assert (plot["before"], plot["after"]) == (40, 1)
        begins = [round(left * minutes - 0.08, 1) for left, _, _ in plot["bars"]]
        assert begins == [minute for minute in range(60) if minute % 3 != 1] + [68]
        assert [round(height * 4) for _, _, height in plot["bars"]] == [4, 2] * 20 + [1]
        assert [(round(left * minutes), round(wide * minutes)) for left, wide, _ in plot["gaps"]] == [(60, 8)]
        assert [round(left * minutes) for left, _, _ in plot["marks"]] == [61, 63]


def test_a_measured_figure_has_a_bar_of_its_length_and_its_limit(page: Any) -> None:
    assert page.evaluate(BARS) == [[95, 60], [12, 60]] * 3


@pytest.mark.parametrize(("width", "scheme"), [(1000, "dark")], indirect=True)
def test_the_figures_and_the_log_lines_open_as_text(page: Any) -> None:
    page.get_by_text("The figures of this chart").click()
    assert page.locator(".figures tbody tr").count() == 71
    assert page.get_by_text("not observed").last.is_visible()
    page.get_by_text("Log lines of").first.click()
    assert page.locator("details[open] pre").inner_text() == LONG
    assert page.evaluate(OUTSIDE) == []


@pytest.mark.parametrize(("width", "scheme"), [(1000, "dark")], indirect=True)
def test_printed_it_is_black_on_white_with_its_charts(page: Any) -> None:
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate(PALE) == []
    assert page.pdf(format="A4").count(b"/Type /Page\n") > 1
