"""Selectors over hosts: ``role=client_access and site=AMS``.

```text
selector  = and-part { "or" and-part }
and-part  = not-part { "and" not-part }
not-part  = "not" not-part | "(" selector ")" | "all" | attribute ( "=" | "!=" ) value
attribute = name | role | site | version | organisation | runs
```

A value may hold the wildcards ``*``, ``?`` and ``[...]``, and stands in quotes where it holds a blank; letters match
in either case. ``a!=b`` is ``not a=b``. ``runs=activesync`` is where the protocol runs (``Host.runs_activesync``).
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NoReturn

import attrs

from easops.document import suggestion
from easops.errors import BadInput, Refused
from easops.inventory.host import VERSIONS, Host

_ATTRIBUTES: Final[dict[str, Callable[[Host], tuple[str, ...]]]] = {
    "name": lambda host: (host.name,),
    "role": lambda host: tuple(host.roles),
    "site": lambda host: (host.site,),
    "version": lambda host: (host.version,),
    "organisation": lambda host: (host.organisation,),
    "runs": lambda host: ("activesync",) if host.runs_activesync else (),
}
_VALUES: Final[dict[str, tuple[str, ...]]] = {
    "role": ("client_access", "mailbox"),
    "version": VERSIONS,
    "runs": ("activesync",),
}
_TOKEN: Final = re.compile(r"""\s*(?:(?P<sign>!=|=|\(|\))|(?P<quoted>"[^"]*"|'[^']*')|(?P<word>[^\s()=!"']+))""")
_DEEPEST: Final = 50


class SelectorError(BadInput):
    """A selector cannot be read; *column* (from 1) is where in its text."""

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
    """Hosts one of whose values of *attribute* is like *pattern*."""

    attribute: str
    pattern: str

    def matches(self, host: Host) -> bool:
        pattern = self.pattern.lower()
        return any(fnmatch.fnmatchcase(value.lower(), pattern) for value in _ATTRIBUTES[self.attribute](host))


@attrs.frozen
class Not:
    operand: Selector

    def matches(self, host: Host) -> bool:
        return not self.operand.matches(host)


@attrs.frozen
class And:
    left: Selector
    right: Selector

    def matches(self, host: Host) -> bool:
        return self.left.matches(host) and self.right.matches(host)


@attrs.frozen
class Or:
    left: Selector
    right: Selector

    def matches(self, host: Host) -> bool:
        return self.left.matches(host) or self.right.matches(host)


Selector = All | Match | Not | And | Or


def parse_selector(text: str) -> Selector:
    """Read a selector. Raises SelectorError."""
    return _Parser(text).selector()


def select(selector: str | Sequence[str], hosts: Iterable[Host]) -> tuple[Host, ...]:
    """The hosts that a selector's text describes, or those of a list of names; in the order of *hosts*.

    Raises SelectorError for a text that is none, BadInput for a name that no host has.
    """
    hosts = tuple(hosts)
    if isinstance(selector, str):
        parsed = parse_selector(selector)
        return tuple(host for host in hosts if parsed.matches(host))
    known = {host.name.lower(): host.name for host in hosts}
    for name in selector:
        if not isinstance(name, str) or name.lower() not in known:
            raise BadInput(
                f"there is no host {name!r}",
                f"there are {', '.join(known.values()) or 'none'}",
                suggestion(str(name), known.values()) or "write one of those, or a selector as in site=AMS",
            )
    wanted = {name.lower() for name in selector}
    return tuple(host for host in hosts if host.name.lower() in wanted)


def as_selector(text: str, hosts: Iterable[Host]) -> str:
    """What a person typed as a selector: it is one, or names of *hosts* with commas between.

    Raises BadInput for a name that no host has.
    """
    hosts = tuple(hosts)
    names = _names(text, hosts)
    return " or ".join(f'name="{host.name}"' for host in select(names, hosts)) if names else text


def _names(text: str, hosts: Sequence[Host]) -> tuple[str, ...]:
    """The names that *text* lists, whether or not a host has them; empty where it is a selector."""
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    known = {host.name.lower() for host in hosts}
    if all(name.lower() in known for name in names):
        return names
    plain = all(_NAME.fullmatch(name) for name in names)
    return names if plain and text.strip().lower() != "all" else ()


_NAME: Final = re.compile(r"""[^\s()=!"'*?\[]+""")


def some_of(selector: str, hosts: Iterable[Host]) -> tuple[Host, ...]:
    """The hosts that *selector* describes, or names with commas between; one at least.

    Raises SelectorError, BadInput where it describes none.
    """
    hosts = tuple(hosts)
    described = as_selector(selector, hosts)
    chosen = select(described, hosts)
    if not chosen:
        raise BadInput(
            f"no host is selected by {selector!r}",
            f"the inventory has {_listed(hosts)}",
            _nearest(parse_selector(described), hosts) or "correct the selector, or the hosts of the inventory",
        )
    return chosen


def limited(limit: str, chosen: Sequence[Host], hosts: Iterable[Host]) -> tuple[Host, ...]:
    """Those of *chosen* that *limit* leaves: a selector over *hosts*, or names of theirs with commas between.

    Raises SelectorError for a text that is neither, BadInput where no host is left.
    """
    hosts = tuple(hosts)
    described = as_selector(limit, hosts)
    within = select(described, hosts)
    left = tuple(host for host in chosen if host in within)
    if not left:
        raise BadInput(
            f"no host is left by the limit {limit!r}",
            f"it selects {_listed(within)}, and the playbook's hosts are {_listed(chosen)}",
            _nearest(parse_selector(described), hosts) or "correct the limit, or leave it out",
        )
    return left


def _nearest(selector: Selector, hosts: Sequence[Host]) -> str:
    """``Did you mean 'AMS-EX01'?`` for a value of a selector that no host has, or nothing."""
    match selector:
        case Match(attribute, pattern) if not any(selector.matches(host) for host in hosts):
            return suggestion(pattern, {value for host in hosts for value in _ATTRIBUTES[attribute](host)})
        case Not(operand):
            return _nearest(operand, hosts)
        case And(left, right) | Or(left, right):
            return _nearest(left, hosts) or _nearest(right, hosts)
        case _:
            return ""


def _listed(hosts: Iterable[Host]) -> str:
    return ", ".join(host.name for host in hosts) or "none"


def one_organisation(hosts: Iterable[Host]) -> None:
    """Raise Refused (rule ``one organisation``) where *hosts* are of more than one."""
    names = sorted({host.organisation.casefold(): host.organisation for host in hosts}.values())
    if len(names) > 1:
        raise Refused(
            f"the hosts are of {len(names)} organisations",
            f"{', '.join(names)}: a run acts on one",
            f"Select one of them, for instance with organisation={names[0]}",
            rule="one organisation",
        )


@attrs.frozen
class _Token:
    kind: str
    text: str
    column: int


class _Parser:
    """Recursive descent, one method a rule of the grammar above."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = self._split(text)
        self._at = 0
        self._depth = 0

    def selector(self) -> Selector:
        if not self._tokens:
            self._fail("the selector is empty", 1, "", "Write `all` for every host")
        parsed = self._or()
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            self._fail(f"{token.text!r} was not expected here", token.column, "conditions are joined by and, or")
        return parsed

    def _split(self, text: str) -> list[_Token]:
        tokens: list[_Token] = []
        end = len(text.rstrip())
        at = 0
        while at < end:
            found = _TOKEN.match(text, at, end)
            if found is None:
                column = at + len(text[at:end]) - len(text[at:end].lstrip()) + 1
                what = "a quotation mark is not closed" if text[column - 1] in "\"'" else "this is no selector"
                self._fail(what, column)
            kind = str(found.lastgroup)
            tokens.append(_Token(kind, found[kind], found.start(kind) + 1))
            at = found.end()
        return tokens

    def _fail(self, what: str, column: int, why: str = "", next_step: str = "") -> NoReturn:
        raise SelectorError(
            f"the selector {self._text!r} cannot be read at column {column}: {what}", why, next_step, column=column
        )

    def _take(self, *wanted: str) -> bool:
        """Step over the next token if it is one of these signs or words."""
        if self._at < len(self._tokens):
            token = self._tokens[self._at]
            if token.kind != "quoted" and token.text.lower() in wanted:
                self._at += 1
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
            self._fail(f"it is nested more than {_DEEPEST} levels deep", self._tokens[self._at - 1].column)
        try:
            return Not(self._not()) if self._take("not") else self._condition()
        finally:
            self._depth -= 1

    def _condition(self) -> Selector:
        if self._take("("):
            opened = self._tokens[self._at - 1]
            inner = self._or()
            if not self._take(")"):
                self._fail("a ( is not closed", opened.column)
            return inner
        if self._at >= len(self._tokens):
            self._fail("a condition is missing at the end", len(self._text.rstrip()) + 1, "as in site=AMS")
        token = self._tokens[self._at]
        self._at += 1
        if token.kind != "word":
            self._fail(f"{token.text!r} was not expected here", token.column, "a condition is as in site=AMS")
        equal, unequal = self._take("="), self._take("!=")
        if not equal and not unequal:
            if token.text.lower() == "all":
                return All()
            self._fail(
                f"{token.text!r} is no condition",
                token.column,
                "a condition is as in site=AMS",
                f"Write name={token.text} for a host of that name",
            )
        if token.text not in _ATTRIBUTES:
            self._fail(
                f"hosts have no {token.text!r}",
                token.column,
                f"there are {', '.join(_ATTRIBUTES)}",
                suggestion(token.text, _ATTRIBUTES),
            )
        match = Match(token.text, self._value(token.text))
        return match if equal else Not(match)

    def _value(self, attribute: str) -> str:
        sign = self._tokens[self._at - 1]
        if self._at >= len(self._tokens) or self._tokens[self._at].kind == "sign":
            self._fail(f"a value is missing after {sign.text}", sign.column + len(sign.text))
        token = self._tokens[self._at]
        self._at += 1
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
