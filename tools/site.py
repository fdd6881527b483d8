"""Hooks of mkdocs: the menu, and the files outside docs/ that pages link to.

The pages are written for GitHub and GitLab, where a link may lead to any file of the repository. So the README is the
site's first page, CHANGELOG.md and CONTRIBUTING.md are pages too, and every other file that a page links to, such as a
script, is copied into the site unchanged.
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
"""Pages outside docs/, and their names in the site."""
SECTIONS: Final = {"How to": "how-to", "Reference": "reference", "Background": "explanation"}
FILES: Final = "files"
"""The site's folder for the other files that pages link to."""

_LINK: Final = re.compile(r"(?<=\]\()(?!https?:|mailto:|#)([^)#\s]+)((?:#[^)\s]*)?)(?=[)\s])")


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make the menu: a section for each folder of docs/, with every page in it."""
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
    """Add the pages outside docs/, and the files that pages link to."""
    for name, page in BESIDE.items():
        files.append(File.generated(config, page, content=(ROOT / name).read_text(encoding="utf-8")))
    for file in list(files.documentation_pages()):
        for link in _LINK.finditer(file.content_string):
            target = _target(file.src_uri, link[1])
            if _in_site(target) is None and (ROOT / target).is_file():
                linked = File.generated(config, f"{FILES}/{target}", content=(ROOT / target).read_bytes())
                if files.get_file_from_path(linked.src_uri) is None:
                    files.append(linked)
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links between files of the repository into links between files of the site."""
    here = page.file.src_uri

    def site_link(link: re.Match[str]) -> str:
        target = _target(here, link[1])
        path = _in_site(target) or f"{FILES}/{target}"
        return posixpath.relpath(path, posixpath.dirname(here) or ".") + link[2]

    return _LINK.sub(site_link, markdown)


def _target(page: str, link: str) -> str:
    """The path in the repository to which *link* leads from a page of the site."""
    names = {page: name for name, page in BESIDE.items()}
    source = names.get(page, f"docs/{page}")
    return os.path.normpath(os.path.join(os.path.dirname(source), link)).replace(os.sep, "/")


def _in_site(target: str) -> str | None:
    """The page of the site that a path in the repository becomes; None if it is not a page."""
    if target in BESIDE:
        return BESIDE[target]
    return target.removeprefix("docs/") if target.startswith("docs/") else None
