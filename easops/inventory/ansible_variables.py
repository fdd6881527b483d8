"""The variables of one host of an Ansible inventory, as text: plain references are resolved, the rest is a problem."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from easops.document import Problem

PASSWORDS: Final = ("ansible_password", "ansible_winrm_pass", "ansible_winrm_password", "ansible_psrp_password")
"""The variables that hold a password. They are never read."""

_REFERENCE: Final = re.compile(r"\{\{\s*([A-Za-z_]\w*)\s*\}\}")
_DEEPEST: Final = 10


class Variables:
    """The variables of the host *name*. What is wrong with them is noted in ``problems``.

    *source* is the file name that the problems show.
    """

    def __init__(self, name: str, values: Mapping[str, Any], source: str) -> None:
        self.problems: list[Problem] = []
        self._name = name
        self._values = values
        self._source = source

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def is_set(self, variable: str) -> bool:
        """Whether it has a value that is not empty."""
        return self._values.get(variable) not in (None, "")

    def value(self, variable: str) -> Any:
        """The value as it is; None where there is none."""
        return self._values.get(variable)

    def text(self, *variables: str) -> str:
        """The value of the last of *variables* that is set; empty where none is."""
        for variable in reversed(variables):
            if self.is_set(variable):
                return self._resolved(variable, self._values[variable])
        return ""

    def texts(self, variable: str) -> list[str]:
        """The values of a list, or of a text with commas."""
        value = self._values.get(variable)
        if isinstance(value, list):
            return [self._resolved(variable, item) for item in value]
        return [part.strip() for part in self.text(variable).split(",") if part.strip()]

    def add(self, what: str, why: str, next_step: str) -> None:
        """Note a problem of this host, once."""
        problem = Problem(self._source, None, None, f"{self._name}: {what}", why, next_step)
        if problem not in self.problems:
            self.problems.append(problem)

    def _resolved(self, variable: str, value: Any) -> str:
        """A value as text, with plain references to the host's other variables replaced."""
        if isinstance(value, dict) and set(value) == {"__ansible_unsafe"}:
            return str(value["__ansible_unsafe"])
        if isinstance(value, dict) and set(value) == {"__ansible_vault"}:
            self.add(
                f"{variable} is encrypted",
                "ansible-inventory prints it as Ansible Vault encrypted it",
                "Pass the hostvars of a play, which are decrypted",
            )
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int):
            self.add(f"{variable} is not text", f"it is {json.dumps(value)[:40]}", "Write it as one text")
            return ""
        text = str(value)
        for _ in range(_DEEPEST):
            text = _REFERENCE.sub(self._referred, text)
        if "{{" in text or "{%" in text:
            self.add(
                f"{variable} is a template",
                f"ansible-inventory prints {value} unchanged, and easops only resolves plain names of variables",
                "Write its value, or pass the hostvars of a play, which are resolved",
            )
            return ""
        return text

    def _referred(self, reference: re.Match[str]) -> str:
        """The text for a reference; the reference itself where it cannot be resolved, which is then a problem."""
        name = reference[1]
        if name in ("inventory_hostname", "inventory_hostname_short"):
            return self._name.partition(".")[0] if name.endswith("short") else self._name
        value = self._values.get(name)
        # A password would otherwise end up in the inventory, which is copied and shown.
        plain = isinstance(value, str | int) and not isinstance(value, bool) and name not in PASSWORDS
        return str(value) if plain else reference[0]
