"""Playbooks are checked whole: every mistake, with its place, before anything runs."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
from pathlib import Path
from typing import Any, Literal

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

import easops.actions
import easops.detectors
from easops.actions.outcome import Done, ItemOutcome
from easops.detectors.finding import Detection, Device, Undetermined, UserFinding
from easops.document import Checker, DocumentError
from easops.errors import BadInput
from easops.parameter import Parameter
from easops.playbook.language.expression import Expression
from easops.playbook.language.json_schema import playbook_schema
from easops.playbook.language.load import check_inputs, load_playbook, load_playbook_text, shipped_playbooks
from easops.playbook.language.model import Playbook
from easops.playbook.language.result_types import RESULT_TYPES
from easops.registry import table
from easops.yaml_reader import parse


@attrs.frozen
class Described:
    """What the loader asks of a detector or an action."""

    name: str
    parameters: tuple[Parameter, ...]
    scope: Literal["organisation", "server"] = "organisation"
    one_way: bool = False


DETECTORS = table(
    Described(
        "contact_sync_storm",
        (
            Parameter("since", "duration", default="1h"),
            Parameter("threshold", "integer", default=2000, minimum=1),
            Parameter("users", "list", default=()),
            Parameter("after", "result", default=None),
            Parameter("intervals", "integer", default=None),
        ),
    ),
    Described(
        "sync_pool_cpu", (Parameter("above", "number", default=None), Parameter("half_of", "result", default=None))
    ),
)
ACTIONS = table(
    Described("limit_eas_usage", (Parameter("user", "text", "the mailbox"),)),
    Described("recycle_app_pool", (Parameter("pool", "text", default="P"),), "server", one_way=True),
    Described("set_recycling", (Parameter("how", "choice", choices=("off", "on")),), "server"),
)
HEAD = """\
easops: 1
name: x
hosts: all
inputs:
  window: {type: duration, default: 1h}
  many: {type: integer, default: 0}
  who: {type: text}
  list: {type: list, default: []}
  way: {type: choice, choices: [off, up], default: up}
  maybe: {type: text, default: null}
steps:
"""
STORM = "- {detect: contact_sync_storm, as: storm}\n"
FIRST = HEAD.count("\n") + 1


SCHEMA = Draft202012Validator(playbook_schema(actions=ACTIONS, detectors=DETECTORS))


def load(text: str) -> Playbook:
    """What the loader lets through, the editors' schema lets through too."""
    playbook = load_playbook_text(text, "p.yml", actions=ACTIONS, detectors=DETECTORS)
    SCHEMA.validate(parse(text, Checker("p.yml")).plain())
    return playbook


def problems(text: str) -> list[str]:
    with pytest.raises(DocumentError) as caught:
        load(text)
    return [str(problem) for problem in caught.value.problems]


def test_the_shipped_cure_of_a_contact_sync_storm_is_without_a_problem() -> None:
    playbook = load_playbook(
        "contacts-sync-storm", actions=easops.actions.ACTIONS, detectors=easops.detectors.DETECTORS
    )

    assert (playbook.name, playbook.short_name, playbook.scenario, playbook.hosts, playbook.limits) == (
        "Cure a contact-sync storm (KB 2711053)",
        "contacts-sync-storm",
        "contacts-storm",
        "runs=activesync",
        playbook.limits,
    )
    assert (playbook.limits.changes.text, playbook.limits.hosts_at_once) == ("{{ changes }}", 1)
    assert check_inputs(playbook, {})["changes"] == 10
    within = Expression.parse("{{ storm.proof_within }}")
    assert [(s.number, s.kind, s.subject, s.as_, s.within, s.on_failure) for s in playbook.steps] == [
        (1, "detect", "contact_sync_storm", "storm", None, "stop"),
        (2, "detect", "sync_pool_cpu", "load", None, "continue"),
        (3, "do", "limit_eas_usage", "limited", None, "stop"),
        (4, "do", "recycle_app_pool", "freed", None, "stop"),
        (5, "verify", "contact_sync_storm", None, within, "stop"),
        (6, "verify", "sync_pool_cpu", None, "10m", "stop"),
    ]
    assert playbook.protect == Expression.parse("{{ protect }}")
    assert check_inputs(playbook, {}) == {
        "window": dt.timedelta(hours=2),
        "threshold": 2000,
        "busy": 60,
        "force": False,
        "protect": (),
        "changes": 10,
        "unreachable": None,
    }


