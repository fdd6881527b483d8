"""IIS log files: real bytes in real files, one a day (UTC) and site."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Final

_DAY: Final = 86_400


class IisLog:
    """The log of one site, as IIS of *version* writes it. Lines come in the order in which their requests ended.

    Nothing is buffered longer than until ``flush``; a real server may hold 64 kB back.
    """

    def __init__(self, folder: Path, fields: str, version: str) -> None:
        self.folder = folder
        self._fields = fields
        self._version = version
        self._pending: dict[int, list[str]] = {}
        self._day = -1
        self._second = -1
        self._stamp = ""
        self._last: dict[str, float] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("u_ex*.log"):
            old.unlink()  # a world that goes on writes the same bytes again

    def append(self, ended: float, rest: str) -> None:
        """One line: *rest* is all after date and time; *ended* is in seconds since 1970."""
        second = int(ended)
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
            day = second // _DAY
            if day != self._day:
                self._day = day
                self.restart(ended)
            self._last[self._name(day)] = float(second)
        self._pending.setdefault(self._day, []).append(f"{self._stamp} {rest}\r\n")

    def restart(self, moment: float) -> None:
        """The block of directives, at the head of a file and again where its writer restarted."""
        day = int(moment) // _DAY
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(int(moment)))
        self._last[self._name(day)] = float(int(moment))
        self._pending.setdefault(day, []).append(
            f"#Software: Microsoft Internet Information Services {self._version}\r\n#Version: 1.0\r\n"
            f"#Date: {stamp}\r\n#Fields: {self._fields}\r\n"
        )

    def flush(self) -> None:
        """Bring all lines to disk."""
        for day, lines in sorted(self._pending.items()):
            with (self.folder / self._name(day)).open("ab") as file:
                file.write("".join(lines).encode())
        self._pending.clear()

    def last_write(self, name: str) -> float:
        """The world's time of the last line in file *name*; the real file's time is another world's."""
        return self._last.get(name, 0.0)

    @staticmethod
    def _name(day: int) -> str:
        return time.strftime("u_ex%y%m%d.log", time.gmtime(day * _DAY))
