"""Changes whose intent is recorded before anything is sent, and whose outcome is recorded after."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from easops.actions.change import Change, ChangeOutcome
from easops.actions.perform import perform
from easops.playbook.execution.apply_changes import host_time
from easops.playbook.execution.durable_step import durable_step
from easops.playbook.execution.execution import ApprovalLapsed, Execution
from easops.playbook.execution.interrupted import Interrupted
from easops.playbook.execution.journal import Journal
from easops.playbook.record.sending import RecordedChange, moment, recorded_changes
from easops.playbook.steps.approval_request import RULE
from easops.playbook.steps.codec import Json, from_json, to_json
from easops.status import AS_WANTED, Status


class DurableChanges:
    """The ``RecordedChanges`` (``easops.playbook.execution.apply_changes``) of a child of a run, in its *journal*.

    *approved_until* is the time until which the approval of these changes stays valid; None if they need none.
    """

    def __init__(self, execution: Execution, journal: Journal, approved_until: dt.datetime | None) -> None:
        self._execution, self._journal, self._approved_until = execution, journal, approved_until

    def _once(self, name: str, call: Callable[[], Json]) -> Json:
        return durable_step(self._execution, self._journal, name, call)

    def perform(self, key: str, change: Change) -> ChangeOutcome:
        execution = self._execution
        # One change may be tried in several attempts of a run: the record has an intent for each.
        recorded_key = f"{execution.attempt_id}/{key}"

        def record_intent() -> Json:
            body = {"change": to_json(change), **moment(execution.context.clock, execution.clock_name)}
            execution.store.write(execution.run_id, "intent", recorded_key, body)
            execution.own_intents.add(key)
            return body

        def before_write() -> None:
            try:
                execution.may_send_under(self._approved_until)
            except Interrupted as stop:
                if stop.why is None and key in execution.own_intents:
                    # Known not to be sent. A process that died may have sent an intent that it recorded.
                    outcome = ChangeOutcome(Status.NOT_STARTED, "not sent: the run was stopped before it")
                    execution.store.write(execution.run_id, "outcome", recorded_key, to_json(outcome))
                raise
            if key not in execution.own_intents:
                # An earlier process may have recorded an outcome, such as "not sent". It is no longer true.
                outcome = ChangeOutcome(Status.UNKNOWN, "sent again; no outcome is recorded")
                execution.store.write(execution.run_id, "outcome", recorded_key, to_json(outcome))
            sending = moment(execution.context.clock, execution.clock_name)
            execution.store.write(execution.run_id, "sent", recorded_key, sending)

        def make_change() -> Json:
            recorded = None if key in execution.own_intents else _recorded(recorded_key, execution)
            if recorded is not None and recorded.outcome is not None and recorded.outcome.status in AS_WANTED:
                return to_json(recorded.outcome)
            sent = None if recorded is None else recorded.sent
            try:
                outcome = perform(change, execution.context, sent=sent, guard=before_write)
            except ApprovalLapsed as lapsed:
                outcome = ChangeOutcome(Status.REFUSED, str(lapsed), rule=RULE)
            execution.store.write(execution.run_id, "outcome", recorded_key, to_json(outcome))
            return to_json(outcome)

        with execution.in_flight():
            execution.at_boundary()
            self._once(f"{key}.intent", record_intent)
            return from_json(self._once(f"{key}.change", make_change), ChangeOutcome)

    def host_time(self, key: str, host: str) -> dt.datetime | None:
        text = self._once(key, lambda: to_json(host_time(host, self._execution.context)))
        return None if text is None else dt.datetime.fromisoformat(text)


def _recorded(key: str, execution: Execution) -> RecordedChange:
    """The change as an earlier process of the run recorded it."""
    changes = recorded_changes(execution.store.get(execution.run_id), execution.store)
    return next(recorded for recorded in changes if recorded.key == key)
