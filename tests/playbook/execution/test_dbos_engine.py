"""What easops rests on in its engine, each finding a test."""

from __future__ import annotations

import datetime as dt
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

import easops
from easops.errors import Refused
from easops.playbook.assessment.run_report import RunReport
from easops.playbook.execution.json_serializer import JsonSerializer
from easops.playbook.record.run_store import RunStore
from easops.playbook.record.run_view import list_runs
from easops.playbook.record.state_folder import StateFolder
from easops.status import Status

pytestmark = pytest.mark.slow

Start = Callable[..., Any]
USER = "laura.brandt@contoso.example"


def block(rig: Any, **more: Any) -> RunReport:
    more.setdefault("confirm", True)
    return easops.do("block_user", rig.hosts, {"user": USER}, state=rig.state, **more)


def sqlite(rig: Any) -> sqlite3.Connection:
    return sqlite3.connect(rig.state.path / "easops.sqlite")


def test_what_the_engine_keeps_is_json_and_never_pickled(rig: Start) -> None:
    lab = rig("contacts-storm")
    assert block(lab).status is Status.CHANGED
    with sqlite(lab) as held:
        formats = {row[0] for row in held.execute("select distinct serialization from workflow_status")}
    assert formats == {"easops_json"}


def test_each_step_is_named_after_what_it_does(rig: Start) -> None:
    lab = rig("contacts-storm")
    block(lab)
    with sqlite(lab) as held:
        names = [row[0] for row in held.execute("select function_name from operation_outputs")]
    assert {"0.facts", "1.do.block_user.0", "confirm", "1.do.block_user.ended"} <= set(names)
    assert {"1.organisation contoso.0.0.intent", "1.organisation contoso.0.0.change"} <= set(names)


def test_an_intent_is_recorded_before_anything_is_sent(rig: Start, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = rig("contacts-storm")
    seen: list[int] = []
    perform = lab.lab.world.perform

    def looking(cmdlet: Any, call: Any, moment: Any = None) -> Any:
        if cmdlet.name == "Set-CASMailbox":
            with sqlite(lab) as held:
                (count,) = held.execute("select count(*) from easops_entries where kind = 'intent'").fetchone()
            seen.append(count)
        return perform(cmdlet, call, moment)

    lab.lab.world.perform = looking
    block(lab)
    assert seen == [1]


class Clumsy(easops.Observer):
    """An observer, and one who confirms, that raises where it is told to."""

    def __init__(self, where: str = "", meanwhile: Callable[[], Any] | None = None) -> None:
        self.where, self.meanwhile = where, meanwhile
        self.refused: list[Exception] = []

    def _stumble(self, where: str) -> None:
        if where == self.where:
            raise ValueError(f"clumsy: {where}")

    def started(self, run_id: str | None) -> None:
        self._stumble("started")

    def progress(self, text: str) -> None:
        self._stumble("progress")
        if self.meanwhile is not None:
            try:
                self.meanwhile()
            except Refused as error:
                self.refused.append(error)

    def finished(self, result: Any) -> None:
        self._stumble("finished")

    def confirm(self, preview: Any) -> bool:
        self._stumble("confirm")
        return True


def test_a_process_executes_one_run_at_a_time_and_who_is_refused_for_that_leaves_no_record(rig: Start) -> None:
    lab = rig("contacts-storm")
    second = Clumsy(meanwhile=lambda: block(lab))

    first = block(lab, observer=second)

    assert second.refused
    assert all(str(error).startswith("this process executes a run already") for error in second.refused)
    assert [view.run.run_id for view in list_runs(lab.state)] == [first.run_id]
    assert easops.undo(str(first.run_id), confirm=True, state=lab.state).status is Status.UNDONE


def test_what_a_callers_function_raises_ends_no_run_in_its_middle(rig: Start) -> None:
    lab = rig("contacts-storm")
    ended = {"started": Status.REFUSED, "confirm": Status.REFUSED, "progress": Status.CHANGED, "finished": Status.OK}
    for where, status in ended.items():
        caller = Clumsy(where)
        with pytest.raises(ValueError, match=f"clumsy: {where}") as error:
            block(lab, observer=caller, confirm=caller.confirm)
        held = list_runs(lab.state)[0].run
        assert (where, held.status, held.unfinished) == (where, status, False)
        if where != "started":
            assert f"run {held.run_id} has ended ({status})" in error.value.__notes__[0]
    assert len(lab.sent()) == 1


def test_a_bug_in_a_workflow_comes_back_as_its_traceback() -> None:
    serializer = JsonSerializer()
    try:
        raise KeyError("oops")
    except KeyError as error:
        back = serializer.deserialize(serializer.serialize(error))
    assert isinstance(back, RuntimeError)
    assert "KeyError: 'oops'" in str(back)


@contextmanager
def holding(rig: Any) -> Iterator[str]:
    """A run of another process that is alive and holds the organisation; its id."""
    script = Path(__file__).parents[1] / "killed_run.py"
    arguments = ["hang", "3.organisation contoso.0.0", str(rig.lab.inventory), str(rig.state.path)]
    with subprocess.Popen([sys.executable, str(script), *arguments], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "here\n"
        try:
            yield list_runs(rig.state)[0].run.run_id
        finally:
            process.kill()


@pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL is needed to kill a run")
def test_a_target_that_a_live_run_holds_is_waited_for_and_then_refused(rig: Start) -> None:
    lab = rig("contacts-storm")
    with holding(lab) as holder:
        refused = block(lab, wait=dt.timedelta(seconds=1))
        assert list_runs(lab.state)[1].status == "running"
    (item,) = refused.steps[0].items
    assert item.status is Status.REFUSED
    assert f"claimed by run {holder}, which is still working" in item.reason
    assert lab.sent() == []


def test_records_are_forgotten_after_their_time_with_all_that_the_engine_keeps(
    rig: Start, database: StateFolder
) -> None:
    lab = rig("contacts-storm", state=database)
    old = block(lab).run_id
    store = RunStore(database.database_url)
    long_ago = dt.datetime.now(dt.UTC) - dt.timedelta(days=401)
    store.update(str(old), started=long_ago.isoformat())
    store.close()
    rows = rows_naming(database, str(old))
    assert rows["easops_entries"] > 0
    assert rows["workflow_status"] == 2

    new = block(lab).run_id

    assert [view.run.run_id for view in list_runs(database)] == [new]
    assert set(rows_naming(database, str(old)).values()) == {0}


def rows_naming(state: StateFolder, text: str) -> dict[str, int]:
    """By table of easops and of the engine, how many rows have that text anywhere in them."""
    engine = sa.create_engine(state.database_url)
    with engine.connect() as connection:
        schemas = [None] if state.database is None else ["public", "dbos"]
        found = {}
        for schema in schemas:
            for table in sa.inspect(connection).get_table_names(schema=schema):
                rows = connection.execute(sa.text(f'select * from {schema + "." if schema else ""}"{table}"'))
                found[table] = sum(text in str(row) for row in rows)
    engine.dispose()
    return found
