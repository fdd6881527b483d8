"""The page of a run, from values. How a browser shows it: test_page.py."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import attrs

from easops.actions.throttling_policy_change import AssociateThrottlingPolicy
from easops.detectors.finding import Detection, Series, Undetermined, UserFinding
from easops.errors import UnreachableHost
from easops.identity import Person
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.record.approval import PendingApproval
from easops.playbook.steps.approval_request import Approval, PlannedChange
from easops.playbook.steps.step_result import StepResult
from easops.report import FILES
from easops.status import Status

from ..samples import ANNA, AT, LIMITED, PHONE, REPORT, STORM, item, recorded

HOSTILE = '<script>alert(1)</script>"><img src=x onerror=alert(1)>{{ 7 * 7 }}'


class Page(HTMLParser):
    """The text that a person sees, and all tags with their attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text = ""
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self._unseen = False
        self.feed(page)
        self.text = " ".join(self.text.split())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._unseen = tag == "style"
        self.text += " "

    def handle_endtag(self, tag: str) -> None:
        self._unseen = False

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.text += data


def page(report: RunReport = REPORT) -> Page:
    return Page(FILES["html"].render(report))


def test_the_page_shows_a_run_in_the_order_in_which_people_ask() -> None:
    seen = page(recorded()).text
    texts = [
        "Cure a storm", "20261124-170000-abcd", "Refused", "What was found", "anna@contoso.example",
        "15 contact syncs over 2000 RPC", "To watch, not acted on", "nina@contoso.example", "Before and after",
        "95.0 percent", "12.0 percent", "What was changed", "none → ours", "Proof",
        "It has ended: no more hits of anna@contoso.example",
        "EX1 95.0 → 12.0 percent",
        "What is open, or was not judged", "Refused: bob@contoso.example: protected", "What to type next",
        "easops undo 20261124-170000-abcd", "Evidence", "line 1", "Run by", "night on desk", "window=1h",
    ]  # fmt: skip
    places = [seen.find(words, 0 if at == 0 else seen.find(texts[at - 1])) for at, words in enumerate(texts)]
    assert -1 not in places, texts[places.index(-1)]
    assert places == sorted(places)


def test_what_a_client_sent_is_text_wherever_it_stands() -> None:
    phone = attrs.evolve(PHONE, user_agent=HOSTILE, device_id=HOSTILE, device_type=HOSTILE)
    user = attrs.evolve(ANNA, user=HOSTILE, evidence=HOSTILE, devices=(phone,), samples=(HOSTILE,), hosts=(HOSTILE,))
    storm = attrs.evolve(
        STORM,
        users=(user,),
        watch=(user,),
        undetermined=(Undetermined("user", HOSTILE, HOSTILE, True),),
        notes=(HOSTILE,),
        sentences={HOSTILE: HOSTILE},
        series=(Series(HOSTILE, HOSTILE, HOSTILE, AT, 60, (1,)),),
    )
    step = StepResult(1, HOSTILE, "detect", HOSTILE, Status.OK, HOSTILE, (HOSTILE,), HOSTILE, storm)
    report = attrs.evolve(REPORT, playbook=HOSTILE, lab=HOSTILE, limit=HOSTILE, steps=(step, *REPORT.steps))
    seen = page(attrs.evolve(report, problem=UnreachableHost(HOSTILE, HOSTILE, HOSTILE)))
    assert not {tag for tag, _ in seen.tags} & {"script", "img"}
    assert not [names for _, names in seen.tags if any(name.startswith("on") for name in names)]
    assert seen.text.count("<script>alert(1)</script>") > 20
    assert "49" not in seen.text


def test_nothing_is_fetched_and_nothing_executed() -> None:
    text = FILES["html"].render(recorded())
    seen = Page(text)
    links = {
        value
        for _, names in seen.tags
        for name, value in names.items()
        if name in ("href", "src", "srcset", "action", "data", "xlink:href")
    }
    assert links == {"data:,"}
    assert {tag for tag, _ in seen.tags} & {"script", "iframe", "object", "embed", "base"} == set()
    assert set(re.findall(r"url\(([^)]*)\)", text)) == {"#hatch"}
    assert "@import" not in text


def test_every_plot_has_a_name_a_description_and_its_figures_in_a_table() -> None:
    storm = attrs.evolve(STORM, series=(Series("EX1", "contact syncs", "requests", AT, 60, (3, 0, 41)),))
    step = attrs.evolve(REPORT.steps[0], detection=storm)
    seen = page(attrs.evolve(REPORT, steps=(step,)))
    (plot,) = [names for tag, names in seen.tags if tag == "svg" and names.get("role") == "img"]
    ids = {names["id"] for tag, names in seen.tags if tag in ("title", "desc") and "id" in names}
    assert ids == set(str(plot["aria-labelledby"]).split())
    assert "Contact syncs, a minute" in seen.text
    assert "2026-11-24 17:00 3 2026-11-24 17:01 0 2026-11-24 17:02 41" in seen.text


