"""What all cmdlets answer with: objects of Exchange and Windows, and their error records."""

from __future__ import annotations

import datetime as dt
import uuid
import zlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, TypeVar

from easops.lab.cmdlet import Call
from easops.lab.value import CmdletFailed, Enum, ErrorInfo, Obj
from easops.lab.world import World
from easops.lab.world.product import Product
from easops.lab.world.recipient import Mailbox
from easops.lab.world.replication import EVER
from easops.lab.world.view import View

_WITHOUT_EFFECT: Final = frozenset({"DomainController", "ReadFromDomainController", "IgnoreDefaultScope", "Force"})
"""Parameters that change nothing in what the lab answers (the engine keeps the common ones to itself)."""

AD_OBJECT: Final = (
    "Microsoft.Exchange.Data.Directory.ADObject",
    "Microsoft.Exchange.Data.Directory.ADRawEntry",
    "Microsoft.Exchange.Data.ConfigurableObject",
    "System.Object",
)
PRESENTATION: Final = ("Microsoft.Exchange.Data.Directory.Management.ADPresentationObject", *AD_OBJECT)

T = TypeVar("T")


def given(call: Call, *names: str) -> Mapping[str, Any]:
    """The parameters *names* that were given, without null ones. Any other parameter is a typed error: the lab
    answers nothing that it does not simulate."""
    for name, value in call.parameters.items():
        if name not in names and name not in _WITHOUT_EFFECT and value is not False:
            raise CmdletFailed(
                ErrorInfo(
                    f"The lab does not simulate parameter {name} of {call.cmdlet}.",
                    "System.NotSupportedException",
                    f"LabNotSimulated,{call.cmdlet}",
                    "NotImplemented",
                    activity=call.cmdlet,
                    target=name,
                )
            )
    return {name: call.parameters[name] for name in names if call.parameters.get(name) is not None}


def exchange_error(world: World, call: Call, exception: str, message: str, namespace: str) -> CmdletFailed:
    """An error record; 2013 and later put a prefix before its identifier.

    *exception* is a full type name, *namespace* of the cmdlet's class.

    Source: error records of Get-Mailbox and others, as administrators published them.
    """
    short = exception.rpartition(".")[2]
    number = zlib.crc32(f"{call.cmdlet}:{short}".encode())
    fqid = f"{number:X},Microsoft.Exchange.Management.{namespace}.{call.cmdlet.replace('-', '')}"
    if world.servers[call.server].product.version != "2010":
        moment = world.local(world.time)
        stamp = f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment:%M:%S %p}"
        prefix = f"[Server={call.server},RequestId={uuid.uuid4()},TimeStamp={stamp}] [FailureCategory=Cmdlet-{short}]"
        fqid = f"{prefix} {fqid}"
    return CmdletFailed(ErrorInfo(message, exception, fqid, "NotSpecified", activity=call.cmdlet))


def not_found(world: World, call: Call, what: str, namespace: str = "RecipientTasks") -> CmdletFailed:
    """The object *what* is not in the directory."""
    dc = domain_controller(world, call)
    return exchange_error(
        world,
        call,
        "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException",
        f"The operation couldn't be performed because object '{what}' couldn't be found on '{dc}'.",
        namespace,
    )


def ambiguous(world: World, call: Call, what: str, namespace: str = "RecipientTasks") -> CmdletFailed:
    return exchange_error(
        world,
        call,
        "Microsoft.Exchange.Configuration.Tasks.ManagementObjectAmbiguousException",
        f"The operation couldn't be performed because '{what}' matches multiple entries.",
        namespace,
    )


def domain_controller(world: World, call: Call) -> str:
    """The domain controller that a call reads from and writes to: the one it names, or its server's own."""
    named = world.directory.replication.named(str(call.parameters.get("DomainController")))
    return named or world.servers[call.server].dc


def seen(world: World, call: Call) -> View:
    """The directory as the call's domain controller has it now."""
    return View(world.directory, domain_controller(world, call), world.time)


