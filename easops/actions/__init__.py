"""The actions, and the changes that they make: to add one, write its file and add its word here."""

from collections.abc import Mapping

from easops.actions.action import Action
from easops.actions.block_user import BLOCK_USER, SetActiveSyncEnabled
from easops.actions.change import Change
from easops.actions.limit_eas_usage import LIMIT_EAS_USAGE, AssociateThrottlingPolicy, HaveThrottlingPolicy
from easops.actions.outcome import Done, ItemOutcome
from easops.actions.recycle_app_pool import RECYCLE_APP_POOL, RecycleAppPool
from easops.registry import table

ACTIONS: Mapping[str, Action] = table(BLOCK_USER, LIMIT_EAS_USAGE, RECYCLE_APP_POOL)
"""All actions, by name."""

CHANGES: Mapping[str, type[Change]] = {
    change.kind: change
    for change in (SetActiveSyncEnabled, HaveThrottlingPolicy, AssociateThrottlingPolicy, RecycleAppPool)
}
"""How a stored change finds its class again. A kind that a record holds is never renamed."""

__all__ = ["ACTIONS", "CHANGES", "Action", "Change", "Done", "ItemOutcome"]
