"""A step of a journal: it is done once, and a replay gets its recorded value."""

from __future__ import annotations

from collections.abc import Callable

from easops import errors
from easops.errors import EasopsError
from easops.playbook.execution.execution import Execution
from easops.playbook.execution.journal import Journal
from easops.playbook.record.database import DATABASE_GONE
from easops.playbook.steps.codec import Json


def durable_step(execution: Execution, journal: Journal, name: str, call: Callable[[], Json]) -> Json:
    """The JSON value of *call*, which is called the first time only. Raises the ``EasopsError`` that it raised then.

    The error is recorded as a value and raised outside of the step: DBOS would store the exception pickled, and would
    raise one of its own types on a replay.
    """

    def outcome() -> Json:
        try:
            return {"value": call()}
        except DATABASE_GONE as error:
            execution.give_up(error)
        except EasopsError as error:
            return {"error": [type(error).__name__, error.what, error.why, error.next_step, _details(error)]}

    recorded = journal.step(name, outcome)
    if "error" in recorded:
        raise _error(*recorded["error"])
    return recorded["value"]


def _details(error: EasopsError) -> dict[str, str]:
    return {name: getattr(error, name) for name in ("rule", "reason") if isinstance(getattr(error, name, None), str)}


def _error(kind: str, what: str, why: str, next_step: str, details: dict[str, str]) -> EasopsError:
    class_ = getattr(errors, kind, EasopsError)  # of an error class that is not in easops.errors, only the text is kept
    error: EasopsError = class_(what, why, next_step, **details)
    return error