@pytest.mark.parametrize("name", sorted(shipped_playbooks()))
def test_a_shipped_playbook_proves_by_the_measure_by_which_it_found(name: str) -> None:
    """With the default in its place, a flood below it would be proved to have ended while it goes on."""
    playbook = load_playbook(name, actions=easops.actions.ACTIONS, detectors=easops.detectors.DETECTORS)
    measures = ("threshold", "heartbeat", "margin", "pool")
    found = {
        step.subject: {key: step.with_.get(key) for key in measures} for step in playbook.steps if step.kind == "detect"
    }

    for step in playbook.steps:
        if step.kind == "verify" and step.subject in found:
            assert {key: step.with_.get(key) for key in measures} == found[step.subject], step.name


def test_a_playbook_is_rebuilt_from_its_text_and_line_ends_do_not_change_its_digest() -> None:
    text = HEAD + STORM

    assert load(load(text).text) == load(text)
    assert load(text.replace("\n", "\r\n")).digest == load(text).digest
    assert load(text.replace("name: x", "name: y")).digest != load(text).digest


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        ("- {name: x}", "1:3: a step needs exactly one of detect, verify, do or approval: this one has none"),
        (
            "- {detect: sync_pool_cpu, do: limit_eas_usage, with: {above: 5}}",
            "1:27: a step needs exactly one of detect, verify, do or approval: this one also has do",
        ),
        (
            "- {detct: sync_pool_cpu, detect: sync_pool_cpu}",
            "1:4: a step has no key 'detct': there are detect, verify, do, approval, name, with, on, for_each, "
            "when, because, within, expires, by, as, on_failure. Did you mean 'detect'?",
        ),
        (
            "- {detect: contact_sync_strom, with: {x: 1}}",
            "1:12: no detector is called 'contact_sync_strom': there are contact_sync_storm, sync_pool_cpu. "
            "Did you mean 'contact_sync_storm'?",
        ),
        (
            "- {do: block, with: {user: a}}",
            "1:8: no action is called 'block': there are limit_eas_usage, recycle_app_pool, set_recycling",
        ),
        (
            "- {do: sync_pool_cpu}",
            "1:8: no action is called 'sync_pool_cpu': it is a detector. Write `detect: sync_pool_cpu`",
        ),
        (
            "- {do: limit_eas_usage, with: {usr: a, user: b}}",
            "1:32: limit_eas_usage has no parameter 'usr': its parameters are user. Did you mean 'user'?",
        ),
        ("- {do: limit_eas_usage}", "1:3: limit_eas_usage needs 'user': the mailbox. Add `user:` under `with:`"),
        (
            "- {do: limit_eas_usage, with: {}}",
            "1:31: limit_eas_usage needs 'user': the mailbox. Add `user:` under `with:`",
        ),
        ("- {do: limit_eas_usage, with: a}", "1:31: with is text, not a mapping. Write it as `name: value` lines"),
        ("- {do: limit_eas_usage, with: {user: 5}}", "1:38: user of limit_eas_usage is not valid: 5 is not text"),
        (
            "- {detect: contact_sync_storm, with: {threshold: 0}}",
            "1:50: threshold of contact_sync_storm is not valid: 0 is below 1, the minimum of threshold",
        ),
        (
            "- {detect: contact_sync_storm, with: {threshold: '{{ window }}'}}",
            "1:50: threshold of contact_sync_storm must be of type integer: {{ window }} is a duration",
        ),
        (
            "- {detect: contact_sync_storm, with: {threshold: '{{ many }}'}}",
            "1:50: threshold of contact_sync_storm: the default of the input 'many' is not valid: "
            "0 is below 1, the minimum of threshold",
        ),
        (
            "- {detect: contact_sync_storm, with: {threshold: [1, '{{ many }}']}}",
            "1:50: threshold of contact_sync_storm must be of type integer: this is a list",
        ),
        (
            "- {do: limit_eas_usage, with: {user: '{{ maybe }}'}}",
            "1:38: user of limit_eas_usage: the default of the input 'maybe' is not valid: None is not text",
        ),
        (
            "- {do: set_recycling, on: all, with: {how: '{{ way }}'}}",
            "1:44: how of set_recycling: the default of the input 'way' is not valid: 'up' is not one of off, on",
        ),
        (
            "- {do: limit_eas_usage, with: {user: '{{ many }} {{ wh }}'}}",
            "1:53: there is no 'wh' here: there are window, many, who, list, way, maybe. Did you mean 'who'?",
        ),
        (
            "- {do: limit_eas_usage, with: {user: '{{ storm.found }}'}}\n" + STORM,
            "1:42: there is no 'storm' here: it is the `as` of this step or a later one. Use it after that step",
        ),
        (
            "- {do: limit_eas_usage, with: {user: '{{ item }}'}}",
            "1:42: there is no 'item' here: item exists only in `with` and `because` of a step with `for_each`",
        ),
        (
            "- {do: limit_eas_usage, with: {user: '{{ host }}'}}",
            "1:42: there is no 'host' here: host exists only in `with` of a `do` with `on`",
        ),
        (
            "- {do: limit_eas_usage, with: {user: '{{ who.name }}'}}",
            "1:46: who is text and has no 'name'",
        ),
        ("- {do: limit_eas_usage, with: {user: '{{ who'}}", "1:38: the expression '{{ who' is not valid: "),
        (
            "- {detect: contact_sync_storm, with: {after: 1h}}",
            "1:46: after of contact_sync_storm cannot be a constant: it takes the result of an earlier step. "
            'Write "{{ name }}" with the name of its `as`',
        ),
        (
            STORM + "- {verify: contact_sync_storm, with: {after: '{{ storm.found }}'}}",
            "2:46: after of contact_sync_storm must be of type result: {{ storm.found }} is true or false",
        ),
        (
            STORM + "- {do: limit_eas_usage, for_each: '{{ storm }}', with: {user: '{{ item.user }}'}}",
            "2:35: for_each needs a list: {{ storm }} is the result of detect. Did you mean {{ storm.users }}?",
        ),
        (
            STORM + "- {do: limit_eas_usage, for_each: storm.users, with: {user: '{{ item.user }}'}}",
            '2:35: for_each must be one expression in braces. Write "{{ storm.users }}"',
        ),
        (
            STORM + "- {do: limit_eas_usage, for_each: '{{ storm.usrs }}', with: {user: '{{ item.user }}'}}",
            "2:45: storm is the result of detect and has no 'usrs': "
            "there are found, users, hosts, watch, unresolved, floods, proof_within, "
            "undetermined, evidence. Did you mean 'users'?",
        ),
        (
            STORM + "- {do: limit_eas_usage, for_each: '{{ storm.users }}', with: {user: '{{ item.devices[0].usr }}'}}",
            "2:89: item.devices[] is a device and has no 'usr': there are device_id, ",
        ),
        (
            STORM + "- {do: limit_eas_usage, for_each: '{{ storm.users }}', with: {user: '{{ item }}'}}",
            "2:69: user of limit_eas_usage must be of type text: {{ item }} is a user who was found. "
            "Did you mean {{ item.user }}?",
        ),
        (
            STORM + "- {do: limit_eas_usage, with: {user: a}, because: '{{ storm.users.count }} of {{ storm.hosts }}'}",
            "2:67: storm.users is a list and has no 'count'. Write storm.users | length for their number",
        ),
        (
            STORM + "- {do: limit_eas_usage, with: {user: a}, when: storm.found}",
            '2:48: when must be one expression in braces. Write "{{ storm.found }}"',
        ),
        (
            STORM + "- {do: limit_eas_usage, with: {user: a}, when: '{{ storm }}'}",
            "2:48: `when` needs true or false: {{ storm }} is the result of detect, which is always true. "
            "Use its .found",
        ),
        (
            "- {do: recycle_app_pool, on: all}",
            "1:3: recycle_app_pool needs a `because`: it cannot be undone, and no setting shows afterwards that "
            "it was done. Give the reason, or the evidence of an earlier step",
        ),
        (
            "- {do: recycle_app_pool, because: it hangs}",
            "1:3: recycle_app_pool needs an `on`: it acts on servers. Say on which hosts",
        ),
        (
            "- {do: recycle_app_pool, on: all, because: '{{ host }} hangs'}",
            "1:48: there is no 'host' here: host exists only in `with` of a `do` with `on`",
        ),
        (
            "- {do: limit_eas_usage, with: {user: a}, on: all}",
            "1:42: limit_eas_usage cannot have `on`: it acts on the organisation: "
            "a user has the same policy on all servers. Remove it",
        ),
        (
            "- {detect: sync_pool_cpu, on: 'sit=AMS'}",
            "1:32: the selector 'sit=AMS' cannot be read at column 1: hosts have no attribute 'sit': "
            "there are name, role, site, version, organisation, runs. Did you mean 'site'?",
        ),
        (
            "- {detect: sync_pool_cpu, on: 'site=AMS and'}",
            "1:44: the selector 'site=AMS and' cannot be read at column 13: a condition is missing at the end: "
            "a condition looks like site=AMS",
        ),
        ("- {detect: sync_pool_cpu, on: [A, 5]}", "1:35: on must be a list of host names: this is a number"),
        (
            "- {detect: sync_pool_cpu, on: '{{ many }}'}",
            "1:31: on needs a selector or a list of host names: {{ many }} is an integer",
        ),
        (
            "- {do: limit_eas_usage, with: {user: a}, within: 5m}",
            "1:42: within goes with verify, not do: a do is not repeated. Remove it",
        ),
        (
            "- {detect: sync_pool_cpu, within: 5m}",
            "1:27: within goes with verify, not detect: only a verify is repeated. Remove it",
        ),
        (
            "- {verify: sync_pool_cpu, for_each: '{{ list }}'}",
            "1:27: for_each goes with do, not verify: a detector judges all hosts and users in one step. Remove it",
        ),
        (
            "- {verify: sync_pool_cpu, within: soon}",
            "1:35: within is not valid: 'soon' is not a valid duration: "
            "write a number and a unit, as in 90s, 30m, 1h or 2d",
        ),
        ("- {detect: sync_pool_cpu, on_failure: stop}", "1:39: on_failure cannot be 'stop': it is one of continue"),
        ("- {detect: sync_pool_cpu, as: item}", "1:31: a result cannot be called 'item': the name is reserved"),
        (
            "- {each_host: all, steps: [{do: recycle_app_pool, with: {pool: a}, because: b, on: all}]}",
            "1:80: a step in a group cannot have `on`: it is about the current host of the group. Remove it",
        ),
        (
            "- {each_host: all, steps: [{each_host: all, steps: [{detect: sync_pool_cpu}]}]}",
            "1:28: a group cannot contain a group: its steps are for one host. Put it after this group",
        ),
        (
            "- {detect: sync_pool_cpu, by: anyone}",
            "1:27: by goes with approval, not detect: only an approval asks somebody. Remove it",
        ),
        (
            "- {approval: x, on: all}\n- {do: limit_eas_usage, with: {user: a}}",
            "1:17: on goes with detect, verify and do, not approval: it covers all changes after it, and none of "
            "them is made without it. Remove it",
        ),
        (
            "- {approval: x, on_failure: continue}\n- {do: limit_eas_usage, with: {user: a}}",
            "1:17: on_failure goes with detect, verify and do, not approval: it covers all changes after it, "
            "and none of them is made without it. Remove it",
        ),
        (
            "- {approval: x, by: nobody}\n- {do: limit_eas_usage, with: {user: a}}",
            "1:21: by cannot be 'nobody': it is one of anyone, somebody_else",
        ),
        (
            "- {approval: x, expires: soon}\n- {do: limit_eas_usage, with: {user: a}}",
            "1:26: expires is not valid: 'soon' is not a valid duration",
        ),
        (
            "- {approval: x, expires: 0s}\n- {do: limit_eas_usage, with: {user: a}}",
            "1:26: expires is not valid: '0s' is below 1m, the minimum of expires",
        ),
        (
            "- {approval: x, expires: 401d}\n- {do: limit_eas_usage, with: {user: a}}",
            "1:26: expires is not valid: '401d' is above 400d, the maximum of expires",
        ),
        (
            "- {approval: x, expires: 9999999d}\n- {do: limit_eas_usage, with: {user: a}}",
            "1:26: expires is not valid: '9999999d' is too long: the longest duration is 36500d",
        ),
        (
            "- {do: limit_eas_usage, with: {user: a}}\n- {approval: x}\n- {detect: sync_pool_cpu}",
            "2:3: no changes follow this approval: no step changes anything between it and the next approval, or "
            "the end. Put it before the changes that it is for, or remove it",
        ),
        ("- {each_host: all, steps: []}", "1:27: steps is empty: a group needs at least one step"),
        ("- {each_host: all}", "1:3: a group of steps has no 'steps'"),
        (
            "- {each_host: all, for_each: x, steps: [{detect: sync_pool_cpu}]}",
            "1:20: a group of steps has no key 'for_each'",
        ),
        (
            STORM + "- {each_host: '{{ storm }}', steps: [{detect: sync_pool_cpu}]}",
            "2:15: each_host needs a selector or a list of host names: {{ storm }} is the result of detect",
        ),
        (
            "- {each_host: all, steps: [{detect: sync_pool_cpu, as: load}]}\n"
            "- {verify: sync_pool_cpu, with: {half_of: '{{ load }}'}}",
            "2:47: there is no 'load' here: it exists only in the each_host in line 12. "
            "Move this step into that group, or read it again outside",
        ),
        (
            "- {detect: sync_pool_cpu, as: my-load}",
            "1:31: a result cannot be called 'my-load': a name begins with a letter, and has only letters, digits "
            "and _. Write my_load",
        ),
        ("- {detect: sync_pool_cpu, as: who}", "1:31: a result cannot be called 'who': an input has this name"),
        (
            STORM + "- {detect: sync_pool_cpu, as: storm}",
            f"2:31: two results are called 'storm': the first is in line {FIRST}",
        ),
    ],
    ids=lambda value: value.replace(STORM, "")[:60] if isinstance(value, str) else None,
)
def test_a_mistake_in_a_step_is_named_at_its_place(step: str, expected: str) -> None:
    line, rest = expected.split(":", 1)

    (found,) = problems(HEAD + step)

    assert found[: len(f"p.yml:{FIRST - 1 + int(line)}:{rest}")] == f"p.yml:{FIRST - 1 + int(line)}:{rest}"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[]", ["1:1: a playbook is a list, not a mapping. Write it as `key: value` lines"]),
        (
            "easops: 2\nname: x\nhosts: all\nsteps: []\n",
            [
                "1:9: this version of easops reads playbook format 1 only. Write `easops: 1`",
                "4:8: steps is empty: a playbook needs at least one step",
            ],
        ),
        (
            "easops: 1\nsteps: x\n",
            [
                "1:1: a playbook has no 'name': the key is missing. Add `name:`",
                "1:1: a playbook has no 'hosts': the key is missing. Add `hosts:`",
                "2:8: steps is text, not a list. Write it as `- item` lines, or [item, item]",
            ],
        ),
        (
            HEAD.replace("hosts: all", "hosts: '{{ storm.hosts }}'\nlimits: {changes: 0, hosts: 3}\nprotect: 5")
            + STORM,
            [
                "3:12: there is no 'storm' here: it is the `as` of this step or a later one. Use it after that step",
                "4:19: limits.changes is not valid: 0 is below 1, the minimum of changes",
                "4:22: limits has no key 'hosts': there are changes, hosts_at_once, unreachable. Remove it",
                "5:10: protect is not valid: 5 is not a list",
            ],
        ),
        (
            HEAD.replace("  who: {type: text}\n", "  who: {type: txt}\n  host: {type: text}\n  a-b: {help: x}\n")
            + STORM,
            [
                "7:15: the type of an input cannot be 'txt': it is one of duration, integer, number, text, boolean, "
                "choice, list. Did you mean 'text'?",
                "8:3: an input cannot be called 'host': the name is reserved",
                "9:3: an input cannot be called 'a-b': a name begins with a letter, and has only letters, digits "
                "and _. Write a_b",
                "9:8: the input 'a-b' has no 'type': the key is missing. Add `type:`",
            ],
        ),
        (
            HEAD.replace("default: 0", "default: x")
            .replace("default: 1h", "default: '{{ many }}'")
            .replace("choices: [off, up], default: up", "default: up")
            .replace("{type: text}", "{type: text, choices: [a]}")
            + STORM,
            [
                "5:37: the default of 'window' must be a constant: inputs are set before any step runs",
                "6:34: the default of 'many' is not valid: 'x' is not a whole number",
                "7:21: an input of type text cannot have choices. Write `type: choice`",
                "9:8: the input 'way' has no choices: its type is choice. Add `choices: [a, b]`",
            ],
        ),
    ],
    ids=["no mapping", "format and no steps", "missing keys", "hosts, limits, protect", "inputs", "defaults"],
)
def test_mistakes_outside_the_steps_come_all_at_once(text: str, expected: list[str]) -> None:
    assert problems(text) == [f"p.yml:{problem}" for problem in expected]


