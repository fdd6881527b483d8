"""Get-Group, and Get-Recipient, which shows everything that has an address: mailboxes, groups, contacts.

The members of a group are found with ``-Filter "MemberOfGroup -eq 'DN'"``, direct members only.
Source: Get-Group, Get-Recipient, and "Filterable properties for the Filter parameter", MemberOfGroup (2010 to SE).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.errors import ambiguous, not_found
from easops.lab.cmdlets.mailbox import in_scope
from easops.lab.cmdlets.objects import PRESENTATION, ad_id, directory_properties, multi
from easops.lab.cmdlets.opath import comparison
from easops.lab.cmdlets.parameters import MORE_RESULTS, checks_domain_controller, limited, parameters_of
from easops.lab.value import Enum, Obj, Warning_
from easops.lab.world import World
from easops.lab.world.recipient import Group, Mailbox, Recipient, visible
from easops.lab.world.replication import EVER

T = TypeVar("T", Group, Mailbox | Group | Recipient)

_TYPE: Final = "Microsoft.Exchange.Data.Directory.Recipient.RecipientType"
_DETAILS: Final = "Microsoft.Exchange.Data.Directory.Recipient.RecipientTypeDetails"
_TYPES: Final[Mapping[str, tuple[int, int]]] = {
    "UserMailbox": (2, 1),
    "MailUser": (3, 128),
    "MailContact": (5, 64),
    "Group": (6, 1_073_741_824),
    "MailUniversalDistributionGroup": (7, 256),
    "DynamicDistributionGroup": (10, 2_048),
}
"""The numbers of a recipient type: as RecipientType, and as RecipientTypeDetails."""


def _chosen(
    world: World, call: Call, parameters: Mapping[str, Any], named: Sequence[T], every: Iterable[T]
) -> tuple[list[T], bool]:
    """The results of a Get- cmdlet, *named* by its Identity or *every* one, and whether there are more."""
    identity = parameters.get("Identity")
    named = [one for one in named if in_scope(world, call, one)]
    every = [one for one in every if in_scope(world, call, one)]
    if identity and not named:
        raise not_found(world, call, str(identity))
    if identity and len(named) > 1:
        raise ambiguous(world, call, str(identity))
    found = list(named) if identity else list(every)
    if "Filter" in parameters:
        _, group = comparison(call, str(parameters["Filter"]), ("memberofgroup",))
        members = world.directory.members_of(group or "")
        found = [one for one in found if one in members]
    return limited(found, parameters)


def _get_group(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Identity", "ResultSize", "Filter")
    directory = world.directory
    named = directory.find_groups(str(parameters.get("Identity", "")))
    shown, more = _chosen(world, call, parameters, named, directory.groups)
    yield from (_group(world, call, group) for group in shown)
    if more:
        yield Warning_(MORE_RESULTS)


def _group(world: World, call: Call, group: Group) -> Obj:
    return Obj(
        ("Microsoft.Exchange.Data.Directory.Management.WindowsGroup", *PRESENTATION),
        {
            **directory_properties(world, call, group.dn, group.guid, group.name, EVER),
            "Identity": ad_id(group.name, group.dn, group.guid, group.canonical),
            "DisplayName": group.name,
            "SamAccountName": group.name,
            "WindowsEmailAddress": group.smtp,
            "Members": multi((ad_id(one.name, one.dn, one.guid, one.canonical) for one in group.members), "ADObjectId"),
            **_types(group.recipient_type),
        },
        text=group.canonical,
    )


def _get_recipient(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Identity", "ResultSize", "Filter")
    directory = world.directory
    every: list[Mailbox | Group | Recipient] = [
        *visible(directory.mailboxes, monitoring=False),
        *(group for group in directory.groups if group.smtp),
        *directory.recipients,
    ]
    wanted = str(parameters.get("Identity", "")).strip().lower()
    shown, more = _chosen(world, call, parameters, [one for one in every if wanted in one.names], every)
    for one in shown:
        kind = "UserMailbox" if isinstance(one, Mailbox) else one.recipient_type
        yield Obj(
            ("Microsoft.Exchange.Data.Directory.Management.ReducedRecipient", *PRESENTATION),
            {
                **directory_properties(world, call, one.dn, one.guid, one.name, EVER),
                "Identity": ad_id(one.name, one.dn, one.guid, one.canonical),
                "DisplayName": one.display_name if isinstance(one, Mailbox) else one.name,
                "PrimarySmtpAddress": one.smtp,
                **_types(kind),
            },
            text=one.canonical,
        )
    if more:
        yield Warning_(MORE_RESULTS)


def _types(kind: str) -> dict[str, Enum]:
    number, details = _TYPES[kind]
    return {
        "RecipientType": Enum(_TYPE, kind, number),
        "RecipientTypeDetails": Enum(_DETAILS, "UniversalSecurityGroup" if kind == "Group" else kind, details),
    }


GET_GROUP: Final = Cmdlet("Get-Group", "exchange", checks_domain_controller(_get_group))
GET_RECIPIENT: Final = Cmdlet("Get-Recipient", "exchange", checks_domain_controller(_get_recipient))
