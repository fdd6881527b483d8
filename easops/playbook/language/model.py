"""A checked playbook, as values. It is rebuilt from its text (``load.load_playbook_text``), so a record keeps that."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from types import MappingProxyType
from typing import Any, Final, Literal, Protocol

import attrs

from easops.duration import format_duration
from easops.errors import BadInput, EasopsError
from easops.parameter import Parameter, ParameterError, check_all
from easops.playbook.language.expression import Setting, evaluate

StepKind = Literal["detect", "verify", "do", "approval"]

By = Literal["anyone", "somebody_else"]
"""Who may approve; *somebody_else* is neither the person who started the run nor anyone who resumed it."""

EXPIRES: Final = dt.timedelta(hours=1)
"""How long an approval stands where the playbook does not say."""

LIFETIME: Final = Parameter("expires", "duration", minimum=60, maximum=400 * 86_400)
"""``expires``: in less than a minute nobody could approve, and no record is kept for longer (``record.KEPT``)."""

WITHIN: Final = Parameter("within", "duration")

_TYPED: Final = ("duration", "integer", "number", "text", "choice")


class TakesParameters(Protocol):
    """What the loader asks of a detector: its name and parameters."""

    @property
    def name(self) -> str: ...

    @property
    def parameters(self) -> tuple[Parameter, ...]: ...


class DescribedAction(TakesParameters, Protocol):
    """What the loader asks of an action: also what it acts on, and whether it is one-way, which needs ``because:``."""

    @property
    def scope(self) -> Literal["organisation", "server"]: ...

    @property
    def one_way(self) -> bool: ...


@attrs.frozen
class Limits:
    """How much a run may do: *changes* in each step, *hosts_at_once*, and unreachable hosts that stop nothing."""

    changes: int = 10
    hosts_at_once: int = 1
    unreachable: int = 0


def _frozen(values: Mapping[str, Setting]) -> Mapping[str, Setting]:
    return MappingProxyType(dict(values))


@attrs.frozen
class Step:
    """One step. *number* counts from 1; *subject* names the detector or the action (``approval`` is its own); *place*
    is ``file:line:column``.

    *on*, *for_each*, *when*, *because*, *within*, *approval* and *expires* are settings (``expression.evaluate``), None
    where not given. *within* (``verify`` only) and *expires* are durations in the text form or expressions that give
    one; *approval* is what the approver is told.
    """

    number: int
    name: str
    kind: StepKind
    subject: str
    with_: Mapping[str, Setting] = attrs.field(factory=dict, converter=_frozen)
    on: Setting = None
    for_each: Setting = None
    when: Setting = None
    because: Setting = None
    within: Setting = None
    approval: Setting = None
    expires: Setting = None
    by: By = "anyone"
    as_: str | None = None
    on_failure: Literal["stop", "continue"] = "stop"
    place: str = attrs.field(default="", eq=False)

    @property
    def changes(self) -> bool:
        """Whether it may change anything."""
        return self.kind == "do"

    def arguments(self, parameters: Sequence[Parameter], namespace: Mapping[str, Any]) -> dict[str, Any]:
        """The values of ``with:``, evaluated and checked against the detector's or action's *parameters*.

        Raises BadInput, with the place, for a value that is wrong and only known now.
        """
        try:
            return check_all(parameters, evaluate(self.with_, namespace))
        except ParameterError as error:
            raise BadInput(f"{self.place}: step {self.name!r} cannot take this value", str(error)) from None

    def command_arguments(self, parameters: Sequence[Parameter], namespace: Mapping[str, Any]) -> tuple[str, ...]:
        """The values of ``with:`` as they are typed after ``easops detect`` (``since=1h``); none that an earlier step
        gave, and none at all where they cannot be told now."""
        try:
            values = self.arguments(parameters, namespace)
        except EasopsError:
            return ()
        kinds = {parameter.name: parameter.kind for parameter in parameters}
        plain = {name: values[name] for name in self.with_ if kinds[name] in _TYPED and values[name] is not None}
        return tuple(
            f"{name}={format_duration(value) if isinstance(value, dt.timedelta) else _short(value)}"
            for name, value in plain.items()
        )

    def patience(self, namespace: Mapping[str, Any]) -> dt.timedelta:
        """How long a ``verify`` goes on looking (``within:``); nothing where it is not given. Raises BadInput."""
        return dt.timedelta() if self.within is None else self._duration(WITHIN, self.within, namespace)

    def lifetime(self, namespace: Mapping[str, Any]) -> dt.timedelta:
        """How long an approval stands, and the wish for one (``expires:``): a minute to 400 days. Raises BadInput."""
        return EXPIRES if self.expires is None else self._duration(LIFETIME, self.expires, namespace)

    def _duration(self, parameter: Parameter, setting: Setting, namespace: Mapping[str, Any]) -> dt.timedelta:
        try:
            checked: dt.timedelta = parameter.check(evaluate(setting, namespace))
        except ParameterError as error:
            what = f"{self.place}: {parameter.name} of step {self.name!r} cannot be this"
            raise BadInput(what, str(error)) from None
        return checked


@attrs.frozen
class Group:
    """Steps done host by host: all of them on one host before the next begins; the first stop ends it.

    *each_host* is a setting that gives the hosts, in order. In its steps ``host`` is the name of the host at hand, and
    every step is about that host alone. *place* is ``file:line:column``.
    """

    name: str
    each_host: Setting
    steps: tuple[Step, ...]
    place: str = attrs.field(default="", eq=False)


@attrs.frozen
class Playbook:
    """A playbook that was checked whole.

    *hosts* and *protect* are settings over the inputs: a selector's text or a list of host names; a list of mailboxes
    and groups. *source* is the file it was read from (or what stood for one), *text* its YAML, *digest* the SHA-256
    (hexadecimal) of the text with LF line ends. *kind* is ``do`` where it stands for a single action.
    """

    name: str
    scenario: str | None
    inputs: tuple[Parameter, ...]
    hosts: Setting
    limits: Limits
    protect: Setting
    parts: tuple[Step | Group, ...]
    source: str
    text: str = attrs.field(repr=False)
    digest: str
    kind: Literal["run", "do"] = "run"

    @property
    def steps(self) -> tuple[Step, ...]:
        """All steps in order, those of groups among them."""
        held = ((part,) if isinstance(part, Step) else part.steps for part in self.parts)
        return tuple(step for steps in held for step in steps)

    @property
    def short_name(self) -> str:
        """The file's name without folder and suffix: ``contacts-sync-storm``."""
        return PurePath(self.source).stem


def _short(value: Any) -> str:
    """``60`` of 60.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
