"""Showing a run as it goes, asking for confirmation, and ending when it is stopped: run, do, undo and runs resume."""

from __future__ import annotations

import select
import sys
from collections.abc import Callable
from threading import Event
from typing import TYPE_CHECKING, NoReturn

import typer

from easops.cli import github_actions
from easops.cli.console import Console, trace_commands
from easops.cli.exit_code import exit_code
from easops.cli.report_files import ReportFiles
from easops.cli.run_options import RunOptions
from easops.cli.stop_signals import StopSignals, leave

if TYPE_CHECKING:
    from easops.errors import EasopsError
    from easops.notify import Notifications
    from easops.playbook.assessment.run_report import RunReport
    from easops.playbook.execution.caller import Confirm
    from easops.playbook.execution.interrupted import Interrupted
    from easops.playbook.record.notice import Notice
    from easops.playbook.steps.effects import Preview
    from easops.playbook.steps.step_result import StepResult


class RunDisplay:
    """An observer that shows a run as it goes (``easops.playbook.steps.observer.Observer``)."""

    def __init__(
        self,
        title: str,
        shared: RunOptions,
        files: ReportFiles,
        announcer: Notifications | None,
        *,
        lab: str | None = None,
        limit: str | None = None,
        checked: bool = False,
    ) -> None:
        """*title* heads the output."""
        self.console: Console = Console(quiet=shared.quiet)
        if shared.verbose:
            trace_commands(self.console)
        self.run_id: str | None = None
        self._shared = shared
        self._form = self.console.form(shared.as_json)
        self._title, self._lab, self._limit, self._checked = title, lab, limit, checked
        self._files = files
        self.announcer: Notifications | None = None if announcer is None else announcer.reporting_to(self._show_notice)
        self._finished: list[StepResult] = []
        self._could_not_ask = False
        self._signals: StopSignals | None = None

    def started(self, run_id: str | None) -> None:
        self.run_id = run_id
        if not self._shared.quiet:
            self.console.result(self._form.head(self._title, run_id, self._lab, self._limit, checked=self._checked))

    def progress(self, text: str) -> None:
        self.console.progress(text)

    def finished(self, result: StepResult) -> None:
        shared = self._shared
        if not shared.quiet:
            self.console.result(self._form.step(result, self._finished, diff=shared.diff, verbose=shared.verbose))
        self._finished.append(result)

    def confirm(self) -> Confirm:
        """What confirms the changes: ``--yes``, the person at the terminal, or nothing, so that they are refused."""
        from easops.playbook.execution.caller import always

        if self._shared.yes:
            return always
        return self._ask if sys.stdin.isatty() and sys.stderr.isatty() else self._refuse

    def _refuse(self, preview: Preview) -> bool:
        self._could_not_ask = True
        return False

    def _ask(self, preview: Preview) -> bool:
        from easops.report.terminal.text import preview_lines

        self.console.stop_progress()
        self.console.lines(["", *preview_lines(preview)])
        question = "Make these changes? [y/N] "
        if self._signals is None:
            return _answer(question) in ("y", "yes")
        with self._signals.declining() as declined:  # before the question can be read and declined
            return _answer(question, declined) in ("y", "yes")

    def _show_notice(self, notice: Notice) -> None:
        """Report whether a channel was notified; the run itself is not affected."""
        from easops.report.terminal.error import three_lines

        if notice.status == "sent" and not notice.reason:
            self.console.progress(f"notified {notice.channel}")
            return
        words = {"sent": "was notified", "failed": "was not notified", "unknown": "may not have been notified"}
        what = f"{notice.channel} {words[notice.status]}"
        self.console.error(three_lines(what, notice.reason, "easops notify sends a test message"))

    def execute(
        self, call: Callable[[Callable[[Callable[[], None]], None]], RunReport], *, until_stdin_closes: bool = False
    ) -> RunReport:
        """The report of *call*, which gets a stopper. If the run is stopped, report that and end the process."""
        from easops.errors import EasopsError
        from easops.playbook.execution.interrupted import Interrupted

        self._signals = signals = StopSignals(until_stdin_closes)
        try:
            report = call(signals)
        except Interrupted as stop:
            self._leave(signals.code, stop)
        except EasopsError as error:
            self._write_files_of_problem(error)
            raise
        finally:
            self.console.stop_progress()
        return report

    def finish(self, report: RunReport, *, detailed: bool = False) -> None:
        """Show the summary and end the command with the run's exit code."""
        from easops.playbook.assessment.ending import words_of
        from easops.playbook.assessment.still_open import untouched
        from easops.report.terminal.error import three_lines
        from easops.status import EXIT_PENDING, Severity, severity

        code = report.exit_code
        pending = report.would_change or untouched(report)
        if detailed and pending and severity(report.status) is Severity.GOOD:
            code = EXIT_PENDING
        self.console.result(self._form.end(report, code))
        self._write_files(report)
        github_actions.report_end(self.console, report, code)
        if report.checked and self._shared.verbose and self.announcer is not None:
            names = ", ".join(channel.name for channel in self.announcer.wanting(words_of(report))) or "nobody"
            self.console.note(f"easops: a run that ends like this would notify: {names}")
        if self._could_not_ask:
            what, why = "the changes were not confirmed", "there is no terminal to ask for confirmation"
            self.console.error(three_lines(what, why, "add --yes; --check shows what it would change"))
        raise typer.Exit(code)

    def _write_files(self, report: RunReport) -> None:
        """Write the requested files, for as much of the run as there is. An error is reported, and ends nothing."""
        from easops.errors import EasopsError

        if not self._files:
            return
        try:
            for line in self._files.write(report):
                self.console.note(line)
        except EasopsError as error:
            self._files_not_written(error)

    def _files_not_written(self, error: EasopsError) -> None:
        from easops.report.terminal.error import three_lines

        next_step = error.next_step
        if self.run_id is not None:
            next_step = f"easops runs show {self.run_id} {self._files.options} writes it later"
        self.console.error(three_lines(f"the run was not written to a file: {error.what}", error.why, next_step))

    def _write_files_of_problem(self, problem: EasopsError) -> None:
        """Write the files of a run that *problem* ended before its first step."""
        from easops.errors import EasopsError

        if not self._files:
            return
        try:
            report = self._recorded(problem=problem)
        except EasopsError as error:
            self._files_not_written(error)
        else:
            if report is not None:
                self._write_files(report)

    def _recorded(self, *, stopped: bool = False, problem: EasopsError | None = None) -> RunReport | None:
        """The report of this run as far as it got, from its record; None if it has no record. Raises EasopsError."""
        from easops.playbook.assessment.run_report import report_of
        from easops.playbook.record.run_view import show_run

        return None if self.run_id is None else report_of(show_run(self.run_id), stopped=stopped, problem=problem)

    def _leave(self, code: int, stop: Interrupted) -> NoReturn:
        """Report that the run was stopped, and end the process at once.

        The engine's own shutdown would wait for steps that no longer come.
        """
        from easops.errors import EasopsError
        from easops.playbook.assessment.run_report import RunReport
        from easops.report.document.json import dumped
        from easops.report.terminal.error import error_document, three_lines
        from easops.status import Status

        self.console.stop_progress()
        end = "the last operation was finished and recorded"
        if not stop.finished:
            end = "the outcome of the last operation is unknown; resume, undo or reconcile will check it"
        what, why, status = f"run {self.run_id} was stopped; {end}", "", "stopped"
        report, database_error = None, stop.why or stop.unmarked
        if database_error is None:
            try:
                report = self._recorded(stopped=True)
            except EasopsError as error:
                database_error = error
        known = report or RunReport(self.run_id, self._title, "run", Status.OK, stopped=True)
        next_step = ", or ".join(command.command for command in known.assessment.next)
        if stop.why is not None:
            code, status = exit_code(stop.why)
            why, next_step = str(stop.why), f"{stop.why.next_step}; then {next_step}"
        elif stop.unmarked is not None:
            unannounced = "" if self.announcer is None else ", and nobody is notified"
            why = f"the stop could not be recorded, so the run is listed as died{unannounced} ({stop.unmarked})"
        if self._shared.as_json:
            document = {**error_document(status, what, why, next_step, code), "run_id": self.run_id}
            self.console.result(dumped(document))
        self.console.error(three_lines(what, why, next_step))
        github_actions.annotate_stop(self.console, what, why, next_step)
        if report is not None:
            self._write_files(report)
        elif database_error is not None and self._files:
            self._files_not_written(database_error)
        leave(code)


def _answer(question: str, declined: Event | None = None) -> str:
    """The line that is typed after *question*, in lower case; empty at the end of the input, or as soon as *declined*
    is set."""
    sys.stderr.write(question)
    sys.stderr.flush()
    if declined is not None and sys.platform != "win32":  # there one cannot wait for a console and an event
        while not select.select([sys.stdin], [], [], 0.1)[0]:
            if declined.is_set():
                sys.stderr.write("\n")
                return ""
    return sys.stdin.readline().strip().lower()
