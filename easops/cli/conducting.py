"""What run, do, resume and undo have in common: telling how it goes, asking, and being stopped."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NoReturn

import typer

from easops.cli import forge, given
from easops.cli.files import Files
from easops.cli.voice import Voice, trace_commands

if TYPE_CHECKING:
    from pathlib import Path

    from easops.errors import EasopsError
    from easops.notify import Notifications
    from easops.playbook.assessment.run_report import RunReport
    from easops.playbook.execution.dbos_engine import Interrupted
    from easops.playbook.execution.execute_run import Confirm
    from easops.playbook.steps.interpreter import Preview
    from easops.playbook.steps.step_result import Notice, StepResult


class Telling:
    """An observer that shows a run as it goes (``easops.playbook.steps.observer.Observer``)."""

    def __init__(
        self,
        title: str,
        lab: str | None,
        *,
        limit: str | None = None,
        command: str,
        as_json: bool,
        files: Files,
        announcer: Notifications | None,
        checked: bool,
        diff: bool,
        quiet: bool,
        verbose: bool,
    ) -> None:
        self.voice = Voice(quiet=quiet)
        if verbose:
            trace_commands(self.voice)
        self.run_id: str | None = None
        self.as_json = as_json
        self._form = self.voice.form(as_json)
        self._title, self._lab, self._limit, self._command = title, lab, limit, command
        self._checked, self._diff, self._quiet, self._verbose = checked, diff, quiet, verbose
        self._files = files
        self.announcer = None if announcer is None else announcer.telling(self._noticed)
        self._told: list[StepResult] = []
        self._unasked = False

    def started(self, run_id: str | None) -> None:
        self.run_id = run_id
        if not self._quiet:
            self.voice.result(self._form.head(self._title, run_id, self._lab, self._limit, checked=self._checked))

    def progress(self, text: str) -> None:
        self.voice.progress(text)

    def finished(self, result: StepResult) -> None:
        if not self._quiet:
            self.voice.result(self._form.step(result, self._told, diff=self._diff, verbose=self._verbose))
        self._told.append(result)

    def confirm(self, *, yes: bool) -> Confirm:
        """Who confirms the changes: ``--yes``, the person at the terminal, or nobody."""
        from easops.playbook.execution.execute_run import always

        if yes:
            return always
        return self._ask if sys.stdin.isatty() and sys.stderr.isatty() else self._refuse

    def _refuse(self, preview: Preview) -> bool:
        self._unasked = True
        return False

    def _ask(self, preview: Preview) -> bool:
        from easops.report.terminal.text import preview_lines

        self.voice.quiet_down()
        self.voice.lines(["", *preview_lines(preview)])
        sys.stderr.write("Go on? [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _noticed(self, notice: Notice) -> None:
        """Say what came of telling somebody; it changes nothing of the run."""
        from easops.report.terminal.error import three_lines

        if notice.status == "sent" and not notice.reason:
            self.voice.progress(f"{notice.channel} was told")
            return
        word = {"sent": "was told", "failed": "was not told", "unknown": "may not have been told"}[notice.status]
        self.voice.trouble(
            three_lines(f"{notice.channel} {word}", notice.reason, "easops notify tries the channels out")
        )

    def carried_out(
        self, call: Callable[[Callable[[Callable[[], None]], None]], RunReport], *, until_stdin_closes: bool = False
    ) -> RunReport:
        """The report of *call*, which is given a stopper; where the run is stopped, say so and leave at once."""
        from easops.errors import EasopsError
        from easops.playbook.execution.dbos_engine import Interrupted

        stopping = _Stopping(until_stdin_closes)
        try:
            report = call(stopping)
        except Interrupted as stop:
            self._leave(stopping.code, stop)
        except EasopsError as error:
            self._file(None, problem=error)
            raise
        finally:
            self.voice.quiet_down()
        return report

    def close(self, report: RunReport, *, detailed: bool = False) -> None:
        """Show the end, and leave with the run's exit code."""
        from easops.playbook.assessment.ending import words_of
        from easops.report.terminal.error import three_lines
        from easops.status import EXIT_PENDING

        code = report.exit_code
        if detailed and code == 0 and report.would_change:
            code = EXIT_PENDING
        self.voice.result(self._form.end(report, code, command=self._command))
        self._file(report)
        forge.ended(self.voice, report, code, self._command)
        if report.checked and self._verbose and self.announcer is not None:
            names = ", ".join(channel.name for channel in self.announcer.wanting(words_of(report))) or "nobody"
            self.voice.note(f"easops: would be told of such an end: {names}")
        if self._unasked:
            what, why = "the changes were not confirmed", "there is no terminal to ask at"
            self.voice.trouble(three_lines(what, why, "add --yes; --check shows what it would change"))
        raise typer.Exit(code)

    def _file(
        self, report: RunReport | None, *, stopped: Interrupted | None = None, problem: EasopsError | None = None
    ) -> None:
        """Write the files that were asked for, as far as the run came; what hinders that is said, and ends nothing."""
        from easops.errors import EasopsError
        from easops.playbook.assessment.run_report import report_of
        from easops.playbook.record.run_view import show_run
        from easops.report.file_format import Account
        from easops.report.terminal.error import three_lines

        if not self._files or (report is None and self.run_id is None):
            return
        try:
            away = None if stopped is None else stopped.why or stopped.unmarked
            if away is not None:  # the record's database is
                raise away
            view = None if self.run_id is None else show_run(self.run_id)
            if report is None and view is not None:
                report = report_of(view.run, view.steps)
            assert report is not None
            for told in self._files.write(Account(report, view, stopped is not None, problem)):
                self.voice.note(told)
        except EasopsError as error:
            next_step = error.next_step
            if self.run_id is not None:
                next_step = f"easops runs show {self.run_id} {self._files.options} writes it later"
            self.voice.trouble(three_lines(f"the run is not written to a file: {error.what}", error.why, next_step))

    def _leave(self, code: int, stop: Interrupted) -> NoReturn:
        """End the process without the engine's own ending, which would wait for the steps that are not to come."""
        from easops.cli.app import exit_code
        from easops.report.document.json import dumped
        from easops.report.terminal.error import error_document, three_lines

        self.voice.quiet_down()
        end = "what was under way has been finished and recorded"
        if not stop.finished:
            end = "the outcome of what was under way is not recorded: resume, undo and reconcile read it first"
        what, why, status = f"run {self.run_id} was stopped; {end}", "", "stopped"
        next_step = f"easops runs resume {self.run_id}, or easops undo {self.run_id}"
        if stop.why is not None:
            code, status = exit_code(stop.why)
            why, next_step = str(stop.why), f"{stop.why.next_step}; then {next_step}"
        elif stop.unmarked is not None:
            told = "" if self.announcer is None else ", nobody is told of it"
            why = f"that it was stopped is not recorded: it is listed as one that died{told} ({stop.unmarked})"
        if self.as_json:
            document = {**error_document(status, what, why, next_step, code), "run_id": self.run_id}
            self.voice.result(dumped(document))
        self.voice.trouble(three_lines(what, why, next_step))
        forge.stopped(self.voice, what, why, next_step)
        self._file(None, stopped=stop)
        leave(code)


