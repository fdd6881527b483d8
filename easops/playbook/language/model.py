"""A checked playbook, as values. A record keeps only its text, from which ``load.load_playbook_text`` rebuilds it."""

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
"""How long an approval stays valid where the playbook does not say."""

LIFETIME: Final = Parameter("expires", "duration", minimum=60, maximum=400 * 86_400)
"""``expires``. Nobody can approve in less than a minute, and no record is kept longer than 400 days."""

WITHIN: Final = Parameter("within", "duration")

_ON_COMMAND_LINE: Final = ("duration", "integer", "number", "text", "choice")
"""The kinds of parameters that can be typed after ``easops detect``."""


class TakesParameters(Protocol):
    """What the loader needs to know of a detector: its name and parameters."""

    @property
    def name(self) -> str: ...

    @property
    def parameters(self) -> tuple[Parameter, ...]: ...


class DescribedAction(TakesParameters, Protocol):
    """What the loader needs to know of an action: also its scope, and whether it is one-way (needs ``because:``)."""

    @property
    def scope(self) -> Literal["organisation", "server"]: ...

    @property
    def one_way(self) -> bool: ...


@attrs.frozen
class Limits:
    """How much a run may do: at most *changes* in each step, on *hosts_at_once* hosts at a time. *unreachable* is the
    number of hosts in a ``detect`` that may give no answer, or no verdict, without stopping the changes on the others;
    None: a quarter of the run's hosts, and at least one. Each is a number, or an expression of inputs."""

    changes: Setting = 10
    hosts_at_once: Setting = 1
    unreachable: Setting = None


def _frozen(values: Mapping[str, Setting]) -> Mapping[str, Setting]:
    return MappingProxyType(dict(values))


@attrs.frozen
class Step:
    """One step. *number* counts from 1. *subject* is the name of the detector or action; of an approval step it is
    ``approval``. *place* is ``file:line:column``.

    *on*, *for_each*, *when*, *because*, *within*, *approval* and *expires* are settings (``expression.evaluate``), None
    where the key is not there. *within* (only in ``verify``) and *expires* are durations as text (``30m``), or
    expressions whose value is one. *approval* is the text that the approver reads.
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
        """The values of ``with:``, evaluated and checked against the *parameters* of the detector or action.

        Raises BadInput, with the place, for a value that is not valid, which may only show now.
        """
        try:
            return check_all(parameters, evaluate(self.with_, namespace))
        except ParameterError as error:
            raise BadInput(f"{self.place}: a value of step {self.name!r} is not valid", str(error)) from None

    def command_arguments(self, parameters: Sequence[Parameter], namespace: Mapping[str, Any]) -> tuple[str, ...]:
        """The values of ``with:`` as arguments of ``easops detect`` (``since=1h``), without results of earlier steps.

        Empty where the values are not valid.
        """
        try:
            values = self.arguments(parameters, namespace)
        except EasopsError:
            return ()
        kinds = {parameter.name: parameter.kind for parameter in parameters}
        shown = {
            name: values[name] for name in self.with_ if kinds[name] in _ON_COMMAND_LINE and values[name] is not None
        }
        return tuple(
            f"{name}={format_duration(value) if isinstance(value, dt.timedelta) else _short(value)}"
            for name, value in shown.items()
        )

    def patience(self, namespace: Mapping[str, Any]) -> dt.timedelta:
        """How long a ``verify`` repeats (``within:``); zero where the key is not there. Raises BadInput."""
        return dt.timedelta() if self.within is None else self._duration(WITHIN, self.within, namespace)

    def lifetime(self, namespace: Mapping[str, Any]) -> dt.timedelta:
        """How long an approval, and a request for one, stays valid (``expires:``): 1m to 400d. Raises BadInput."""
        return EXPIRES if self.expires is None else self._duration(LIFETIME, self.expires, namespace)

    def _duration(self, parameter: Parameter, setting: Setting, namespace: Mapping[str, Any]) -> dt.timedelta:
        try:
            checked: dt.timedelta = parameter.check(evaluate(setting, namespace))
        except ParameterError as error:
            what = f"{self.place}: {parameter.name} of step {self.name!r} is not valid"
            raise BadInput(what, str(error)) from None
        return checked


@attrs.frozen
class Group:
    """Steps that are done host by host: all of them on one host before the next host begins. The first stop ends it.

    *each_host* is a setting for the hosts, in order. In its steps ``host`` is the name of the current host, and every
    step is about this host only. *place* is ``file:line:column``.
    """

    name: str
    each_host: Setting
    steps: tuple[Step, ...]
    place: str = attrs.field(default="", eq=False)


@attrs.frozen
class Playbook:
    """A fully checked playbook.

    *name* is its own, *scenario* the lab's scenario for it, *inputs* are its parameters, *limits* its limits, and
    *parts* its steps and groups of steps.

    *hosts* and *protect* are settings over the inputs: a selector or a list of host names; a list of mailboxes and
    groups. *source* is the file (or the name) it was read from, *text* its YAML, *digest* the SHA-256 (hexadecimal) of
    the text with LF line ends. *kind* is ``do`` for the playbook of a single action (``easops do``).
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
        """All steps in order, including those in groups."""
        return tuple(step for part in self.parts for step in ((part,) if isinstance(part, Step) else part.steps))

    @property
    def short_name(self) -> str:
        """The file's name without folder and suffix: ``contacts-sync-storm``."""
        return PurePath(self.source).stem


def _short(value: Any) -> str:
    """``60`` for 60.0."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
