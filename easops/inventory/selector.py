"""Selectors over hosts: ``role=client_access and site=AMS``.

```text
selector  = and-part { "or" and-part }
and-part  = not-part { "and" not-part }
not-part  = "not" not-part | "(" selector ")" | "all" | attribute ( "=" | "!=" ) value
attribute = name | role | site | version | organisation | runs
```

A value may contain the wildcards ``*``, ``?`` and ``[...]``, and needs quotes if it contains a space; upper and lower
case are the same. ``a!=b`` means ``not a=b``. ``runs=activesync`` selects the hosts where the protocol runs
(``Host.runs_activesync``), ``runs=sync-pool`` all that have its application pool (``Host.has_sync_pool``).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable
from typing import Final, NoReturn

import attrs

from easops.document import suggestion
from easops.errors import BadInput
from easops.inventory.host import VERSIONS, Host

ATTRIBUTES: Final[dict[str, Callable[[Host], tuple[str, ...]]]] = {
    "name": lambda host: (host.name,),
    "role": lambda host: tuple(host.roles),
    "site": lambda host: (host.site,),
    "version": lambda host: (host.version,),
    "organisation": lambda host: (host.organisation,),
    "runs": lambda host: tuple(
        name for name, runs in (("activesync", host.runs_activesync), ("sync-pool", host.has_sync_pool)) if runs
    ),
}
"""What a selector can ask for, and the values that a host has of it."""

_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "role": ("client_access", "mailbox"),
    "version": VERSIONS,
    "runs": ("activesync", "sync-pool"),
}
_TOKEN: Final = re.compile(r"""\s*(?:(?P<sign>!=|=|\(|\))|(?P<quoted>"[^"]*"|'[^']*')|(?P<word>[^\s()=!"']+))""")
_DEEPEST: Final = 50

LONGEST: Final = 65_536
"""The most characters that a selector can have."""

_SHOWN: Final = 200
"""Characters of a selector that an error repeats."""


class SelectorError(BadInput):
    """A selector cannot be read. *column* (from 1) is where in its text."""

    def __init__(self, what: str, why: str = "", next_step: str = "", *, column: int) -> None:
        super().__init__(what, why, next_step)
        self.column = column


@attrs.frozen
class All:
    """Every host."""

    def matches(self, host: Host) -> bool:
        return True


@attrs.frozen
class Match:
    """Hosts that have a value of *attribute* which matches *pattern*."""

    attribute: str
    pattern: str

    def matches(self, host: Host) -> bool:
        pattern = self.pattern.lower()
        return any(fnmatch.fnmatchcase(value.lower(), pattern) for value in ATTRIBUTES[self.attribute](host))


@attrs.frozen
class Not:
    """Hosts that *operand* does not describe."""

    operand: Selector

    def matches(self, host: Host) -> bool:
        return not self.operand.matches(host)


@attrs.frozen
class And:
    """Hosts that both sides describe."""

    left: Selector
    right: Selector

    def matches(self, host: Host) -> bool:
        side: Selector = self
        while isinstance(side, And):  # a long chain is deep on its left
            if not side.right.matches(host):
                return False
            side = side.left
        return side.matches(host)


@attrs.frozen
class Or:
    """Hosts that at least one side describes."""

    left: Selector
    right: Selector

    def matches(self, host: Host) -> bool:
        side: Selector = self
        while isinstance(side, Or):
            if side.right.matches(host):
                return True
            side = side.left
        return side.matches(host)


Selector = All | Match | Not | And | Or


def parse_selector(text: str) -> Selector:
    """Read a selector. Raises SelectorError."""
    return _Parser(text).selector()


@attrs.frozen
class _Token:
    kind: str
    text: str
    column: int


class _Parser:
    """Recursive descent: one method for each rule of the grammar above."""

    def __init__(self, text: str) -> None:
        self._text = text
        if len(text) > LONGEST:
            self._fail(
                "it is too long", LONGEST + 1, f"at most {LONGEST:,} characters", "Name a group of hosts, or a site"
            )
        self._tokens = self._split(text)
        self._position = 0
        self._depth = 0

    def selector(self) -> Selector:
        if not self._tokens:
            self._fail("it is empty", 1, "", "Write `all` for every host")
        parsed = self._or()
        if self._position < len(self._tokens):
            token = self._tokens[self._position]
            self._fail(f"unexpected {token.text!r}", token.column, "conditions are joined by and, or")
        return parsed

    def _split(self, text: str) -> list[_Token]:
        tokens: list[_Token] = []
        end = len(text.rstrip())
        start = 0
        while start < end:
            match = _TOKEN.match(text, start, end)
            if match is None:
                column = start + len(text[start:end]) - len(text[start:end].lstrip()) + 1
                what = "a quotation mark is not closed" if text[column - 1] in "\"'" else "this is not a selector"
                self._fail(what, column)
            kind = str(match.lastgroup)
            tokens.append(_Token(kind, match[kind], match.start(kind) + 1))
            start = match.end()
        return tokens

    def _fail(self, what: str, column: int, why: str = "", next_step: str = "") -> NoReturn:
        text = self._text if len(self._text) <= _SHOWN else f"{self._text[:_SHOWN]}..."
        raise SelectorError(
            f"the selector {text!r} cannot be read at column {column}: {what}", why, next_step, column=column
        )

    def _take(self, *words: str) -> bool:
        """Go past the next token if it is one of these signs or words."""
        if self._position < len(self._tokens):
            token = self._tokens[self._position]
            if token.kind != "quoted" and token.text.lower() in words:
                self._position += 1
                return True
        return False

    def _or(self) -> Selector:
        left = self._and()
        while self._take("or"):
            left = Or(left, self._and())
        return left

    def _and(self) -> Selector:
        left = self._not()
        while self._take("and"):
            left = And(left, self._not())
        return left

    def _not(self) -> Selector:
        self._depth += 1
        if self._depth > _DEEPEST:
            self._fail(f"it is nested more than {_DEEPEST} levels deep", self._tokens[self._position - 1].column)
        try:
            return Not(self._not()) if self._take("not") else self._condition()
        finally:
            self._depth -= 1

    def _condition(self) -> Selector:
        if self._take("("):
            opened = self._tokens[self._position - 1]
            inner = self._or()
            if not self._take(")"):
                self._fail("a ( is not closed", opened.column)
            return inner
        if self._position >= len(self._tokens):
            self._fail(
                "a condition is missing at the end", len(self._text.rstrip()) + 1, "a condition looks like site=AMS"
            )
        token = self._tokens[self._position]
        self._position += 1
        if token.kind != "word":
            self._fail(f"unexpected {token.text!r}", token.column, "a condition looks like site=AMS")
        equal, unequal = self._take("="), self._take("!=")
        if not equal and not unequal:
            if token.text.lower() == "all":
                return All()
            self._fail(
                f"{token.text!r} is not a condition",
                token.column,
                "a condition looks like site=AMS",
                f"Write name={token.text} for a host of that name",
            )
        if token.text not in ATTRIBUTES:
            self._fail(
                f"hosts have no attribute {token.text!r}",
                token.column,
                f"there are {', '.join(ATTRIBUTES)}",
                suggestion(token.text, ATTRIBUTES),
            )
        match = Match(token.text, self._value(token.text))
        return match if equal else Not(match)

    def _value(self, attribute: str) -> str:
        sign = self._tokens[self._position - 1]
        if self._position >= len(self._tokens) or self._tokens[self._position].kind == "sign":
            self._fail(f"a value is missing after {sign.text}", sign.column + len(sign.text))
        token = self._tokens[self._position]
        self._position += 1
        value = token.text[1:-1] if token.kind == "quoted" else token.text
        known = _VALUES.get(attribute, ())
        if known and not any(fnmatch.fnmatchcase(candidate.lower(), value.lower()) for candidate in known):
            self._fail(
                f"there is no {attribute} {value!r}",
                token.column,
                f"there are {', '.join(known)}",
                suggestion(value, known),
            )
        return value