@pytest.mark.parametrize(
    "step",
    [
        STORM + "- {do: limit_eas_usage, for_each: '{{ storm.users }}', with: {user: '{{ item.user }}'}}",
        "- {do: limit_eas_usage, for_each: [a, b], with: {user: '{{ item }}'}}",
        "- {do: limit_eas_usage, for_each: '{{ list }}', with: {user: '{{ item.name }}'}}",
        "- {do: recycle_app_pool, on: [A], with: {pool: '{{ host }}-pool'}, because: '{{ who }}'}",
        "- {do: recycle_app_pool, on: site=AMS, because: it hangs, when: '{{ many > 3 }}'}",
        "- {detect: contact_sync_storm, with: {users: [a, '{{ list }}', '{{ who }}']}}",
        "- {detect: contact_sync_storm, with: {users: '{{ who }}', since: '{{ window }}'}}",
        "- {verify: sync_pool_cpu, within: '{{ window }}'}",
        STORM + "- {verify: contact_sync_storm, with: {after: '{{ storm }}'}, as: after}",
        STORM + "- {detect: sync_pool_cpu, on: '{{ (storm.users | first).hosts }}', with: {above: '{{ many }}'}}",
    ],
)
def test_what_may_be_right_is_let_through(step: str) -> None:
    assert load(HEAD + step).steps


