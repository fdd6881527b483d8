"""The Exchange organisation: servers, mailboxes, groups, client access settings, throttling policies."""

from easops.exchange.cas_mailbox import CasMailbox, get_cas_mailbox, set_active_sync_enabled
from easops.exchange.eas_limits import EasBudget, EasLimits, EasPercentTime
from easops.exchange.group import (
    AmbiguousGroup,
    Group,
    Recipient,
    find_group,
    find_recipient,
    list_member_groups,
    list_member_recipients,
)
from easops.exchange.mailbox import AmbiguousMailbox, DoubtfulMailbox, Mailbox, find_mailbox, require_mailbox
from easops.exchange.mailbox_folder import count_contacts
from easops.exchange.organisation import Organisation
from easops.exchange.server import (
    DirectoryUse,
    DomainController,
    ExchangeServer,
    choose_domain_controller,
    find_domain_controller,
    get_exchange_server,
    list_domain_controllers,
    list_exchange_servers,
    read_directory_use,
    server_version,
)
from easops.exchange.throttling_policy import (
    ThrottlingPolicy,
    associate_throttling_policy,
    get_throttling_policy,
    list_throttling_policies,
    new_throttling_policy,
    remove_throttling_policy,
    set_throttling_policy,
)

__all__ = [
    "AmbiguousGroup",
    "AmbiguousMailbox",
    "CasMailbox",
    "DirectoryUse",
    "DomainController",
    "DoubtfulMailbox",
    "EasBudget",
    "EasLimits",
    "EasPercentTime",
    "ExchangeServer",
    "Group",
    "Mailbox",
    "Organisation",
    "Recipient",
    "ThrottlingPolicy",
    "associate_throttling_policy",
    "choose_domain_controller",
    "count_contacts",
    "find_domain_controller",
    "find_group",
    "find_mailbox",
    "find_recipient",
    "get_cas_mailbox",
    "get_exchange_server",
    "get_throttling_policy",
    "list_domain_controllers",
    "list_exchange_servers",
    "list_member_groups",
    "list_member_recipients",
    "list_throttling_policies",
    "new_throttling_policy",
    "read_directory_use",
    "remove_throttling_policy",
    "require_mailbox",
    "server_version",
    "set_active_sync_enabled",
    "set_throttling_policy",
]
