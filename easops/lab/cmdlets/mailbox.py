"""Get-Mailbox, Get-User, Get-MailboxStatistics, Get-MailboxFolderStatistics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.domain_controller import view_of
from easops.lab.cmdlets.errors import ambiguous, not_found
from easops.lab.cmdlets.objects import (
    AD_OBJECT,
    PRESENTATION,
    ad_id,
    directory_properties,
    mailbox_id,
    multi,
    server_version,
    size,
)
from easops.lab.cmdlets.opath import comparison
from easops.lab.cmdlets.parameters import MORE_RESULTS, checks_domain_controller, limited, parameters_of
from easops.lab.value import Enum, Obj, Warning_
from easops.lab.world import World
from easops.lab.world.recipient import Mailbox, Recipient, visible
from easops.lab.world.replication import EVER

_FILTERED: Final[Mapping[str, Callable[[Mailbox], str]]] = {
    "alias": lambda mailbox: mailbox.alias,
    "displayname": lambda mailbox: mailbox.display_name,
    "guid": lambda mailbox: str(mailbox.guid),
    "name": lambda mailbox: mailbox.name,
    "primarysmtpaddress": lambda mailbox: mailbox.smtp,
    "samaccountname": lambda mailbox: mailbox.sam,
    "userprincipalname": lambda mailbox: mailbox.smtp,
}


def one_mailbox(world: World, call: Call, identity: Any) -> Mailbox:
    """The one mailbox of *identity*. Raises CmdletFailed where there is none, or several."""
    found = [mailbox for mailbox in world.directory.find_mailboxes(str(identity)) if in_scope(world, call, mailbox)]
    if not found:
        raise not_found(world, call, str(identity))
    if len(found) > 1:
        raise ambiguous(world, call, str(identity))
    return found[0]


def in_scope(world: World, call: Call, one: Mailbox | Recipient) -> bool:
    """Whether the call sees *one*. A domain controller has the users of its own domain; without one, a session sees
    those of its server's domain, or of the whole forest after Set-ADServerSettings."""
    named = world.directory.replication.named(str(call.parameters.get("DomainController")))
    if named is not None:
        return one.domain == world.scenario.domain_of_dc(named)
    return bool(call.settings.get("ViewEntireForest")) or one.domain == world.scenario.domain


def piped_identity(call: Call) -> Any:
    """The identity of the object from the pipe, for a call without -Identity: its Guid, which is unique."""
    for item in call.input:
        if isinstance(item, Obj):
            return item.properties.get("Guid")
        return item
    return None


def _every(world: World, call: Call, *names: str) -> tuple[Iterator[Mailbox] | list[Mailbox], dict[str, Any]]:
    """The mailboxes of a Get- cmdlet, and its parameters. A null Identity means all mailboxes, as on a real server."""
    parameters = dict(parameters_of(call, "Identity", "ResultSize", "Monitoring", *names))
    identity = parameters.get("Identity") or piped_identity(call)
    if identity:
        mailbox = one_mailbox(world, call, identity)
        if mailbox.monitoring and not parameters.get("Monitoring"):
            raise not_found(world, call, str(identity))  # a health mailbox is shown only with -Monitoring
        return [mailbox], parameters
    shown = visible(world.directory.mailboxes, monitoring=bool(parameters.get("Monitoring")))
    return [mailbox for mailbox in shown if in_scope(world, call, mailbox)], parameters


def policy_id(world: World, call: Call, mailbox: Mailbox) -> Obj | None:
    """The associated throttling policy; null where the default applies."""
    view = view_of(world, call)
    policy = view.policy(view.access(mailbox).policy)
    return None if policy is None else ad_id(policy.name, world.directory.policy_dn(policy), policy.guid)


