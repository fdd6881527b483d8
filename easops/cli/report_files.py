"""The files that a run's report is written to.

A path that cannot be written is refused before anything runs. A file is written completely or not at all.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from easops.errors import BadInput
    from easops.playbook.assessment.run_report import RunReport


class ReportFiles:
    """The path for each requested format."""

    def __init__(self, paths: Mapping[str, Path | None]) -> None:
        """*paths* by format name; None: not requested. Raises BadInput if a file cannot be created there."""
        self._paths = {name: path for name, path in paths.items() if path is not None}
        self._written = False
        for name, path in self._paths.items():
            _check(name, path, (other for key, other in self._paths.items() if key != name))

    def __bool__(self) -> bool:
        return bool(self._paths)

    @property
    def options(self) -> str:
        """The options as they were typed: ``--html report.html``."""
        words = [
            f"--{name} {path}" if " " not in str(path) else f'--{name} "{path}"' for name, path in self._paths.items()
        ]
        return " ".join(words)

    def write(self, report: RunReport) -> tuple[str, ...]:
        """Write the files, replacing existing ones, and return a note on each. Raises BadInput, e.g. on a full disk."""
        from easops.errors import BadInput
        from easops.report import FILES

        self._written = True
        problems = []
        for name, path in self._paths.items():
            try:
                self._put(name, path, FILES[name].render(report))
            except BadInput as problem:
                problems.append(problem)
        if problems:
            raise problems[0]
        return tuple(f"easops: wrote {path}" for path in self._paths.values())

    @contextlib.contextmanager
    def also_on_error(self, title: str) -> Iterator[None]:
        """If the block fails before the files are written, write those that can report a run that did not start.

        CI would show nothing otherwise.
        """
        from easops.errors import EasopsError
        from easops.report import START_FAILURES

        try:
            yield
        except EasopsError as error:
            for name in START_FAILURES.keys() & self._paths.keys() if not self._written else ():
                with contextlib.suppress(EasopsError):  # the first error is the one to report
                    self._put(name, self._paths[name], START_FAILURES[name](title, error))
            raise

    @staticmethod
    def _put(name: str, path: Path, text: str) -> None:
        try:
            _replace(path, text)
        except OSError as error:
            raise _cannot(name, path, error.strerror or str(error)) from None


def _check(name: str, path: Path, others: Iterable[Path]) -> None:
    if any(os.path.realpath(path) == os.path.realpath(other) for other in others):
        raise _cannot(name, path, "another report is written there")
    if path.exists() and not path.is_file():
        raise _cannot(name, path, "it is a folder" if path.is_dir() else "it is not a regular file")
    if not path.parent.is_dir():
        raise _cannot(name, path, f"the folder {path.parent} does not exist")
    try:
        part = _part(path)
        part.touch(exist_ok=False)
        part.unlink()
    except OSError as error:
        raise _cannot(name, path, error.strerror or str(error)) from None


def _cannot(name: str, path: Path, why: str) -> BadInput:
    from easops.errors import BadInput

    return BadInput(
        f"--{name} {path} cannot be written", why, "name a file in an existing folder that you may write to"
    )


def _replace(path: Path, text: str) -> None:
    """Write a temporary file beside it first: a reader, or a kill, then never sees a half-written file."""
    part = _part(path)
    try:
        # a path on the command line may contain bytes that are not valid text
        with part.open("x", encoding="utf-8", errors="backslashreplace", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        part.replace(Path(os.path.realpath(path)))
    except BaseException:
        with contextlib.suppress(OSError):
            part.unlink()
        raise


def _part(path: Path) -> Path:
    """An unused name in the folder of the file (of the file that a link points to)."""
    target = Path(os.path.realpath(path))
    return target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.part")
