"""The end of a run before its end: it was stopped, or has to stop."""

from __future__ import annotations

from easops.errors import EasopsError


class Interrupted(BaseException):
    """The run was stopped, or it had to stop. It can be resumed, in another process.

    It is not an ``Exception``, so that nothing on the way takes it for the outcome of a step. The process that caught
    it keeps the run's lock and executes no other run: it should end.

    *finished* is False if a write was still under way, so that its outcome is not recorded. *why* is the reason; None
    if somebody stopped the run. *unmarked* is the error because of which the record does not show that somebody did.
    """

    def __init__(
        self, finished: bool = True, why: EasopsError | None = None, unmarked: EasopsError | None = None
    ) -> None:
        super().__init__()
        self.finished = finished
        self.why = why
        self.unmarked = unmarked