def _matching(world: World, call: Call, text: str, mailboxes: Iterable[Mailbox]) -> list[Mailbox]:
    """The mailboxes that match a -Filter."""
    name, wanted = comparison(call, text, (*_FILTERED, "throttlingpolicy", "memberofgroup"))
    if name == "memberofgroup":
        members = world.directory.members_of(wanted or "")
        return [mailbox for mailbox in mailboxes if mailbox in members]
    if name == "throttlingpolicy":
        view = view_of(world, call)
        names = {policy.guid: world.directory.policy_dn(policy).lower() for policy in view.policies}
        policies = {mailbox: view.access(mailbox).policy for mailbox in mailboxes}
        return [mailbox for mailbox, guid in policies.items() if (names.get(guid) if guid else None) == wanted]
    return [mailbox for mailbox in mailboxes if _FILTERED[name](mailbox).lower() == wanted]


def _get_mailbox(world: World, call: Call) -> Iterable[Any]:
    mailboxes, parameters = _every(world, call, "Server", "Database", "Filter", "RecipientTypeDetails")
    chosen = list(mailboxes)
    if "RecipientTypeDetails" in parameters:
        kinds = {str(kind).lower() for kind in parameters["RecipientTypeDetails"]}
        chosen = [mailbox for mailbox in chosen if _details(mailbox)[0].lower() in kinds]
    if "Server" in parameters:
        name = str(parameters["Server"]).lower().partition(".")[0]
        chosen = [mailbox for mailbox in chosen if mailbox.server.lower() == name]
    if "Database" in parameters:
        chosen = [mailbox for mailbox in chosen if mailbox.database.lower() == str(parameters["Database"]).lower()]
    if "Filter" in parameters:
        chosen = _matching(world, call, str(parameters["Filter"]), chosen)
    shown, more = limited(chosen, parameters)
    yield from (_mailbox(world, call, mailbox) for mailbox in shown)
    if more:
        yield Warning_(MORE_RESULTS)


def _details(mailbox: Mailbox) -> tuple[str, int]:
    if mailbox.monitoring:
        return "MonitoringMailbox", 549_755_813_888
    return ("LinkedMailbox", 2) if mailbox.linked else ("UserMailbox", 1)


def _mailbox(world: World, call: Call, mailbox: Mailbox) -> Obj:
    organisation = world.scenario.organisation
    return Obj(
        ("Microsoft.Exchange.Data.Directory.Management.Mailbox",
         "Microsoft.Exchange.Data.Directory.Management.MailEnabledOrgPerson", *PRESENTATION),
        {
            **directory_properties(world, call, mailbox.dn, mailbox.guid, mailbox.name, EVER),
            "Identity": mailbox_id(mailbox),
            "Id": mailbox_id(mailbox),
            "Alias": mailbox.alias,
            "DisplayName": mailbox.display_name,
            "PrimarySmtpAddress": mailbox.smtp,
            "WindowsEmailAddress": mailbox.smtp,
            "EmailAddresses": multi((f"SMTP:{mailbox.smtp}", f"smtp:{mailbox.old_smtp}"), "ProxyAddress"),
            "SamAccountName": mailbox.sam,
            "UserPrincipalName": mailbox.smtp,
            "LegacyExchangeDN": mailbox.legacy_dn,
            "ExchangeGuid": mailbox.exchange_guid,
            "ServerName": mailbox.server.lower(),
            "ExchangeVersion": mailbox.product.object_version,
            "AdminDisplayVersion": server_version(mailbox.product),
            "Database": ad_id(mailbox.database, f"CN={mailbox.database},CN=Databases,CN={organisation}"),
            "ThrottlingPolicy": policy_id(world, call, mailbox),
            "RecipientType": Enum("Microsoft.Exchange.Data.Directory.Recipient.RecipientType", "UserMailbox", 1),
            "RecipientTypeDetails": Enum(
                "Microsoft.Exchange.Data.Directory.Recipient.RecipientTypeDetails", *_details(mailbox)
            ),
            "IsLinked": bool(mailbox.linked),
            "LinkedMasterAccount": mailbox.linked,
            "HiddenFromAddressListsEnabled": mailbox.monitoring,
        },
        text=mailbox.canonical,
    )  # fmt: skip


