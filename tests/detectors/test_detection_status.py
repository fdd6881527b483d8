"""The status of a detect step, and of a verify step."""

from __future__ import annotations

import attrs
import pytest

from easops.detectors.detection_status import detect_status, judged_enough, verify_status
from easops.detectors.finding import Detection, Undetermined, UserFinding
from easops.remoting.unreachable import Unreachable
from easops.status import Status

LOST = Unreachable("EX2", "EX2 does not answer", "no route")
NOT_JUDGED = Undetermined("host", "EX3", "no log", True, "EX3")
ONLY_MET = Undetermined("user", "CONTOSO\\x", "there is no mailbox of this name", False)


@pytest.mark.parametrize(
    ("detection", "detect", "verify"),
    [
        pytest.param(Detection("x"), Status.OK, Status.OK, id="nothing found"),
        pytest.param(Detection("x", hosts=("EX1",)), Status.OK, Status.VERIFY_FAILED, id="found"),
        pytest.param(Detection("x", undetermined=(ONLY_MET,)), Status.OK, Status.OK, id="a user met in a log"),
        pytest.param(Detection("x", undetermined=(NOT_JUDGED,)), Status.UNDETERMINED, Status.UNDETERMINED, id="a host"),
        pytest.param(Detection("x", unreachable=(LOST,)), Status.UNREACHABLE, Status.UNREACHABLE, id="unreachable"),
        pytest.param(
            Detection("x", unreachable=(LOST,), undetermined=(NOT_JUDGED,)),
            Status.UNDETERMINED,
            Status.UNDETERMINED,
            id="both: the worse one",
        ),
        pytest.param(
            Detection("x", hosts=("EX1",), unreachable=(LOST,), undetermined=(NOT_JUDGED,)),
            Status.UNDETERMINED,
            Status.VERIFY_FAILED,
            id="found, and not judged everywhere",
        ),
    ],
)
def test_the_status_is_the_worst_that_applies(detection: Detection, detect: Status, verify: Status) -> None:
    assert (detect_status(detection), verify_status(detection)) == (detect, verify)


def test_changes_may_follow_while_few_hosts_gave_no_verdict() -> None:
    one = Detection("x", unreachable=(LOST,))
    two = attrs.evolve(one, undetermined=(NOT_JUDGED,))

    assert [judged_enough(one, allowed) for allowed in (0, 1)] == [False, True]
    assert [judged_enough(two, allowed) for allowed in (1, 2)] == [False, True]


def test_a_user_whose_mailbox_is_not_known_is_undetermined_and_stops_nothing() -> None:
    found = Detection("x", unresolved=(UserFinding("x", None, False, 3, (), (), None, "3 syncs"),))

    assert detect_status(found) is Status.UNDETERMINED
    assert judged_enough(found, 0)