def test_a_step_without_a_name_is_called_by_what_it_does() -> None:
    assert load(HEAD + STORM).steps[0].name == "detect contact_sync_storm"


def test_a_steps_arguments_are_evaluated_and_checked() -> None:
    step = load(HEAD + "- {detect: contact_sync_storm, with: {threshold: '{{ many + 1 }}', since: 5m}}").steps[0]
    parameters = DETECTORS["contact_sync_storm"].parameters

    assert step.arguments(parameters, {"many": 4})["threshold"] == 5
    with pytest.raises(BadInput) as caught:
        step.arguments(parameters, {"many": -1})
    assert caught.value.what == f"p.yml:{FIRST}:3: a value of step 'detect contact_sync_storm' is not valid"


@pytest.mark.parametrize(
    ("within", "minutes"), [("within: 5m", 5), ("within: '{{ window }}'", 60), ("as: x", 0)], ids=str
)
def test_a_verify_looks_as_long_as_it_says(within: str, minutes: int) -> None:
    step = load(HEAD + f"- {{verify: sync_pool_cpu, {within}}}").steps[0]

    assert step.patience({"window": dt.timedelta(hours=1)}) == dt.timedelta(minutes=minutes)


def test_inputs_are_those_given_as_text_or_value_and_the_defaults() -> None:
    values = check_inputs(load(HEAD + STORM), {"who": "ada", "many": "7", "list": "a, b"})

    assert values == {
        "window": dt.timedelta(hours=1),
        "many": 7,
        "who": "ada",
        "list": ("a", "b"),
        "way": "up",
        "maybe": None,
    }


