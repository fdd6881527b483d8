"""Record two runs of the easops that is imported, for the tests of later ones: one that ended, one that was killed.

    python tools/record_runs.py tests/playbook/recorded/VERSION

Both are runs of the shipped contact-sync playbook in the lab, each in a world of its own. The second is killed with
SIGKILL as soon as the servers have taken its second user's policy, so nobody has heard their answer. FOLDER then holds
``easops.sql`` (the database of the records and the engine) and ``labs/RUN/`` (what a lab starts again from); the paths
and the name of whoever recorded it are replaced.
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
"""Where the recorded runs say that the folders of whoever recorded them were."""


def main(folder: Path) -> None:
    """Record the two runs into *folder*, which must not be there yet."""
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="easops-record-") as name:
        state = Path(name)
        environment = {**os.environ, "EASOPS_STATE": str(state)}
        subprocess.run(RUN, env=environment, cwd=state, check=True)  # -m would take the easops of this folder first
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
    """Run once more, and kill the run when its second user has been given the policy."""
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
        raise SystemExit(f"the run was to be killed, and ended with {run.returncode}")
    (world,) = set((state / "labs").iterdir()) - before
    with FileLock(world / "lock", timeout=30):  # its lab sees its standard input closed, stores its clock, and ends
        pass


if __name__ == "__main__":
    main(Path(sys.argv[1]))
