"""Hooks of mkdocs: the menu, and the files beside docs/ that pages link to.

The pages are written to be read on a forge, where a link leads to any file of the repository. So the README is the
site's first page, the changelog and what contributors are told are pages too, and each other file that a page links to
(an example, say) is in the site as it stands.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path
from typing import Final

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT: Final = Path(__file__).resolve().parent.parent
BESIDE: Final = {"README.md": "index.md", "CONTRIBUTING.md": "contributing.md", "CHANGELOG.md": "changelog.md"}
"""Pages that do not lie in docs/, and what they are called in the site."""
SECTIONS: Final = {"How to": "how-to", "Reference": "reference", "Why and how": "explanation"}
FILES: Final = "files"
"""Where the site has the other files that pages link to."""

_LINK: Final = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)((?:#[^)\s]*)?)(?=[)\s])")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """The menu: a section for each folder of docs/, and in it all that lies there."""
    docs = Path(config.docs_dir)
    config.nav = [
        {"Home": "index.md"},
        {"Tutorial": "tutorial.md"},
        *(
            {title: sorted(f"{name}/{page.name}" for page in (docs / name).glob("*.md"))}
            for title, name in SECTIONS.items()
        ),
        {"Project": ["changelog.md", "contributing.md"]},
    ]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages beside docs/, and the files that any page links to."""
    for name, page in BESIDE.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text(encoding="utf-8")))
    for file in list(files.documentation_pages()):
        for link in _LINK.finditer(file.content_string):
            target = _target(file.src_uri, link[1])
            if _in_site(target) is None and (ROOT / target).is_file():
                held = File.generated(config, f"{FILES}/{target}", content=(ROOT / target).read_bytes())
                if files.get_file_from_path(held.src_uri) is None:
                    files.append(held)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links between files of the repository, as links between files of the site."""
    here = page.file.src_uri

    def led(link: re.Match[str]) -> str:
        target = _target(here, link[1])
        held = _in_site(target) or f"{FILES}/{target}"
        return posixpath.relpath(held, posixpath.dirname(here) or ".") + link[2]

    return _LINK.sub(led, markdown)


def _target(page: str, link: str) -> str:
    """The path in the repository to which *link* leads from a page of the site."""
    names = {held: name for name, held in BESIDE.items()}
    source = names.get(page, f"docs/{page}")
    return os.path.normpath(os.path.join(os.path.dirname(source), link)).replace(os.sep, "/")


def _in_site(target: str) -> str | None:
    """The page of the site that a path in the repository is; None where it is no page."""
    if target in BESIDE:
        return BESIDE[target]
    return target.removeprefix("docs/") if target.startswith("docs/") else None