def test_every_wrong_input_is_named_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        check_inputs(load(HEAD + STORM), {"windw": "1h", "many": "x", "way": "down"})

    assert (caught.value.what, caught.value.why, caught.value.next_step) == (
        "the inputs do not fit the playbook p",
        "there is no input 'windw' (there are window, many, who, list, way, maybe); "
        "the input 'many' is not valid: 'x' is not a whole number; the input 'who' is missing (text); "
        "the input 'way' is not valid: 'down' is not one of off, up",
        "Did you mean 'window'? Add --input who=...",
    )


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("duration", "9" * 30 + "d"),
        ("integer", "9" * 5000),
        ("number", "nan"),
        ("number", "1e999"),
        ("number", ""),
        ("boolean", "2"),
        ("text", " "),
    ],
    ids=lambda value: value[:12],
)
def test_a_text_that_is_no_value_of_its_type_is_an_error_and_no_traceback(kind: str, text: str) -> None:
    playbook = load(HEAD.replace("steps:", f"  given: {{type: {kind}}}\nsteps:") + STORM)

    with pytest.raises(BadInput, match="the input 'given' is not valid"):
        check_inputs(playbook, {"who": "ada", "given": text})


def test_a_name_that_is_no_shipped_playbook_comes_with_the_nearest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DocumentError) as caught:
        load_playbook("contact-sync-storm", actions=ACTIONS, detectors=DETECTORS)

    assert caught.value.next_step == "Did you mean 'contacts-sync-storm'?"
    assert "contacts-sync-storm" in shipped_playbooks()


