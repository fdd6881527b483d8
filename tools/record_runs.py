"""Record two runs of the installed easops, for the tests of later releases: one that ended, one that was killed.

    python tools/record_runs.py tests/playbook/recorded/VERSION

Both are runs of the shipped contact-sync playbook in the lab, each in a world of its own. The second is killed with
SIGKILL as soon as the servers have assigned the policy to its second user, so that no process has received their
answer. FOLDER then has ``easops.sql`` (the database of the records and the engine) and ``labs/RUN/`` (what a lab is
resumed from). The tool replaces the paths and the name of the person who records.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

from filelock import FileLock

RUN: Final = [sys.executable, "-m", "easops", "run", "contacts-sync-storm", "--lab", "--quiet"]
KEPT: Final = ("world.json", "clock.json", "changes.jsonl")
STATE: Final = "/var/lib/easops"
"""The path that replaces the folders of the person who records."""


def main(folder: Path) -> None:
    """Record the two runs into *folder*, which must not exist yet."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="easops-record-") as name:
        state = Path(name)
        environment = {**os.environ, "EASOPS_STATE": str(state)}
        subprocess.run(
            RUN, env=environment, cwd=state, check=True
        )  # in another folder, -m would import the easops there
        _killed(state, environment)
        with sqlite3.connect(state / "easops.sqlite") as database:
            text = "\n".join(database.iterdump()) + "\n"
            documents = [json.loads(row[0]) for row in database.execute("select document from easops_runs")]
        shipped = {str(Path(document["source"]).parent) for document in documents}
        for here in (str(state), *shipped):
            text = text.replace(here, STATE)
        for document in documents:
            text = text.replace(f'"by":"{document["by"]}"', '"by":"operator"')
        (folder / "easops.sql").write_text(text, encoding="utf-8")
        for world in sorted((state / "labs").iterdir()):
            kept = folder / "labs" / world.name
            kept.mkdir(parents=True)
            for file in KEPT:
                shutil.copy(world / file, kept / file)


def _killed(state: Path, environment: dict[str, str]) -> None:
    """Run once more, and kill the run when its second user has the policy."""
    before = set((state / "labs").iterdir())
    with subprocess.Popen(RUN, env=environment, cwd=state) as run:
        while run.poll() is None:
            changes = [world / "changes.jsonl" for world in set((state / "labs").iterdir()) - before]
            taken = "".join(file.read_text(encoding="utf-8") for file in changes if file.exists())
            if taken.count("Set-ThrottlingPolicyAssociation") == 2:
                os.kill(run.pid, signal.SIGKILL)
                break
            time.sleep(0.001)
    if run.returncode != -signal.SIGKILL:
        raise SystemExit(f"the run was not killed in time: it ended with {run.returncode}")
    (world,) = set((state / "labs").iterdir()) - before
    with FileLock(
        world / "lock", timeout=30
    ):  # the lab ends when its standard input closes, and stores its clock first
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]))
