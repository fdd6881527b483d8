"""What is recorded is for this user only: names of users and devices, and who approved what."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Collection
from pathlib import Path

from easops.errors import BadInput


def make_private(path: Path) -> None:
    """Take the rights of all other users from a file or a folder, if they have any. Raises BadInput where this user may
    not, as it belongs to somebody else. Windows has no such rights: there the user's profile is private."""
    if os.name == "nt" or not _others(path):
        return
    try:
        path.chmod(0o700 if path.is_dir() else 0o600)
    except OSError as error:
        raise BadInput(
            f"{path} can be read by other users",
            f"it cannot be made private: {error.strerror or type(error).__name__}",
            "have its owner take their rights (chmod go-rwx), or name another state folder in EASOPS_STATE",
        ) from None


def make_folder_private(folder: Path, own: Collection[str]) -> None:
    """As ``make_private``, for a folder that has nothing in it but what *own* names (or what begins so).

    One with other things in it stays open, as others may need them: it could be ``/tmp``. It is refused if they may
    replace what is in it. Raises BadInput.
    """
    if os.name == "nt":
        return
    with contextlib.suppress(OSError):
        if all(entry.name.startswith(tuple(own)) for entry in os.scandir(folder)):
            make_private(folder)
        elif (mode := folder.stat().st_mode) & stat.S_IWOTH and not mode & stat.S_ISVTX:
            raise BadInput(
                f"the state folder {folder} is not safe",
                "every user of this machine may replace what is in it",
                "name a folder of your own in EASOPS_STATE",
            )


def make_private_file(path: Path) -> None:
    """An empty file that only this user can read, unless there is one already, which is made private. Whoever uses the
    file reports that it cannot be made. Raises BadInput as ``make_private``."""
    with contextlib.suppress(OSError):
        os.close(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600))
    make_private(path)


def _others(path: Path) -> int:
    """The rights that other users have."""
    try:
        return path.stat().st_mode & 0o077
    except OSError:
        return 0
