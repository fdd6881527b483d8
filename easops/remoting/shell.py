"""The shells that broken sessions left on a server, and how they are deleted.

An account may have only so many shells (Exchange: 18), and one that nobody closes stays open until its idle time is
over (Exchange: 15 minutes). So a few broken calls could lock easops out of the server that it is to cure.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import attrs

from easops.remoting.failure import answer_of, is_logon_error, is_lost_shell, is_refusal_of_logon

IDLE: Final = 120
"""Seconds of idleness after which the server is asked to delete a shell by itself."""

_TRIES: Final = 4
"""How often a deletion without an answer is tried; then the shell is left to its idle time."""


@attrs.define
class AbandonedShells:
    """The shells of one endpoint that may still be open there although no session uses them, by their ids."""

    _tries: dict[str, int] = attrs.field(factory=dict, init=False)
    _unanswered: set[str] = attrs.field(factory=set, init=False)

    def __len__(self) -> int:
        return len(self._tries)

    def add(self, shell_id: str, *, answered: bool = True) -> None:
        """Note a shell. If the server has not *answered* that it opened it, it may still open it later, so that a
        deletion which finds none is not the end."""
        self._tries.setdefault(shell_id, 0)
        if not answered:
            self._unanswered.add(shell_id)

    def delete(self, delete: Callable[[str], object]) -> None:
        """Call *delete* with the id of each. One whose deletion was not answered stays noted.

        Raises only what a refused logon raises: nothing else may keep the next session from being opened.
        """
        for shell_id in list(self._tries):
            if self._delete(delete, shell_id):
                self._tries.pop(shell_id, None)
                self._unanswered.discard(shell_id)

    def _delete(self, delete: Callable[[str], object], shell_id: str) -> bool:
        """Whether it need not be tried again."""
        try:
            delete(shell_id)
        except Exception as error:
            if is_refusal_of_logon(error) or is_logon_error(error):
                raise
            if is_lost_shell(error) and shell_id not in self._unanswered:
                return True
            self._tries[shell_id] = self._tries.get(shell_id, 0) + 1
            return self._tries[shell_id] >= _TRIES
        return True


def refuses_idle_time(error: Exception) -> bool:
    """Whether the server did not open a shell because of the idle time that was asked for."""
    answer = answer_of(error)
    return answer is not None and answer.is_fault and "idle" in answer.text.lower()
