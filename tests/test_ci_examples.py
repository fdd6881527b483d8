"""The example pipelines: valid against the schemas of their CI services, and every line of them is run on a lab.

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

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="the jobs are shell scripts")]

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
"""Replaces the cure of a storm, which takes minutes: these tests are about the pipeline."""


@pytest.mark.parametrize(
    ("name", "schema"),
    [
        ("github-health.yml", "vendor.github-workflows"),
        ("github-approved-cure.yml", "vendor.github-workflows"),
        ("gitlab-ci.yml", "vendor.gitlab-ci"),
    ],
)
def test_a_pipeline_is_valid_against_the_schema_of_its_ci_service(name: str, schema: str) -> None:
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(CI / name)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def pipeline(name: str) -> dict[str, Any]:
    checker = Checker(name)
    tree = parse((CI / name).read_text(encoding="utf-8"), checker).plain()
    checker.finish()
    assert isinstance(tree, dict)
    return tree


class JobResult(NamedTuple):
    code: int
    output: str


@pytest.fixture(autouse=True)
def machines(commands: Path) -> None:
    CiService.commands = commands


class CiService:
    """Runs the scripts of jobs, each job on a machine of its own, in a clone with the lab as its inventory."""

    commands: Path
    """The folder with the ``easops`` of these machines."""

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

    def script(self, text: str, variables: Mapping[str, str]) -> JobResult:
        environment = {
            **os.environ,
            "PATH": os.pathsep.join([str(self.commands), str(Path(sys.executable).parent), os.environ["PATH"]]),
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
        return JobResult(done.returncode, done.stdout)

    def github(self, job: Mapping[str, Any], **values: str) -> tuple[JobResult, dict[str, str]]:
        """Run the steps of a job; *values* are those of its ``${{ … }}``. Returns the result, and the job's outputs."""
        outputs, summary = self.clone / "output", self.clone / "summary.md"
        outputs.touch()
        variables = {name: _filled(text, values) for name, text in job.get("env", {}).items()}
        github = {
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.clone),
            "GITHUB_OUTPUT": str(outputs),
            "GITHUB_STEP_SUMMARY": str(summary),
        }
        output = ""
        for step in job["steps"]:
            if "run" in step:
                assert "${{" not in step["run"], "a value in the text of a script allows injection"
                code, step_output = self.script(step["run"], {**variables, **github})
                output += step_output
                if code != 0:
                    return JobResult(code, output), {}
        return JobResult(0, output), _variables(outputs)

    def gitlab(self, job: Mapping[str, Any], **variables: str) -> JobResult:
        return self.script("\n".join(job["script"]), variables)

    @property
    def summary(self) -> str:
        return (self.clone / "summary.md").read_text(encoding="utf-8")

    def cases(self, name: str) -> list[str]:
        return [case.attrib["name"] for case in ElementTree.parse(self.clone / name).iter("testcase")]


def _variables(file: Path) -> dict[str, str]:
    """The ``NAME=value`` lines in which a job passes on values."""
    pairs = (line.partition("=") for line in file.read_text(encoding="utf-8").splitlines())
    return {name: value for name, _, value in pairs}


def _filled(text: str, values: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        return values.get(found[1].rpartition(".")[2], "")

    return re.sub(r"\$\{\{ (\S+) \}\}", value, text)


def test_a_nightly_check_ends_with_2_where_something_was_found_and_changes_nothing(lab: Path, tmp_path: Path) -> None:
    made = lab.parent / "changes.jsonl"
    before = made.read_bytes() if made.exists() else b""
    ci = CiService(tmp_path, lab)
    ci.machine("github")
    result, _ = ci.github(pipeline("github-health.yml")["jobs"]["health"], playbook="contacts-sync-storm")
    assert result.code == 2, result.output
    assert "would change" in ci.summary
    assert "1 Find users who flood the servers" in ci.cases("contacts-sync-storm.xml")

    health = pipeline("gitlab-ci.yml")["health"]
    ci.machine("gitlab")
    result = ci.gitlab(health, PLAYBOOK="stranded-pings")
    assert result.code == 0, result.output
    assert ci.cases("stranded-pings.xml")
    assert health["allow_failure"] == {"exit_codes": [2]}
    assert (made.read_bytes() if made.exists() else b"") == before


def undo_run(ci: CiService, run: str) -> None:
    result = ci.script(f"easops undo {run} --yes --inventory hosts.yml", {})
    assert result.code == 0, result.output


def assert_it_explains_the_refusal(output: str, run: str) -> None:
    """A second run planned nothing because the first still waits for its approval."""
    end = output.rpartition("\nnothing was planned\n")[2].splitlines()
    assert end[0] == f"run {run} of this playbook ended as awaiting_approval with unfinished steps", output
    assert end[1].startswith("it has a target in common with this one"), output
    assert end[2].startswith(f"easops approve {run}"), output


def test_a_cure_on_github_waits_for_its_reviewer_and_does_what_was_approved(
    lab: Path, tmp_path: Path, postgres: PostgresServer
) -> None:
    jobs = pipeline("github-approved-cure.yml")["jobs"]
    ci = CiService(tmp_path, lab, postgres.url(postgres.new_database()))
    ci.machine("plan")
    planned, outputs = ci.github(jobs["plan"])
    assert planned.code == 0, planned.output
    assert set(outputs) == {"run", "digest"}
    assert json.loads((ci.clone / "plan.json").read_text())["changed"] is False
    shown = ci.summary.partition("<details open>")[2]
    assert USER in shown
    assert outputs["digest"] in shown
    assert "::notice title=1 Somebody agrees" in planned.output
    again, _ = ci.github(jobs["plan"])
    assert (again.code, "Traceback" in again.output) == (1, False), again.output
    assert_it_explains_the_refusal(again.output, outputs["run"])

    ci.machine("cure")
    wrong, _ = ci.github(jobs["cure"], run=outputs["run"], digest="0" * 64)
    assert wrong.code == 3, wrong.output
    cured, _ = ci.github(jobs["cure"], **outputs)
    assert cured.code == 0, cured.output
    assert f"2 Block: {USER}" in ci.cases("cure.xml")
    undo_run(ci, outputs["run"])


def test_a_cure_on_gitlab_waits_for_its_reviewer_and_does_what_was_approved(
    lab: Path, tmp_path: Path, postgres: PostgresServer
) -> None:
    tree = pipeline("gitlab-ci.yml")
    ci = CiService(tmp_path, lab, postgres.url(postgres.new_database()))
    ci.machine("plan")
    planned = ci.gitlab(tree["plan"])
    assert planned.code == 0, planned.output
    assert USER in planned.output
    variables = _variables(ci.clone / "plan.env")
    again = ci.gitlab(tree["plan"])
    assert again.code == 1, again.output
    assert_it_explains_the_refusal(again.output, variables["RUN"])

    ci.machine("cure")
    nothing = ci.gitlab(tree["cure"])
    assert nothing == JobResult(0, "nothing was found, so there is nothing to approve\n")
    cured = ci.gitlab(tree["cure"], **variables)
    assert cured.code == 0, cured.output
    undo_run(ci, variables["RUN"])