def notifications_of_rescue(file: Path | None, recorded: Any) -> Notifications | None:
    """As ``given.notifications_of``, for what puts a run back or goes on with it: what is wrong with them is said, and
    hinders nothing. A secret that is missing is told of its own channel, at the end."""
    from easops.errors import EasopsError
    from easops.report.terminal.error import error_lines, three_lines

    try:
        return given.notifications_of(file, recorded, here=False)
    except EasopsError as error:
        Voice().trouble([*three_lines("nobody will be told how this ends"), *error_lines(error)])
        return None


def leave(code: int) -> NoReturn:
    """End the process at once, everything said."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)


class _Stopping:
    """Ctrl-C and SIGTERM, once a run is under way: the first ends it at its next boundary, a second one at once.

    With *until_stdin_closes* the end of standard input is a SIGTERM, and Ctrl-C is left to the program that started
    this one.
    """

    def __init__(self, until_stdin_closes: bool) -> None:
        self._until_stdin_closes = until_stdin_closes
        self.code = 130

    def __call__(self, stop: Callable[[], None]) -> None:
        told = False

        def handle(number: int, frame: object) -> None:
            nonlocal told
            code = 143 if number == signal.SIGTERM else 130
            if told:
                os._exit(code)
            told, self.code = True, code
            # Written past the stream's own lock: the signal may have come while this thread held it.
            with contextlib.suppress(OSError):
                os.write(2, b"\neasops: stopping; what is under way is finished first (Ctrl-C again: at once)\n")
            stop()

        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, handle)
        if self._until_stdin_closes:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            threading.Thread(target=self._watch_stdin, args=(stop,), daemon=True).start()

    def _watch_stdin(self, stop: Callable[[], None]) -> None:
        while os.read(0, 4096):  # past the buffer, whose lock a daemon thread must not hold at the end
            pass
        self.code = 143
        stop()
