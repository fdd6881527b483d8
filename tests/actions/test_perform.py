"""Carrying out a change: read, write what differs, read back, and report what was observed."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from typing import Any, ClassVar, cast

import attrs
import pytest

from easops.actions.change import Comparison, WriteSkipped
from easops.actions.perform import SETTLE_WAIT, perform, settle
from easops.actions.sent import LANDS_WITHIN, SENT_WITHIN, Sent
from easops.clock import SystemClock
from easops.context import Context
from easops.errors import CommandFailed, EasopsError, OutcomeUnknown, UnreachableHost
from easops.exchange.organisation import Organisation
from easops.remoting.pool import Sessions
from easops.status import Status


class JumpingClock(SystemClock):
    """Time passes only when somebody sleeps."""

    seconds = 0.0

    def now(self) -> dt.datetime:
        return dt.datetime(2026, 11, 24, 17, 0, tzinfo=dt.UTC) + dt.timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


NO_SESSIONS = cast("Sessions", None)  # a light needs no session


def new_context() -> Context:
    return Context(NO_SESSIONS, Organisation((), NO_SESSIONS), JumpingClock())


@attrs.define
class Light:
    """A light to switch on. *fails* is raised by the write, which *reaches* the light or does not."""

    kind: ClassVar[str] = "light"
    undo: ClassVar[str] = "exact"
    subject: ClassVar[str] = "the light"
    depends_on: ClassVar[str] = ""
    waits_for_recycle: ClassVar[bool] = False

    lit: Any = False
    before: Any = False
    after: Any = True
    fails: Exception | None = None
    reaches: bool = True
    read_fails: Callable[[int], EasopsError | None] = lambda times: None
    missing: str = ""
    visible_within: float = 0.0
    slow: int = 0
    """How many reads still show the light as it was before."""
    lands_at: float | None = None
    """When a write that did not reach the light at once does, in seconds; None if never."""
    writes: int = 0
    reads: int = 0

    def read(self, context: Context) -> Any:
        self.reads += 1
        error = self.read_fails(self.reads)
        if error is not None:
            raise error
        if self.writes and self.slow:
            self.slow -= 1
            return self.before
        if self.lands_at is not None and context.clock.monotonic() >= self.lands_at:
            return self.after
        return self.lit

    def compare(self, state: Any) -> Comparison:
        if state == self.after:
            return Comparison.AFTER
        return Comparison.BEFORE if state == self.before else Comparison.NEITHER

    def write(self, context: Context) -> None:
        self.writes += 1
        if self.reaches:
            self.lit = self.after
        if self.fails is not None:
            raise self.fails

    def inverse(self) -> Light:
        return attrs.evolve(self, before=self.after, after=self.before)

    def prove(self, context: Context) -> str:
        return self.missing


LOST = OutcomeUnknown("no answer")
REFUSED = CommandFailed("no")
AWAY = UnreachableHost("away")


@pytest.mark.parametrize(
    ("light", "status", "writes"),
    [
        (Light(), Status.CHANGED, 1),
        (Light(lit=True), Status.OK, 0),
        (Light(lit="blue"), Status.REFUSED, 0),
        (Light(fails=LOST), Status.CHANGED, 1),
        (Light(fails=LOST, reaches=False), Status.FAILED, 1),
        (Light(fails=REFUSED, reaches=False), Status.FAILED, 1),
        (Light(fails=REFUSED), Status.CHANGED, 1),
        (Light(fails=AWAY, reaches=False), Status.UNREACHABLE, 1),
        (Light(reaches=False), Status.VERIFY_FAILED, 1),
        (Light(slow=3, visible_within=60), Status.CHANGED, 1),
        (Light(slow=3, visible_within=60, fails=LOST), Status.CHANGED, 1),
        (Light(reaches=False, visible_within=60), Status.VERIFY_FAILED, 1),
        (Light(fails=WriteSkipped("in use"), reaches=False), Status.SKIPPED, 1),
        (Light(missing="the old bulb is still warm"), Status.VERIFY_FAILED, 1),
        (Light(read_fails=lambda times: AWAY), Status.UNREACHABLE, 0),
        (Light(read_fails=lambda times: LOST), Status.UNREACHABLE, 0),
        (Light(read_fails=lambda times: REFUSED), Status.FAILED, 0),
        (Light(read_fails=lambda times: AWAY if times > 1 else None), Status.UNKNOWN, 1),
        (Light(fails=LOST, read_fails=lambda times: AWAY if times > 1 else None), Status.UNKNOWN, 1),
    ],
    ids=[
        "done",
        "already as wanted",
        "drift",
        "reply lost, done",
        "reply lost, not done",
        "refused",
        "refused, but done",
        "never sent",
        "accepted, but it reads back as before",
        "done, and visible after a while",
        "reply lost, done, and visible after a while",
        "accepted, but never visible",
        "write skipped",
        "done, not proved",
        "unreachable at the first read",
        "no answer to the first read",
        "first read refused",
        "done, not read back",
        "reply lost, not read back",
    ],
)
def test_the_outcome_is_what_was_observed(light: Light, status: Status, writes: int) -> None:
    outcome = perform(light, new_context())
    assert (outcome.status, light.writes) == (status, writes)


@pytest.mark.parametrize(
    ("light", "status", "writes", "waited"),
    [
        (Light(lit=True), Status.CHANGED, 0, 0),
        (Light(), Status.CHANGED, 1, SENT_WITHIN + LANDS_WITHIN - 10),
        (Light(lands_at=20), Status.CHANGED, 0, 20),
        (Light(lit="blue"), Status.UNKNOWN, 0, SENT_WITHIN + LANDS_WITHIN - 10),
        (Light(read_fails=lambda times: AWAY), Status.UNKNOWN, 0, SENT_WITHIN + LANDS_WITHIN - 10),
        (Light(read_fails=lambda times: REFUSED), Status.UNKNOWN, 0, SENT_WITHIN + LANDS_WITHIN - 10),
        (
            Light(read_fails=lambda times: AWAY if times < 3 else None),
            Status.CHANGED,
            1,
            SENT_WITHIN + LANDS_WITHIN - 10,
        ),
    ],
    ids=[
        "it was done",
        "it was not done: sent again",
        "it is carried out late",
        "drift",
        "unreachable",
        "the read is refused",
        "unreachable at first",
    ],
)
def test_a_change_that_a_dead_process_sent_is_waited_for_before_anything_is_sent(
    light: Light, status: Status, writes: int, waited: float
) -> None:
    context = new_context()
    sent = Sent(context.clock.now() - dt.timedelta(seconds=10))

    outcome = perform(light, context, sent=sent)

    assert (outcome.status, light.writes) == (status, writes)
    assert waited <= context.clock.monotonic() <= waited + SETTLE_WAIT


def test_a_change_that_a_dead_process_sent_says_that_it_may_be_somebody_elses() -> None:
    assert "somebody else may have done the same" in perform(Light(lit=True), new_context(), sent=Sent()).reason


@pytest.mark.parametrize("hours", [-5, 5], ids=["the clock was set back", "long ago"])
def test_how_long_a_change_may_still_show(hours: int) -> None:
    clock = new_context().clock
    sent = Sent(clock.now() - dt.timedelta(hours=hours))
    assert sent.may_show_for(30, clock) == (0 if hours > 0 else SENT_WITHIN + LANDS_WITHIN + 30)


@pytest.mark.parametrize("seconds", [8, 13, 18, 59])
def test_a_write_whose_connection_broke_and_that_lands_late_is_changed(seconds: float) -> None:
    light = Light(fails=LOST, reaches=False, lands_at=seconds)
    assert perform(light, new_context()).status is Status.CHANGED
    assert light.writes == 1


def test_a_write_without_an_answer_is_not_done_only_when_it_is_over() -> None:
    context = new_context()
    outcome = perform(Light(fails=LOST, reaches=False), context)
    assert outcome.status is Status.FAILED
    assert context.clock.monotonic() >= LANDS_WITHIN


def test_a_write_that_was_sent_at_the_last_attempt_may_land_as_late_as_one_that_was_sent_at_the_first() -> None:
    context = new_context()

    class AtTheEnd(Light):
        def write(self, context: Context) -> None:
            context.clock.sleep(59)  # attempts that reached nobody
            self.lands_at = context.clock.monotonic() + 44
            super().write(context)

    light = AtTheEnd(fails=LOST, reaches=False)
    assert perform(light, context).status is Status.CHANGED


def test_a_refused_write_is_over_and_one_read_decides() -> None:
    context, light = new_context(), Light(fails=REFUSED, reaches=False)
    assert perform(light, context).status is Status.FAILED
    assert (context.clock.monotonic(), light.reads) == (0, 2)


def test_the_guard_is_called_just_before_the_write() -> None:
    class Stop(BaseException): ...

    def guard() -> None:
        raise Stop

    light = Light()
    with pytest.raises(Stop):
        perform(light, new_context(), guard=guard)
    assert (light.reads, light.writes) == (1, 0)


@pytest.mark.parametrize(("lit", "status"), [(True, Status.CHANGED), (False, Status.FAILED), ("blue", Status.UNKNOWN)])
def test_an_unknown_outcome_is_settled_by_reading(lit: Any, status: Status) -> None:
    context, light = new_context(), Light(lit=lit)
    assert settle(light, context, Sent()).status is status
    assert light.writes == 0
    assert (context.clock.monotonic() >= LANDS_WITHIN) is (lit is not True)
