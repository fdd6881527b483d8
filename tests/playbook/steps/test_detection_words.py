"""What is said of a verify that goes on looking."""

from __future__ import annotations

from easops.detectors.finding import Detection, Undetermined
from easops.playbook.steps.detection_words import waiting_for


def test_what_takes_longest_is_told_and_that_it_says_itself_how_long_yet() -> None:
    short, long, never = (
        Undetermined("user", "anna", why, True, "EX1", seconds)
        for why, seconds in (("1 min yet", 60.0), ("5 min yet", 300.0), ("the log has not moved", None))
    )
    assert waiting_for(Detection("flood", undetermined=(short, never, long))) == ("5 min yet", True)
    assert waiting_for(Detection("flood", undetermined=(never,))) == ("the log has not moved", False)
    assert waiting_for(Detection("flood", hosts=("EX1",), undetermined=(long,))) == ("the fault is still there", False)
