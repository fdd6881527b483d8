"""Expressions in braces: ``{{ storm.users }}``. The only module that knows jinja2.

A text that is one expression gives the expression's value with its type; a text around expressions gives text.
Expressions only look: names, attributes, ``[...]``, comparisons, ``and or not in``, ``a if b else c``, arithmetic on
numbers, ``+`` and ``~``, literals, the test ``is none``, and the filters of ``FILTERS``. They call nothing, loop over
nothing, and see no attribute that begins with an underscore; so each ends soon, in little memory.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

import attrs
import jinja2
from jinja2 import nodes
from jinja2.environment import TemplateExpression
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.filters import FILTERS as _OWN
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from easops.document import suggestion
from easops.duration import format_duration
from easops.errors import BadInput

Setting = Any
"""What a playbook says for one key: a constant (text, int, float, bool, None), an ``Expression``, or a tuple or
mapping of settings."""

LONGEST: Final = 4000
"""Characters of the longest text with expressions."""

RESERVED: Final = frozenset(
    "item host and or not in is if else true false none True False None "
    "self super loop caller varargs kwargs import include recursive".split()
)
"""Names that no input and no step's result can have: ours, and those that Jinja gives a meaning."""


class ExpressionError(BadInput):
    """An expression cannot be read, or came to nothing when it was evaluated."""


def _round(value: float, digits: int = 0) -> float | int:
    # Jinja's own takes a method that raises 10 to the power of digits
    return round(value, digits) if digits else round(value)


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "default": _OWN["default"],  # default(x, true) also for nothing
    "first": _OWN["first"],
    "int": _OWN["int"],
    "join": _OWN["join"],  # join(', ', attribute='user')
    "last": _OWN["last"],
    "length": _OWN["length"],
    "lower": _OWN["lower"],
    "round": _round,  # round(digits)
    "upper": _OWN["upper"],
}
"""All filters that there are; as in Jinja unless said otherwise."""

_ALLOWED: Final = (
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.Const,
    nodes.Getattr,
    nodes.Getitem,
    nodes.Filter,
    nodes.Test,
    nodes.Keyword,
    nodes.Compare,
    nodes.Operand,
    nodes.And,
    nodes.Or,
    nodes.Not,
    nodes.Neg,
    nodes.Pos,
    nodes.Add,
    nodes.Sub,
    nodes.Mul,
    nodes.Div,
    nodes.FloorDiv,
    nodes.Mod,
    nodes.Concat,
    nodes.CondExpr,
    nodes.List,
    nodes.Tuple,
)
_WORDS: Final[dict[type[nodes.Node], str]] = {
    nodes.Call: "an expression calls nothing",
    nodes.Pow: "there are no powers (**)",
    nodes.Dict: "there are no mappings",
    nodes.Slice: "there are no slices",
}


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, with * and % for numbers only: a text times a number, or ``'%999999999d' % 1``, fills memory."""

    intercepted_binops = frozenset(("*", "%"))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise SecurityError(f"{operator} is for numbers")
        return super().call_binop(context, operator, left, right)


def _written(value: Any) -> Any:
    """How a value reads inside a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.timedelta):
        return format_duration(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(_written(item)) for item in value)
    if attrs.has(type(value)):
        raise SecurityError("a whole result cannot stand in a text; name one of its attributes")
    return "" if value is None else value


def _environment() -> _Environment:
    # Blocks and comments get delimiters that no text can hold (YAML refuses control characters): braces are for
    # expressions alone, and a `{#` in a text is a text.
    environment = _Environment(
        undefined=jinja2.StrictUndefined,
        finalize=_written,
        optimized=False,
        block_start_string="\x01{",
        block_end_string="}\x01",
        comment_start_string="\x02{",
        comment_end_string="}\x02",
        keep_trailing_newline=True,
    )
    environment.globals.clear()
    environment.filters = dict(FILTERS)
    environment.tests = {"none": environment.tests["none"]}
    return environment


_ENVIRONMENT: Final = _environment()


