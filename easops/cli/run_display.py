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

from easops.cli import arguments, github_actions
from easops.cli.console import Console, trace_commands
from easops.cli.report_files import ReportFiles

if TYPE_CHECKING:
    from pathlib import Path

    from easops.errors import EasopsError
    from easops.notify import Notifications
    from easops.playbook.assessment.run_report import RunReport
    from easops.playbook.execution.dbos_engine import Interrupted
    from easops.playbook.execution.execute_run import Confirm
    from easops.playbook.steps.effects import Preview
    from easops.playbook.steps.step_result import Notice, StepResult


class RunDisplay:
    """An observer that shows a run as it goes (``easops.playbook.steps.observer.Observer``)."""

    def __init__(
        self,
        title: str,
        lab: str | None,
        *,
        limit: str | None = None,
        command: str,
        as_json: bool,
        files: ReportFiles,
        announcer: Notifications | None,
        checked: bool,
        diff: bool,
        quiet: bool,
        verbose: bool,
    ) -> None:
        self.console = Console(quiet=quiet)
        if verbose:
            trace_commands(self.console)
        self.run_id: str | None = None
        self.as_json = as_json
        self._form = self.console.form(as_json)
        self._title, self._lab, self._limit, self._command = title, lab, limit, command
        self._checked, self._diff, self._quiet, self._verbose = checked, diff, quiet, verbose
        self._files = files
        self.announcer = None if announcer is None else announcer.reporting_to(self._noticed)
        self._told: list[StepResult] = []
        self._unasked = False

    def started(self, run_id: str | None) -> None:
        self.run_id = run_id
        if not self._quiet:
            self.console.result(self._form.head(self._title, run_id, self._lab, self._limit, checked=self._checked))

    def progress(self, text: str) -> None:
        self.console.progress(text)

    def finished(self, result: StepResult) -> None:
        if not self._quiet:
            self.console.result(self._form.step(result, self._told, diff=self._diff, verbose=self._verbose))
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

        self.console.quiet_down()
        self.console.lines(["", *preview_lines(preview)])
        sys.stderr.write("Go on? [y/N] ")
        sys.stderr.flush()
        return sys.stdin.readline().strip().lower() in ("y", "yes")

    def _noticed(self, notice: Notice) -> None:
        """Say what came of telling somebody; it changes nothing of the run."""
        from easops.report.terminal.error import three_lines

        if notice.status == "sent" and not notice.reason:
            self.console.progress(f"{notice.channel} was told")
            return
        word = {"sent": "was told", "failed": "was not told", "unknown": "may not have been told"}[notice.status]
        self.console.trouble(
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
            self._file_problem(error)
            raise
        finally:
            self.console.quiet_down()
        return report

    def close(self, report: RunReport, *, detailed: bool = False) -> None:
        """Show the end, and leave with the run's exit code."""
        from easops.playbook.assessment.ending import words_of
        from easops.report.terminal.error import three_lines
        from easops.status import EXIT_PENDING

        code = report.exit_code
        if detailed and code == 0 and report.would_change:
            code = EXIT_PENDING
        self.console.result(self._form.end(report, code))
        self._file(report)
        github_actions.ended(self.console, report, code)
        if report.checked and self._verbose and self.announcer is not None:
            names = ", ".join(channel.name for channel in self.announcer.wanting(words_of(report))) or "nobody"
            self.console.note(f"easops: would be told of such an end: {names}")
        if self._unasked:
            what, why = "the changes were not confirmed", "there is no terminal to ask at"
            self.console.trouble(three_lines(what, why, "add --yes; --check shows what it would change"))
        raise typer.Exit(code)

    def _file(self, report: RunReport) -> None:
        """Write the files that were asked for, as far as the run came; what hinders that is said, and ends nothing."""
        from easops.errors import EasopsError

        if not self._files:
            return
        try:
            for line in self._files.write(report):
                self.console.note(line)
        except EasopsError as error:
            self._not_filed(error)

    def _not_filed(self, error: EasopsError) -> None:
        from easops.report.terminal.error import three_lines

        next_step = error.next_step
        if self.run_id is not None:
            next_step = f"easops runs show {self.run_id} {self._files.options} writes it later"
        self.console.trouble(three_lines(f"the run is not written to a file: {error.what}", error.why, next_step))

    def _file_problem(self, problem: EasopsError) -> None:
        """Write the files of a run that *problem* ended before its first step."""
        from easops.errors import EasopsError

        if not self._files:
            return
        try:
            report = self._recorded(problem=problem)
        except EasopsError as error:
            self._not_filed(error)
        else:
            if report is not None:
                self._file(report)

    def _recorded(self, *, stopped: bool = False, problem: EasopsError | None = None) -> RunReport | None:
        """The report of this run as far as it came, by its record; None where it left none. Raises EasopsError."""
        from easops.playbook.assessment.run_report import report_of
        from easops.playbook.record.run_view import show_run

        return None if self.run_id is None else report_of(show_run(self.run_id), stopped=stopped, problem=problem)

    def _leave(self, code: int, stop: Interrupted) -> NoReturn:
        """End the process without the engine's own ending, which would wait for the steps that are not to come."""
        from easops.cli.app import exit_code
        from easops.errors import EasopsError
        from easops.report.document.json import dumped
        from easops.report.terminal.error import error_document, three_lines

        self.console.quiet_down()
        end = "what was under way has been finished and recorded"
        if not stop.finished:
            end = "the outcome of what was under way is not recorded: resume, undo and reconcile read it first"
        what, why, status = f"run {self.run_id} was stopped; {end}", "", "stopped"
        report, away = None, stop.why or stop.unmarked
        if away is None:  # else the record's database is away
            try:
                report = self._recorded(stopped=True)
            except EasopsError as error:
                away = error
        commands = [f"easops runs resume {self.run_id}", f"easops undo {self.run_id}"]
        if report is not None:
            commands = [command.command for command in report.assessment.next]
        next_step = ", or ".join(commands)
        if stop.why is not None:
            code, status = exit_code(stop.why)
            why, next_step = str(stop.why), f"{stop.why.next_step}; then {next_step}"
        elif stop.unmarked is not None:
            told = "" if self.announcer is None else ", nobody is told of it"
            why = f"that it was stopped is not recorded: it is listed as one that died{told} ({stop.unmarked})"
        if self.as_json:
            document = {**error_document(status, what, why, next_step, code), "run_id": self.run_id}
            self.console.result(dumped(document))
        self.console.trouble(three_lines(what, why, next_step))
        github_actions.stopped(self.console, what, why, next_step)
        if report is not None:
            self._file(report)
        elif away is not None and self._files:
            self._not_filed(away)
        leave(code)


def notifications_of_rescue(file: Path | None, recorded: Any) -> Notifications | None:
    """As ``arguments.notifications_of``, for undo and resume: a problem in them is reported, and does not stop the
    command. A missing secret is reported at the end, for its own channel."""
    from easops.errors import EasopsError
    from easops.report.terminal.error import error_lines, three_lines

    try:
        return arguments.notifications_of(file, recorded, here=False)
    except EasopsError as error:
        Console().trouble([*three_lines("nobody will be told how this ends"), *error_lines(error)])
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
