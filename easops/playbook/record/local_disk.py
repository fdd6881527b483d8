"""Whether a folder is on a disk of this machine."""

from __future__ import annotations

import ctypes
import os
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

_LOCAL_LINUX: Final = frozenset(
    "bcachefs btrfs ecryptfs exfat ext2 ext3 ext4 f2fs hfsplus jfs msdos nilfs2 ntfs ntfs3 overlay ramfs reiserfs "
    "tmpfs ubifs vfat xfs zfs".split()
)
_LOCAL_MACOS: Final = frozenset({"apfs", "hfs"})

_MNT_LOCAL: Final = 0x1000
"""The flag of ``statfs`` on macOS. Source: sys/mount.h."""
_FLAGS_AT: Final = 64
_TYPE_AT: Final = 72
_TYPE_LENGTH: Final = 16
"""Where ``struct statfs`` of macOS has its flags and the name of the file system. Source: sys/mount.h, for 64-bit
inodes."""

_DRIVE_FIXED: Final = 3
_DRIVE_RAMDISK: Final = 6
"""What ``GetDriveTypeW`` says of a disk of this machine. Source: fileapi.h."""


def is_on_local_disk(folder: Path) -> bool:
    """Whether *folder* is on a file system that is known to be of this machine.

    False also if that is not known: for a network file system, a folder that is shared into a virtual machine or a
    container, and any file system that is not in the lists above. Raises nothing.
    """
    check = _CHECKS.get(sys.platform)
    try:
        return check is not None and check(Path(os.path.realpath(folder)))
    except (OSError, AttributeError):
        return False


def linux_file_system(path: Path, mounts: Iterable[str]) -> str:
    """The type of the file system that *path* is on, by the lines of ``/proc/self/mountinfo``; empty if it has none.

    Source: proc_pid_mountinfo(5). Of several mounts on one folder the last one is in use.
    """
    best, found = -1, ""
    for line in mounts:
        before, _, after = line.partition(" - ")
        fields, of_type = before.split(), after.split()
        if len(fields) < 5 or not of_type:
            continue
        mount_point = Path(re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), fields[4]))
        depth = len(mount_point.parts)
        if depth >= best and path.is_relative_to(mount_point):
            best, found = depth, of_type[0]
    return found


def _is_local_on_linux(path: Path) -> bool:
    mounts = Path("/proc/self/mountinfo").read_text(encoding="utf-8", errors="surrogateescape")
    return linux_file_system(path, mounts.splitlines()) in _LOCAL_LINUX


def _is_local_on_windows(path: Path) -> bool:
    # A path on a share, \\server\share\folder, has the share as its anchor, and that is of another type.
    drive_type = 0
    if sys.platform == "win32":
        drive_type = ctypes.windll.kernel32.GetDriveTypeW(path.anchor)
    return drive_type in (_DRIVE_FIXED, _DRIVE_RAMDISK)


def _is_local_on_macos(path: Path) -> bool:
    library = ctypes.CDLL(None, use_errno=True)
    statfs = getattr(library, "statfs$INODE64", None) or library.statfs  # arm64 has only the one with 64-bit inodes
    answer = ctypes.create_string_buffer(4096)
    if statfs(os.fsencode(path), answer) != 0:
        return False
    # The name is checked, too: were the structure another one, it would not be there.
    name = answer.raw[_TYPE_AT : _TYPE_AT + _TYPE_LENGTH].rstrip(b"\0").decode("ascii", "replace")
    flags = int.from_bytes(answer.raw[_FLAGS_AT : _FLAGS_AT + 4], sys.byteorder)
    return bool(flags & _MNT_LOCAL) and name in _LOCAL_MACOS


_CHECKS: Final[Mapping[str, Callable[[Path], bool]]] = {
    "linux": _is_local_on_linux,
    "darwin": _is_local_on_macos,
    "win32": _is_local_on_windows,
}
