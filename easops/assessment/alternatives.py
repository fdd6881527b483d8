"""The actions that lead on from what a run left: another way where one was refused, a harder one where it did not
cure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from easops.actions import ACTIONS
from easops.assessment.command import Way, typed
from easops.playbook.steps.report import RunReport
from easops.status import Status


def onward(report: RunReport) -> list[Way]:
    """Each once, in the order of the steps: what the actions themselves know of it."""
    found = (*_instead(report), *_harder(report))
    return [way for way in dict.fromkeys(found) if way.command]


def _instead(report: RunReport) -> Iterator[Way]:
    for step in report.steps:
        for item in step.items:
            if item.status is Status.REFUSED and item.instead and step.subject in ACTIONS:
                yield Way("instead", f"Do for {item.item} what was refused", _do(step.subject, item.instead))


def _harder(report: RunReport) -> Iterator[Way]:
    """The stronger sibling of each action that a user was given, and is still found after."""
    because = f"still found after run {report.run_id}"
    given: dict[str, set[str]] = {}
    for step in report.steps:
        for item in () if step.done is None else step.done.treated:
            given.setdefault(item, set()).add(step.subject)
        if step.kind != "verify" or step.status is not Status.VERIFY_FAILED or step.detection is None:
            continue
        for user in step.detection.users:
            had = given.get(user.user, set())
            for action in (ACTIONS[name] for name in sorted(had & set(ACTIONS))):
                if action.stronger and action.stronger not in had:
                    what = f"{ACTIONS[action.stronger].summary}: {user.user}"
                    command = _do(action.stronger, {"user": user.user}, "--because", because)
                    yield Way("harder", what, command)


def _do(action: str, values: Mapping[str, str], *more: str) -> str:
    """``easops do block_user anna@contoso.example --inventory hosts.yml``: the one required text stands bare."""
    parameters = ACTIONS[action].parameters
    bare = [held.name for held in parameters if held.kind == "text" and held.required]
    given = [(held.name, values[held.name]) for held in parameters if held.name in values]
    words = [value if [name] == bare else f"{name}={value}" for name, value in given]
    return typed("easops", "do", action, *words, *more, "--inventory", "hosts.yml")
