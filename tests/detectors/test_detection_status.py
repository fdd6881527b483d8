"""The status of a detect step, and of a verify step."""

from __future__ import annotations

import pytest

from easops.detectors.detection_status import detect_status, verify_status
from easops.detectors.finding import Detection, Undetermined
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


def test_a_playbook_may_accept_some_unreachable_hosts() -> None:
    assert detect_status(Detection("x", unreachable=(LOST,)), unreachable_allowed=1) is Status.OK
    two = Detection("x", unreachable=(LOST, LOST))
    assert detect_status(two, unreachable_allowed=1) is Status.UNREACHABLE