def _get_user(world: World, call: Call) -> Iterable[Any]:
    parameters = dict(parameters_of(call, "Identity", "ResultSize"))
    identity = parameters.get("Identity") or piped_identity(call)
    if identity:
        chosen = [one_mailbox(world, call, identity)]
    else:
        chosen = list(visible(world.directory.mailboxes, monitoring=False))
    shown, more = limited(chosen, parameters)
    for mailbox in shown:
        first, _, last = mailbox.display_name.partition(" ")
        yield Obj(
            ("Microsoft.Exchange.Data.Directory.Management.User", *PRESENTATION),
            {
                **directory_properties(world, call, mailbox.dn, mailbox.guid, mailbox.name, EVER),
                "Identity": mailbox_id(mailbox),
                "DisplayName": mailbox.display_name,
                "FirstName": first,
                "LastName": last,
                "SamAccountName": mailbox.sam,
                "UserPrincipalName": mailbox.smtp,
                "WindowsEmailAddress": mailbox.smtp,
                "Sid": mailbox.sid,
                "RecipientType": Enum("Microsoft.Exchange.Data.Directory.Recipient.RecipientType", "UserMailbox", 1),
            },
            text=mailbox.canonical,
        )
    if more:
        yield Warning_(MORE_RESULTS)


def _get_mailbox_statistics(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Identity")
    identity = parameters.get("Identity") or piped_identity(call)
    mailbox = one_mailbox(world, call, identity)
    items = mailbox.items + mailbox.contacts
    yield Obj(
        ("Microsoft.Exchange.Management.MapiTasks.Presentation.MailboxStatistics", *AD_OBJECT[2:]),
        {
            "DisplayName": mailbox.display_name,
            "ItemCount": items,
            "TotalItemSize": size(items * 74_112),
            "MailboxGuid": mailbox.exchange_guid,
            "Database": ad_id(mailbox.database, f"CN={mailbox.database}"),
            "ServerName": mailbox.server.upper(),
            "OriginatingServer": f"{mailbox.server.lower()}.{world.scenario.domain}",
            "Identity": str(mailbox.exchange_guid),
            "IsValid": True,
        },
    )


def _get_mailbox_folder_statistics(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Identity", "FolderScope")
    identity = parameters.get("Identity") or piped_identity(call)
    mailbox = one_mailbox(world, call, identity)
    scope = str(parameters.get("FolderScope", "All")).lower()
    folders = (
        ("Inbox", "/Inbox", "Inbox", mailbox.items * 6 // 10),
        ("Sent Items", "/Sent Items", "SentItems", mailbox.items * 3 // 10),
        ("Calendar", "/Calendar", "Calendar", mailbox.items // 10),
        ("Contacts", "/Contacts", "Contacts", mailbox.contacts),
        ("Recipient Cache", "/Contacts/Recipient Cache", "RecipientCache", 0),
    )
    for name, path, kind, count in folders:
        if scope not in ("all", kind.lower()) and not path.lower().startswith(f"/{scope}/"):
            continue
        bytes_ = count * (2_310 if kind == "Contacts" else 74_112)
        yield Obj(
            ("Microsoft.Exchange.Management.Tasks.MailboxFolderConfiguration", *AD_OBJECT[2:]),
            {
                "Name": name,
                "FolderPath": path,
                "FolderType": kind,
                "ItemsInFolder": count,
                "DeletedItemsInFolder": 0,
                "FolderSize": size(bytes_),
                "ItemsInFolderAndSubfolders": count,
                "FolderAndSubfolderSize": size(bytes_),
                "Identity": f"{mailbox.canonical}{path.replace('/', chr(92))}",
                "IsValid": True,
            },
        )


GET_MAILBOX: Final = Cmdlet("Get-Mailbox", "exchange", checks_domain_controller(_get_mailbox))
GET_USER: Final = Cmdlet("Get-User", "exchange", checks_domain_controller(_get_user))
GET_MAILBOX_STATISTICS: Final = Cmdlet(
    "Get-MailboxStatistics", "exchange", checks_domain_controller(_get_mailbox_statistics)
)
GET_MAILBOX_FOLDER_STATISTICS: Final = Cmdlet(
    "Get-MailboxFolderStatistics", "exchange", checks_domain_controller(_get_mailbox_folder_statistics)
)
