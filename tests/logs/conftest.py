"""Logs made up line by line, and a server's log folder that is really a folder of this machine."""

from __future__ import annotations

import datetime as dt
import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import attrs
import pytest

from easops.errors import CommandFailed, ErrorRecord
from easops.logs.source import ByteRange
from easops.remoting.command import Call, Command, Script
from easops.remoting.result import RemoteObject, Result
from easops.remoting.session import EndpointName

NOW = dt.datetime(2026, 11, 24, 10, 0, tzinfo=dt.UTC)


@attrs.define
class BytesLog:
    """A log with these bytes. It counts how many are read."""

    data: bytes
    path: str = "u_ex261124.log"
    read_bytes: int = 0

    def read(self, offset: int, length: int) -> ByteRange:
        data = self.data[offset : offset + length]
        self.read_bytes += len(data)
        return ByteRange(data, offset, len(self.data), NOW)


@attrs.define
class FolderSession:
    """Answers Get-ChildItem and source.ps1 from *folder*, like a server whose time is *now*."""

    folder: Path
    now: dt.datetime = NOW
    written: dict[str, dt.datetime] = attrs.field(factory=dict)
    removed: set[str] = attrs.field(factory=set)
    read: list[str] = attrs.field(factory=list)
    host: str = "AMS-EX01"
    endpoint: EndpointName = "windows"

    def connect(self, *, deadline: float = 30.0) -> None: ...

    def invoke(self, call: Call, *, deadline: float = 60.0) -> Result:
        assert call.reads
        if isinstance(call, Command):
            assert call.parameters["Filter"] == "*.log"
            return Result(tuple(self._listed(path) for path in sorted(self.folder.glob("*.log"))))
        assert isinstance(call, Script)
        assert call.name == "source.ps1"
        return Result(tuple(self._range(**call.parameters)))

    def close(self) -> None: ...

    def _listed(self, path: Path) -> RemoteObject:
        properties = {
            "Name": path.name,
            "FullName": str(path),
            "Length": path.stat().st_size,
            "LastWriteTimeUtc": self.written.get(path.name, self.now),
        }
        return RemoteObject(("System.IO.FileInfo",), properties)

    def _range(self, Path: str, Offset: int, Length: int) -> list[Any]:
        name = Path.rpartition("/")[2].rpartition("\\")[2]
        if name in self.removed:
            record = ErrorRecord(f"Could not find file '{Path}'.", exception="FileNotFoundException", terminating=True)
            raise CommandFailed(f"{Path} cannot be read", record.message, records=(record,))
        self.read.append(name)
        data = (self.folder / name).read_bytes()
        wanted = data[Offset : Offset + Length]
        chunks: list[Any] = [gzip.compress(wanted[at : at + 262144]) for at in range(0, len(wanted), 262144)]
        return [
            *chunks,
            {
                "Length": len(data),
                "Offset": min(Offset, len(data)),
                "Time": f"{self.now:%Y-%m-%dT%H:%M:%S}.0000000Z",
                "Packed": True,
            },
        ]


@pytest.fixture
def bytes_log() -> Callable[[bytes], BytesLog]:
    return BytesLog


@pytest.fixture
def folder_session(tmp_path: Path) -> FolderSession:
    return FolderSession(tmp_path)


@pytest.fixture(scope="session")
def sample_logs() -> Path:
    return Path(__file__).parents[1] / "data" / "logs"
