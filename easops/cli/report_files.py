"""The files that a run's report is written to: refused before anything runs, and whole or not there at all."""

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
    """The file of each format that was asked for."""

    def __init__(self, asked: Mapping[str, Path | None]) -> None:
        """*asked* are paths by the formats' names. Raises BadInput where a file cannot be made there."""
        self._paths = {name: path for name, path in asked.items() if path is not None}
        self._written = False
        for name, path in self._paths.items():
            _try(name, path, (other for key, other in self._paths.items() if key != name))

    def __bool__(self) -> bool:
        return bool(self._paths)

    @property
    def options(self) -> str:
        """As they were typed: ``--html report.html``."""
        words = [
            f"--{name} {path}" if " " not in str(path) else f'--{name} "{path}"' for name, path in self._paths.items()
        ]
        return " ".join(words)

    def write(self, report: RunReport) -> tuple[str, ...]:
        """Write them, in place of what was there; says where each is. Raises BadInput, e.g. on a full disk."""
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
        return tuple(f"easops: {path} is written" for path in self._paths.values())

    @contextlib.contextmanager
    def or_why(self, title: str) -> Iterator[None]:
        """Around all that comes before they are written: where that fails, those that can tell of a run that did not
        begin are written of it. A forge would show nothing otherwise."""
        from easops.errors import EasopsError
        from easops.report import UNBEGUN

        try:
            yield
        except EasopsError as error:
            for name in UNBEGUN.keys() & self._paths.keys() if not self._written else ():
                with contextlib.suppress(EasopsError):  # the first is the one to tell
                    self._put(name, self._paths[name], UNBEGUN[name](title, error))
            raise

    @staticmethod
    def _put(name: str, path: Path, text: str) -> None:
        try:
            _replace(path, text)
        except OSError as error:
            raise _cannot(name, path, error.strerror or str(error)) from None


def _try(name: str, path: Path, others: Iterable[Path]) -> None:
    if any(os.path.realpath(path) == os.path.realpath(other) for other in others):
        raise _cannot(name, path, "another report is to be written there")
    if path.exists() and not path.is_file():
        raise _cannot(name, path, "it is a folder" if path.is_dir() else "it is no regular file")
    if not path.parent.is_dir():
        raise _cannot(name, path, f"there is no folder {path.parent}")
    try:
        part = _part(path)
        part.touch(exist_ok=False)
        part.unlink()
    except OSError as error:
        raise _cannot(name, path, error.strerror or str(error)) from None


def _cannot(name: str, path: Path, why: str) -> BadInput:
    from easops.errors import BadInput

    return BadInput(f"--{name} {path} cannot be written", why, "name a file in a folder that is there and is yours")


def _replace(path: Path, text: str) -> None:
    """Write beside it first: whoever reads it meanwhile, or after a kill, has the old one whole."""
    part = _part(path)
    try:
        # a path on the command line may hold bytes that are no text
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
    """A new name in the folder of the file (of what it links to)."""
    target = Path(os.path.realpath(path))
    return target.with_name(f".{target.name[:100]}.{secrets.token_hex(4)}.part")