@attrs.frozen
class Expression:
    """A text with at least one ``{{ }}``, checked and ready; *place* (``file:line:column``) is for its errors.

    *single* says that it is one expression and keeps its value's type.
    """

    text: str
    place: str = attrs.field(default="", eq=False)
    single: bool = attrs.field(eq=False, kw_only=True)
    _names: frozenset[str] = attrs.field(eq=False, kw_only=True, repr=False)
    _paths: frozenset[tuple[str, ...]] = attrs.field(eq=False, kw_only=True, repr=False)
    _path: tuple[str, ...] | None = attrs.field(eq=False, kw_only=True, repr=False)
    _run: Callable[[Mapping[str, Any]], Any] = attrs.field(eq=False, kw_only=True, repr=False)

    @classmethod
    def parse(cls, text: str, place: str = "") -> Expression:
        """Read *text*. Raises ExpressionError, whose *what* does not repeat *place*."""
        if len(text) > LONGEST:
            raise ExpressionError("the text is too long for one with expressions", f"at most {LONGEST} characters")
        if "{%" in text:
            raise ExpressionError("there are no {% statements %} in a playbook", "only {{ expressions }}")
        try:
            template = _ENVIRONMENT.parse(text.strip())
            outputs = [node for output in template.find_all(nodes.Output) for node in output.nodes]
            single = len(outputs) == 1 and not isinstance(outputs[0], nodes.TemplateData)
            if not single:
                template = _ENVIRONMENT.parse(text)
            _refuse_what_does_more(template)
            expressions = [node for node in template.body[0].nodes if not isinstance(node, nodes.TemplateData)]  # type: ignore[attr-defined]
            if not expressions:
                raise ExpressionError(
                    f"{text!r} closes braces that it did not open", "an expression is {{ in braces }}"
                )
            compiled = _compile(template, single)
        except TemplateSyntaxError as error:
            raise ExpressionError(f"the expression {text!r} cannot be read", error.message or "") from None
        except (RecursionError, MemoryError, SyntaxError):
            raise ExpressionError(
                f"the expression {text[:40]!r}... cannot be read", "it is nested too deeply"
            ) from None
        paths = frozenset(_paths(template))
        return cls(
            text,
            place,
            single=single,
            names=frozenset(path[0] for path in paths),
            paths=paths,
            path=_path(expressions[0]) if single else None,
            run=compiled,
        )

    def names(self) -> frozenset[str]:
        """The names that it looks up: inputs, results, ``item``, ``host``."""
        return self._names

    def attributes(self) -> frozenset[tuple[str, ...]]:
        """What it looks at, as paths: ``("storm", "users")``; an element of a list is ``"[]"``."""
        return self._paths

    @property
    def path(self) -> tuple[str, ...] | None:
        """The path that it is, where it is exactly one: ``("threshold",)`` of ``{{ threshold }}``."""
        return self._path

    def evaluate(self, namespace: Mapping[str, Any]) -> Any:
        """Its value. Raises ExpressionError, with the place, for what only shows at run."""
        for name in sorted(self._names):
            if name not in namespace:
                raise self._failed(f"there is no {name!r}", suggestion(name, namespace))
        try:
            value = self._run(namespace)
            if isinstance(value, jinja2.Undefined):
                value = str(value)  # StrictUndefined raises, and says what was missing
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            why = error.message if isinstance(error, UndefinedError) else str(error)
            raise self._failed(why or type(error).__name__) from None
        return value

    def _failed(self, why: str, next_step: str = "") -> ExpressionError:
        where = f"{self.place}: " if self.place else ""
        return ExpressionError(f"{where}the expression {self.text!r} has no value", why, next_step)


def is_expression(text: str) -> bool:
    """Whether *text* has braces, so that it is to be parsed."""
    return "{{" in text or "}}" in text or "{%" in text


def evaluate(setting: Setting, namespace: Mapping[str, Any]) -> Any:
    """The value of a setting. A list inside a list, from an expression, is spliced into it.

    Raises ExpressionError.
    """
    if isinstance(setting, Expression):
        return setting.evaluate(namespace)
    if isinstance(setting, Mapping):
        return {key: evaluate(value, namespace) for key, value in setting.items()}
    if isinstance(setting, tuple):
        values: list[Any] = []
        for item in setting:
            value = evaluate(item, namespace)
            if isinstance(item, Expression) and isinstance(value, Sequence) and not isinstance(value, str | bytes):
                values.extend(value)
            else:
                values.append(value)
        return tuple(values)
    return setting


def expressions_in(setting: Setting) -> Iterator[Expression]:
    """The expressions of a setting, in order."""
    if isinstance(setting, Expression):
        yield setting
    elif isinstance(setting, Mapping):
        for value in setting.values():
            yield from expressions_in(value)
    elif isinstance(setting, tuple):
        for item in setting:
            yield from expressions_in(item)


def _compile(template: nodes.Template, single: bool) -> Callable[[Mapping[str, Any]], Any]:
    if not single:
        rendered = _ENVIRONMENT.from_string(template)
        return lambda namespace: rendered.render(dict(namespace))
    (expression,) = template.body[0].nodes  # type: ignore[attr-defined]
    # as Environment.compile_expression does, which would take only the inner source
    body: list[nodes.Node] = [nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)]
    value = TemplateExpression(_ENVIRONMENT.from_string(nodes.Template(body, lineno=1)), undefined_to_none=False)
    return lambda namespace: value(dict(namespace))


def _refuse_what_does_more(template: nodes.Template) -> None:
    for node in template.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            raise _refusal(_WORDS.get(type(node), f"{type(node).__name__} has no place in an expression"))
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise _refusal(f"{node.attr!r} begins with an underscore")
        if isinstance(node, nodes.Getitem) and _text(node.arg).startswith("_"):
            raise _refusal(f"{_text(node.arg)!r} begins with an underscore")
        if isinstance(node, nodes.Filter):
            if node.name not in FILTERS:
                _unknown("filter", node.name, FILTERS)
            if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
                raise _refusal("a filter takes no * and no **")
        if isinstance(node, nodes.Test) and node.name != "none":
            _unknown("test", node.name, ("none",))


def _refusal(why: str) -> ExpressionError:
    return ExpressionError("an expression only looks at values", why)


def _unknown(kind: str, name: str, known: Mapping[str, Any] | tuple[str, ...]) -> NoReturn:
    raise ExpressionError(f"there is no {kind} {name!r}", f"there are {', '.join(known)}", suggestion(name, known))


def _text(node: nodes.Node) -> str:
    return node.value if isinstance(node, nodes.Const) and isinstance(node.value, str) else ""


def _path(node: nodes.Node) -> tuple[str, ...] | None:
    if isinstance(node, nodes.Name):
        return (node.name,)
    if isinstance(node, nodes.Getattr | nodes.Getitem):
        before = _path(node.node)
        if before is None:
            return None
        # Jinja's storm['users'] is storm.users where there is no such item
        return (*before, node.attr if isinstance(node, nodes.Getattr) else _text(node.arg) or "[]")
    return None


def _paths(node: nodes.Node) -> Iterator[tuple[str, ...]]:
    """The longest paths below *node*."""
    path = _path(node)
    if path is None:
        for child in node.iter_child_nodes():
            yield from _paths(child)
        return
    yield path
    while isinstance(node, nodes.Getattr | nodes.Getitem):
        if isinstance(node, nodes.Getitem):
            yield from _paths(node.arg)
        node = node.node
