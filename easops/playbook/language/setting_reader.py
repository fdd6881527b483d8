"""Reading what one key of a playbook says: constants and expressions, checked against the names known at that place."""

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
from easops.playbook.language.result_types import TEXT, Shape, fits

Names = Mapping[str, Shape | None]
"""What expressions may look up at one place; None is a shape that is not known."""

BROKEN: Final[Any] = object()
"""Stands for a setting whose problem is noted, so that nothing more is said about it."""

NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_WHERE: Final = {
    "item": "item is known in `with` and `because` of a step with `for_each`",
    "host": "host is known in `with` of a `do` with `on`, and in the steps of an `each_host`",
}


class SettingReader:
    """Reads settings; problems go to the checker. *later* are names that are given only further down."""

    def __init__(self, checker: Checker, later: Iterable[str] = ()) -> None:
        self._checker = checker
        self._later = frozenset(later)
        self.grouped: dict[str, int] = {}
        """The names that were given in an ``each_host``, which has ended: the line of each."""

    def name(self, node: Node, name: str, what: str) -> bool:
        """Whether *name* can be an input's or a result's."""
        if name in RESERVED:
            self._checker.add(node, f"{what} cannot be called {name!r}", "the name is reserved")
        elif not NAME.fullmatch(name):
            better = re.sub(r"\W+", "_", name).strip("_")
            next_step = f"Write {better}" if NAME.fullmatch(better) and better not in RESERVED else ""
            why = "a name begins with a letter and has letters, digits and _"
            self._checker.add(node, f"{what} cannot be called {name!r}", why, next_step)
        else:
            return True
        return False

    def read(self, node: Node, names: Names) -> Setting:
        """The setting of a value and all below it; BROKEN where an expression is wrong."""
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
        """A setting for *parameter*: a constant is checked, an expression as far as its value is known."""
        setting = self.read(node, names)
        if setting is BROKEN:
            return BROKEN
        if isinstance(setting, Expression):
            self._check_expression(node, setting, parameter, what, names, inputs)
        elif parameter.kind == "result":
            why = "it takes what an earlier step gave"
            self._checker.add(node, f"{what} cannot be a constant", why, 'Write "{{ name }}" with the name of its `as`')
        elif any(True for _ in expressions_in(setting)):
            if parameter.kind != "list":
                self._checker.add(node, f"{what} is of type {parameter.kind}, not {node.kind}")
        else:
            self._check_constant(node, setting, parameter, what)
        return setting

    def hosts(self, node: Node, what: str, names: Names) -> Setting:
        """A selector's text, a list of host names, or an expression that gives either."""
        setting = self.read(node, names)
        if setting is BROKEN:
            return BROKEN
        if isinstance(setting, Expression):
            shape = self.shape(setting, names)
            if shape is not None and shape.kind not in ("text", "list"):
                self._checker.add(node, f"{what} takes host names or a selector", f"{setting.text} is {shape.title}")
        elif isinstance(setting, str):
            try:
                parse_selector(setting)
            except SelectorError as error:
                self._checker.add(node, error.what, error.why, error.next_step, offset=error.column - 1)
        elif isinstance(setting, tuple):
            for item in node.items or ():
                if not isinstance(item.value, str) or not item.value.strip():
                    self._checker.add(item, f"{what} is a list of host names", f"this is {item.kind}")
        else:
            self._checker.add(node, f"{what} is {node.kind}", "it takes a selector, or a list of host names")
        return setting

    def condition(self, node: Node, what: str, names: Names) -> Setting:
        """One expression, whose truth or elements are asked for."""
        setting = self.read(node, names)
        if setting is BROKEN or (isinstance(setting, Expression) and setting.single):
            return setting
        text = node.value if isinstance(node.value, str) and not is_expression(node.value) else "..."
        self._checker.add(node, f"{what} is one expression in braces", "", f'Write "{{{{ {text} }}}}"')
        return BROKEN

    def shape(self, setting: Setting, names: Names) -> Shape | None:
        """The shape of a setting's value; None where it is not known."""
        if not isinstance(setting, Expression):
            return TEXT if isinstance(setting, str) else None
        if setting.path is not None:
            return self._resolve(None, setting.path, names)
        return None if setting.single else TEXT

    def _check_constant(self, node: Node, setting: Setting, parameter: Parameter, what: str) -> None:
        try:
            parameter.check(setting)
        except ParameterError as error:
            self._checker.add(node, f"{what} cannot be this", str(error))

    def _check_expression(
        self,
        node: Node,
        setting: Expression,
        parameter: Parameter,
        what: str,
        names: Names,
        inputs: Mapping[str, Parameter],
    ) -> None:
        shape = self.shape(setting, names)
        if shape is not None and not fits(shape, parameter.kind):
            next_step = _attribute_of_kind(setting, shape, parameter.kind)
            self._checker.add(
                node, f"{what} is of type {parameter.kind}", f"{setting.text} is {shape.title}", next_step
            )
            return
        given = inputs.get(setting.path[0]) if setting.path is not None and len(setting.path) == 1 else None
        if given is not None and not given.required:
            try:
                parameter.check(None if given.default is None else given.check(given.default))
            except ParameterError as error:
                self._checker.add(node, f"{what} cannot be the default of the input {given.name!r}", str(error))

    def _resolve(self, node: Node | None, path: tuple[str, ...], names: Names) -> Shape | None:
        """The shape at the end of *path*; what is not there is noted at *node* (None: it was noted before)."""
        if path[0] not in names:
            if node is not None:
                if path[0] in _WHERE:
                    why, next_step = _WHERE[path[0]], ""
                elif path[0] in self.grouped:
                    why = f"it is known only in the each_host of line {self.grouped[path[0]]}"
                    next_step = "Move this step into it, or read it anew outside"
                elif path[0] in self._later:
                    why, next_step = "it is the `as` of this step or a later one", "Use it after that step"
                else:
                    why = f"there are {', '.join(names)}" if names else "no names are known here"
                    next_step = suggestion(path[0], names)
                self._note(node, path[0], f"there is no {path[0]!r} here", why, next_step)
            return None
        shape = names[path[0]]
        for at, part in enumerate(path[1:], 1):
            if shape is None:
                return None
            before = ".".join(path[:at]).replace(".[]", "[]")
            if part == "[]":
                if shape.kind not in ("list", "text") and node is not None:
                    self._note(node, path[at - 1], f"{before} is {shape.title}", "only a list has elements")
                shape = shape.element
            elif part in shape.attributes:
                shape = shape.attributes[part]
            else:
                if node is not None:
                    there = f"there are {', '.join(shape.attributes)}" if shape.attributes else ""
                    hint = suggestion(part, shape.attributes)
                    if shape.kind == "list" and not hint:
                        hint = f"Write {before} | length for how many there are" if part in ("count", "length") else ""
                    self._note(node, part, f"{before} is {shape.title} and has no {part!r}", there, hint)
                return None
        return shape

    def _note(self, node: Node, word: str, what: str, why: str, next_step: str = "") -> None:
        """Note a problem at the first *word* inside the braces of the node's text."""
        text = str(node.value)
        found = re.compile(rf"\b{re.escape(word)}\b").search(text, max(0, text.find("{{")))
        self._checker.add(node, what, why, next_step, offset=found.start() if found else None)


def _attribute_of_kind(expression: Expression, shape: Shape, kind: Kind) -> str:
    """A hint that names an attribute of the kind that was wanted: ``Write {{ item.user }}``."""
    for name, attribute in shape.attributes.items():
        if expression.path is not None and fits(attribute, kind):
            return f"Did you mean {{{{ {'.'.join((*expression.path, name))} }}}}?"
    return ""
