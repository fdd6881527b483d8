"""Get-MobileDevice and Get-MobileDeviceStatistics, also by their names before 2013: Get-ActiveSyncDevice…"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterable
from typing import Any, Final

from easops.lab.cmdlet import Call, Cmdlet
from easops.lab.cmdlets.domain_controller import domain_controller, view_of
from easops.lab.cmdlets.errors import not_found
from easops.lab.cmdlets.mailbox import one_mailbox
from easops.lab.cmdlets.objects import AD_OBJECT, ad_id, directory_properties
from easops.lab.cmdlets.parameters import MORE_RESULTS, checks_domain_controller, limited, parameters_of
from easops.lab.value import CmdletFailed, Enum, ErrorInfo, Obj, Warning_
from easops.lab.world import World
from easops.lab.world.phone import Phone

_SIGN: Final = "§"


def _guid(phone: Phone) -> uuid.UUID:
    return uuid.UUID(int=phone.guid, version=4)


def _object_name(phone: Phone) -> str:
    return f"{phone.kind}{_SIGN}{phone.device_id}"


def _identity(phone: Phone) -> str:
    return f"{phone.mailbox.canonical}/ExchangeActiveSyncDevices/{_object_name(phone)}"


def _dn(phone: Phone) -> str:
    return f"CN={_object_name(phone)},CN=ExchangeActiveSyncDevices,{phone.mailbox.dn}"


def _names(phone: Phone) -> set[str]:
    forms = (
        _identity(phone),
        f"{phone.mailbox.name}\\ExchangeActiveSyncDevices\\{_object_name(phone)}",
        _dn(phone),
        str(_guid(phone)),
    )
    return {form.lower() for form in forms}


def _phones(world: World, call: Call, identity: Any, mailbox: Any) -> list[Phone]:
    if identity:
        found = [phone for phone in world.phones if str(identity).lower() in _names(phone)]
        if not found:
            raise not_found(world, call, str(identity))
        return found
    if mailbox:
        owner = one_mailbox(world, call, mailbox)
        return [phone for phone in world.phones if phone.mailbox is owner]
    return world.phones


def _state(world: World, call: Call, phone: Phone) -> tuple[Enum, Enum]:
    blocked = phone.device_id in view_of(world, call).access(phone.mailbox).blocked
    prefix = "Microsoft.Exchange.Data.Directory.SystemConfiguration."
    return (
        Enum(f"{prefix}DeviceAccessState", "Blocked" if blocked else "Allowed", 2 if blocked else 1),
        Enum(f"{prefix}DeviceAccessStateReason", "Individual" if blocked else "Global", 2 if blocked else 1),
    )


def _shared(world: World, call: Call, phone: Phone) -> dict[str, Any]:
    state, reason = _state(world, call, phone)
    return {
        "DeviceId": phone.device_id,
        "DeviceType": phone.kind,
        "DeviceModel": phone.user_agent.partition("/")[0],
        "DeviceUserAgent": phone.user_agent,
        "DeviceAccessState": state,
        "DeviceAccessStateReason": reason,
        "FirstSyncTime": world.local(world.start - phone.partnership).astimezone(dt.UTC),
        "ClientType": Enum("Microsoft.Exchange.Data.Directory.SystemConfiguration.MobileClientType", "EAS", 0),
    }


def _noun(call: Call) -> str:
    return "ActiveSyncDevice" if call.cmdlet.startswith("Get-ActiveSync") else "MobileDevice"


def _get(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Identity", "Mailbox", "ResultSize", "ActiveSync")
    phones, more = limited(_phones(world, call, parameters.get("Identity"), parameters.get("Mailbox")), parameters)
    for phone in phones:
        yield Obj(
            (f"Microsoft.Exchange.Data.Directory.SystemConfiguration.{_noun(call)}", *AD_OBJECT),
            {
                **directory_properties(
                    world, call, _dn(phone), _guid(phone), _object_name(phone), world.start - phone.partnership
                ),
                **_shared(world, call, phone),
                "Identity": ad_id(_object_name(phone), _dn(phone), _guid(phone), _identity(phone)),
                "UserDisplayName": phone.mailbox.canonical,
                "FriendlyName": phone.kind,
                "DeviceActiveSyncVersion": f"{phone.protocol / 10:.1f}",
            },
            text=_identity(phone),
        )
    if more:
        yield Warning_(MORE_RESULTS)


def _get_statistics(world: World, call: Call) -> Iterable[Any]:
    parameters = parameters_of(call, "Identity", "Mailbox", "ActiveSync")
    if not parameters.get("Identity") and not parameters.get("Mailbox"):
        raise CmdletFailed(
            ErrorInfo(
                f"{call.cmdlet} needs -Identity or -Mailbox.",
                "System.ArgumentException",
                f"LabNeedsIdentity,{call.cmdlet}",
                "InvalidArgument",
                activity=call.cmdlet,
            )
        )
    for phone in _phones(world, call, parameters.get("Identity"), parameters.get("Mailbox")):
        synced = None if phone.last_sync is None else world.local(phone.last_sync).astimezone(dt.UTC)
        yield Obj(
            (f"Microsoft.Exchange.Data.Storage.Management.{_noun(call)}Configuration", *AD_OBJECT[2:]),
            {
                **_shared(world, call, phone),
                "Identity": ad_id(_object_name(phone), _dn(phone), _guid(phone), _identity(phone)),
                "Guid": _guid(phone),
                "LastSuccessSync": synced,
                "LastSyncAttemptTime": synced,
                "LastPingHeartbeat": phone.heartbeat,
                "NumberOfFoldersSynced": phone.folders,
                "DeviceFriendlyName": phone.kind,
                "Status": Enum("Microsoft.Exchange.Data.Storage.Management.DeviceRemoteWipeStatus", "DeviceOk", 0),
                "OriginatingServer": domain_controller(world, call),
                "IsValid": True,
            },
        )


GET_MOBILE_DEVICE: Final = Cmdlet("Get-MobileDevice", "exchange", checks_domain_controller(_get))
GET_MOBILE_DEVICE_STATISTICS: Final = Cmdlet(
    "Get-MobileDeviceStatistics", "exchange", checks_domain_controller(_get_statistics)
)
GET_ACTIVE_SYNC_DEVICE: Final = Cmdlet("Get-ActiveSyncDevice", "exchange", checks_domain_controller(_get))
GET_ACTIVE_SYNC_DEVICE_STATISTICS: Final = Cmdlet(
    "Get-ActiveSyncDeviceStatistics", "exchange", checks_domain_controller(_get_statistics)
)
