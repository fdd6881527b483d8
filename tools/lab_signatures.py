"""Write the lab's compact cmdlet signatures: ``python tools/lab_signatures.py FOLDER``.

FOLDER holds ``exchange.json``, ``windows.json`` and ``windows-iis-net.json``: signatures parsed from Microsoft's public
reference pages (MicrosoftDocs/office-docs-powershell, PowerShell-Docs and windows-powershell-docs; names, types and
flags only). What is written is described in ``easops/lab/signatures/compact.py``.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

VERSIONS = ("2010", "2013", "2016", "2019", "SE")
EVERY_VERSION = (1 << len(VERSIONS)) - 1
TARGET = Path(__file__).parents[1] / "easops" / "lab" / "signatures"

# Whole modules, and single cmdlets of the larger ones: what an administrator of Exchange and IIS uses remotely.
WINDOWS_MODULES = {"WebAdministration", "IISAdministration", "CimCmdlets"}
WINDOWS_CMDLETS = set(
    "ForEach-Object Get-ChildItem Get-Command Get-ComputerInfo Get-Content Get-Counter Get-Date Get-EventLog "
    "Get-Help Get-HotFix Get-Item Get-ItemProperty Get-ItemPropertyValue Get-Location Get-Module Get-Process "
    "Get-Service Get-TimeZone Get-Variable Get-WinEvent Get-WmiObject Group-Object Import-Module "
    "Invoke-WmiMethod Measure-Object New-Object Out-Null Out-String Remove-WmiObject Restart-Service Resolve-Path "
    "Select-Object Select-String Set-ItemProperty Set-WmiInstance Sort-Object Start-Service Stop-Process "
    "Stop-Service Test-Path Where-Object Write-Output".split()
)
# An Exchange 2010 server may run on Windows Server 2008 R2 with PowerShell 2.0: what came later is not of its version.
NOT_IN_2_0 = {"CimCmdlets", "IISAdministration", "NetTCPIP"}
"""Modules that came with Windows Server 2012 or later."""
SINCE_3_0 = {
    cmdlet: set(parameters.split())
    for cmdlet, parameters in {
        "ForEach-Object": "ArgumentList MemberName RemainingScripts",
        "Get-ChildItem": "Attributes Depth Directory DnsName DocumentEncryptionCert Eku ExpiringInDays File "
        "FollowSymlink Hidden ReadOnly SSLServerAuthentication System",
        "Get-Command": "All FullyQualifiedModule ListImported ParameterName ParameterType ShowCommandInfo",
        "Get-ComputerInfo": "*",
        "Get-Content": "Raw Stream Tail",
        "Get-Date": "Millisecond",
        "Get-Help": "ShowWindow",
        "Get-Item": "DnsName DocumentEncryptionCert Eku ExpiringInDays SSLServerAuthentication Stream",
        "Get-ItemPropertyValue": "*",
        "Get-Module": "CimNamespace CimResourceUri CimSession FullyQualifiedName PSEdition PSSession Refresh",
        "Get-Process": "IncludeUserName",
        "Get-TimeZone": "*",
        "Import-Module": "CimNamespace CimResourceUri CimSession FullyQualifiedName MaximumVersion MinimumVersion "
        "NoClobber PSSession RequiredVersion Scope",
        "Select-Object": "SkipLast Wait",
        "Stop-Service": "NoWait",
        "Test-Path": "NewerThan OlderThan",
        "Where-Object": "CContains CEQ CGE CGT CIn CLE CLT CLike CMatch CNE CNotContains CNotIn CNotLike CNotMatch "
        "Contains EQ GE GT In Is IsNot LE LT Like Match NE NotContains NotIn NotLike NotMatch Property Value",
        "Write-Output": "NoEnumerate",
    }.items()
}
"""Parameters that came with PowerShell 3.0 or later; ``*``: the whole cmdlet."""
# Prose below a plain type lists examples, not a set that the server checks.
PLAIN = {"String", "String[]", "Int32", "UInt32", "MultiValuedProperty", "Unlimited", "Boolean", "SwitchParameter"}
SHOULD_PROCESS = {"WhatIf", "Confirm"}


def mask(versions: list[str]) -> int:
    """The on-premises versions as bits, 2010 the lowest."""
    return sum(1 << i for i, version in enumerate(VERSIONS) if version in versions)


def pipeline_bits(pipeline: Any) -> int:
    """1 by value, 2 by property name; a page that only says "True" counts as both."""
    if pipeline == "True":
        return 3
    if not isinstance(pipeline, list):
        return 0
    kinds = {kind.lower() for kind in pipeline}
    return ("byvalue" in kinds) | ("bypropertyname" in kinds) << 1


def parameter(page: dict[str, Any], sets: list[str], enums: dict[str, list[str]], versions: int) -> list[Any]:
    """``[type, sets, versions, aliases, values]``, without the empty end."""
    memberships = []
    for name, flags in page["sets"].items():
        position = flags["position"] if isinstance(flags["position"], int) else -1
        number = -1 if name == "*" else sets.index(name)
        memberships.append([number, int(bool(flags["required"])), position, pipeline_bits(flags["pipeline"])])
    declared = page.get("accepted_values")
    known = declared or (page["type"] not in PLAIN and (page.get("documented_values") or enums.get(page["type"]))) or []
    entry = [
        page["type"],
        memberships,
        versions,
        page.get("aliases", []),
        known,
    ]
    defaults: list[Any] = [None, None, EVERY_VERSION, [], []]
    while len(entry) > 2 and entry[-1] == defaults[len(entry) - 1]:
        entry.pop()
    return entry


def cmdlets(source: dict[str, Any], *, exchange: bool) -> Iterator[tuple[str, dict[str, Any]]]:
    enums = source["meta"].get("enum_values_by_type", {})
    for name, page in sorted(source["cmdlets"].items()):
        versions = mask(page["applies_to"]) if exchange else windows_versions(name, page["module"])
        if not versions:
            continue
        if not exchange and not wanted(name, page["module"]):
            continue
        sets = list(page["parameter_sets"])
        only_newer = set(page.get("only_in_7.6", ()))
        parameters = {
            key: parameter(
                value, sets, enums, mask(value["applies_to"]) if exchange else windows_versions(name, key=key)
            )
            for key, value in page["parameters"].items()
            if key not in SHOULD_PROCESS and key not in only_newer and (not exchange or mask(value["applies_to"]))
        }
        entry: dict[str, Any] = {"sets": sets, "parameters": parameters}
        if versions != EVERY_VERSION:
            entry["versions"] = versions
        if page["supports_should_process"]:
            entry["should_process"] = True
        if not exchange and page["module"] in WINDOWS_MODULES:
            entry["module"] = page["module"]
        default = page.get("default_parameter_set") or ("Identity" if "Identity" in sets else None)
        if default:
            entry["default"] = default
        if aliases := page.get("command_aliases"):
            entry["aliases"] = aliases
        yield name, entry


def windows_versions(name: str, module: str = "", key: str = "*") -> int:
    """The versions of Exchange whose Windows has a cmdlet, or its parameter *key*."""
    late = module in NOT_IN_2_0 or key in SINCE_3_0.get(name, ())
    return EVERY_VERSION & ~1 if late else EVERY_VERSION


def wanted(name: str, module: str) -> bool:
    return module in WINDOWS_MODULES or name in WINDOWS_CMDLETS or (module == "NetTCPIP" and name.startswith("Get-"))


def write(path: Path, sources: list[Path], *, exchange: bool) -> None:
    found: dict[str, Any] = {}
    commits = {}
    for source in sources:
        content = json.loads(source.read_text(encoding="utf-8"))
        commits[content["meta"]["source_repo"]] = content["meta"]["commit"]
        found.update(cmdlets(content, exchange=exchange))
    lines = [f" {json.dumps(n)}: {json.dumps(e, separators=(',', ':'), ensure_ascii=False)}" for n, e in found.items()]
    text = f'{{"sources": {json.dumps(commits)},\n"cmdlets": {{\n' + ",\n".join(lines) + "\n}}\n"
    path.write_text(text, encoding="utf-8", newline="\n")
    print(f"{path}: {len(found)} cmdlets, {len(text)} characters")


def main(folder: Path) -> None:
    write(TARGET / "exchange.json", [folder / "exchange.json"], exchange=True)
    write(TARGET / "windows.json", [folder / "windows.json", folder / "windows-iis-net.json"], exchange=False)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
