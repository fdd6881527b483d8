"""Reading the value of one key of a playbook: constants and expressions, checked against the names known there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from easops.document import Checker, Node, suggestion
from easops.inventory.selector import SelectorError, parse_selector
from easops.parameter import Kind, Parameter, ParameterError
from easops.playbook.language.expression import (
    RESERVED,
    Expression,
    ExpressionError,
    Setting,
    expressions_in,
    is_expression,
)
from easops.playbook.language.result_types import TEXT, ValueType, fits

Names = Mapping[str, ValueType | None]
"""The names that expressions can use at one place, with their types; None is a type that is not known."""

BROKEN: Final[Any] = object()
"""Stands for a setting whose problem is already reported, so that no further problem is."""

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_WHERE: Final = {
    "item": "item exists only in `with` and `because` of a step with `for_each`",
    "host": "host exists only in `with` of a `do` with `on`, and in the steps of an `each_host`",
}


class SettingReader:
    """Reads settings. Problems go to the checker. *later* are the names of results that only later steps give."""

    def __init__(self, checker: Checker, later: Iterable[str] = ()) -> None:
        self._checker = checker
        self._later = frozenset(later)
        self.grouped: dict[str, int] = {}
        """The names that steps in an earlier ``each_host`` gave, with the line of that group."""

    def name(self, node: Node, name: str, what: str) -> bool:
        """Whether an input or a result can have this name; reported if not. *what* is ``an input`` or ``a result``."""
        if name in RESERVED:
            self._checker.add(node, f"{what} cannot be called {name!r}", "the name is reserved")
        elif not NAME.fullmatch(name):
            better = re.sub(r"\W+", "_", name).strip("_")
            next_step = f"Write {better}" if NAME.fullmatch(better) and better not in RESERVED else ""
            why = "a name begins with a letter, and has only letters, digits and _"
            self._checker.add(node, f"{what} cannot be called {name!r}", why, next_step)
        else:
            return True
        return False

    def read(self, node: Node, names: Names) -> Setting:
        """The setting of a value, with everything in it; BROKEN where an expression is not valid."""
        if node.entries is not None:
            return {key: self.read(value, names) for key, value in node.entries.items()}
        if node.items is not None:
            items = tuple(self.read(item, names) for item in node.items)
            return BROKEN if any(item is BROKEN for item in items) else items
        if not isinstance(node.value, str) or not is_expression(node.value):
            return node.value
        try:
            expression = Expression.parse(node.value, f"{self._checker.file}:{node.line}:{node.column}")
        except ExpressionError as error:
            self._checker.add(node, error.what, error.why, error.next_step)
            return BROKEN
        problems = len(self._checker.problems)
        for path in sorted(expression.attributes()):
            self._resolve(node, path, names)
        return expression if len(self._checker.problems) == problems else BROKEN

    def value(self, node: Node, parameter: Parameter, what: str, names: Names, inputs: Mapping[str, Parameter]) -> Any:
        """A setting for *parameter*. A constant is checked fully, an expression as far as its type is known."""
        setting = self.read(node, names)
        if setting is BROKEN:
            return BROKEN
        if isinstance(setting, Expression):
            self._check_expression(node, setting, parameter, what, names, inputs)
        elif parameter.kind == "result":
            why = "it takes the result of an earlier step"
            self._checker.add(node, f"{what} cannot be a constant", why, 'Write "{{ name }}" with the name of its `as`')
        elif any(True for _ in expressions_in(setting)):
            if parameter.kind != "list":
                self._checker.add(node, f"{what} must be of type {parameter.kind}", f"this is {node.kind}")
        else:
            self._check_constant(node, setting, parameter, what)
        return setting

    def hosts(self, node: Node, what: str, names: Names) -> Setting:
        """A selector, a list of host names, or an expression whose value is one of these."""
        setting = self.read(node, names)
        if setting is BROKEN:
            return BROKEN
        if isinstance(setting, Expression):
            value_type = self.value_type(setting, names)
            if value_type is not None and value_type.kind not in ("text", "list"):
                self._checker.add(
                    node, f"{what} needs a selector or a list of host names", f"{setting.text} is {value_type.title}"
                )
        elif isinstance(setting, str):
            try:
                parse_selector(setting)
            except SelectorError as error:
                self._checker.add(node, error.what, error.why, error.next_step, offset=error.column - 1)
        elif isinstance(setting, tuple):
            for item in node.items or ():
                if not isinstance(item.value, str) or not item.value.strip():
                    self._checker.add(item, f"{what} must be a list of host names", f"this is {item.kind}")
        else:
            self._checker.add(node, f"{what} needs a selector or a list of host names", f"this is {node.kind}")
        return setting

    def condition(self, node: Node, what: str, names: Names) -> Setting:
        """One expression, for ``when`` and ``for_each``."""
        setting = self.read(node, names)
        if setting is BROKEN or (isinstance(setting, Expression) and setting.keeps_type):
            return setting
        text = node.value if isinstance(node.value, str) and not is_expression(node.value) else "..."
        self._checker.add(node, f"{what} must be one expression in braces", "", f'Write "{{{{ {text} }}}}"')
        return BROKEN

    def value_type(self, setting: Setting, names: Names) -> ValueType | None:
        """The type of a setting's value; None where it is not known."""
        if not isinstance(setting, Expression):
            return TEXT if isinstance(setting, str) else None
        if setting.path is not None:
            return self._resolve(None, setting.path, names)
        return None if setting.keeps_type else TEXT

    def _check_constant(self, node: Node, setting: Setting, parameter: Parameter, what: str) -> None:
        try:
            parameter.check(setting)
        except ParameterError as error:
            self._checker.add(node, f"{what} is not valid", str(error))

    def _check_expression(
        self,
        node: Node,
        setting: Expression,
        parameter: Parameter,
        what: str,
        names: Names,
        inputs: Mapping[str, Parameter],
    ) -> None:
        value_type = self.value_type(setting, names)
        if value_type is not None and not fits(value_type, parameter.kind):
            next_step = _attribute_of_kind(setting, value_type, parameter.kind)
            self._checker.add(
                node, f"{what} must be of type {parameter.kind}", f"{setting.text} is {value_type.title}", next_step
            )
            return
        source = inputs.get(setting.path[0]) if setting.path is not None and len(setting.path) == 1 else None
        if source is not None and not source.required:
            try:
                parameter.check(None if source.default is None else source.check(source.default))
            except ParameterError as error:
                self._checker.add(node, f"{what}: the default of the input {source.name!r} is not valid", str(error))

    def _resolve(self, node: Node | None, path: tuple[str, ...], names: Names) -> ValueType | None:
        """The type at the end of *path*. What does not exist is reported at *node*; None: it was reported before."""
        if path[0] not in names:
            if node is not None:
                if path[0] in _WHERE:
                    why, next_step = _WHERE[path[0]], ""
                elif path[0] in self.grouped:
                    why = f"it exists only in the each_host in line {self.grouped[path[0]]}"
                    next_step = "Move this step into that group, or read it again outside"
                elif path[0] in self._later:
                    why, next_step = "it is the `as` of this step or a later one", "Use it after that step"
                else:
                    why = f"there are {', '.join(names)}" if names else "no names are known here"
                    next_step = suggestion(path[0], names)
                self._report(node, path[0], f"there is no {path[0]!r} here", why, next_step)
            return None
        value_type = names[path[0]]
        for at, part in enumerate(path[1:], 1):
            if value_type is None:
                return None
            before = ".".join(path[:at]).replace(".[]", "[]")
            if part == "[]":
                if value_type.kind not in ("list", "text") and node is not None:
                    self._report(node, path[at - 1], f"{before} is {value_type.title}", "only a list has elements")
                value_type = value_type.element
            elif part in value_type.attributes:
                value_type = value_type.attributes[part]
            else:
                if node is not None:
                    there = f"there are {', '.join(value_type.attributes)}" if value_type.attributes else ""
                    hint = suggestion(part, value_type.attributes)
                    if value_type.kind == "list" and not hint:
                        hint = f"Write {before} | length for their number" if part in ("count", "length") else ""
                    self._report(node, part, f"{before} is {value_type.title} and has no {part!r}", there, hint)
                return None
        return value_type

    def _report(self, node: Node, word: str, what: str, why: str, next_step: str = "") -> None:
        """Report a problem at the first *word* inside the braces of the node's text."""
        text = str(node.value)
        found = re.compile(rf"\b{re.escape(word)}\b").search(text, max(0, text.find("{{")))
        self._checker.add(node, what, why, next_step, offset=found.start() if found else None)


def _attribute_of_kind(expression: Expression, value_type: ValueType, kind: Kind) -> str:
    """A hint with an attribute of the kind that is needed: ``Did you mean {{ item.user }}?``"""
    for name, attribute in value_type.attributes.items():
        if expression.path is not None and fits(attribute, kind):
            return f"Did you mean {{{{ {'.'.join((*expression.path, name))} }}}}?"
    return ""
