"""Expressions in braces: ``{{ storm.users }}``. The only module of playbooks that imports jinja2.

The value of a text that is one expression keeps its type; a text with more around its expressions gives text.
Expressions only read values: names, attributes, ``[...]``, comparisons, ``and or not in``, ``a if b else c``,
arithmetic on numbers, ``+`` and ``~``, literals, the test ``is none``, and the filters in ``FILTERS``. They cannot call
functions, loop, see attributes that begin with an underscore, be nested deeply, or make large values (``DEEPEST``,
``LARGEST``, ``LONGEST_VALUE``), so that each ends soon and needs little memory.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NoReturn

import attrs
import jinja2
from jinja2 import nodes
from jinja2.environment import TemplateExpression
from jinja2.exceptions import SecurityError, TemplateError, TemplateSyntaxError, UndefinedError
from jinja2.filters import FILTERS as _JINJA_FILTERS
from jinja2.filters import make_attrgetter
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from easops.document import suggestion
from easops.duration import format_duration
from easops.errors import BadInput

Setting = Any
"""The value of one key of a playbook: a constant (text, int, float, bool, None), an ``Expression``, or a tuple or
mapping of settings."""

LONGEST: Final = 4000
"""The most characters that a text with expressions can have."""

DEEPEST: Final = 50
"""How deeply an expression can be nested; each operator of ``a + b + c`` is a level, too."""

LARGEST: Final = 2**63 - 1
"""The largest number that an expression can have or give; fractions have only the limit of their precision."""

LONGEST_VALUE: Final = 1_000_000
"""The most characters of a text, or values of a list, that an expression can make."""

_ROUNDED: Final = 20
"""The most digits, before or after the point, that can be rounded to: Python computes 10 to the power of them."""

RESERVED: Final = frozenset(
    "item host and or not in is if else true false none True False None "
    "self super loop caller varargs kwargs import include recursive".split()
)
"""Names that no input and no result can have: those of easops, and those that mean something to Jinja."""


class ExpressionError(BadInput):
    """An expression is not valid, or cannot be evaluated."""


def _round(value: float, digits: int = 0) -> float | int:
    # Jinja's own filter also takes a method, which computes 10 to the power of digits.
    if not isinstance(digits, int) or abs(digits) > _ROUNDED:
        raise SecurityError(f"round takes -{_ROUNDED} to {_ROUNDED} digits")
    return round(value, digits) if digits else round(value)


@jinja2.pass_environment
def _join(environment: jinja2.Environment, value: Any, d: str = "", attribute: str | int | None = None) -> str:
    items = value if attribute is None else map(make_attrgetter(environment, attribute), value)
    texts = [str(item) for item in items]
    separator = str(d)
    _limit_length(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def _concat(values: Iterable[Any]) -> str:
    """``a ~ b``, and a text of its parts."""
    texts = []
    length = 0
    for value in values:
        texts.append(str(value))
        length += len(texts[-1])
        _limit_length(length)
    return "".join(texts)


def _limit_length(length: int) -> None:
    if length > LONGEST_VALUE:
        raise SecurityError(f"the value is too long: at most {LONGEST_VALUE:,} characters or values")


def _limited(value: Any) -> Any:
    """*value*, if it is no larger than an expression can give."""
    if isinstance(value, float) and not math.isfinite(value):
        raise SecurityError("the number is out of range")
    if isinstance(value, int) and abs(value) > LARGEST:
        raise SecurityError(f"the number is out of range: at most {LARGEST:,}")
    if isinstance(value, str | list | tuple):
        _limit_length(len(value))
    return value


FILTERS: Final[dict[str, Callable[..., Any]]] = {
    "default": _JINJA_FILTERS["default"],  # default(x, true) also for nothing
    "first": _JINJA_FILTERS["first"],
    "int": _JINJA_FILTERS["int"],
    "join": _join,  # join(', ', attribute='user')
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

    concat = staticmethod(_concat)
    intercepted_binops = frozenset(("+", "-", "*", "/", "//", "%"))

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:
        numbers = isinstance(left, int | float) and isinstance(right, int | float)
        if operator in "*%" and not numbers:
            raise SecurityError(f"{operator} works only on numbers")
        if isinstance(left, str | list | tuple) and isinstance(right, str | list | tuple):
            _limit_length(len(left) + len(right))
        return _limited(super().call_binop(context, operator, left, right))


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
    environment.filters = {**FILTERS, "~": _concat}
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
            _refuse_too_deep(template)
            _refuse_unless_reading(template)
            expressions = [node for node in template.body[0].nodes if not isinstance(node, nodes.TemplateData)]  # type: ignore[attr-defined]
            if not expressions:
                raise ExpressionError(
                    f"{text!r} has closing braces without opening ones", "write expressions as {{ name }}"
                )
            paths = frozenset(_paths(template))
            path = _path(expressions[0]) if whole else None
            compiled = _compile(_Limiting().visit(template), whole)
        except TemplateSyntaxError as error:
            raise ExpressionError(f"the expression {text!r} is not valid", error.message or "") from None
        except (RecursionError, MemoryError, SyntaxError):
            raise ExpressionError(f"the expression {text[:40]!r}... is not valid", "it is nested too deeply") from None
        return cls(
            text,
            place,
            keeps_type=whole,
            names=frozenset(path[0] for path in paths),
            paths=paths,
            path=path,
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
            if self._path is None:  # a value that is only passed on may be of any size
                _limited(value)
        except (
            TemplateError,
            ArithmeticError,
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
            RecursionError,
            MemoryError,
        ) as error:
            why = error.message if isinstance(error, UndefinedError) else str(error)
            raise self._failed(why or type(error).__name__) from None
        return value

    def _failed(self, why: str, next_step: str = "") -> ExpressionError:
        where = f"{self.place}: " if self.place else ""
        return ExpressionError(f"{where}the expression {self.text!r} cannot be evaluated", why, next_step)


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


class _Limiting(NodeTransformer):
    """Replaces what Jinja would compute without asking the environment."""

    def visit_Concat(self, node: nodes.Concat) -> nodes.Node:
        self.generic_visit(node)
        parts = nodes.List(node.nodes, lineno=node.lineno)
        return nodes.Filter(parts, "~", [], [], None, None, lineno=node.lineno).set_environment(_ENVIRONMENT)


def _refuse_too_deep(template: nodes.Template) -> None:
    level: list[nodes.Node] = [template]
    for _ in range(DEEPEST + 3):  # a template, an output and the first operator are above the first level
        level = [child for node in level for child in node.iter_child_nodes()]
        if not level:
            return
    raise _refusal(f"this one is nested more than {DEEPEST} levels deep")


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
        if any("\ud800" <= character <= "\udfff" for character in _text(node)):
            raise _refusal("a text contains half a character (a lone surrogate)")
        if isinstance(node, nodes.Const) and isinstance(node.value, int | float):
            try:
                _limited(node.value)
            except SecurityError as error:
                raise _refusal(error.message or "") from None
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
