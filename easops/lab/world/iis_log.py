"""The log files of one IIS site, one a day (UTC)."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from easops.lab.world.disk import Disk

_DAY: Final = 86_400


class IisLog:
    """The log of one site, as IIS of *version* writes it, in the order in which requests ended.

    *folder* is a Windows path, *clock* gives a moment by the server's own clock. All lines are on *disk* after
    ``flush``; a real server may buffer 64 kB.
    """

    def __init__(
        self,
        disk: Disk,
        folder: str,
        fields: str,
        version: str,
        clock: Callable[[float], float] = lambda moment: moment,
    ) -> None:
        self._clock = clock
        self.folder = folder
        self._disk = disk
        self._fields = fields
        self._version = version
        self._pending: dict[int, list[str]] = {}
        self._day = -1
        self._second = -1
        self._stamp = ""
        self._last: dict[str, float] = {}
        disk.make_folder(folder)
        for old in disk.files(folder) or ():
            if old.name.startswith("u_ex"):
                disk.remove(rf"{folder}\{old.name}")  # a world that is resumed writes the same bytes again

    def append(self, ended: float, rest: str) -> None:
        """Add a line: *rest* is everything after date and time; *ended* is the world's time, in seconds since 1970."""
        second = int(self._clock(ended))
        if second != self._second:
            self._second = second
            self._stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
            day = second // _DAY
            if day != self._day:
                self._day = day
                self._directives(second)
            self._last[self._name(day)] = float(second)
        self._pending.setdefault(self._day, []).append(f"{self._stamp} {rest}\r\n")

    def restart(self, moment: float) -> None:
        """Write the block of directives: at the start of a file, and where the writer was restarted."""
        self._directives(int(self._clock(moment)))

    def _directives(self, second: int) -> None:
        day = second // _DAY
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
        self._last[self._name(day)] = float(second)
        self._pending.setdefault(day, []).append(
            f"#Software: Microsoft Internet Information Services {self._version}\r\n#Version: 1.0\r\n"
            f"#Date: {stamp}\r\n#Fields: {self._fields}\r\n"
        )

    def flush(self) -> None:
        """Write all lines to disk."""
        for day, lines in sorted(self._pending.items()):
            self._disk.append(rf"{self.folder}\{self._name(day)}", "".join(lines).encode())
        self._pending.clear()

    def last_write(self, name: str) -> float:
        """The server's time of the last line in file *name*; that of the real file is our own time."""
        return self._last.get(name, 0.0)

    @staticmethod
    def _name(day: int) -> str:
        return time.strftime("u_ex%y%m%d.log", time.gmtime(day * _DAY))
