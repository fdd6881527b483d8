"""The cmdlets that a server of one Exchange version has, with their signatures."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from easops.lab.call import Endpoint
from easops.lab.signatures.binder import bind
from easops.lab.signatures.compact import VERSIONS, read_entries, signature_of
from easops.lab.signatures.signature import Signature
from easops.lab.value import CmdletFailed, ErrorInfo

# What a restricted endpoint has beside its own cmdlets, as far as there are pages (New-PSSessionConfigurationFile).
RESTRICTED = ("Get-Command", "Get-Help", "Measure-Object", "Select-Object")


class SignatureTable:
    """The signatures of one Exchange version (``2010``, ``2013``, ``2016``, ``2019``, ``SE``) and of its Windows.

    *powershell* is the version of the engine. *lacks* are modules of Windows that the server does not have.
    """

    def __init__(self, version: str, *, lacks: Collection[str] = ()) -> None:
        """Raises ValueError for a version without signatures."""
        if version not in VERSIONS:
            raise ValueError(f"no signatures of Exchange {version!r}; there are {', '.join(VERSIONS)}")
        self.version = version
        self.powershell = "2.0" if version == "2010" else "5.1"
        self._lacks = frozenset(lacks)
        self._by_endpoint: dict[Endpoint, dict[str, Signature]] = {}

    def _signatures(self, endpoint: Endpoint) -> Mapping[str, Signature]:
        """By lower-case name and alias; read on first use."""
        if endpoint not in self._by_endpoint:
            found: dict[str, Signature] = {}
            entries = dict(read_entries(endpoint))
            if endpoint == "exchange":
                entries.update({name: read_entries("windows")[name] for name in RESTRICTED})
            for name, entry in entries.items():
                signature = signature_of(name, entry, self.version)
                if signature is not None and signature.module not in self._lacks:
                    for alias in signature.aliases:
                        found.setdefault(alias.lower(), signature)
                    found[name.lower()] = signature
            self._by_endpoint[endpoint] = found
        return self._by_endpoint[endpoint]

    def find(self, endpoint: Endpoint, cmdlet: str) -> Signature | None:
        """The signature of a cmdlet (by name or alias, any case); None where this version does not have it."""
        # A name may be qualified by its module: WebAdministration\Restart-WebAppPool.
        return self._signatures(endpoint).get(cmdlet.rpartition("\\")[2].lower())

    def bind(
        self,
        endpoint: Endpoint,
        cmdlet: str,
        arguments: Sequence[tuple[str | None, Any]],
        *,
        piped: bool = False,
    ) -> tuple[str, Mapping[str, Any]]:
        """Canonical cmdlet name, and canonical parameter name -> converted value, common parameters included.

        Args:
            arguments: name (None: positional) and value, as sent.
            piped: objects come down the pipe; mandatory parameters that take them are not missing then.

        Raises:
            CmdletFailed: with the error record of the engine: CommandNotFoundException, or one of ``bind``.
        """
        signature = self.find(endpoint, cmdlet)
        if signature is None:
            raise CmdletFailed(not_found(cmdlet))
        return signature.name, bind(signature, arguments, piped=piped)


def not_found(command: str) -> ErrorInfo:
    """The error for a command that the server does not have, or that the user may not see."""
    return ErrorInfo(
        message=(
            f"The term '{command}' is not recognized as the name of a cmdlet, function, script file, or operable "
            "program. Check the spelling of the name, or if a path was included, verify that the path is correct and "
            "try again."
        ),
        exception="System.Management.Automation.CommandNotFoundException",
        fqid="CommandNotFoundException",
        category="ObjectNotFound",
        target=command,
    )
