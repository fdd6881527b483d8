"""Puts the shipped playbooks inside the package; everything else is in pyproject.toml."""

from __future__ import annotations

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithPlaybooks(build_py):
    """Copies ``playbooks/*.yml`` to ``easops/shipped``: an installed easops finds them by name."""

    def run(self) -> None:
        super().run()
        if self.editable_mode:  # a source checkout reads them where they lie
            return
        shipped = Path(self.build_lib) / "easops" / "shipped"
        shipped.mkdir(parents=True, exist_ok=True)
        for playbook in sorted(Path("playbooks").glob("*.yml")):
            shutil.copyfile(playbook, shipped / playbook.name)


setup(cmdclass={"build_py": BuildWithPlaybooks})
