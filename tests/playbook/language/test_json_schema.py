"""The schema for editors. The tests of the loader check that it accepts valid playbooks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import best_match

from easops.actions import ACTIONS
from easops.detectors import DETECTORS
from easops.document import Checker
from easops.playbook.language.json_schema import playbook_schema
from easops.playbook.language.load import shipped_playbooks
from easops.yaml_reader import parse

SCHEMA = playbook_schema(actions=ACTIONS, detectors=DETECTORS)
HEAD = "easops: 1\nname: x\nhosts: all\n"


def plain(text: str) -> Any:
    return parse(text, Checker("p.yml")).plain()


def wrong(text: str) -> str:
    """Where the schema finds the mistake; empty where it finds none."""
    error = best_match(Draft202012Validator(SCHEMA).iter_errors(plain(text)))
    return "" if error is None else f"{error.json_path}: {error.message}"


def test_it_is_a_schema_of_its_dialect() -> None:
    Draft202012Validator.check_schema(SCHEMA)


EXAMPLES = (Path(__file__).parents[3] / "examples" / "playbooks").glob("*.yml")


@pytest.mark.parametrize("path", [*shipped_playbooks().values(), *EXAMPLES], ids=lambda path: path.stem)
def test_shipped_playbooks_are_valid(path: Path) -> None:
    assert wrong(path.read_text(encoding="utf-8")) == ""


@pytest.mark.parametrize(
    "step",
    [
        "{name: nothing}",
        "{detect: contact_sync_strom}",
        "{detect: sync_pool_cpu, do: block_user}",
        "{detect: sync_pool_cpu, whn: '{{ true }}'}",
        "{detect: sync_pool_cpu, with: {abov: 60}}",
        "{detect: sync_pool_cpu, with: {above: often}}",
        "{detect: sync_pool_cpu, with: {above: -1}}",
        "{detect: sync_pool_cpu, with: {half_of: 60}}",
        "{detect: sync_pool_cpu, within: 5m}",
        "{detect: sync_pool_cpu, because: x}",
        "{detect: contact_sync_storm, with: {since: soon}}",
        "{verify: sync_pool_cpu, for_each: [a]}",
        "{verify: sync_pool_cpu, within: soon}",
        "{do: block_user}",
        "{do: block_user, with: {}}",
        "{do: block_user, with: {user: 5}}",
        "{do: block_user, with: {user: a}, on: all}",
        "{do: block_user, with: {user: a}, within: 5m}",
        "{do: block_user, with: {user: a}, for_each: storm.users}",
        "{do: block_user, with: {user: a}, when: storm.found}",
        "{do: limit_eas_usage, with: {user: a, replace_policy: maybe}}",
        "{do: recycle_app_pool, on: all}",
        "{do: recycle_app_pool, because: x}",
        "{detect: sync_pool_cpu, on: [1]}",
        "{detect: sync_pool_cpu, as: item}",
        "{detect: sync_pool_cpu, as: my-load}",
        "{detect: sync_pool_cpu, on_failure: stop}",
        "{detect: sync_pool_cpu, by: anyone}",
        "{do: block_user, with: {user: a}, expires: 1h}",
        "{approval: x, by: nobody}",
        "{approval: x, expires: soon}",
        "{approval: x, on: all}",
        "{approval: x, for_each: [a]}",
        "{approval: x, on_failure: continue}",
        "{approval: x, do: block_user}",
        "{approval: 5}",
        "{each_host: all}",
        "{each_host: all, steps: []}",
        "{each_host: all, steps: [{detect: sync_pool_cpu, on: all}]}",
        "{each_host: all, steps: [{each_host: all, steps: [{detect: sync_pool_cpu}]}]}",
        "{each_host: all, when: '{{ x }}', steps: [{detect: sync_pool_cpu}]}",
    ],
)
def test_a_structural_mistake_in_a_step_is_seen(step: str) -> None:
    assert wrong(f"{HEAD}steps: [{step}]") != ""


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "easops: 1\nname: x\nhosts: all\n",
        HEAD.replace("1", "2") + "steps: [{detect: sync_pool_cpu}]",
        HEAD + "steps: []",
        HEAD + "stps: []\nsteps: [{detect: sync_pool_cpu}]",
        HEAD + "limits: {changes: 0}\nsteps: [{detect: sync_pool_cpu}]",
        HEAD + "limits: {hosts: 3}\nsteps: [{detect: sync_pool_cpu}]",
        HEAD + "protect: 5\nsteps: [{detect: sync_pool_cpu}]",
        HEAD + "inputs: {a: {type: txt}}\nsteps: [{detect: sync_pool_cpu}]",
        HEAD + "inputs: {a: {default: 5}}\nsteps: [{detect: sync_pool_cpu}]",
        HEAD + "inputs: {host: {type: text}}\nsteps: [{detect: sync_pool_cpu}]",
        HEAD + "inputs: {a: {type: integer, default: x}}\nsteps: [{detect: sync_pool_cpu}]",
        HEAD + "inputs: {a: {type: duration, default: '{{ b }}'}}\nsteps: [{detect: sync_pool_cpu}]",
        HEAD + "inputs: {a: {type: choice}}\nsteps: [{detect: sync_pool_cpu}]",
        HEAD + "inputs: {a: {type: text, choices: [b]}}\nsteps: [{detect: sync_pool_cpu}]",
    ],
)
def test_a_structural_mistake_beside_the_steps_is_seen(text: str) -> None:
    assert wrong(text) != ""


def test_what_is_described_is_shown_by_an_editor() -> None:
    step = SCHEMA["$defs"]["step"]
    descriptions = {one["const"]: one["description"] for one in step["properties"]["do"]["oneOf"]}
    assert descriptions == {name: action.summary for name, action in ACTIONS.items()}
