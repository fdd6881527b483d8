"""How much a throttling policy lets a user of ActiveSync use: a budget (2013 and later), or a share of time (2010)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal, Self

import attrs

Limit = int | str | None
"""A number, ``"Unlimited"``, or None: not set."""


@attrs.frozen
class EasLimits:
    """The ActiveSync values of a policy: a base class, with a subclass for each model. A value is None if it is not
    set.

    *PARAMETERS* has, for each value, the name of the parameter of New- and Set-ThrottlingPolicy.
    """

    PARAMETERS: ClassVar[Mapping[str, str]] = {}

    def with_defaults(self, defaults: Self) -> Self:
        """These values; those that are not set come from *defaults*, the policy that applies otherwise."""
        return self.filled(attrs.asdict(defaults))

    def filled(self, values: Mapping[str, Limit]) -> Self:
        """These values; those that are not set come from *values*, by name."""
        return attrs.evolve(self, **{name: values.get(name) for name, own in attrs.asdict(self).items() if own is None})

    def as_low_as(self, limits: Self) -> bool:
        """Whether each value that *limits* sets is as low here, or lower."""
        return all(_number(getattr(self, name)) <= _number(value) for name, value in limits.values().items())

    def lowered_to(self, limits: Self) -> Self:
        """The lower of the two values of each kind, so that nothing is raised. What *limits* does not set is not
        set."""
        return type(self)(**{name: _lower(getattr(self, name), getattr(limits, name)) for name in self.PARAMETERS})

    def parameters(self) -> dict[str, Limit]:
        """The values that are set, as parameters of New- and Set-ThrottlingPolicy."""
        return {
            parameter: wire(value)
            for name, parameter in self.PARAMETERS.items()
            if (value := getattr(self, name)) is not None
        }

    def values(self) -> dict[str, Limit]:
        """The values that are set, by name: the form in which they are recorded and shown."""
        return {name: value for name, value in attrs.asdict(self).items() if value is not None}


@attrs.frozen
class EasBudget(EasLimits):
    """A user's budget for ActiveSync (2013 and later), in milliseconds of use.

    *recharge_rate* is what the user regains per hour, *max_burst* what may be used at once, and *cutoff_balance* the
    debt at which the user is blocked until it is regained.
    Source: New-ThrottlingPolicy -EasRechargeRate, -EasMaxBurst, -EasCutoffBalance.
    """

    PARAMETERS: ClassVar[Mapping[str, str]] = {
        "recharge_rate": "EasRechargeRate",
        "max_burst": "EasMaxBurst",
        "cutoff_balance": "EasCutoffBalance",
    }

    recharge_rate: Limit = None
    max_burst: Limit = None
    cutoff_balance: Limit = None


@attrs.frozen
class EasPercentTime(EasLimits):
    """The share of time that a user's ActiveSync requests may take in a client access server (2010).

    *percent_time_in_cas* is in percent of each minute: 100, the default, is 60 s in 60 s. None means no limit.
    Source: New-ThrottlingPolicy -EASPercentTimeInCAS; KB 2711053.
    """

    PARAMETERS: ClassVar[Mapping[str, str]] = {"percent_time_in_cas": "EASPercentTimeInCAS"}

    percent_time_in_cas: Limit = None

    def with_defaults(self, defaults: Self) -> Self:
        """The same values: on 2010 null means "no limit", and the documentation does not say that anything is
        inherited."""
        return self


Model = Literal["budget", "percent"]

LIMITS: Final[dict[Model, type[EasLimits]]] = {"budget": EasBudget, "percent": EasPercentTime}
"""The class for each model. ``exchange.server.CAPABILITIES`` says which version has which model."""


def wire(value: Limit) -> Limit:
    """A value as it is sent: as text. Parameters of every type, of 32 or 64 bits, accept that."""
    return None if value is None else str(value)


def _number(value: Limit) -> float:
    """A value for comparisons: "not set" and Unlimited are above every number."""
    return float(value) if isinstance(value, int) else float("inf")


def _lower(value: Limit, limit: Limit) -> Limit:
    if limit is None:
        return None
    return value if _number(value) < _number(limit) else limit
