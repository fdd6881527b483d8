"""The statements of one pipeline: run one after another in the calling thread, to their end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

import attrs
from psrpcore import Command

from easops.lab.psrp.backend import PipelineBackend, Session
from easops.lab.psrp.bound_command import BoundCommand
from easops.lab.value import CmdletFailed, ErrorInfo, NonTerminating, Warning_


class Sink(Protocol):
    """Takes what the statements give, in order. Any of its methods may raise, which ends the pipeline."""

    def output(self, value: Any) -> None: ...

    def error(self, error: ErrorInfo) -> None:
        """An error record that does not fail the pipeline."""
        ...

    def warning(self, text: str) -> None: ...

    def confirms(self, command: BoundCommand) -> bool:
        """Whether *command*, which asks for confirmation, may run."""
        ...

    def check_stop(self) -> None:
        """Called before and after each value; raises where the client has stopped the pipeline."""
        ...


@attrs.frozen
class Statements:
    """What one pipeline of *session* runs. *imported* are the modules that its runspace has loaded, in lower case;
    commands add to them. *input* goes to the first statement; None: the pipeline takes none."""

    session: Session
    backend: PipelineBackend
    imported: set[str]
    statements: Sequence[Sequence[Command]]
    input: Sequence[Any] | None
    sink: Sink

    def run(self) -> ErrorInfo | None:
        """Run all of them; returns the error that fails the pipeline.

        Only a terminating error of the last statement fails it. That of another goes to the error stream, and the next
        statement runs, as in a PowerShell script.
        """
        for number, statement in enumerate(self.statements):
            try:
                self._run_statement(statement, self.input if number == 0 else None)
            except CmdletFailed as failed:
                if number == len(self.statements) - 1:
                    return failed.error
                self.sink.error(failed.error)
        return None

    def _run_statement(self, statement: Sequence[Command], given: Sequence[Any] | None) -> None:
        # Every command is bound before the first one runs.
        commands = [
            BoundCommand(self.session, self.backend, self.imported, command, piped=number > 0 or given is not None)
            for number, command in enumerate(statement)
        ]
        piped: tuple[Any, ...] = tuple(given or ())
        for number, command in enumerate(commands):
            output = self._output(command, piped)
            if number < len(commands) - 1:
                piped = tuple(output)
            else:
                for value in output:
                    self.sink.output(value)

    def _output(self, command: BoundCommand, piped: tuple[Any, ...]) -> Iterator[Any]:
        """Run one command and give its output; its warnings and errors go to their streams."""
        if command.what_if or (command.needs_confirmation and not self.sink.confirms(command)):
            return
        for value in command.run(piped):
            self.sink.check_stop()
            if isinstance(value, Warning_):
                if command.preference("WarningAction") not in ("SilentlyContinue", "Ignore"):
                    self.sink.warning(value.text)
            elif isinstance(value, NonTerminating):
                if command.preference("ErrorAction") == "Stop":
                    raise CmdletFailed(value.error)
                if command.preference("ErrorAction") not in ("SilentlyContinue", "Ignore"):
                    self.sink.error(value.error)
            else:
                yield value
        self.sink.check_stop()
