"""Expressions in braces: ``{{ storm.users }}``. The only module of playbooks that imports jinja2.

The value of a text that is one expression keeps its type; a text with more around its expressions gives text.
Expressions only read values: names, attributes, ``[...]``, comparisons, ``and or not in``, ``a if b else c``,
arithmetic on numbers, ``+`` and ``~``, literals, the test ``is none``, and the filters in ``FILTERS``. They cannot call
functions, loop, or see attributes that begin with an underscore, so that each ends soon and needs little memory.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

import attrs
import jinja2
from jinja2 import nodes
from jinja2.environment import TemplateExpression
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.filters import FILTERS as _JINJA_FILTERS
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from easops.document import suggestion
from easops.duration import format_duration
from easops.errors import BadInput

Setting = Any
"""The value of one key of a playbook: a constant (text, int, float, bool, None), an ``Expression``, or a tuple or
mapping of settings."""

LONGEST: Final = 4000
"""The most characters that a text with expressions can have."""

LONGEST_VALUE: Final = 100_000
"""The most characters of a text that is the value of an expression."""

LARGEST: Final = 10**15
"""The largest number that is the value of an expression, in either direction."""

RESERVED: Final = frozenset(
    "item host and or not in is if else true false none True False None "
    "self super loop caller varargs kwargs import include recursive".split()
)
"""Names that no input and no result can have: those of easops, and those that mean something to Jinja."""


class ExpressionError(BadInput):
    """An expression is not valid, or cannot be evaluated."""


def _round(value: float, digits: int = 0) -> float | int:
    # Jinja's own filter also takes a method, which computes 10 to the power of digits.
    if not isinstance(digits, int) or abs(digits) > 15:
        raise ValueError("round takes at most 15 digits")
    return round(value, digits) if digits else round(value)


def _int(value: Any) -> int:
    """A number, or a text with one, as a whole number. Raises ValueError for anything else."""
    if isinstance(value, str) and len(value) > 30:
        raise ValueError("the text is too long for a number")
    return int(float(value) if isinstance(value, str) and not value.strip().lstrip("+-").isdigit() else value)


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "default": _JINJA_FILTERS["default"],  # default(x, true) also for nothing
    "first": _JINJA_FILTERS["first"],
    "int": _int,
    "join": _JINJA_FILTERS["join"],  # join(', ', attribute='user')
    "last": _JINJA_FILTERS["last"],
    "length": _JINJA_FILTERS["length"],
    "lower": _JINJA_FILTERS["lower"],
    "round": _round,  # round(digits)
    "upper": _JINJA_FILTERS["upper"],
}
"""All filters; as in Jinja, except where a comment says otherwise."""

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
    nodes.Call: "function calls are not allowed",
    nodes.Pow: "powers (**) are not allowed",
    nodes.Dict: "mappings are not allowed",
    nodes.Slice: "slices are not allowed",
}


class _Environment(ImmutableSandboxedEnvironment):
    """The sandbox, with * and % for numbers only: a text times a number, or ``'%99999999d' % 1``, would fill memory."""

    intercepted_binops = frozenset(("*", "%"))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        if not isinstance(left, int | float) or not isinstance(right, int | float):
            raise SecurityError(f"{operator} works only on numbers")
        return super().call_binop(context, operator, left, right)


def _written(value: Any) -> Any:
    """A value as part of a text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dt.timedelta):
        return format_duration(value)
    if isinstance(value, list | tuple):
        return ", ".join(str(_written(item)) for item in value)
    if attrs.has(type(value)):
        raise SecurityError("a whole result cannot be part of a text: use one of its attributes")
    return "" if value is None else value


