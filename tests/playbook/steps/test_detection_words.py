"""What a verify says while it goes on."""

from __future__ import annotations

from easops.detectors.finding import Detection, Undetermined
from easops.playbook.steps.detection_words import waiting_for


def test_a_verify_waits_for_the_longest_reason_and_knows_whether_it_says_how_long() -> None:
    short, long, never = (
        Undetermined("user", "anna", why, True, "EX1", seconds)
        for why, seconds in (("1 min yet", 60.0), ("5 min yet", 300.0), ("the log has not moved", None))
    )
    assert waiting_for(Detection("flood", undetermined=(short, never, long))) == ("5 min yet", True)
    assert waiting_for(Detection("flood", undetermined=(never,))) == ("the log has not moved", False)
    assert waiting_for(Detection("flood", hosts=("EX1",), undetermined=(long,))) == ("the fault is still there", False)
