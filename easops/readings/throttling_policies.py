"""The throttling policies of the organisation, with their ActiveSync values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from easops.context import Context
from easops.exchange.eas_limits import EasBudget, EasPercentTime, Limit, Model
from easops.exchange.server import CAPABILITIES
from easops.exchange.throttling_policy import list_throttling_policies
from easops.inventory.host import Version
from easops.readings.reading import Reading


@attrs.frozen
class ThrottlingPolicyRow:
    """One policy. On 2010 the value is percent of a minute; later the values are milliseconds (of use in an hour, of
    use at once, of debt). None: the policy inherits the value, or belongs to the other model."""

    name: str
    scope: str
    eas_percent_time_in_cas: Limit = None
    eas_recharge_rate: Limit = None
    eas_max_burst: Limit = None
    eas_cutoff_balance: Limit = None


def _read(values: Mapping[str, Any], host: str | None, context: Context) -> Sequence[ThrottlingPolicyRow]:
    """The policies as the servers of each model show them: in a mixed organisation neither shows the other's values."""
    organisation = context.organisation
    versions: dict[Model | None, Version] = {}
    for version in organisation.versions:
        versions.setdefault(CAPABILITIES[version].throttling, version)
    rows: dict[str, ThrottlingPolicyRow] = {}
    for server_version in versions.values() if len(versions) > 1 else (None,):
        for policy in list_throttling_policies(organisation.session(server_version)):
            shown: dict[str, Any] = {f"eas_{name}": value for name, value in policy.eas.values().items()}
            row = rows.setdefault(policy.guid, ThrottlingPolicyRow(policy.name, policy.scope))
            rows[policy.guid] = attrs.evolve(row, scope=policy.scope if shown else row.scope, **shown)
    return sorted(rows.values(), key=lambda row: (row.scope not in ("Global", "Default"), row.name.lower()))


_COLUMNS: Final = ("name", "scope", *(f"eas_{name}" for name in (*EasPercentTime.PARAMETERS, *EasBudget.PARAMETERS)))

THROTTLING_POLICIES = Reading(
    "throttling-policies", "Throttling policies and their ActiveSync values", "organisation", _COLUMNS, _read
)
