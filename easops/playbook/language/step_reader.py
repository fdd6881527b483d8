"""Reading the steps of a playbook: their keys, the detectors and actions they name, and the names of their results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast

from easops.document import Checker, Node, suggestion
from easops.parameter import Parameter
from easops.playbook.language.expression import Setting
from easops.playbook.language.model import (
    LIFETIME,
    WITHIN,
    By,
    DescribedAction,
    Group,
    Step,
    StepKind,
    TakesParameters,
)
from easops.playbook.language.result_types import RESULT_TYPES, TEXT, ValueType
from easops.playbook.language.setting_reader import BROKEN, Names, SettingReader

KINDS: Final[tuple[StepKind, ...]] = ("detect", "verify", "do", "approval")
BESIDE: Final = ("name", "with", "on", "for_each", "when", "because", "within", "expires", "by", "as", "on_failure")
"""The keys of a step: exactly one of KINDS, and any of BESIDE."""

NOT_BESIDE: Final[Mapping[StepKind, tuple[str, ...]]] = {
    "detect": ("for_each", "because", "within", "expires", "by"),
    "verify": ("for_each", "because", "expires", "by"),
    "do": ("within", "expires", "by"),
    "approval": ("with", "on", "for_each", "because", "within", "as", "on_failure"),
}
"""By kind of step, the keys of BESIDE that it cannot have."""

BY: Final[tuple[By, ...]] = ("anyone", "somebody_else")

GROUP_REQUIRED: Final = ("each_host", "steps")
GROUP_OPTIONAL: Final = ("name",)
_BECAUSE: Final = Parameter("because", "text")
_APPROVAL: Final = Parameter("approval", "text")


def result_names(steps: Node) -> frozenset[str]:
    """All names that the steps give with ``as``, including the steps in groups."""
    names: set[str] = set()
    for step in steps.items or ():
        entries = step.entries or {}
        node = entries.get("as")
        if node is not None and isinstance(node.value, str):
            names.add(node.value)
        if "steps" in entries:
            names |= result_names(entries["steps"])
    return frozenset(names)


def _listed(words: Sequence[str], conjunction: str = "and") -> str:
    """``detect, verify and do``."""
    return f" {conjunction} ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


_ONE_OF: Final = _listed(KINDS, "or")


def _default_name(kind: StepKind, subject: str) -> str:
    """The name of a step that gives itself none."""
    return kind if kind == subject else f"{kind} {subject}"


def _is_group(node: Node) -> bool:
    return node.entries is not None and "each_host" in node.entries


class StepReader:
    """Reads steps in order, so that each can use the results of those before it. Problems go to the checker."""

    def __init__(
        self,
        checker: Checker,
        settings: SettingReader,
        names: Names,
        inputs: Mapping[str, Parameter],
        actions: Mapping[str, DescribedAction],
        detectors: Mapping[str, TakesParameters],
    ) -> None:
        self._checker = checker
        self._settings = settings
        self._names: dict[str, ValueType | None] = dict(names)
        self._inputs = inputs
        self._actions = actions
        self._detectors = detectors
        self._result_nodes: dict[str, Node] = {}
        """Where each result got its name."""
        self._number = 0
        self._in_group = False
        self._approvals: list[Node] = []
        """Approval steps that no changing step has followed so far."""

    def all(self, node: Node) -> tuple[Step | Group, ...]:
        parts = tuple(self._group(part) if _is_group(part) else self._step(part) for part in self._parts(node))
        for approval in self._approvals:
            what, why = (
                "no changes follow this approval",
                "no step changes anything between it and the next approval, or the end",
            )
            self._checker.add(approval, what, why, "Put it before the changes that it is for, or remove it")
        return parts

    def _parts(self, node: Node) -> Sequence[Node]:
        nodes = self._checker.items(node, "steps")
        if node.items == ():
            what = "a group" if self._in_group else "a playbook"
            self._checker.add(node, "steps is empty", f"{what} needs at least one step")
        return nodes

    def _group(self, node: Node) -> Group:
        """``each_host:`` with its steps. The names that these give exist only in the group."""
        check = self._checker
        fields = check.entries(node, "a group of steps", required=GROUP_REQUIRED, optional=GROUP_OPTIONAL)
        each_host = (
            self._settings.hosts(fields["each_host"], "each_host", self._names) if "each_host" in fields else None
        )
        outside, self._names = self._names, {**self._names, "host": TEXT}
        self._in_group = True
        steps: list[Step] = []
        for part in self._parts(fields["steps"]) if "steps" in fields else ():
            if _is_group(part):
                check.add(
                    part, "a group cannot contain a group", "its steps are for one host", "Put it after this group"
                )
                continue
            steps.append(self._step(part))
        self._in_group = False
        self._settings.grouped |= dict.fromkeys(self._names.keys() - outside.keys() - {"host"}, node.line)
        self._names = outside
        name = check.text(fields["name"], "the name of a group") if "name" in fields else "host by host"
        return Group(name, each_host, tuple(steps), f"{check.file}:{node.line}:{node.column}")

    def _step(self, node: Node) -> Step:
        self._number += 1
        number = self._number
        check = self._checker
        fields = check.entries(node, "a step", optional=(*KINDS, *BESIDE))
        kind = self._kind(node, fields)
        if kind == "approval":
            subject = "approval"
            self._approvals.append(node)
        else:
            subject = check.text(fields[kind], kind) if kind in fields else ""
        if kind == "do":
            self._do(node, fields, subject)
            self._approvals = []
        else:
            self._not_beside(kind, node)
        if self._in_group and "on" in fields:
            check.add(
                node.keys["on"],
                "a step in a group cannot have `on`",
                "it is about the current host of the group",
                "Remove it",
            )
        described = None if kind == "approval" else self._described(kind, subject, fields)
        action = self._actions.get(subject) if kind == "do" else None

        for_each, item = self._for_each(fields)
        scope: dict[str, ValueType | None] = dict(self._names)
        if "for_each" in fields:
            scope["item"] = item
        # A reason is given once for all hosts, so `host` is not known in it.
        because = self._text(fields, "because", _BECAUSE, scope)
        # Where the action is not known, that is the only problem reported: `host` might well be right.
        if kind == "do" and "on" in fields and (action is None or action.scope == "server"):
            scope["host"] = TEXT
        step = Step(
            number=number,
            name=check.text(fields["name"], "the name of a step") if "name" in fields else _default_name(kind, subject),
            kind=kind,
            subject=subject,
            with_=self._with(node, fields, described, subject, scope),
            on=self._settings.hosts(fields["on"], "on", self._names) if "on" in fields else None,
            for_each=for_each,
            when=self._when(fields),
            because=because,
            within=self._text(fields, "within", WITHIN, self._names),
            approval=self._text(fields, "approval", _APPROVAL, self._names),
            expires=self._text(fields, "expires", LIFETIME, self._names),
            by=cast("By", check.one_of(fields["by"], "by", BY) or "anyone") if "by" in fields else "anyone",
            as_=self._as(fields, kind) if kind in RESULT_TYPES else None,
            on_failure="continue"
            if "on_failure" in fields and check.one_of(fields["on_failure"], "on_failure", ("continue",))
            else "stop",
            place=f"{check.file}:{node.line}:{node.column}",
        )
        if step.as_ is not None:
            self._names[step.as_] = RESULT_TYPES[kind]
        return step

    def _kind(self, node: Node, fields: Mapping[str, Node]) -> StepKind:
        kinds = [kind for kind in KINDS if kind in fields]
        if not kinds and node.entries is not None:
            self._checker.add(node, f"a step needs exactly one of {_ONE_OF}", "this one has none")
        for kind in kinds[1:]:
            self._checker.add(node.keys[kind], f"a step needs exactly one of {_ONE_OF}", f"this one also has {kind}")
        return kinds[0] if kinds else "detect"

    def _described(self, kind: StepKind, subject: str, fields: Mapping[str, Node]) -> TakesParameters | None:
        """The detector or action that a step names; an unknown one is reported."""
        here: Mapping[str, TakesParameters] = self._actions if kind == "do" else self._detectors
        other: Mapping[str, TakesParameters] = self._detectors if kind == "do" else self._actions
        if subject in here or not subject:
            return here.get(subject)
        what = "action" if kind == "do" else "detector"
        if subject in other:
            next_step = f"Write `detect: {subject}`" if kind == "do" else f"Write `do: {subject}`"
            why = f"it is {'a detector' if kind == 'do' else 'an action'}"
        else:
            next_step = suggestion(subject, here)
            why = f"there are {', '.join(sorted(here))}" if here else "there are none"
        self._checker.add(fields[kind], f"no {what} is called {subject!r}", why, next_step)
        return None

    def _do(self, node: Node, fields: Mapping[str, Node], subject: str) -> None:
        """Report keys that a changing step needs, or cannot have, because of its action."""
        self._not_beside("do", node)
        action = self._actions.get(subject)
        if action is None:
            return
        if action.one_way and "because" not in fields:
            self._checker.add(
                node,
                f"{subject} needs a `because`",
                "it cannot be undone, and no setting shows afterwards that it was done",
                "Give the reason, or the evidence of an earlier step",
            )
        if action.scope == "server" and "on" not in fields and not self._in_group:
            self._checker.add(node, f"{subject} needs an `on`", "it acts on servers", "Say on which hosts")
        if action.scope == "organisation" and "on" in fields and not self._in_group:
            self._checker.add(
                node.keys["on"],
                f"{subject} cannot have `on`",
                "it acts on the organisation: a user has the same policy on all servers",
                "Remove it",
            )

    def _not_beside(self, kind: StepKind, node: Node) -> None:
        """Report keys that only steps of other kinds can have."""
        why = {
            "for_each": "a detector judges all hosts and users in one step",
            "because": "it changes nothing",
            "within": "a do is not repeated" if kind == "do" else "only a verify is repeated",
            "expires": "only an approval expires",
            "by": "only an approval asks somebody",
        }
        if kind == "approval":
            why = dict.fromkeys(BESIDE, "it covers all changes after it, and none of them is made without it")
        for key in NOT_BESIDE[kind]:
            if key in node.keys:
                others = [other for other in KINDS if key not in NOT_BESIDE[other]]
                what = f"{key} goes with {_listed(others)}, not {kind}"
                self._checker.add(node.keys[key], what, why[key], "Remove it")

    def _with(
        self,
        node: Node,
        fields: Mapping[str, Node],
        described: TakesParameters | None,
        subject: str,
        scope: Names,
    ) -> dict[str, Setting]:
        nodes = self._checker.named(fields["with"], "with") if "with" in fields else {}
        if described is None:
            return {name: self._settings.read(value, scope) for name, value in nodes.items()}
        parameters = {parameter.name: parameter for parameter in described.parameters}
        values: dict[str, Setting] = {}
        for name, value in nodes.items():
            if name in parameters:
                what = f"{name} of {subject}"
                values[name] = self._settings.value(value, parameters[name], what, scope, self._inputs)
            else:
                self._checker.add(
                    fields["with"].keys[name],
                    f"{subject} has no parameter {name!r}",
                    f"its parameters are {', '.join(parameters)}" if parameters else "it has none",
                    suggestion(name, parameters) or "Remove it",
                )
        if "with" in fields and fields["with"].entries is None:
            return values
        for name, parameter in parameters.items():
            if parameter.required and name not in nodes:
                self._checker.add(
                    fields.get("with", node),
                    f"{subject} needs {name!r}",
                    parameter.help or parameter.kind,
                    f"Add `{name}:` under `with:`",
                )
        return values

    def _for_each(self, fields: Mapping[str, Node]) -> tuple[Setting, ValueType | None]:
        """The setting, and the type of ``item``."""
        if "for_each" not in fields:
            return None, None
        node = fields["for_each"]
        if node.items is not None:
            setting = self._settings.read(node, self._names)
            constants = all(isinstance(item.value, str) for item in node.items)
            return setting, TEXT if constants else None
        setting = self._settings.condition(node, "for_each", self._names)
        if setting is BROKEN:
            return BROKEN, None
        value_type = self._settings.value_type(setting, self._names)
        if value_type is not None and value_type.kind != "list":
            hint = (
                ".users" if "users" in value_type.attributes else ".items" if "items" in value_type.attributes else ""
            )
            next_step = f"Did you mean {setting.text.replace(' }}', hint + ' }}')}?" if hint else ""
            self._checker.add(node, "for_each needs a list", f"{setting.text} is {value_type.title}", next_step)
            return BROKEN, None
        return setting, None if value_type is None else value_type.element

    def _when(self, fields: Mapping[str, Node]) -> Setting:
        if "when" not in fields:
            return None
        setting = self._settings.condition(fields["when"], "when", self._names)
        value_type = None if setting is BROKEN else self._settings.value_type(setting, self._names)
        if value_type is not None and value_type.kind in ("record", "result"):
            attribute = "found" if "found" in value_type.attributes else "changed"
            self._checker.add(
                fields["when"],
                "`when` needs true or false",
                f"{setting.text} is {value_type.title}, which is always true",
                f"Use its .{attribute}",
            )
        return setting

    def _text(self, fields: Mapping[str, Node], key: str, parameter: Parameter, names: Names) -> Setting:
        if key not in fields:
            return None
        return self._settings.value(fields[key], parameter, key, names, self._inputs)

    def _as(self, fields: Mapping[str, Node], kind: StepKind) -> str | None:
        if "as" not in fields:
            return None
        node = fields["as"]
        name = self._checker.text(node, "as")
        if not name or not self._settings.name(node, name, "a result"):
            return None
        if name in self._inputs:
            self._checker.add(node, f"a result cannot be called {name!r}", "an input has this name")
            return None
        if name in self._result_nodes:
            line = self._result_nodes[name].line
            self._checker.add(node, f"two results are called {name!r}", f"the first is in line {line}")
            return None
        self._result_nodes[name] = node
        return name
