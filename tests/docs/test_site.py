"""The pages as a site, and their content: links, playbooks, inventories, command lines."""

from __future__ import annotations

import ast
import contextlib
import importlib
import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import pytest

from easops.document import DocumentError
from easops.inventory import load_inventory
from easops.playbook.language.find import find_playbook

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS]
EXTERNAL = Path(__file__).parent / "external-links.txt"
"""The addresses that pages link to. Whoever adds one checks it: the tests use no network."""


def named(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


class Block(NamedTuple):
    page: Path
    line: int
    language: str
    text: str

    @property
    def place(self) -> str:
        return f"{named(self.page)}:{self.line}"


def blocks_of(page: Path) -> Iterator[Block]:
    lines = page.read_text(encoding="utf-8").splitlines()
    begun: tuple[int, str] | None = None
    for number, line in enumerate(lines, 1):
        if not line.strip().startswith("```"):
            continue
        if begun is None:
            begun = number + 1, line.strip().strip("`").split(" ")[0]
        else:
            yield Block(page, begun[0], begun[1], "\n".join(lines[begun[0] - 1 : number - 1]) + "\n")
            begun = None


def prose_of(page: Path) -> list[str]:
    """The lines of a page; those of its fenced blocks are empty."""
    lines, inside = [], False
    for line in page.read_text(encoding="utf-8").splitlines():
        fence = line.strip().startswith("```")
        lines.append("" if fence or inside else line)
        inside = inside != fence
    return lines


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("mkdocs", reason="mkdocs, of the extra dev, builds the site")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--config-file", str(ROOT / "mkdocs.yml")]
    built = subprocess.run(
        [*command, "--site-dir", str(folder)], capture_output=True, text=True, check=False, timeout=120
    )
    assert built.returncode == 0, built.stderr
    assert "WARNING" not in built.stderr
    return folder


def test_every_page_is_built_and_in_the_menu(site: Path) -> None:
    menu = set(re.findall(r'href="([^"#]+\.html)"', (site / "index.html").read_text(encoding="utf-8")))
    pages = {f"{page.relative_to(ROOT / 'docs').with_suffix('').as_posix()}.html" for page in DOCS}
    pages |= {"changelog.html", "contributing.html"}
    assert pages - menu == set()
    assert all((site / page).is_file() for page in pages)


def test_the_site_fetches_nothing_from_elsewhere(site: Path) -> None:
    for page in site.rglob("*.html"):
        text = page.read_text(encoding="utf-8")
        fetched = re.findall(r"<(?:script|img|iframe|link)\b[^>]*\b(?:src|href)=\"(https?:[^\"]+)", text)
        assert [address for address in fetched if 'rel="canonical"' not in text] == [], page


def test_links_between_files_of_the_repository_work() -> None:
    dead = [
        f"{named(page)}: {link}"
        for page in PAGES
        for link in re.findall(r"\]\(([^)\s]+)[)\s]", "\n".join(prose_of(page)))
        if not re.match(r"https?:|#", link) and not (page.parent / link.partition("#")[0]).exists()
    ]
    assert dead == []


def test_every_page_is_reached_from_the_readme() -> None:
    reached: set[Path] = set()
    ahead = [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in reached or page.suffix != ".md":
            continue
        reached.add(page)
        links = re.findall(r"\]\(([^)\s#]+)", "\n".join(prose_of(page)))
        ahead += [(page.parent / link).resolve() for link in links if not re.match(r"\w+:", link)]
    assert [named(page) for page in PAGES if page not in reached] == [], "the README's last part leads to every page"


def test_links_to_other_sites_are_those_of_the_list() -> None:
    linked = {link for page in PAGES for link in re.findall(r"\]\((\w+:[^)\s]+)\)", "\n".join(prose_of(page)))}
    listed = EXTERNAL.read_text(encoding="utf-8").splitlines()
    assert listed == sorted(linked), f"open each new address, then add it to {named(EXTERNAL)}"
    assert [link for link in listed if not re.fullmatch(r"https://[\w.-]+\.[a-z]+(/[\w./#-]*)?", link)] == []


def test_there_is_an_empty_line_before_a_list() -> None:
    # GitHub and GitLab show a list either way, mkdocs only with an empty line.
    for page in PAGES:
        before = ""
        for number, line in enumerate(prose_of(page), 1):
            begins = re.match(r"(?:-|\d+\.) ", line) and before.strip() and not re.match(r"(?:-|\d+\.) |  ", before)
            assert not begins, f"{named(page)}:{number}"
            before = line


DOCUMENTS = [block for block in BLOCKS if block.language == "yaml" and re.search(r"(?m)^easops: 1$", block.text)]


@pytest.mark.parametrize("block", DOCUMENTS, ids=lambda block: block.place)
def test_a_playbook_or_an_inventory_on_a_page_is_valid(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "shown.yml"
    file.write_text(block.text, encoding="utf-8")
    take = find_playbook if re.search(r"(?m)^steps:", block.text) else load_inventory
    text = "\n".join(block.page.read_text(encoding="utf-8").splitlines()[: block.line]).rpartition("\n\n")[0]
    if text.endswith("It has a mistake."):
        with pytest.raises(DocumentError):
            take(str(file))
    elif re.search(r"(?m)^(?:steps|hosts):", block.text):
        take(str(file))


def commands_of(block: Block) -> Iterator[list[str]]:
    """The words of each easops command of a block."""
    for line in block.text.replace("\\\n", " ").splitlines():
        typed = re.match(r"^\w*\$ (.*)", line)
        if block.language == "console" and typed is None:
            continue
        line = typed[1] if typed else line
        for part in re.split(r"&&|\|\||[|;]", line):
            with contextlib.suppress(ValueError):
                words = shlex.split(part, comments=True)
                if words and Path(words[0]).name == "easops":
                    yield words[1:]


def test_every_test_that_a_page_names_exists() -> None:
    link = re.compile(r"\]\(([^)\s]+\.py) \"(\w+)\"\)")
    linked = [
        (page.parent / path, test) for page in PAGES for path, test in link.findall(page.read_text(encoding="utf-8"))
    ]
    assert len(linked) > 25
    assert [test for file, test in linked if f"def {test}(" not in file.read_text(encoding="utf-8")] == []


POWERSHELL = [block for block in BLOCKS if block.language == "powershell"]


def test_powershell_on_the_pages_is_valid_and_exchange_cmdlets_have_those_parameters(tmp_path: Path) -> None:
    if shutil.which("pwsh") is None:
        pytest.skip("there is no pwsh on PATH")
    files = {str(tmp_path / f"{number}.ps1"): block for number, block in enumerate(POWERSHELL)}
    for file, block in files.items():
        Path(file).write_text(block.text, encoding="utf-8")
    parsed = subprocess.run(["pwsh", "-Parse", *files], capture_output=True, text=True, timeout=60, check=False)
    if not parsed.stdout.startswith("{"):
        pytest.skip("this pwsh has no -Parse")
    cmdlets = json.loads((resources.files("easops.lab") / "signatures" / "exchange.json").read_text())["cmdlets"]
    answers = [json.loads(line) for line in parsed.stdout.splitlines()]
    assert len(answers) == len(files) > 8
    for answer in answers:
        place = files[answer["file"]].place
        assert answer["errors"] == [], place
        for command in answer["commands"]:
            known = cmdlets.get(command["name"])
            if known is not None:
                assert set(command["parameters"]) <= set(known["parameters"]), (place, command["name"])


def test_what_the_pages_open_on_a_server_is_limited_to_one_machine_and_has_a_command_that_undoes_it() -> None:
    commands = [(block.page, line) for block in POWERSHELL for line in block.text.replace("`\n", "").splitlines()]
    rules = [(page, line) for page, line in commands if "NetFirewallRule" in line or "firewall add rule" in line]
    assert len(rules) == 2
    assert [(page, line) for page, line in rules if not re.search(r"-RemoteAddress 1|remoteip=1", line)] == []

    undo_patterns = (
        (r"(Set-(?:Item|PowerShell).*) \$true", r"\1 $false"),
        (r"New-(ItemProperty \S+ -Name \S+).*", r"Remove-\1"),
        (r"winrm create ('\S+').*", r"winrm delete \1"),
        (r"(netsh .*) add (rule name=\".*?\").*", r"\1 delete \2"),
    )
    undo_commands = [
        (page, re.sub(pattern, undo, line))
        for page, line in commands
        for pattern, undo in undo_patterns
        if re.fullmatch(pattern, line)
    ]
    assert len(undo_commands) > 4
    assert set(undo_commands) - set(commands) == set()


def test_the_account_page_names_the_cmdlets_that_are_sent_to_exchange_and_no_others() -> None:
    cmdlet = re.compile(r"\b(?:Get|Set|New|Remove)-[A-Z]\w+")
    code = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "easops" / "exchange").glob("*.py"))
    page = "\n".join(prose_of(ROOT / "docs" / "how-to" / "give-it-an-account.md"))
    listed = page[page.index("easops sends these") : page.index("## Windows")]
    assert set(cmdlet.findall(listed)) == {
        name for text in re.findall(r'"([^"\n]+)"', code) for name in cmdlet.findall(text)
    }


PYTHON = [block for block in BLOCKS if block.language == "python" and block.page.parent.name != "reference"]


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.place)
def test_python_on_a_page_is_valid_and_its_imports_exist(block: Block) -> None:
    for node in ast.walk(ast.parse(block.text)):
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("easops"):
            module = importlib.import_module(str(node.module))
            assert [name.name for name in node.names if not hasattr(module, name.name)] == []


