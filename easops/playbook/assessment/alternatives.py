"""Actions that may help where this run did not: another form of one that was refused, or a stronger one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from easops.actions import ACTIONS
from easops.playbook.assessment.next_command import NextCommand, typed
from easops.playbook.assessment.run_facts import RunFacts
from easops.status import Status


def alternatives(run: RunFacts) -> list[NextCommand]:
    """In the order of the steps: what the actions themselves know of it."""
    return [*_instead(run), *_stronger(run)]


def _instead(run: RunFacts) -> Iterator[NextCommand]:
    for step in run.steps:
        for item in step.items:
            if item.status is Status.REFUSED and item.instead and step.subject in ACTIONS:
                meaning = f"do for {item.item} what was refused, in a way that the rule allows"
                yield NextCommand("alternative", _do(run, step.subject, item.instead), meaning)


def _stronger(run: RunFacts) -> Iterator[NextCommand]:
    """The stronger sibling of each action that a user was given, and is still found after."""
    if run.run_id is None:
        return  # a check has changed nothing that could be too weak
    because = f"still found after run {run.run_id}"
    treated: dict[str, set[str]] = {}
    for step in run.steps:
        for user in () if step.done is None else step.done.treated:
            treated.setdefault(user, set()).add(step.subject)
        if step.kind != "verify" or step.status is not Status.VERIFY_FAILED or step.detection is None:
            continue
        for finding in step.detection.users:
            done = treated.get(finding.user, set())
            for action in (ACTIONS[name] for name in sorted(done & set(ACTIONS))):
                if action.stronger and action.stronger not in done:
                    meaning = f"{ACTIONS[action.stronger].summary}: {finding.user}"
                    command = _do(run, action.stronger, {"user": finding.user}, "--because", because)
                    yield NextCommand("stronger", command, meaning)


def _do(run: RunFacts, action: str, values: Mapping[str, str], *more: str) -> str:
    """``easops do block_user anna@contoso.example --inventory hosts.yml``: the one required text stands bare."""
    where = run.where or ("--inventory", "hosts.yml")
    parameters = ACTIONS[action].parameters
    bare = [parameter.name for parameter in parameters if parameter.kind == "text" and parameter.required]
    arguments = [(parameter.name, values[parameter.name]) for parameter in parameters if parameter.name in values]
    words = [value if [name] == bare else f"{name}={value}" for name, value in arguments]
    return typed("easops", "do", action, *words, *more, *where)
