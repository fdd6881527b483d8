"""A run that ended with an unfinished step, is resumed in a second attempt, and is killed in the middle of it."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from easops.lab.value import CmdletFailed, ErrorInfo
from easops.playbook.record.run_view import show_run
from easops.status import Status

from .kill_matrix import USER, WORLD
from .stage import Killed, Stage, new_stage
from .tasks import Kill, resume_run, run_text, undo_run

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is needed to kill a run")]

CURE = f"""
easops: 1
name: cure
hosts: all
steps:
  - {{name: limit, do: limit_eas_usage, with: {{user: {USER}}}}}
  - {{name: free, do: recycle_app_pool, on: all, because: it holds on}}
"""


def refusing_once(stage: Stage, server: str) -> None:
    """That server refuses its next recycle."""
    perform, left = stage.lab.world.perform, [server]

    def refusing(cmdlet: Any, call: Any, moment: Any = None) -> Any:
        if cmdlet.name == "Restart-WebAppPool" and call.server in left:
            left.remove(call.server)
            raise CmdletFailed(ErrorInfo("Not now.", "System.Exception", "X", "NotSpecified", cmdlet.name))
        return perform(cmdlet, call, moment)

    setattr(stage.lab.world, "perform", refusing)  # noqa: B010


@pytest.mark.parametrize("moment", ["enqueued", "after-intent", "acted", "recorded", "child-ended"])
def test_a_second_attempt_that_was_killed_is_resumed_too_and_nothing_is_done_twice(tmp_path: Path, moment: str) -> None:
    with new_stage(tmp_path, WORLD) as stage:
        before = stage.reads()
        refusing_once(stage, "AMS-EX02")
        first = stage.in_process(run_text, CURE, stage.lab.inventory)
        run_id = str(first.run_id)
        assert [str(step.status) for step in first.steps] == ["changed", "failed"]
        assert [str(item.status) for item in first.steps[1].items] == ["changed", "failed"]
        assert first.unfinished
        windows = stage.hosts[1].windows
        assert windows is not None

        with pytest.raises(Killed):
            stage.in_process(resume_run, run_id, Kill(moment, f"2.{windows.address}.0.0"))
        died = show_run(run_id, stage.state)
        assert (died.status, died.run.attempts) == ("died", 2)
        second = stage.in_process(resume_run, run_id)

        assert [str(step.status) for step in second.steps] == ["changed", "changed"]
        assert not second.unfinished
        assert [(server, cmdlet) for server, cmdlet, _ in stage.sent()] == [
            ("AMS-EX01", "New-ThrottlingPolicy"),
            ("AMS-EX01", "Set-ThrottlingPolicyAssociation"),
            ("AMS-EX01", "Restart-WebAppPool"),
            ("AMS-EX02", "Restart-WebAppPool"),
        ]
        assert stage.in_process(undo_run, run_id).status is Status.UNDONE
        assert stage.reads() == before