def test_a_minute_that_was_not_observed_is_no_zero() -> None:
    first = Series("EX1", "contact syncs", "requests", AT, 60, (3,))
    second = attrs.evolve(first, host="EX2", values=(1, 2))
    step = attrs.evolve(REPORT.steps[0], detection=attrs.evolve(STORM, series=(first, second)))
    seen = page(attrs.evolve(REPORT, steps=(step,)))
    assert "2026-11-24 17:00 3 1 2026-11-24 17:01 not observed 2" in seen.text
    assert [names["width"] for tag, names in seen.tags if names.get("class") == "gap"] == ["50%"]


def test_under_check_it_says_what_would_be_changed() -> None:
    items = tuple(attrs.evolve(item, status=Status.WOULD_CHANGE) for item in REPORT.steps[2].items[:1])
    assert REPORT.steps[2].done is not None
    step = attrs.evolve(REPORT.steps[2], status=Status.OK, done=attrs.evolve(REPORT.steps[2].done, items=items))
    seen = page(attrs.evolve(REPORT, run_id=None, status=Status.WOULD_CHANGE, checked=True, steps=(step,)))
    assert "Would change Everything was read, nothing was changed: 1 change would be made." in seen.text
    assert "What would be changed" in seen.text
    assert "What to type next Make these changes: the same command without --check Evidence" in seen.text


def test_what_kept_a_run_from_its_first_step_stands_there_with_the_next_step() -> None:
    seen = page(
        attrs.evolve(
            REPORT,
            steps=(),
            status=Status.UNREACHABLE,
            problem=UnreachableHost("EX1 does not answer", "nothing listens there", "check the firewall"),
        )
    )
    assert "Not reached The run ended before its first step." in seen.text
    assert "EX1 does not answer Why: nothing listens there Next: check the firewall" in seen.text


def test_of_a_run_that_died_every_change_is_shown_that_it_may_have_made() -> None:
    change = AssociateThrottlingPolicy("anna@contoso.example", "guid-1", None, "ours")
    report = attrs.evolve(REPORT, steps=REPORT.steps[:2], status=Status.OK)
    seen = page(recorded(report, ended=None, status=None, view={"changes": ((change, None),)})).text
    assert "throttling policy of anna@contoso.example none → ours unknown: no outcome is recorded exact" in seen
    assert "Nothing." not in seen
    assert "easops runs reconcile 20261124-170000-abcd" in seen


def test_who_is_to_approve_sees_what_is_planned_and_the_command() -> None:
    what = f"ActiveSync of {ANNA.user}"
    planned = PlannedChange(3, None, "block_user", "contoso", ANNA.user, what, None, True, False, "exact")
    me = Person("night", "desk")
    asks = Approval("Block anna? <b>", (planned,), "d" * 64, "somebody_else", asked_by=(me,), until=AT)
    step = StepResult(2, "Agree", "approval", "", Status.AWAITING_APPROVAL, reason="nobody has approved", approval=asks)
    report = attrs.evolve(REPORT, status=Status.AWAITING_APPROVAL, steps=(REPORT.steps[0], step), unfinished=True)
    run = recorded(report).record
    assert run is not None
    seen = page(recorded(report, view={"pending": PendingApproval(run.run, step, asks, None)})).text
    assert "Awaiting approval" in seen
    assert f"Block anna? <b> nobody has approved What is planned Before → after By Undo {what} on → off step 3" in seen
    assert f"step 3, block user exact Digest {'d' * 64} Asked by {me}" in seen
    assert "somebody other than the requester Until 2026-11-24 17:00:00Z" in seen
    assert "easops approve 20261124-170000-abcd" in seen
    assert "Awaiting approval: Agree: 1 planned change" in seen


def test_the_policy_stands_before_its_values_also_where_a_record_has_them_sorted() -> None:
    limited = item(
        ANNA.user, Status.CHANGED, before={"max_burst": 9, "policy": None}, after={"max_burst": 5, "policy": "x"}
    )
    step = attrs.evolve(REPORT.steps[2], status=Status.CHANGED, done=attrs.evolve(LIMITED, items=(limited,)))
    assert "policy none → x max burst 9 → 5" in page(attrs.evolve(REPORT, steps=(step,))).text


def test_evidence_is_not_repeated_as_a_reason() -> None:
    seen = page().text
    assert "because 15 contact syncs" not in seen.partition("All steps, as text")[0]
    assert "because x" in seen


def test_who_is_no_longer_found_is_the_proof() -> None:
    assert "It has ended: no more hits of anna@contoso.example proved" in page().text
    assert "no more hits of anna@contoso.example, bob" not in page().text  # he was protected, not treated


def test_a_user_without_devices_is_shown_with_the_evidence() -> None:
    found = Detection("contact_sync_storm", users=(UserFinding("x", None, False, 3, (), (), None, "3 syncs"),))
    step = StepResult(1, "Who", "detect", "contact_sync_storm", Status.OK, detection=found)
    assert "x as logged, not resolved to a mailbox 3 syncs" in page(attrs.evolve(REPORT, steps=(step,))).text
