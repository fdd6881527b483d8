"""Who does something, as far as this machine and a CI job can tell."""

from __future__ import annotations

import os
import platform
import sys
from typing import Final

import attrs

LOGINS: Final = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN")
"""The variables in which a forge tells a CI job who made it run."""


@attrs.frozen
class Person:
    """A user of a machine. *logins* are what a CI job's variables say beside: anybody there can set them."""

    user: str
    machine: str
    logins: dict[str, str] = attrs.field(factory=dict)

    def is_perhaps(self, other: Person) -> bool:
        """Whether the two may be one: the same login at the same forge; where they have none in common, any name of the
        one (its user name, its logins) that is also one of the other's, whatever the machine."""
        for variable in LOGINS:
            if variable in self.logins and variable in other.logins:
                return self.logins[variable].lower() == other.logins[variable].lower()
        # In a job the user name is the runner's: a person at a desk is known by the login that the job has.
        return not self._names().isdisjoint(other._names())

    def _names(self) -> set[str]:
        return {name.lower() for name in (self.user, *self.logins.values())}

    def __str__(self) -> str:
        told = ", ".join(f"{variable} is {login}" for variable, login in self.logins.items())
        return f"{self.user} on {self.machine}" + (f" ({told})" if told else "")


def this_person() -> Person:
    """Who runs this process: by its account, which an environment variable does not change."""
    logins = {variable: os.environ[variable] for variable in LOGINS if os.environ.get(variable)}
    return Person(_account(), this_machine(), logins)


def this_machine() -> str:
    """The name of this machine."""
    return platform.node() or "unknown"


if sys.platform == "win32":

    def _account() -> str:
        try:
            return os.getlogin()
        except OSError:
            return "unknown"

else:
    import pwd

    def _account() -> str:
        number = os.getuid()
        try:
            return pwd.getpwuid(number).pw_name
        except KeyError:  # a container may have nobody by that number
            return f"uid {number}"