def test_a_file_is_read_by_its_path_and_named_in_its_problems(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text(HEAD + "- {detect: nothing}\n")

    with pytest.raises(DocumentError) as caught:
        load_playbook(path, actions=ACTIONS, detectors=DETECTORS)
    assert caught.value.what == f"{path}:{FIRST}:12: no detector is called 'nothing'"

    with pytest.raises(DocumentError) as caught:
        load_playbook(str(tmp_path / "none.yml"), actions=ACTIONS, detectors=DETECTORS)
    assert caught.value.what == f"{tmp_path / 'none.yml'}: there is no such file"


@pytest.mark.parametrize(
    ("value_type", "value_class", "left_out"),
    [
        (RESULT_TYPES["detect"].attributes["users"].element, UserFinding, {"checks", "proof", "change"}),
        (
            RESULT_TYPES["detect"].attributes["users"].element.attributes["devices"].element,  # type: ignore[union-attr]
            Device,
            set(),
        ),
        (RESULT_TYPES["detect"].attributes["undetermined"].element, Undetermined, set()),
        (RESULT_TYPES["do"].attributes["items"].element, ItemOutcome, {"before", "after", "instead"}),
    ],
    ids=["UserFinding", "Device", "Undetermined", "ItemOutcome"],
)
def test_expressions_may_look_at_what_the_values_have(value_type: Any, value_class: Any, left_out: set[str]) -> None:
    assert set(value_type.attributes) == {field.name for field in attrs.fields(value_class)} - left_out


def test_the_results_that_expressions_see_are_there() -> None:
    for name in RESULT_TYPES["detect"].attributes:
        getattr(Detection("x"), name)
    for name in RESULT_TYPES["do"].attributes:
        getattr(Done("x"), name)


_TEXTS = st.sampled_from(
    [
        "all",
        "{{ item.user }}",
        "{{ storm.users }}",
        "{{ x",
        "1h",
        "storm",
        "text",
        "recycle_app_pool",
        "sync_pool_cpu",
        "}}",
    ]
)
_KEYS = st.sampled_from(
    "detect verify do with on for_each when because within as on_failure name user "
    "type default choices changes half_of".split()
)
_TREES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), _TEXTS, st.text(max_size=5)),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=10,
)


@given(inputs=_TREES, limits=_TREES, protect=_TREES, hosts=_TREES, steps=st.lists(_TREES, max_size=3))
def test_a_playbook_of_any_shape_is_read_or_a_document_error(**parts: Any) -> None:
    with contextlib.suppress(DocumentError):
        load(json.dumps({"easops": 1, "name": "x", **parts}))


@given(st.text())
def test_any_text_is_a_playbook_or_a_document_error(text: str) -> None:
    with contextlib.suppress(DocumentError):
        load(text)