def _environment() -> _Environment:
    # Blocks and comments get delimiters that no playbook can contain (YAML refuses control characters): only
    # expressions are recognised, and a `{#` in a text is just text.
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
    """A text with at least one ``{{ }}``, checked. *place* (``file:line:column``) is for its errors.

    *keeps_type*: the text is one expression, whose value keeps its type.
    """

    text: str
    place: str = attrs.field(default="", eq=False)
    keeps_type: bool = attrs.field(eq=False, kw_only=True)
    _names: frozenset[str] = attrs.field(eq=False, kw_only=True, repr=False)
    _paths: frozenset[tuple[str, ...]] = attrs.field(eq=False, kw_only=True, repr=False)
    _path: tuple[str, ...] | None = attrs.field(eq=False, kw_only=True, repr=False)
    _run: Callable[[Mapping[str, Any]], Any] = attrs.field(eq=False, kw_only=True, repr=False)

    @classmethod
    def parse(cls, text: str, place: str = "") -> Expression:
        """Read *text*. Raises ExpressionError; its *what* does not repeat *place*."""
        if len(text) > LONGEST:
            raise ExpressionError("the text is too long to contain expressions", f"at most {LONGEST} characters")
        if "{%" in text:
            raise ExpressionError("{% statements %} are not allowed in a playbook", "use only {{ expressions }}")
        try:
            template = _ENVIRONMENT.parse(text.strip())
            outputs = [node for output in template.find_all(nodes.Output) for node in output.nodes]
            whole = len(outputs) == 1 and not isinstance(outputs[0], nodes.TemplateData)
            if not whole:
                template = _ENVIRONMENT.parse(text)
            _refuse_unless_reading(template)
            expressions = [node for node in template.body[0].nodes if not isinstance(node, nodes.TemplateData)]  # type: ignore[attr-defined]
            if not expressions:
                raise ExpressionError(
                    f"{text!r} has closing braces without opening ones", "write expressions as {{ name }}"
                )
            compiled = _compile(template, whole)
        except TemplateSyntaxError as error:
            raise ExpressionError(f"the expression {text!r} is not valid", error.message or "") from None
        except (RecursionError, MemoryError, SyntaxError):
            raise ExpressionError(f"the expression {text[:40]!r}... is not valid", "it is nested too deeply") from None
        paths = frozenset(_paths(template))
        return cls(
            text,
            place,
            keeps_type=whole,
            names=frozenset(path[0] for path in paths),
            paths=paths,
            path=_path(expressions[0]) if whole else None,
            run=compiled,
        )

    def names(self) -> frozenset[str]:
        """The names that it uses: inputs, results, ``item``, ``host``."""
        return self._names

    def attributes(self) -> frozenset[tuple[str, ...]]:
        """What it reads, as paths: ``("storm", "users")``. An element of a list is ``"[]"``."""
        return self._paths

    @property
    def path(self) -> tuple[str, ...] | None:
        """Its path, where it is just one path: ``("threshold",)`` for ``{{ threshold }}``; else None."""
        return self._path

    def evaluate(self, namespace: Mapping[str, Any]) -> Any:
        """Its value. Raises ExpressionError, with the place, for what only shows in a run."""
        for name in sorted(self._names):
            if name not in namespace:
                raise self._failed(f"there is no {name!r}", suggestion(name, namespace))
        try:
            value = self._run(namespace)
            if isinstance(value, jinja2.Undefined):
                value = str(value)  # StrictUndefined raises here, and says what is missing
            _refuse_excess(value)
        except (TemplateError, ArithmeticError, LookupError, TypeError, ValueError, AttributeError) as error:
            why = error.message if isinstance(error, UndefinedError) else str(error)
            raise self._failed(why or type(error).__name__) from None
        except (RecursionError, MemoryError):
            raise self._failed("its value is too large") from None
        return value

    def _failed(self, why: str, next_step: str = "") -> ExpressionError:
        where = f"{self.place}: " if self.place else ""
        return ExpressionError(f"{where}the expression {self.text!r} cannot be evaluated", why, next_step)


def _refuse_excess(value: Any) -> None:
    """Raise ValueError for a value that no setting can have: what it is used for would fail later, or take for ever."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("its value is not a finite number")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise ValueError(f"its value is larger than {LARGEST:.0e}")
    if isinstance(value, str) and len(value) > LONGEST_VALUE:
        raise ValueError(f"its value has more than {LONGEST_VALUE:,} characters")


def is_expression(text: str) -> bool:
    """Whether *text* has braces, so that it has to be parsed."""
    return "{{" in text or "}}" in text or "{%" in text


def evaluate(setting: Setting, namespace: Mapping[str, Any]) -> Any:
    """The value of a setting. Where an expression in a list gives a list, its items become items of the outer list.

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


def _compile(template: nodes.Template, whole: bool) -> Callable[[Mapping[str, Any]], Any]:
    if not whole:
        rendered = _ENVIRONMENT.from_string(template)
        return lambda namespace: rendered.render(dict(namespace))
    (expression,) = template.body[0].nodes  # type: ignore[attr-defined]
    # As Environment.compile_expression, which accepts only source text.
    body: list[nodes.Node] = [nodes.Assign(nodes.Name("result", "store"), expression, lineno=1)]
    value = TemplateExpression(_ENVIRONMENT.from_string(nodes.Template(body, lineno=1)), undefined_to_none=False)
    return lambda namespace: value(dict(namespace))


def _refuse_unless_reading(template: nodes.Template) -> None:
    for node in template.find_all(nodes.Node):
        if not isinstance(node, _ALLOWED):
            raise _refusal(_WORDS.get(type(node), f"{type(node).__name__} is not allowed"))
        if isinstance(node, nodes.Getattr) and node.attr.startswith("_"):
            raise _refusal(f"{node.attr!r} begins with an underscore")
        if isinstance(node, nodes.Getitem) and _text(node.arg).startswith("_"):
            raise _refusal(f"{_text(node.arg)!r} begins with an underscore")
        if isinstance(node, nodes.Filter):
            if node.name not in FILTERS:
                _unknown("filter", node.name, FILTERS)
            if node.node is None or node.dyn_args is not None or node.dyn_kwargs is not None:
                raise _refusal("a filter cannot take * or **")
        if isinstance(node, nodes.Const) and isinstance(node.value, int | float) and abs(node.value) > LARGEST:
            raise _refusal(f"a number is larger than {LARGEST:.0e}")
        if isinstance(node, nodes.Test) and node.name != "none":
            _unknown("test", node.name, ("none",))


def _refusal(why: str) -> ExpressionError:
    return ExpressionError("an expression can only read values", why)


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
        # In Jinja storm['users'] is storm.users, where there is no such item.
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
