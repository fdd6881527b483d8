"""Get-CASMailbox and Set-CASMailbox: whether a mailbox, and which of its devices, may use ActiveSync."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import attrs

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.domain_controller import view_of
from easops.lab.cmdlets.errors import of_another_version
from easops.lab.cmdlets.mailbox import one_mailbox, piped_identity
from easops.lab.cmdlets.objects import PRESENTATION, ad_id, directory_properties, mailbox_id, multi
from easops.lab.cmdlets.parameters import MORE_RESULTS, checks_domain_controller, limited, parameters_of
from easops.lab.value import Obj, Warning_
from easops.lab.world import World
from easops.lab.world.recipient import Mailbox, visible
from easops.lab.world.replication import EVER


def _get(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Identity", "ResultSize")
    identity = parameters.get("Identity") or piped_identity(call)
    if identity:
        chosen = [one_mailbox(world, call, identity)]
    else:
        chosen = list(visible(world.directory.mailboxes, monitoring=False))
    shown, more = limited(chosen, parameters)
    yield from (_cas_mailbox(world, call, mailbox) for mailbox in shown)
    if more:
        yield Warning_(MORE_RESULTS)


def _cas_mailbox(world: World, call: Call, mailbox: Mailbox) -> Obj:
    access = view_of(world, call).access(mailbox)
    return Obj(
        ("Microsoft.Exchange.Data.Directory.Management.CASMailbox", *PRESENTATION),
        {
            **directory_properties(world, call, mailbox.dn, mailbox.guid, mailbox.name, EVER),
            "Identity": mailbox_id(mailbox),
            "DisplayName": mailbox.display_name,
            "PrimarySmtpAddress": mailbox.smtp,
            "SamAccountName": mailbox.sam,
            "EmailAddresses": multi((f"SMTP:{mailbox.smtp}", f"smtp:{mailbox.old_smtp}"), "ProxyAddress"),
            "ActiveSyncEnabled": access.active_sync,
            "ActiveSyncAllowedDeviceIDs": multi(access.allowed),
            "ActiveSyncBlockedDeviceIDs": multi(access.blocked),
            "ActiveSyncMailboxPolicy": ad_id("Default", f"CN=Default,CN=Mobile Mailbox Policies,CN={mailbox.netbios}"),
            "ActiveSyncMailboxPolicyIsDefaulted": True,
            "HasActiveSyncDevicePartnership": any(phone.mailbox is mailbox for phone in world.phones),
            "OWAEnabled": True,
            "ECPEnabled": True,
            "EwsEnabled": None,
            "ImapEnabled": True,
            "PopEnabled": True,
            "MAPIEnabled": True,
        },
        text=mailbox.canonical,
    )


def _set(world: World, call: Call) -> Iterable[Any]:
    names = ("Identity", "ActiveSyncEnabled", "ActiveSyncBlockedDeviceIDs", "ActiveSyncAllowedDeviceIDs")
    parameters = parameters_of(call, *names)
    mailbox = one_mailbox(world, call, parameters.get("Identity") or piped_identity(call))
    if mailbox.product.build > world.servers[call.server].product.build:
        raise of_another_version(world, call, f"The mailbox '{mailbox.name}'", mailbox.product, "RecipientTasks")
    view = view_of(world, call)
    access = view.access(mailbox)
    values: dict[str, Any] = {}
    if "ActiveSyncEnabled" in parameters:
        values["active_sync"] = bool(parameters["ActiveSyncEnabled"])
    # Null, which `parameters_of` leaves out, empties a list.
    if "ActiveSyncBlockedDeviceIDs" in call.parameters:
        values["blocked"] = _edited(access.blocked, call.parameters["ActiveSyncBlockedDeviceIDs"])
    if "ActiveSyncAllowedDeviceIDs" in call.parameters:
        values["allowed"] = _edited(access.allowed, call.parameters["ActiveSyncAllowedDeviceIDs"])
    if attrs.evolve(access, **values) == access:
        yield Warning_(
            f"The command completed successfully but no settings of '{mailbox.canonical}' have been modified."
        )
        return
    view.set_access(mailbox, **values)


def _edited(before: tuple[str, ...], value: Any) -> tuple[str, ...]:
    """A multi-valued property after *value*: a list replaces it, Add and Remove edit it, null empties it."""
    if value is None:
        return ()
    if not isinstance(value, Mapping):
        return tuple(dict.fromkeys(_texts(value)))
    edits = {str(key).lower(): _texts(texts) for key, texts in value.items()}
    removed = {text.lower() for text in edits.get("remove", ())}
    kept = [text for text in before if text.lower() not in removed]
    return tuple(dict.fromkeys([*kept, *edits.get("add", ())]))


def _texts(value: Any) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else (str(value),)


GET_CAS_MAILBOX: Final = Cmdlet("Get-CASMailbox", "exchange", checks_domain_controller(_get))
SET_CAS_MAILBOX: Final = Cmdlet("Set-CASMailbox", "exchange", checks_domain_controller(_set), changes=True)
