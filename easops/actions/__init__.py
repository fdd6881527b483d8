"""The actions, and the changes that they make: to add one, write its file, and add its name to the tables here."""

from collections.abc import Mapping

from easops.actions.action import Action
from easops.actions.block_user import BLOCK_USER, SetActiveSyncEnabled
from easops.actions.change import Change
from easops.actions.limit_eas_usage import LIMIT_EAS_USAGE
from easops.actions.outcome import Done, ItemOutcome
from easops.actions.recycle_app_pool import RECYCLE_APP_POOL, RecycleAppPool
from easops.actions.throttling_policy_change import AssociateThrottlingPolicy, HaveThrottlingPolicy
from easops.registry import table

ACTIONS: Mapping[str, Action] = table(BLOCK_USER, LIMIT_EAS_USAGE, RECYCLE_APP_POOL)
"""All actions, by name."""

CHANGES: Mapping[str, type[Change]] = {
    change.kind: change
    for change in (SetActiveSyncEnabled, HaveThrottlingPolicy, AssociateThrottlingPolicy, RecycleAppPool)
}
"""The class of a stored change, by its kind. A kind that a record may have is never renamed."""

__all__ = ["ACTIONS", "CHANGES", "Action", "Change", "Done", "ItemOutcome"]
