"""The architecture: each library is imported through one module, and imports point down."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "easops"

DOORS = {
    "pypsrp": {"remoting.psrp", "remoting.transport", "remoting.failure", "remoting.error_record"},
    "requests": {"remoting.psrp", "remoting.transport", "remoting.failure", "notify.webhook"},
    "smtplib": {"notify.mail"},
    "urllib3": {"remoting.failure", "notify.webhook"},
    "tenacity": {"remoting.retry"},
    "ruamel": {"yaml_reader"},
    "jinja2": {"playbook.language.expression", "report.page.html"},
    "dbos": {"playbook.execution"},
    "sqlalchemy": {"playbook.record"},
    "cattrs": {"playbook.steps.codec"},
    "filelock": {"playbook.record.run_lock", "lab.world.state"},
    "platformdirs": {"playbook.record.location"},
    "typer": {"cli"},
    "rich": {"cli"},
    "aiohttp": {"lab"},
    "psrpcore": {"lab"},
    "spnego": {"lab", "remoting.failure"},
    "keyring": {"remoting.secret"},
    "cryptography": {"lab"},
}


def imports_of(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names.add(node.module.partition(".")[0])
    return names


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(PACKAGE).with_suffix("").parts)


@pytest.mark.parametrize("library", sorted(DOORS))
def test_each_library_is_imported_only_through_its_door(library: str) -> None:
    doors = DOORS[library]  # modules, or whole rooms
    found = {module_of(path) for path in PACKAGE.rglob("*.py") if library in imports_of(path)}
    assert {name for name in found if not any(f"{name}.".startswith(f"{door}.") for door in doors)} == set()


def test_what_decides_the_meaning_of_failures_imports_nothing_but_the_libraries_exceptions() -> None:
    tree = ast.parse((PACKAGE / "remoting" / "failure.py").read_text(encoding="utf-8"))
    modules = {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    modules |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    libraries = {name for name in modules if name.partition(".")[0] in DOORS}
    assert libraries == {"pypsrp.exceptions", "requests.exceptions", "spnego.exceptions", "urllib3.exceptions"}


ASKS_FOR_PASSWORDS = "remoting.secret"


def test_only_the_command_line_and_the_lab_print_or_end_the_process() -> None:
    """A script that uses the library decides itself what it prints and when it ends."""
    loud = {"print", "exit", "quit", "input"}
    found: set[str] = set()
    for path in PACKAGE.rglob("*.py"):
        module = module_of(path)
        if module.partition(".")[0] in ("cli", "lab", "__main__"):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            called = ast.unparse(node.func) if isinstance(node, ast.Call) else ""
            raised = ast.unparse(node.exc) if isinstance(node, ast.Raise) and node.exc is not None else ""
            streams = isinstance(node, ast.Attribute) and ast.unparse(node) in ("sys.stdout", "sys.stderr")
            if streams and module == ASKS_FOR_PASSWORDS:
                continue  # is there a terminal to ask at
            if called in loud or called in ("sys.exit", "os._exit") or raised.startswith("SystemExit") or streams:
                found.add(f"{module}:{getattr(node, 'lineno', 0)}")
    assert found == set()


def test_imports_point_down() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command; lint_imports_command()"],
        cwd=PACKAGE.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_importing_easops_loads_no_heavy_library() -> None:
    heavy = {"pypsrp", "requests", "dbos", "sqlalchemy", "typer", "rich", "jinja2", "ruamel.yaml", "aiohttp"}
    assert loaded_by("import easops") & heavy == set()


def test_a_script_loads_neither_the_engine_nor_the_expressions() -> None:
    heavy = {"dbos", "sqlalchemy", "jinja2", "typer", "rich", "aiohttp"}
    assert loaded_by("import easops.exchange, easops.iis, easops.inventory") & heavy == set()
