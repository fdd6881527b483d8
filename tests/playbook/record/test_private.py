"""What is recorded can be read by its user only."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from easops.errors import BadInput
from easops.playbook.record.run_view import list_runs
from easops.playbook.record.state_folder import StateFolder

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no such rights")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def opened(folder: Path) -> None:
    """The folder and all in it, as an old version or a careless copy left them."""
    folder.chmod(0o755)
    for path in folder.rglob("*"):
        path.chmod(0o777 if path.is_dir() else 0o644)


def test_a_new_state_folder_is_private_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        list_runs(StateFolder(tmp_path / "state"))
    finally:
        os.umask(before)
    found = {path.name: mode(path) for path in (tmp_path / "state", *(tmp_path / "state").iterdir())}
    assert found == {"state": 0o700, "locks": 0o700, "labs": 0o700, "easops.sqlite": 0o600}


def test_one_that_others_can_read_is_made_private(tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    list_runs(state)
    opened(state.path)
    list_runs(state)
    assert {mode(path) for path in (state.path, state.labs, state.path / "locks")} == {0o700}
    assert mode(state.path / "easops.sqlite") == 0o600


def test_a_folder_with_the_things_of_others_stays_open_and_only_ours_are_made_private(tmp_path: Path) -> None:
    state = StateFolder(tmp_path)
    list_runs(state)
    (tmp_path / "somebody's").touch()
    opened(tmp_path)
    list_runs(state)
    assert (mode(tmp_path), mode(tmp_path / "somebody's")) == (0o755, 0o644)
    assert (mode(tmp_path / "easops.sqlite"), mode(state.labs)) == (0o600, 0o700)


def test_a_folder_in_which_everybody_may_replace_the_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "somebody's").touch()
    tmp_path.chmod(0o777)
    with pytest.raises(BadInput, match="every user of this machine may replace what is in it"):
        list_runs(StateFolder(tmp_path))
    tmp_path.chmod(0o1777)
    assert list_runs(StateFolder(tmp_path)) == ()


def test_what_this_user_cannot_make_private_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = StateFolder(tmp_path / "state")
    list_runs(state)
    opened(state.path)

    def not_ours(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", not_ours)
    with pytest.raises(BadInput, match="can be read by other users: it cannot be made private: Operation not"):
        list_runs(state)
