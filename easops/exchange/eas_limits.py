"""What a throttling policy leaves a user of ActiveSync: the budget of 2013 and later, the percent of time of 2010."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Literal, Self

import attrs

Limit = int | str | None
"""A number, ``"Unlimited"``, or None: not set."""


@attrs.frozen
class EasLimits:
    """The ActiveSync values of a policy in one version's model, which is a subclass; None where one is not set.

    *PARAMETERS* are the names that New- and Set-ThrottlingPolicy have for them.
    """

    PARAMETERS: ClassVar[Mapping[str, str]] = {}

    def over(self, below: Self) -> Self:
        """These values, with what is not set taken from *below*, the policy that applies otherwise."""
        return self.filled(attrs.asdict(below))

    def filled(self, others: Mapping[str, Limit]) -> Self:
        """These values, with what is not set taken from *others*, by name."""
        return attrs.evolve(self, **{name: others.get(name) for name, own in attrs.asdict(self).items() if own is None})

    def as_low_as(self, wanted: Self) -> bool:
        """Whether each value that *wanted* sets is as low here, or lower."""
        return all(_number(getattr(self, name)) <= _number(value) for name, value in wanted.values().items())

    def lowered_to(self, wanted: Self) -> Self:
        """The lower of each value, so that nothing is raised; what *wanted* leaves out stays out."""
        return type(self)(**{name: _lower(getattr(self, name), getattr(wanted, name)) for name in self.PARAMETERS})

    def parameters(self) -> dict[str, Limit]:
        """As parameters of New- and Set-ThrottlingPolicy; only what is set."""
        return {
            parameter: wire(value)
            for name, parameter in self.PARAMETERS.items()
            if (value := getattr(self, name)) is not None
        }

    def values(self) -> dict[str, Limit]:
        """What is set, by name: as a record has it, and as a person reads it."""
        return {name: value for name, value in attrs.asdict(self).items() if value is not None}


@attrs.frozen
class EasBudget(EasLimits):
    """The budget of a user's ActiveSync use (2013 and later).

    *recharge_rate* is milliseconds of use regained per hour, *max_burst* milliseconds that may be used at once,
    *cutoff_balance* milliseconds of debt before the user is blocked until it is regained.
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
    """The share of a minute that a user's ActiveSync requests may run in a client access server (2010).

    *percent_time_in_cas* is 100 for 60 s in each window of 60 s, the default; None is no limit.
    Source: New-ThrottlingPolicy -EASPercentTimeInCAS; KB 2711053.
    """

    PARAMETERS: ClassVar[Mapping[str, str]] = {"percent_time_in_cas": "EASPercentTimeInCAS"}

    percent_time_in_cas: Limit = None

    def over(self, below: Self) -> Self:
        """Itself: on 2010 a value that is null is no limit, and nothing is said to be inherited."""
        return self


Model = Literal["budget", "percent"]

LIMITS: Final[dict[Model, type[EasLimits]]] = {"budget": EasBudget, "percent": EasPercentTime}
"""The class of each model's values; ``exchange.server.CAPABILITIES`` says which version has which."""


def wire(value: Limit) -> Limit:
    """A value as it is sent: as text, which every type of these parameters reads, whatever its width."""
    return None if value is None else str(value)


def _number(value: Limit) -> float:
    """Not set and Unlimited are above every number."""
    return float(value) if isinstance(value, int) else float("inf")


def _lower(have: Limit, want: Limit) -> Limit:
    if want is None:
        return None
    return have if _number(have) < _number(want) else want
