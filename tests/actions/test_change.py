"""Carrying out a change: read, write what differs, read back, and tell the truth about it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, cast

import attrs
import pytest

from easops.actions.change import LeftAlone, Standing, perform, settle
from easops.clock import SystemClock
from easops.context import Context
from easops.errors import CommandFailed, EasopsError, OutcomeUnknown, UnreachableHost
from easops.exchange.organisation import Organisation
from easops.remoting.pool import Sessions
from easops.status import Status


class Waitless(SystemClock):
    """Time passes when somebody sleeps."""

    seconds = 0.0

    def monotonic(self) -> float:
        return self.seconds

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds


NOBODY = cast("Sessions", None)  # a light is reached without a session
AROUND = Context(NOBODY, Organisation((), NOBODY), Waitless())


@attrs.define
class Light:
    """A switch that may fail on the way: *fails* is raised by the write, which *reaches* the light or not."""

    kind: ClassVar[str] = "light"
    undo: ClassVar[str] = "exact"
    subject: ClassVar[str] = "the light"
    rests_on: ClassVar[str] = ""

    lit: Any = False
    before: Any = False
    after: Any = True
    fails: Exception | None = None
    reaches: bool = True
    read_fails: Callable[[int], EasopsError | None] = lambda times: None
    missing: str = ""
    patience: float = 0.0
    slow: int = 0
    """How many reads it takes until the light shows that it was lit."""
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
        return self.lit

    def standing(self, state: Any) -> Standing:
        if state == self.after:
            return Standing.AFTER
        return Standing.BEFORE if state == self.before else Standing.OTHER

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
        (Light(reaches=False), Status.FAILED, 1),
        (Light(slow=3, patience=60), Status.CHANGED, 1),
        (Light(slow=3, patience=60, fails=LOST), Status.CHANGED, 1),
        (Light(reaches=False, patience=60), Status.VERIFY_FAILED, 1),
        (Light(fails=LeftAlone("in use"), reaches=False), Status.SKIPPED, 1),
        (Light(missing="the old bulb is still warm"), Status.VERIFY_FAILED, 1),
        (Light(read_fails=lambda times: AWAY), Status.UNREACHABLE, 0),
        (Light(read_fails=lambda times: LOST), Status.UNREACHABLE, 0),
        (Light(read_fails=lambda times: REFUSED), Status.FAILED, 0),
        (Light(read_fails=lambda times: AWAY if times > 1 else None), Status.UNKNOWN, 1),
        (Light(fails=LOST, read_fails=lambda times: AWAY if times > 1 else None), Status.UNKNOWN, 1),
    ],
    ids=[
        "done",
        "so already",
        "drift",
        "reply lost, done",
        "reply lost, not done",
        "refused",
        "refused, and yet done",
        "never sent",
        "taken, but it reads back as before",
        "done, and shown after a while",
        "reply lost, done, and shown after a while",
        "taken, but never shown",
        "left alone",
        "done, not proven",
        "unreachable at the first read",
        "no answer to the first read",
        "first read refused",
        "done, not read back",
        "reply lost, not read back",
    ],
)
def test_the_outcome_is_what_was_observed(light: Light, status: Status, writes: int) -> None:
    outcome = perform(light, AROUND)
    assert (outcome.status, light.writes) == (status, writes)


def test_a_resumed_run_that_finds_its_change_made_counts_it_as_its_own() -> None:
    light = Light(lit=True)
    assert perform(light, AROUND, resumed=True).status is Status.CHANGED
    assert light.writes == 0


def test_the_guard_is_asked_just_before_the_write() -> None:
    class Stop(BaseException): ...

    def guard() -> None:
        raise Stop

    light = Light()
    with pytest.raises(Stop):
        perform(light, AROUND, guard=guard)
    assert (light.reads, light.writes) == (1, 0)


@pytest.mark.parametrize(("lit", "status"), [(True, Status.CHANGED), (False, Status.FAILED), ("blue", Status.UNKNOWN)])
def test_an_unknown_outcome_is_settled_by_reading(lit: Any, status: Status) -> None:
    light = Light(lit=lit)
    assert settle(light, AROUND).status is status
    assert light.writes == 0