SHELLS = ("sh", "console", "bash", "shell")


def test_every_easops_command_line_on_the_pages_is_valid() -> None:
    from typer.main import get_command

    from easops.cli.app import app

    command = get_command(app)
    inline = re.compile(r"`(easops [a-z][^`…|]*)`")
    lines = [(block.place, words) for block in BLOCKS if block.language in SHELLS for words in commands_of(block)]
    for page in PAGES:
        for number, line in enumerate(prose_of(page), 1):
            lines += [(f"{named(page)}:{number}", shlex.split(found[1])[1:]) for found in inline.finditer(line)]
    assert len(lines) > 40
    unknown = []
    for place, words in lines:
        try:
            parse(command, words)
        except AssertionError as error:
            unknown.append(f"{place}: easops {shlex.join(words)}: {error}")
    assert unknown == []


def parse(command: object, words: list[str]) -> None:
    """Parse a command line without running it. In a sentence it may lack its arguments."""
    group = command
    while words and hasattr(group, "get_command"):
        word = words.pop(0)
        if word.startswith("-"):
            return
        group = group.get_command(None, word)
        assert group is not None, f"there is no command {word!r}"
    options = {name for parameter in group.params for name in (*parameter.opts, *parameter.secondary_opts)}  # type: ignore[attr-defined]
    for word in words:
        if word.startswith("-"):
            assert word.partition("=")[0] in {*options, "--help", "--debug"}, f"there is no option {word}"


def test_a_misspelt_command_and_a_misspelt_option_are_found() -> None:
    from typer.main import get_command

    from easops.cli.app import app

    for words in (["rum", "x"], ["run", "x", "--chek"], ["runs", "lst"]):
        with pytest.raises(AssertionError):
            parse(get_command(app), words)


def test_the_hooks_translate_links_between_files_of_the_repository() -> None:
    pytest.importorskip("mkdocs", reason="mkdocs, of the extra dev, builds the site")
    hooks = runpy.run_path(str(ROOT / "tools" / "site.py"))
    assert hooks["_target"]("how-to/connect.md", "../../examples/x.py") == "examples/x.py"
    assert hooks["_target"]("index.md", "docs/tutorial.md") == "docs/tutorial.md"
    assert hooks["_in_site"]("docs/tutorial.md") == "tutorial.md"
    assert hooks["_in_site"]("README.md") == "index.md"
    assert hooks["_in_site"]("examples/x.py") is None
