"""The throttling policies of the organisation, their ActiveSync part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from easops.detectors.detector import Surroundings
from easops.exchange.throttling_policy import Limit, list_throttling_policies
from easops.readings.reading import Reading


@attrs.frozen
class ThrottlingPolicyRow:
    """One policy; milliseconds (of use an hour, of use at once, of debt), None where it inherits the value."""

    name: str
    scope: str
    eas_recharge_rate: Limit
    eas_max_burst: Limit
    eas_cutoff_balance: Limit


def _read(values: Mapping[str, Any], host: str | None, around: Surroundings) -> Sequence[ThrottlingPolicyRow]:
    policies = list_throttling_policies(around.organisation.session())
    return [
        ThrottlingPolicyRow(
            policy.name, policy.scope, policy.eas.recharge_rate, policy.eas.max_burst, policy.eas.cutoff_balance
        )
        for policy in policies
    ]


THROTTLING_POLICIES = Reading(
    "throttling-policies",
    "Throttling policies, their ActiveSync values",
    "organisation",
    ("name", "scope", "eas_recharge_rate", "eas_max_burst", "eas_cutoff_balance"),
    _read,
)
