"""Who runs this process, as far as the machine and the CI job know."""

from __future__ import annotations

import os
import platform
import sys
from typing import Final

import attrs

LOGINS: Final = ("GITHUB_ACTOR", "GITLAB_USER_LOGIN")
"""The variables in which GitHub and GitLab say who started a CI job."""


@attrs.frozen
class Person:
    """A user of a machine. *logins* are the variables of the CI job that name a person. They are no proof: whoever can
    change the job can set them."""

    user: str
    machine: str
    logins: dict[str, str] = attrs.field(factory=dict)

    def is_perhaps(self, other: Person) -> bool:
        """Whether the two may be the same person. With a login at the same service (GitHub, GitLab) the logins decide;
        else any name they share does: user names and logins, on whatever machine."""
        for variable in LOGINS:
            if variable in self.logins and variable in other.logins:
                return self.logins[variable].lower() == other.logins[variable].lower()
        # In a CI job the user name is that of the runner: only the login can match the user name at a desk.
        return not self._names().isdisjoint(other._names())

    def _names(self) -> set[str]:
        return {name.lower() for name in (self.user, *self.logins.values())}

    def __str__(self) -> str:
        logins = ", ".join(f"{variable} is {login}" for variable, login in self.logins.items())
        return f"{self.user} on {self.machine}" + (f" ({logins})" if logins else "")


def this_person() -> Person:
    """Who runs this process. The user name is that of the account, which no environment variable changes."""
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
        except KeyError:  # a container may have no name for its user
            return f"uid {number}"