def checks_domain_controller(run: Callable[[World, Call], Iterable[Any]]) -> Callable[[World, Call], Iterable[Any]]:
    """A cmdlet that takes -DomainController: one of those that there are, and no other is reached.

    Exception and message as servers give them for a domain controller that is not there.
    """

    def checked(world: World, call: Call) -> Iterable[Any]:
        wanted = call.parameters.get("DomainController")
        if wanted is not None and world.directory.replication.named(str(wanted)) is None:
            raise exchange_error(
                world,
                call,
                "Microsoft.Exchange.Data.Directory.SuitabilityDirectoryException",
                f"An Active Directory error 0x51 occurred when trying to check the suitability of server '{wanted}'. "
                "Error: 'Active directory response: The LDAP server is unavailable.'",
                "RecipientTasks",
            )
        return run(world, call)

    return checked


def ad_id(name: str, dn: str, guid: uuid.UUID | None = None, text: str | None = None) -> Obj:
    """An ADObjectId: what a person reads is its text."""
    return Obj(
        ("Microsoft.Exchange.Data.Directory.ADObjectId", "System.Object"),
        {"Name": name, "DistinguishedName": dn, "ObjectGuid": guid},
        text=text if text is not None else name,
    )


def mailbox_id(mailbox: Mailbox) -> Obj:
    return ad_id(mailbox.name, mailbox.dn, mailbox.guid, mailbox.canonical)


def multi(values: Iterable[Any], kind: str = "System.String") -> Obj:
    """A MultiValuedProperty."""
    return Obj((f"Microsoft.Exchange.Data.MultiValuedProperty`1[[{kind}]]", "System.Object"), items=tuple(values))


def unlimited(value: str) -> Obj:
    """An Unlimited value: an object whose text is the digits or the word."""
    return Obj(
        ("Microsoft.Exchange.Data.Unlimited`1[[System.UInt32]]", "System.ValueType", "System.Object"),
        {"IsUnlimited": value == "Unlimited"},
        text=value,
    )


def server_version(product: Product) -> Obj:
    """An AdminDisplayVersion."""
    major, minor, build, revision = product.build
    return Obj(
        ("Microsoft.Exchange.Data.ServerVersion", "System.Object"),
        {"Major": major, "Minor": minor, "Build": build, "Revision": revision},
        text=f"Version {major}.{minor} (Build {build}.{revision})",
    )


def of_another_version(world: World, call: Call, what: str, product: Product, namespace: str) -> CmdletFailed:
    """*what*, an object of *product*'s making, cannot be changed by the call's server, which is of another version.

    The message about a newer object is as servers write it; that about an older one is the lab's own, as no page was
    found that has it.
    """
    own = world.servers[call.server].product
    if product.build > own.build:
        message = (
            f"Object is read only because it was created by a future version of Exchange: {product.object_version}. "
            f"Current supported version is {own.object_version}."
        )
    else:
        message = f"{what} belongs to Exchange {product.version} and can't be changed by Exchange {own.version}."
    return exchange_error(world, call, "Microsoft.Exchange.Data.InvalidObjectOperationException", message, namespace)


def size(size: int) -> str:
    """A size as its text: ``152.1 MB (159,449,088 bytes)``."""
    scaled, unit = float(size), "B"
    for following in ("KB", "MB", "GB", "TB"):
        if scaled < 1024:
            break
        scaled, unit = scaled / 1024, following
    return f"{scaled:.4g} {unit} ({size:,} bytes)"


def directory_properties(
    world: World, call: Call, dn: str, guid: uuid.UUID, name: str, created: float
) -> dict[str, Any]:
    """The properties that every object of the directory has."""
    when = world.local(world.start - 400 * 86_400 if created == EVER else created)
    return {
        "Name": name,
        "DistinguishedName": dn,
        "Guid": guid,
        "WhenCreated": when,
        "WhenCreatedUTC": when.astimezone(dt.UTC),
        "OrganizationId": "",
        "OriginatingServer": domain_controller(world, call),
        "IsValid": True,
        "ObjectState": Enum("Microsoft.Exchange.Data.ObjectState", "Unchanged", 1),
    }


def limited(results: Iterable[T], parameters: Mapping[str, Any]) -> tuple[list[T], bool]:
    """What -ResultSize lets through (1000 unless given), and whether more was there."""
    wanted = parameters.get("ResultSize", 1000)
    every = list(results)
    if str(wanted).lower() == "unlimited":
        return every, False
    return every[: int(wanted)], len(every) > int(wanted)


MORE_RESULTS: Final = (
    "There are more results available than are currently displayed. To view them, increase the value for the "
    "ResultSize parameter."
)
