"""The example pipelines: valid by their forges' own schemas, and every line of theirs carried out on a lab.

What the forge itself supplies is stood in for: the clone, secrets, the values of a matrix, outputs and dotenv files.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pytest

from easops.document import Checker
from easops.yaml_reader import parse
from tests.postgresql import PostgresServer

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the jobs are shell scripts")

CI = Path(__file__).parent.parent / "examples" / "ci"
USER = "nina.okafor@contoso.example"
CURE = f"""
easops: 1
name: Block one user, once somebody agrees
hosts: all
steps:
  - name: Somebody agrees
    approval: a rehearsal
  - name: Block
    do: block_user
    with: {{user: {USER}}}
"""
"""In place of the cure of a storm, which takes minutes: what is held to here is the pipeline's."""


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("github-health.yml", "vendor.github-workflows"),
        ("github-approved-cure.yml", "vendor.github-workflows"),
        ("gitlab-ci.yml", "vendor.gitlab-ci"),
    ],
)
def test_a_pipeline_is_valid_by_its_forges_schema(name: str, schema: str) -> None:
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(CI / name)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def pipeline(name: str) -> dict[str, Any]:
    checker = Checker(name)
    tree = parse((CI / name).read_text(encoding="utf-8"), checker).plain()
    checker.finish()
    assert isinstance(tree, dict)
    return tree


class Ended(NamedTuple):
    code: int
    told: str


class Forge:
    """Carries out the scripts of jobs, each job on a machine of its own, in a clone with the lab as its inventory."""

    def __init__(self, folder: Path, lab: Path, database: str | None = None) -> None:
        self._folder = folder
        self._lab = lab
        self._secrets = {} if database is None else {"EASOPS_DATABASE_URL": database}
        self.clone = folder

    def machine(self, name: str) -> None:
        self.clone = self._folder / name
        self.clone.mkdir()
        shutil.copy(self._lab, self.clone / "hosts.yml")
        (self.clone / "approved-cure.yml").write_text(CURE, encoding="utf-8")

    def script(self, text: str, variables: Mapping[str, str]) -> Ended:
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
            "EASOPS_STATE": str(self.clone / "state"),
            **self._secrets,
            **variables,
        }
        done = subprocess.run(
            ["bash", "-e", "-c", text],
            cwd=self.clone,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=180,
        )
        return Ended(done.returncode, done.stdout)

    def github(self, job: Mapping[str, Any], **values: str) -> tuple[Ended, dict[str, str]]:
        """Carry out a job's steps; *values* are those of its ``${{ … }}``. How it ended, and its outputs."""
        output, summary = self.clone / "output", self.clone / "summary.md"
        output.touch()
        variables = {name: _filled(text, values) for name, text in job.get("env", {}).items()}
        forge = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.clone),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(summary),
        }
        told = ""
        for step in job["steps"]:
            if "run" in step:
                assert "${{" not in step["run"], "a value in a script's text is a way in"
                code, said = self.script(step["run"], {**variables, **forge})
                told += said
                if code != 0:
                    return Ended(code, told), {}
        return Ended(0, told), _variables(output)

    def gitlab(self, job: Mapping[str, Any], **variables: str) -> Ended:
        return self.script("\n".join(job["script"]), variables)

    @property
    def summary(self) -> str:
        return (self.clone / "summary.md").read_text(encoding="utf-8")

    def cases(self, name: str) -> list[str]:
        return [case.attrib["name"] for case in ElementTree.parse(self.clone / name).iter("testcase")]


def _variables(file: Path) -> dict[str, str]:
    """The ``NAME=value`` lines by which a job hands values on."""
    pairs = (line.partition("=") for line in file.read_text(encoding="utf-8").splitlines())
    return {name: value for name, _, value in pairs}


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return values.get(found[1].rpartition(".")[2], "")

    return re.sub(r"\$\{\{ (\S+) \}\}", value, text)


def test_a_nightly_look_ends_with_2_where_something_was_found_and_changes_nothing(lab: Path, tmp_path: Path) -> None:
    made = lab.parent / "changes.jsonl"
    before = made.read_bytes() if made.exists() else b""
    forge = Forge(tmp_path, lab)
    forge.machine("github")
    ended, _ = forge.github(pipeline("github-health.yml")["jobs"]["health"], playbook="contacts-sync-storm")
    assert ended.code == 2, ended.told
    assert "would change" in forge.summary
    assert "1 Who floods the servers" in forge.cases("contacts-sync-storm.xml")

    health = pipeline("gitlab-ci.yml")["health"]
    forge.machine("gitlab")
    ended = forge.gitlab(health, PLAYBOOK="stranded-pings")
    assert ended.code == 0, ended.told
    assert forge.cases("stranded-pings.xml")
    assert health["allow_failure"] == {"exit_codes": [2]}
    assert (made.read_bytes() if made.exists() else b"") == before


def undone(forge: Forge, run: str) -> None:
    ended = forge.script(f"easops undo {run} --yes --inventory hosts.yml", {})
    assert ended.code == 0, ended.told


def assert_it_says_why(told: str, run: str) -> None:
    """Why a second one planned nothing: the first still waits for its approval."""
    end = told.rpartition("\nnothing was planned\n")[2].splitlines()
    assert end[0] == f"run {run} of this playbook ended as awaiting_approval with unfinished steps", told
    assert end[1].startswith("it has a target in common with this one"), told
    assert end[2].startswith(f"easops approve {run}"), told


def test_a_cure_on_github_waits_for_its_reviewer_and_carries_out_what_he_saw(
    lab: Path, tmp_path: Path, postgres: PostgresServer
) -> None:
    jobs = pipeline("github-approved-cure.yml")["jobs"]
    forge = Forge(tmp_path, lab, postgres.url(postgres.new_database()))
    forge.machine("plan")
    planned, outputs = forge.github(jobs["plan"])
    assert planned.code == 0, planned.told
    assert set(outputs) == {"run", "digest"}
    assert json.loads((forge.clone / "plan.json").read_text())["changed"] is False
    shown = forge.summary.partition("<details open>")[2]
    assert USER in shown
    assert outputs["digest"] in shown
    assert "::notice title=1 Somebody agrees" in planned.told
    again, _ = forge.github(jobs["plan"])
    assert (again.code, "Traceback" in again.told) == (1, False), again.told
    assert_it_says_why(again.told, outputs["run"])

    forge.machine("cure")
    wrong, _ = forge.github(jobs["cure"], run=outputs["run"], digest="0" * 64)
    assert wrong.code == 3, wrong.told
    cured, _ = forge.github(jobs["cure"], **outputs)
    assert cured.code == 0, cured.told
    assert f"2 Block: {USER}" in forge.cases("cure.xml")
    undone(forge, outputs["run"])


def test_a_cure_on_gitlab_too(lab: Path, tmp_path: Path, postgres: PostgresServer) -> None:
    tree = pipeline("gitlab-ci.yml")
    forge = Forge(tmp_path, lab, postgres.url(postgres.new_database()))
    forge.machine("plan")
    planned = forge.gitlab(tree["plan"])
    assert planned.code == 0, planned.told
    assert USER in planned.told
    variables = _variables(forge.clone / "plan.env")
    again = forge.gitlab(tree["plan"])
    assert again.code == 1, again.told
    assert_it_says_why(again.told, variables["RUN"])

    forge.machine("cure")
    nothing = forge.gitlab(tree["cure"])
    assert nothing == Ended(0, "nothing was found, nothing to approve\n")
    cured = forge.gitlab(tree["cure"], **variables)
    assert cured.code == 0, cured.told
    undone(forge, variables["RUN"])
